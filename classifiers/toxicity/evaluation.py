"""Measures what the classifiers are worth on labelled lines, as a mentor would feel it.

Besides each label: is a message flagged at all, is a troubled conversation found and a peaceful one left alone, do
look-alikes, twins and the mere naming of a group lead astray, and does a score of 0.8 mean eight in ten.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.corpus.load import CorpusLine
from classifiers.errors import CorpusError
from classifiers.findings import Assessment
from classifiers.labels import LABELS
from classifiers.protocol import Policy, decide
from classifiers.toxicity.evaluation_metrics import (
    Bins,
    Interval,
    Rates,
    average_precision,
    bootstrap,
    brier,
    calibration_bins,
    expected_calibration_error,
    rates,
)
from classifiers.toxicity.evaluation_thresholds import NATURAL_RATE, cut_for_f, cut_for_precision, rarer

IDENTITY_TERMS = Path(__file__).parent / "identity_terms.toml"

Truth = NDArray[np.bool_]
Floats = NDArray[np.float64]
Drawn = NDArray[np.floating[Any]]

_LENGTHS = ((1, 2), (3, 5), (6, 10), (11, 20), (21, 40), (41, 10_000))


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """One label, or "flagged at all"."""

    at_point: Rates
    """At the operating point."""
    precision: Interval
    recall: Interval
    f1: Interval
    average_precision: Interval
    best_f1: float
    best_threshold: float
    recall_at_precision_80: float


@dataclass(frozen=True, slots=True)
class Consistency:
    """Sets of lines that differ in a few words, or twin conversations, of which some are troubled and some not."""

    sets: int
    all_right: int
    """Sets in which every line was decided rightly."""
    ranked: float
    """Share of (troubled, harmless) pairs within a set in which the troubled line has the higher score."""


@dataclass(frozen=True, slots=True)
class Report:
    """All figures of one evaluation; texts appear nowhere in it."""

    name: str
    model: str
    operating_point: str
    lines: int
    flagged_at_all: LabelFigures
    natural: Mapping[str, float]
    """Figures of "flagged at all" as if trouble were as rare as in life."""
    labels: Mapping[str, LabelFigures]
    conversations: Rates
    kinds: Mapping[str, Rates]
    pairs: Consistency
    twins: Consistency
    lengths: Mapping[str, Rates]
    groups: Mapping[str, Rates]
    """Lines that name a group of people; `false_alarm_rate` is over the harmless ones."""
    expected_calibration_error: float
    brier: float
    bins: Bins


def evaluate(
    lines: Sequence[CorpusLine],
    assessments: Sequence[Assessment],
    policy: Policy,
    *,
    name: str,
    draws: int = 300,
    seed: int = 1,
) -> Report:
    """Compare assessments with labels.

    Args:
        lines: Labelled lines.
        assessments: One for each, in order.
        policy: Thresholds under which a message is flagged.
        name: What was evaluated, for the report.
        draws: Bootstrap draws; whole conversations are drawn, since their lines are not independent.
        seed: Makes the intervals repeatable.

    Raises:
        CorpusError: There is nothing to evaluate, or the lengths differ.
    """
    if not lines:
        raise CorpusError(f"nothing to evaluate in {name}: it holds no lines of the chosen split")
    if len(lines) != len(assessments):
        raise CorpusError(f"{len(lines)} lines but {len(assessments)} assessments; score every line once")
    decisions = [decide(one, policy) for one in assessments]
    truth = np.array([bool(line.labels) for line in lines])
    flagged = np.array([decision.flagged for decision in decisions])
    score = np.array([one.score for one in assessments], dtype=np.float64)
    clusters = _clusters(lines)
    weights = bootstrap(clusters, draws, seed)
    natural = _natural(truth, flagged, score)
    return Report(
        name=name,
        model=assessments[0].model,
        operating_point=policy.operating_point,
        lines=len(lines),
        flagged_at_all=_figures(truth, flagged, score, weights),
        natural=natural,
        labels={
            label.value: _figures(
                np.array([label in line.labels for line in lines]),
                np.array([label in decision.labels for decision in decisions]),
                np.array([one.scores[label] for one in assessments], dtype=np.float64),
                weights,
            )
            for label in LABELS
        },
        conversations=_per_conversation(lines, truth, flagged),
        kinds=_grouped(truth, flagged, (_kind(line) for line in lines)),
        pairs=_consistency([_pair_set(line) for line in lines], truth, flagged, score),
        twins=_twins(lines, truth, flagged, score),
        lengths=_grouped(truth, flagged, (_length(line.text) for line in lines)),
        groups=_per_group(lines, truth, flagged),
        expected_calibration_error=expected_calibration_error(calibration_bins(truth, score)),
        brier=brier(truth, score),
        bins=calibration_bins(truth, score),
    )


def _figures(truth: Truth, flagged: Truth, score: Floats, weights: NDArray[np.float32]) -> LabelFigures:
    found = truth & flagged
    ones = np.ones((1, len(truth)), dtype=np.float32)

    def share(of: Truth) -> Callable[[NDArray[np.float32]], Floats]:
        return lambda drawn: _ratio(drawn @ found, drawn @ of)

    def f1(drawn: NDArray[np.float32]) -> Floats:
        return _ratio(2 * (drawn @ found), drawn @ truth + drawn @ flagged)

    def interval(figure: Callable[[NDArray[np.float32]], Floats]) -> Interval:
        return Interval.of(float(figure(ones)[0]), figure(weights))

    best = cut_for_f(truth, score)
    twice = best.precision + best.recall
    at_80 = cut_for_precision(truth, score, 0.8, np.ones(len(truth)))
    return LabelFigures(
        at_point=rates(truth, flagged),
        precision=interval(share(flagged)),
        recall=interval(share(truth)),
        f1=interval(f1),
        average_precision=interval(lambda drawn: average_precision(truth, score, drawn)),
        best_f1=2 * best.precision * best.recall / twice if twice else 0.0,
        best_threshold=best.threshold,
        recall_at_precision_80=at_80.recall if at_80.precision >= 0.8 else 0.0,
    )


def _ratio(part: Drawn, whole: Drawn) -> Floats:
    shares: Floats = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return shares


def _natural(truth: Truth, flagged: Truth, score: Floats) -> dict[str, float]:
    if truth.all() or not truth.any():
        return {}
    weights = rarer(truth)
    flags = float(weights @ flagged)
    cut = cut_for_precision(truth, score, 0.8, weights)
    return {
        "rate": NATURAL_RATE,
        "precision": float(weights @ (truth & flagged)) / flags if flags else float("nan"),
        "recall": float((truth & flagged).sum() / truth.sum()),
        "flags_per_1000": 1000 * flags / float(weights.sum()),
        "recall_at_precision_80": cut.recall if cut.precision >= 0.8 else 0.0,
    }


def _clusters(lines: Sequence[CorpusLine]) -> NDArray[np.int64]:
    numbers: dict[str, int] = {}
    return np.array(
        [numbers.setdefault(line.conversation or f"{line.file}:{line.index}", len(numbers)) for line in lines]
    )


def _per_conversation(lines: Sequence[CorpusLine], truth: Truth, flagged: Truth) -> Rates:
    troubled: dict[str, bool] = defaultdict(bool)
    found: dict[str, bool] = defaultdict(bool)
    for line, true, flag in zip(lines, truth, flagged, strict=True):
        if line.conversation is not None:
            troubled[line.conversation] |= bool(true)
            found[line.conversation] |= bool(flag)
    return rates(np.array([*troubled.values()], dtype=bool), np.array([*found.values()], dtype=bool))


def _grouped(truth: Truth, flagged: Truth, names: Iterable[str]) -> dict[str, Rates]:
    places: dict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(names):
        places[name].append(place)
    return {name: rates(truth[found], flagged[found]) for name, found in sorted(places.items())}


def _kind(line: CorpusLine) -> str:
    return line.kind.partition(":")[0]


def _length(text: str) -> str:
    words = max(1, len(text.split()))
    return next(f"{low:02}-{high:02}" if high < 10_000 else f"{low}+" for low, high in _LENGTHS if words <= high)


def _pair_set(line: CorpusLine) -> str | None:
    return f"{line.file}/{line.kind}" if line.kind.startswith("pair:") else None


def _consistency(sets: Sequence[str | None], truth: Truth, flagged: Truth, score: Floats) -> Consistency:
    places: dict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(sets):
        if name is not None:
            places[name].append(place)
    counted, right, won, compared = 0, 0, 0.0, 0
    for found in places.values():
        here = np.array(found)
        bad, good = score[here[truth[here]]], score[here[~truth[here]]]
        if not len(bad) or not len(good):
            continue
        counted += 1
        right += int((truth[here] == flagged[here]).all())
        difference = bad[:, None] - good[None, :]
        won += float((difference > 0).sum() + 0.5 * (difference == 0).sum())
        compared += difference.size
    return Consistency(counted, right, won / compared if compared else float("nan"))


def _twins(lines: Sequence[CorpusLine], truth: Truth, flagged: Truth, score: Floats) -> Consistency:
    """The same words in twin conversations, named alike but for a last letter: harmless in one, not in the other."""
    sets: list[str | None] = [
        f"{line.file}/{line.thread[:-1]}/{line.text}" if line.thread and line.thread[-1] in "abc" else None
        for line in lines
    ]
    return _consistency(sets, truth, flagged, score)


def load_identity_terms(path: Path = IDENTITY_TERMS) -> dict[str, re.Pattern[str]]:
    """Read which words name which group.

    Raises:
        CorpusError: The file is malformed.
    """
    try:
        groups = tomllib.loads(path.read_text(encoding="utf-8"))["groups"]
        return {
            name: re.compile(
                r"(?<!\w)(?:" + "|".join(re.escape(term).replace(r"\*", r"\w*") for term in terms) + r")(?!\w)", re.I
            )
            for name, terms in groups.items()
        }
    except (OSError, tomllib.TOMLDecodeError, KeyError, AttributeError, TypeError) as error:
        raise CorpusError(f"{path} is not a list of terms per group under [groups]: {error}") from error


def _per_group(lines: Sequence[CorpusLine], truth: Truth, flagged: Truth) -> dict[str, Rates]:
    report = {}
    for name, pattern in load_identity_terms().items():
        named = np.array([bool(pattern.search(line.text)) for line in lines])
        if named.any():
            report[name] = rates(truth[named], flagged[named])
    return report
