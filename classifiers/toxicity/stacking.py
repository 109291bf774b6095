"""The encoder and the n-gram stage weighed together: they err on different messages.

One linear layer over both models' log-odds, fitted on the validation lines, gives calibrated probabilities: each label
looks at its own pair, "a mentor would want to see it" at all of them. The weights are data in the checkpoint folder
(`stack.json`) and belong to one pair of models.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import msgspec
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from classifiers.corpus.conversations import scoring_inputs
from classifiers.corpus.load import VALIDATION, load_corpus
from classifiers.errors import ModelError
from classifiers.findings import ScoringInput
from classifiers.toxicity.encoder import EncoderModel
from classifiers.toxicity.ngram import NgramModel
from classifiers.toxicity.training_data import target

STACK = "stack.json"
Numbers = NDArray[np.float32]

_LEAST = 1e-6
"""Probabilities are kept this far from 0 and 1 before log-odds are taken."""


class Stack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fitted layer."""

    encoder: str
    """Version of the encoder it was fitted for."""
    ngram: str
    """Version of the n-gram stage."""
    weights: tuple[tuple[float, ...], ...]
    """(11, 22): per output, the encoder's eleven log-odds, then the n-gram stage's."""
    bias: tuple[float, ...]
    """(11,)"""

    def apply(self, encoder: Numbers, ngram: Numbers) -> Numbers:
        """Probabilities (n, 11) from both models' log-odds, (n, 11) each."""
        joined = np.concatenate([encoder, ngram], axis=1) @ np.array(self.weights, np.float32).T
        return (1 / (1 + np.exp(-(joined + np.array(self.bias, np.float32))))).astype(np.float32)

    @classmethod
    def fit(cls, encoder: Numbers, ngram: Numbers, targets: Numbers, versions: tuple[str, str]) -> Self:
        """Fit on messages that neither model was trained on.

        Args:
            encoder: (n, 11) log-odds of the encoder.
            ngram: (n, 11) log-odds of the n-gram stage.
            targets: (n, 11) zeros and ones, the last column "any".
            versions: Of the encoder and of the n-gram stage.
        """
        both = np.concatenate([encoder, ngram], axis=1)
        outputs = targets.shape[1]
        weights = np.zeros((outputs, 2 * outputs))
        bias = np.zeros(outputs)
        for output in range(outputs):
            last = output == outputs - 1
            # A label with few examples must not be fitted on many inputs; "any" has enough.
            columns = list(range(2 * outputs)) if last else [output, outputs + output]
            layer = LogisticRegression(C=0.1 if last else 1.0, max_iter=5000).fit(both[:, columns], targets[:, output])
            weights[output, columns] = layer.coef_[0]
            bias[output] = layer.intercept_[0]
        return cls(
            versions[0], versions[1], tuple(map(tuple, weights.round(5).tolist())), tuple(bias.round(5).tolist())
        )

    def save(self, folder: Path) -> None:
        """Write it into the checkpoint folder."""
        (folder / STACK).write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read it from the checkpoint folder.

        Raises:
            ModelError: It is missing or broken.
        """
        try:
            return msgspec.json.decode((folder / STACK).read_bytes(), type=cls)
        except (OSError, msgspec.DecodeError) as error:
            raise ModelError(f"{folder / STACK} cannot be read; reinstall or retrain the model") from error


def log_odds(probabilities: Numbers) -> Numbers:
    """Log-odds of probabilities, finite for 0 and 1."""
    inside = np.clip(probabilities, _LEAST, 1 - _LEAST)
    found: Numbers = np.log(inside / (1 - inside)).astype(np.float32)
    return found


class StackedModel:
    """Encoder and n-gram stage behind the engine's seam, weighed by a stack.

    Raises:
        ModelError: The stack was fitted for other weights than those given.
    """

    def __init__(self, encoder: EncoderModel, ngram: NgramModel, stack: Stack) -> None:
        for name, wanted, found in (
            ("encoder", stack.encoder, encoder.version),
            ("n-gram stage", stack.ngram, ngram.version),
        ):
            if wanted != found:
                raise ModelError(
                    f"{STACK} was fitted for {wanted}, but the {name} is {found}; fit it again with `vangnet stack`"
                )
        self._encoder = encoder
        self._ngram = ngram
        self._stack = stack
        self.version = encoder.version

    def score(self, inputs: Sequence[ScoringInput]) -> Numbers:
        """Calibrated probabilities of shape (len(inputs), 11): the labels in order, then "at all"."""
        if not inputs:
            return np.zeros((0, 11), np.float32)
        return self._stack.apply(self._encoder.logits(inputs), log_odds(self._ngram.score(inputs)))


def fit_on_validation(folder: Path, encoder: EncoderModel, ngram: NgramModel) -> Stack:
    """Fit the stack of a checkpoint on the corpus' validation lines and write it into its folder.

    Args:
        folder: The checkpoint, unchanged but for `stack.json`.
        encoder: Its model, in the runtime in which it will be used.
        ngram: The shipped n-gram stage.
    """
    lines = [line for line in load_corpus() if line.split == VALIDATION]
    inputs = list(scoring_inputs(lines))
    targets = np.array([target(line) for line in lines], np.float32)
    versions = (encoder.version, ngram.version)
    stack = Stack.fit(encoder.logits(inputs), log_odds(ngram.score(inputs)), targets, versions)
    stack.save(folder)
    return stack
