"""Draws an evaluation: precision against recall, and score against share (matplotlib, part of the `train` extra)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers.errors import ClassifierError
from classifiers.toxicity.evaluation_metrics import Bins


def draw(
    truths: Mapping[str, NDArray[np.bool_]], scores: Mapping[str, NDArray[np.float64]], bins: Bins, folder: Path
) -> Sequence[Path]:
    """Write `precision_recall.png` and `reliability.png`.

    Args:
        truths: By name of the curve, shape (lines,).
        scores: The same names.
        bins: Calibration of "flagged at all".
        folder: Made when missing.

    Returns:
        The files written.

    Raises:
        ClassifierError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  # an extra, wanted for plots only
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise ClassifierError("plots need matplotlib: pip install 'vangnet[train]'") from error
    folder.mkdir(parents=True, exist_ok=True)

    curves = Figure(figsize=(8, 6), layout="constrained")
    axes = curves.subplots()
    for name, truth in truths.items():
        if truth.any():
            recall, precision = precision_recall(truth, scores[name])
            style = {"color": "black", "linewidth": 2.5} if name == next(iter(truths)) else {"linewidth": 1}
            axes.step(recall, precision, where="post", label=f"{name} ({truth.sum()})", **style)
    axes.axhline(0.8, color="gray", linewidth=0.5, linestyle=":")
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02), title="Precision and recall")
    axes.legend(fontsize="small")

    reliability = Figure(figsize=(6, 6), layout="constrained")
    axes = reliability.subplots()
    axes.plot([0, 1], [0, 1], color="gray", linewidth=0.5, linestyle=":")
    axes.plot(bins.score, bins.share, marker="o")
    axes.set(xlabel="score", ylabel="share labelled", xlim=(0, 1), ylim=(0, 1), title="Does a score keep its word?")

    written = []
    for figure, name in ((curves, "precision_recall.png"), (reliability, "reliability.png")):
        FigureCanvasAgg(figure)
        figure.savefig(folder / name, format="png")
        written.append(folder / name)
    return written


def precision_recall(
    truth: NDArray[np.bool_], score: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Recall and precision from the highest threshold to the lowest, each of shape (thresholds,)."""
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(truth[order])
    ends = np.flatnonzero(np.append(score[order][1:] != score[order][:-1], True))
    return hits[ends] / hits[-1], hits[ends] / (ends + 1)
