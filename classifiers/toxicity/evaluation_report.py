"""Lays an evaluation out for people (Markdown) and for programs (JSON)."""

import dataclasses
import math
from collections.abc import Iterable, Mapping
from typing import Any

from classifiers.toxicity.evaluation import LabelFigures, Report
from classifiers.toxicity.evaluation_metrics import Interval, Rates


def as_json(report: Report) -> dict[str, Any]:
    """Give every figure by name; what does not exist (a share of nothing) is null."""
    found = _plain(report)
    assert isinstance(found, dict)  # noqa: S101  # a Report is a dataclass
    return found


def _plain(value: Any) -> Any:  # noqa: ANN401  # walks through whatever a report holds
    if isinstance(value, Rates):
        derived = {name: getattr(value, name) for name in ("precision", "recall", "f1", "false_alarm_rate")}
        return _plain({**{one.name: getattr(value, one.name) for one in dataclasses.fields(value)}, **derived})
    if dataclasses.is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 4)
    return value


def as_markdown(report: Report) -> str:
    """Give the figures as tables."""
    whole = report.flagged_at_all
    natural = report.natural
    parts = [
        f"# Evaluation of {report.name}",
        f"Model `{report.model}`, operating point `{report.operating_point}`, {report.lines:,} lines, "
        f"{whole.at_point.true:,} of them labelled. Brackets: 95 % bootstrap intervals over conversations.",
        "## Flagged at all, and per label",
        _table(
            ["", "lines", "precision", "recall", "F1", "average precision", "best F1 (at)", "recall at precision 0.80"],
            [_label_row("**flagged at all**", whole), *(_label_row(name, one) for name, one in report.labels.items())],
        ),
    ]
    if natural:
        parts += [
            f"At a natural rate of trouble ({natural['rate']:.1%}): precision {_number(natural['precision'])}, recall "
            f"{_number(natural['recall'])}, {natural['flags_per_1000']:.1f} flags in a thousand messages; recall where "
            f"precision is 0.80: {_number(natural['recall_at_precision_80'])}."
        ]
    parts += [
        "## Per conversation",
        _rates_table("", {"flagged at least once": report.conversations}),
        "## Per kind",
        _rates_table("kind", report.kinds),
        _table(
            ["sets with troubled and harmless lines", "sets", "all right", "troubled line scored higher"],
            [
                [name, str(one.sets), _number(one.all_right / one.sets if one.sets else math.nan), _number(one.ranked)]
                for name, one in (("pairs", report.pairs), ("twin conversations, same words", report.twins))
            ],
        ),
        "## Per length in words",
        _rates_table("words", report.lengths),
        "## Lines that name a group",
        _rates_table("group", report.groups),
        "## Calibration",
        f"Expected calibration error {_number(report.expected_calibration_error)}, Brier {_number(report.brier)}.",
        _table(
            ["mean score", "share labelled", "lines"],
            [
                [_number(score), _number(share), str(count)]
                for score, share, count in zip(report.bins.score, report.bins.share, report.bins.count, strict=True)
            ],
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _label_row(name: str, one: LabelFigures) -> list[str]:
    return [
        name,
        str(one.at_point.true),
        _interval(one.precision),
        _interval(one.recall),
        _interval(one.f1),
        _interval(one.average_precision),
        f"{_number(one.best_f1)} ({_number(one.best_threshold)})",
        _number(one.recall_at_precision_80),
    ]


def _rates_table(what: str, found: Mapping[str, Rates]) -> str:
    return _table(
        [what, "to be flagged", "harmless", "precision", "recall", "F1", "false alarms among harmless"],
        [
            [
                name,
                str(one.true),
                str(one.harmless),
                _number(one.precision),
                _number(one.recall),
                _number(one.f1),
                "-" if math.isnan(one.false_alarm_rate) else f"{one.false_alarm_rate:.1%}",
            ]
            for name, one in found.items()
        ],
    )


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"


def _interval(one: Interval) -> str:
    return f"{_number(one.value)} [{_number(one.low)}, {_number(one.high)}]"
