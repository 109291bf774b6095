"""The figures that training watches: how well "a mentor would want to see it" ranks, and each label."""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_recall_curve

from classifiers.labels import LABELS


def summary(targets: NDArray[np.float64], scores: NDArray[np.float32]) -> dict[str, float]:
    """Rank figures of a set of messages.

    Args:
        targets: (M, 11) zeros and ones, the last column "any".
        scores: (M, 11) probabilities.

    Returns:
        `ap`, `f1` (at its best threshold) and `recall_p80` (recall where precision is 0.80) of "any", and the average
        precision of each label that occurs.
    """
    precision, recall, _ = precision_recall_curve(targets[:, -1], scores[:, -1])
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    figures = {
        "ap": float(average_precision_score(targets[:, -1], scores[:, -1])),
        "f1": float(f1.max()),
        "recall_p80": float(recall[precision >= 0.8].max()),
    }
    for at, label in enumerate(LABELS):
        if targets[:, at].any():
            figures[str(label)] = float(average_precision_score(targets[:, at], scores[:, at]))
    return figures


def summaries(
    targets: NDArray[np.float64], scores: NDArray[np.float32], in_talk: NDArray[np.bool_]
) -> dict[str, float]:
    """The figures of lines in conversations (`talk_...`) and of lines on their own (`alone_...`), where there are any.

    Args:
        targets: As for `summary`.
        scores: As for `summary`.
        in_talk: (M,) which lines stand in a conversation.
    """
    figures: dict[str, float] = {}
    for name, chosen in (("talk", in_talk), ("alone", ~in_talk)):
        if targets[chosen, -1].any():
            figures |= {f"{name}_{what}": value for what, value in summary(targets[chosen], scores[chosen]).items()}
    return figures
