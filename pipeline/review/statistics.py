"""Figures for management: what happened over a period, with every count hidden that would point at a few people.

A count below `SMALLEST` is None, zero too. The hidden cells of a row together are its total less the shown ones: where
that would be 1 to 4, the smallest shown cells are hidden too (that all are zero points at nobody). Periods are fixed,
because the difference of two freely chosen ones would be a single day's figure.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from classifiers.labels import LABELS
from pipeline.review.records import (
    Count,
    DayFigures,
    GroupFigures,
    LabelFigures,
    Outcome,
    OutcomeFigures,
    QueueCounts,
    Statistics,
)

SMALLEST = 5
"""The smallest count that is shown."""
PERIODS = (7, 30, 90, 365)
"""The periods, in days, that can be asked for."""


@dataclass(frozen=True, slots=True)
class DayCounts:
    """Exact counts of one day; never leaves this package."""

    day: date
    messages: Mapping[str, int]
    """Messages read, per group."""
    flags: Mapping[str, int]
    """Fields of the store's hash of the day: `flags`, `group:<g>`, `label:<l>`, `outcome:<o>`, `label:<l>:<o>`."""


def period(days: int, today: date) -> list[date]:
    """Give the days of the next allowed period, oldest first, today the last."""
    length = next((allowed for allowed in PERIODS if allowed >= days), PERIODS[-1])
    return [today - timedelta(days=back) for back in reversed(range(length))]


def hide_small(cells: Sequence[int]) -> list[Count]:
    """Hide the small cells of a row whose total is known, and as many others as keep them from being worked out.

    Returns:
        The cells in the same order, None for a hidden one.
    """
    hidden = {index for index, count in enumerate(cells) if count < SMALLEST}
    shown = sorted(set(range(len(cells))) - hidden, key=lambda index: (cells[index], index), reverse=True)
    while shown and 0 < sum(cells[index] for index in hidden) < SMALLEST:
        hidden.add(shown.pop())
    return [None if index in hidden else count for index, count in enumerate(cells)]


def figures(counts: Sequence[DayCounts], queue: QueueCounts) -> Statistics:
    """Sum up a period and hide what is small.

    Args:
        counts: One entry per day, oldest first; at least one.
        queue: The queue now.
    """
    messages: Counter[str] = Counter()
    flags: Counter[str] = Counter()
    for day in counts:
        messages.update(day.messages)
        flags.update(day.flags)
    by_day = zip(
        counts,
        hide_small([sum(day.messages.values()) for day in counts]),
        hide_small([day.flags.get("flags", 0) for day in counts]),
        strict=True,
    )
    groups = sorted({*messages, *(name.removeprefix("group:") for name in flags if name.startswith("group:"))})
    by_group = zip(
        groups,
        hide_small([messages[group] for group in groups]),
        hide_small([flags[f"group:{group}"] for group in groups]),
        strict=True,
    )
    overdue, _ = hide_small([queue.overdue, queue.open - queue.overdue])
    return Statistics(
        since=counts[0].day,
        until=counts[-1].day,
        messages=_alone(messages.total()),
        flags=_alone(flags["flags"]),
        by_day=tuple(DayFigures(day.day, read, flagged) for day, read, flagged in by_day),
        by_group=tuple(GroupFigures(group, read, flagged) for group, read, flagged in by_group),
        by_label=tuple(_label_figures(label, flags) for label in LABELS),
        outcomes=OutcomeFigures(*_outcomes(flags["flags"], flags, "outcome:")),
        open=_alone(queue.open),
        overdue=overdue,
        parked=_alone(queue.parked),
    )


def _label_figures(label: str, flags: Mapping[str, int]) -> LabelFigures:
    total = flags.get(f"label:{label}", 0)
    return LabelFigures(label, _alone(total), *_outcomes(total, flags, f"label:{label}:"))


def _outcomes(total: int, flags: Mapping[str, int], prefix: str) -> list[Count]:
    """Upheld, dismissed, escalated and undecided of so many flags."""
    decided = [flags.get(prefix + outcome, 0) for outcome in Outcome]
    return hide_small([*decided, total - sum(decided)])


def _alone(count: int) -> Count:
    return count if count >= SMALLEST else None
