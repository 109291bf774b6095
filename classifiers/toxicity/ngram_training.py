"""Trains the n-gram stage from the corpus: minutes on one core, the same weights from the same seed.

The second stage must learn from first-stage scores as they are on unseen messages, so those are made by five models
that each leave a fifth of the groups out. The same scores, laid beside the labels, show where a label may be wrong.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.svm import LinearSVC

from classifiers.corpus.conversations import scoring_inputs
from classifiers.corpus.load import TRAIN, VALIDATION, CorpusLine
from classifiers.findings import ScoringInput
from classifiers.labels import LABELS
from classifiers.toxicity.evaluation_thresholds import choose, write_thresholds
from classifiers.toxicity.ngram import (
    ANY,
    FAMILY,
    OUTPUTS,
    WEIGHTS,
    NgramModel,
    Scores,
    Weights,
    second_stage_input,
    window,
    write_weights,
)
from classifiers.toxicity.ngram_features import features

SEED = 20_261_126
FOLDS = 5
SMOOTHNESS = 0.3
"""C of the linear layer; 0.1 and 1.0 rank validation lines worse by 0.01 of average precision."""
HIDDEN = 128
ROUNDS = 25
BATCH = 2_000

Progress = Callable[[str, float], None]
"""Told what is being done and how far it is, 0..1."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A finished run."""

    version: str
    unseen: Scores
    """First-stage scores of each corpus line by a model that had not seen its group, shape (lines, 11)."""


def train(
    lines: Sequence[CorpusLine],
    path: Path = WEIGHTS,
    *,
    thresholds: Path | None = None,
    seed: int = SEED,
    progress: Progress = lambda what, share: None,  # the default says nothing
) -> Trained:
    """Train both stages, calibrate them on the validation split and write weights and thresholds.

    Args:
        lines: The corpus; test lines are scored but never learned from.
        path: Where the weights go.
        thresholds: Thresholds file to be updated; None leaves thresholds alone.
        seed: Makes the run repeatable.
        progress: Called at each step.
    """
    inputs = list(scoring_inputs(lines))
    truth = np.array([[label in line.labels for label in LABELS] + [bool(line.labels)] for line in lines])
    learn = np.array([line.split == TRAIN for line in lines])
    choosing = np.array([line.split == VALIDATION for line in lines])
    progress("counting n-grams", 0.0)
    counted = count(inputs)
    fold = np.array([_fold(line.group) for line in lines])
    unseen = np.zeros((len(lines), OUTPUTS), dtype=np.float32)
    for out in range(FOLDS):
        progress(f"first stage without fold {out + 1} of {FOLDS}", 0.1 + 0.12 * out)
        rows = learn & (fold != out)
        linear, bias = _fit_linear(counted[rows], truth[rows], seed)
        left = fold == out
        unseen[left] = counted[left] @ linear + bias
    progress("first stage", 0.7)
    linear, bias = _fit_linear(counted[learn], truth[learn], seed)
    quantized, step = _quantize(linear)
    known = np.asarray(counted @ (quantized.astype(np.float32) * step) + bias, dtype=np.float32)
    # Lines outside the training split are seen in use through the final first stage.
    first = np.where(learn[:, None], unseen, known)
    progress("second stage", 0.85)
    rows2 = _windows(lines, inputs, first)
    center, spread = rows2[learn].mean(axis=0), rows2[learn].std(axis=0) + 1e-6
    # A message without a conversation must not be suspect for that: in the corpus lines on their own are troubled
    # twice as often, so every line of a conversation is also learned from as if it were the first.
    alone = np.array([bool(one.before) for one in inputs]) & learn
    lonely = [second_stage_input(ScoringInput(inputs[n].message), first[n], []) for n in np.flatnonzero(alone)]
    learned = np.concatenate([rows2[learn], np.stack(lonely)]) if lonely else rows2[learn]
    learned_truth = np.concatenate([truth[learn], truth[alone]])
    network = MLPClassifier((HIDDEN,), alpha=0.1, batch_size=256, max_iter=ROUNDS, random_state=seed % 2**32)
    _quiet(lambda: network.fit((learned - center) / spread, learned_truth.astype(int)))
    raw = Weights(
        linear=quantized,
        step=step,
        bias=bias,
        center=center,
        spread=spread,
        hidden=network.coefs_[0].astype(np.float32),
        hidden_bias=network.intercepts_[0].astype(np.float32),
        outer=network.coefs_[1].astype(np.float32),
        outer_bias=network.intercepts_[1].astype(np.float32),
        slope=np.ones(OUTPUTS, dtype=np.float32),
        offset=np.zeros(OUTPUTS, dtype=np.float32),
    )
    progress("calibrating", 0.95)
    chosen_inputs = [one for one, taken in zip(inputs, choosing, strict=True) if taken]
    weights = _calibrate(raw, chosen_inputs, truth[choosing])
    day = datetime.now(UTC).date().isoformat()
    version = write_weights(
        weights, path, {"date": day, "seed": seed, "lines": int(learn.sum()), "trained_by": "vangnet train-ngram"}
    )
    if thresholds is not None:
        model = NgramModel.load(path)
        picked = [line for line, taken in zip(lines, choosing, strict=True) if taken]
        scores = predict(model, chosen_inputs).astype(np.float64)
        points = choose(
            [line.labels for line in picked],
            scores[:, ANY],
            scores[:, :ANY],
            np.array([line.thread is not None for line in picked]),
            date=day,
            run=f"{version} on the validation conversations",
        )
        write_thresholds(FAMILY, points, thresholds)
    progress("done", 1.0)
    return Trained(version, unseen)


def count(inputs: Sequence[ScoringInput]) -> scipy.sparse.csr_array:
    """Features of many messages, in batches."""
    parts = [features(inputs[start : start + BATCH]) for start in range(0, len(inputs), BATCH)]
    stacked = scipy.sparse.vstack(parts).tocsr()
    # scikit-learn's linear solvers read 32-bit indices only.
    stacked.indices = stacked.indices.astype(np.int32)
    stacked.indptr = stacked.indptr.astype(np.int32)
    return stacked


def predict(model: NgramModel, inputs: Sequence[ScoringInput]) -> Scores:
    """Score many messages, in batches; shape (len(inputs), 11)."""
    parts = [model.score(inputs[start : start + BATCH]) for start in range(0, len(inputs), BATCH)]
    return np.concatenate(parts) if parts else np.zeros((0, OUTPUTS), dtype=np.float32)


def _fold(group: str) -> int:
    return int.from_bytes(hashlib.sha256(f"fold {group}".encode()).digest()[:4]) % FOLDS


def _fit_linear(counted: scipy.sparse.csr_array, truth: NDArray[np.bool_], seed: int) -> tuple[Scores, Scores]:
    columns, biases = [], []
    for column in range(OUTPUTS):
        if not truth[:, column].any():
            # A label that never occurs is never likely.
            columns.append(np.zeros(counted.shape[1], dtype=np.float32))
            biases.append(-3.0)
            continue
        machine = LinearSVC(C=SMOOTHNESS, random_state=seed % 2**32)
        machine.fit(counted, truth[:, column])
        columns.append(machine.coef_[0].astype(np.float32))
        biases.append(machine.intercept_[0])
    return np.stack(columns, axis=1), np.array(biases, dtype=np.float32)


def _quantize(linear: Scores) -> tuple[NDArray[np.int8], Scores]:
    """Eight bits a weight; the few largest are clipped, which costs less than coarser steps for all."""
    step = (np.quantile(np.abs(linear), 0.99999, axis=0) / 127).astype(np.float32)
    step = np.maximum(step, np.float32(1e-9))
    return np.clip(np.rint(linear / step), -127, 127).astype(np.int8), step


def _windows(lines: Sequence[CorpusLine], inputs: Sequence[ScoringInput], first: Scores) -> Scores:
    """Second-stage inputs; the lines before one in its conversation are its neighbors in the file."""
    rows = []
    for place, (line, one) in enumerate(zip(lines, inputs, strict=True)):
        reach = sum(1 for _ in window(one))
        if len(one.before) and lines[place - 1].conversation != line.conversation:
            raise ValueError("the lines of a conversation must be neighbors")
        rows.append(second_stage_input(one, first[place], [first[place - 1 - back] for back in range(reach)]))
    return np.stack(rows)


def _calibrate(raw: Weights, inputs: Sequence[ScoringInput], truth: NDArray[np.bool_]) -> Weights:
    """Platt's line per output on lines that were not learned from."""
    probabilities = predict(NgramModel(raw, "raw"), inputs).astype(np.float64)
    logits = np.log(probabilities / (1 - probabilities))
    slope, offset = np.ones(OUTPUTS, dtype=np.float32), np.zeros(OUTPUTS, dtype=np.float32)
    for column in range(OUTPUTS):
        if 0 < truth[:, column].sum() < len(truth):
            line = LogisticRegression(C=1e3).fit(logits[:, [column]], truth[:, column])
            # A negative slope would turn the ranking round; too few examples are no reason for that.
            if line.coef_[0, 0] > 0:
                slope[column], offset[column] = line.coef_[0, 0], line.intercept_[0]
    parts = {name: getattr(raw, name) for name in Weights.__slots__}
    return Weights(**{**parts, "slope": slope, "offset": offset})


def _quiet(work: Callable[[], object]) -> None:
    """Run scikit-learn's network without its warning that a set number of rounds is not convergence."""
    import warnings  # noqa: PLC0415  # only here

    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415  # only here

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        work()
