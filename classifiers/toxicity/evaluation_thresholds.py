"""Chooses where the cuts of the two operating points lie, and writes them down with the run that chose them.

In the corpus a quarter of the lines is labeled, in a class group a few in a hundred. A cut chosen on the first would
cry wolf in the second, so precision is computed as if troubled lines were as rare as they are in life.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.labels import LABELS
from classifiers.protocol.policy import OPERATING_POINTS, THRESHOLDS

NATURAL_RATE = 0.045
"""Share of messages in ordinary class groups that a mentor would want to see (estimate of the evaluation sets)."""

PRECISION = {"rustig": 0.8, "waakzaam": 0.5}
"""What each operating point asks of its flags, at the natural rate."""
BETA = {"rustig": 1.0, "waakzaam": 1.5}
"""How much a label's recall weighs against its precision."""
LEAST_FLAGS = 15
"""A precision seen on fewer flags is chance."""

Floats = NDArray[np.float64]
Truth = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Cut:
    """A threshold and what it gave where it was chosen."""

    threshold: float
    precision: float
    recall: float


def rarer(truth: Truth, rate: float = NATURAL_RATE) -> Floats:
    """Weights under which the share of true lines is `rate`."""
    share = truth.mean()
    weights: Floats = np.where(truth, rate / share, (1 - rate) / (1 - share))
    return weights


def cut_for_precision(truth: Truth, scores: Floats, precision: float, weights: Floats) -> Cut:
    """Lowest threshold from which precision holds; where it is never reached, the one that comes nearest."""
    order = np.argsort(-scores, kind="stable")
    ranked, hit, weight = scores[order], truth[order], weights[order]
    true_flags, flags = np.cumsum(weight * hit), np.cumsum(weight)
    at = true_flags / flags
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    ends = ends[(ends + 1 >= LEAST_FLAGS) & (ranked[ends] > 0)]
    if not len(ends):
        return Cut(1.0, 0.0, 0.0)
    good = ends[at[ends] >= precision]
    chosen = int(good[-1] if len(good) else ends[np.argmax(at[ends])])
    return Cut(float(ranked[chosen]), float(at[chosen]), float(true_flags[chosen] / true_flags[-1]))


def cut_for_f(truth: Truth, scores: Floats, beta: float = 1.0, weights: Floats | None = None) -> Cut:
    """Threshold with the best F-measure."""
    order = np.argsort(-scores, kind="stable")
    weight = np.ones(len(scores)) if weights is None else weights[order]
    ranked, hit = scores[order], truth[order]
    positives = float(np.sum(weight * hit))
    if not positives:
        return Cut(1.0, 0.0, 0.0)
    precision = np.cumsum(weight * hit) / np.cumsum(weight)
    recall = np.cumsum(weight * hit) / positives
    square = beta * beta
    measure = (1 + square) * precision * recall / np.maximum(square * precision + recall, 1e-12)
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    best = int(ends[np.argmax(measure[ends])])
    return Cut(float(ranked[best]), float(precision[best]), float(recall[best]))


def choose(
    labels: Sequence[Sequence[str]],
    any_scores: Floats,
    label_scores: Floats,
    talk: Truth,
    *,
    date: str,
    run: str,
) -> dict[str, dict[str, Any]]:
    """Choose both operating points of one model.

    Args:
        labels: True labels per line.
        any_scores: Shape (lines,).
        label_scores: Shape (lines, 10), in the order of `LABELS`.
        talk: True for lines of conversations, which are what a class group is like: the cut for flagging at all is
            chosen on them. A label's own cut needs more examples than they have and is chosen on all lines.
        date: Day of the choice.
        run: Name of the run, kept with the figures.

    Returns:
        The content of `[models.<family>]` in the thresholds file.
    """
    truth = np.array([bool(one) for one in labels])
    points = {}
    for point in OPERATING_POINTS:
        cut = cut_for_precision(truth[talk], any_scores[talk], PRECISION[point], rarer(truth[talk]))
        cuts = {}
        for column, label in enumerate(LABELS):
            held = np.array([label in one for one in labels])
            best = cut_for_f(held, label_scores[:, column], BETA[point])
            cuts[label.value] = round(min(max(best.threshold, 0.05), 0.95), 3)
        points[point] = {
            "date": date,
            "run": f"{run}: precision {cut.precision:.2f} and recall {cut.recall:.2f} at a rate of {NATURAL_RATE:.1%}",
            "any": max(round(cut.threshold, 4), 0.001),
            "labels": cuts,
        }
    return points


def write_thresholds(family: str, points: Mapping[str, Mapping[str, Any]], path: Path = THRESHOLDS) -> None:
    """Put one model's operating points into the file; other models, and the comments at its head, stay."""
    text = path.read_text(encoding="utf-8")
    content = tomllib.loads(text)
    head = text[: text.index("[models.")] if "[models." in text else text
    models = {**content.get("models", {}), family: points}
    body = "".join(
        f"[models.{name}.{point}]\n"
        f"date = {one['date']}\n"
        f'run = "{one["run"]}"\n'
        f"any = {one['any']}\n"
        f"labels = {{ {', '.join(f'{label} = {cut}' for label, cut in one['labels'].items())} }}\n\n"
        for name, model in models.items()
        for point, one in model.items()
    )
    path.write_text(head + body.rstrip("\n") + "\n", encoding="utf-8")
