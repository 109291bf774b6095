"""The measures themselves: plain functions over arrays, with bootstrap intervals that draw whole conversations."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Truth = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and where 95 in 100 bootstrap draws put it."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, value: float, drawn: Floats) -> "Interval":
        """Take the middle 95 % of the draws in which the figure exists."""
        there = drawn[~np.isnan(drawn)]
        if not len(there):
            return cls(value, float("nan"), float("nan"))
        low, high = np.quantile(there, [0.025, 0.975])
        return cls(value, float(low), float(high))


@dataclass(frozen=True, slots=True)
class Rates:
    """Counts, and what follows from them; a share of nothing is NaN."""

    true: int
    """Lines that should be flagged."""
    harmless: int
    hits: int
    false_alarms: int

    @property
    def precision(self) -> float:
        """Share of flags that are right."""
        return _share(self.hits, self.hits + self.false_alarms)

    @property
    def recall(self) -> float:
        """Share of what should be flagged that is."""
        return _share(self.hits, self.true)

    @property
    def f1(self) -> float:
        """Harmonic mean of both."""
        return _share(2 * self.hits, self.true + self.hits + self.false_alarms)

    @property
    def false_alarm_rate(self) -> float:
        """Share of harmless lines that are flagged."""
        return _share(self.false_alarms, self.harmless)


def rates(truth: Truth, flagged: Truth) -> Rates:
    """Count hits and false alarms."""
    return Rates(
        true=int(truth.sum()),
        harmless=int((~truth).sum()),
        hits=int((truth & flagged).sum()),
        false_alarms=int((~truth & flagged).sum()),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def bootstrap(clusters: NDArray[np.int64], draws: int, seed: int) -> NDArray[np.float32]:
    """Draw clusters with replacement.

    Args:
        clusters: Number of each line's cluster, from 0.
        draws: How often.
        seed: Makes it repeatable.

    Returns:
        How often each line was drawn, shape (draws, lines).
    """
    chance = np.random.default_rng(seed)
    count = int(clusters.max()) + 1
    drawn = np.stack(
        [np.bincount(chance.integers(0, count, count), minlength=count) for _ in range(draws)]
        if draws
        else [np.ones(count, dtype=np.int64)]
    )
    weights: NDArray[np.float32] = drawn[:, clusters].astype(np.float32)
    return weights


def average_precision(truth: Truth, score: Floats, weights: NDArray[np.float32]) -> Floats:
    """Area under the precision-recall steps, for each row of weights at once.

    Args:
        truth: Shape (lines,).
        score: Shape (lines,).
        weights: Shape (draws, lines).

    Returns:
        Shape (draws,); NaN where a draw holds nothing true.
    """
    order = np.argsort(-score, kind="stable")
    hit, ranked = truth[order], score[order]
    # Equal scores cannot be told apart: each line counts at the end of its run.
    starts = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
    ends = np.append(starts[1:], len(ranked)) - 1
    last = np.repeat(ends, np.diff(np.append(starts, len(ranked))))
    result = np.full(len(weights), np.nan)
    for row, weight in enumerate(weights.astype(np.float64)):
        drawn = weight[order]
        true = drawn * hit
        positives = true.sum()
        if positives:
            at = np.cumsum(true)[last] / np.maximum(np.cumsum(drawn)[last], 1e-12)
            result[row] = float((true * at).sum() / positives)
    return result


@dataclass(frozen=True, slots=True)
class Bins:
    """Lines sorted by score and cut into equal parts."""

    score: tuple[float, ...]
    """Mean score per part."""
    share: tuple[float, ...]
    """Share that should be flagged."""
    count: tuple[int, ...]


def calibration_bins(truth: Truth, score: Floats, parts: int = 15) -> Bins:
    """Cut the lines into parts of equal size by score."""
    order = np.argsort(score, kind="stable")
    cut = [part for part in np.array_split(order, parts) if len(part)]
    return Bins(
        tuple(float(score[part].mean()) for part in cut),
        tuple(float(truth[part].mean()) for part in cut),
        tuple(len(part) for part in cut),
    )


def expected_calibration_error(bins: Bins) -> float:
    """Mean distance between score and share, weighted by size."""
    total = sum(bins.count)
    parts = zip(bins.score, bins.share, bins.count, strict=True)
    return sum(abs(score - share) * count for score, share, count in parts) / total


def brier(truth: Truth, score: Floats) -> float:
    """Mean squared distance between score and truth."""
    return float(np.mean((score - truth) ** 2))
