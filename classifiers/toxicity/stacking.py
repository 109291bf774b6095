"""The encoder and the n-gram stage weighed together: they err on different messages.

One linear layer over both models' log-odds, fitted on the validation lines (`stack_fitting`), gives calibrated
probabilities: each label looks at its own pair, "a mentor would want to see it" at all of them. The weights are data in
the checkpoint folder (`stack.json`) and belong to one pair of models.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from classifiers.errors import ModelError
from classifiers.findings import ScoringInput
from classifiers.toxicity.encoder import EncoderModel
from classifiers.toxicity.ngram import NgramModel

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
        self.counts = encoder.counts

    def forget(self) -> None:
        """Drop what the encoder remembers of messages read before."""
        self._encoder.forget()

    def score(self, inputs: Sequence[ScoringInput]) -> Numbers:
        """Calibrated probabilities of shape (len(inputs), 11): the labels in order, then "at all"."""
        if not inputs:
            return np.zeros((0, 11), np.float32)
        return self._stack.apply(self._encoder.logits(inputs), log_odds(self._ngram.score(inputs)))
