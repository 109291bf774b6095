"""The scoring step: a list of messages with their conversations in, a list of assessments out, same length and order.

A model says how likely each label is; the recognizers of personal data look at every message besides. Which model:
the shipped one, or the folder or hub id of another.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from classifiers.errors import ModelError
from classifiers.findings import Assessment, Finding, ScoringInput, Utterance
from classifiers.labels import LABELS, Label
from classifiers.personal_data import find
from classifiers.toxicity.ngram import ANY, NgramModel
from classifiers.toxicity.ngram_features import normalize

WINDOW_CHARACTERS = 600
"""A longer message is judged in windows of this length, each overlapping the last by a third; the gravest counts."""
NOTHING = "none:empty"
"""`Assessment.model` of a message in which there is nothing to read."""


class Scorer(Protocol):
    """Judges messages; the only thing the pipeline and the commands know of the classifiers."""

    @property
    def version(self) -> str:
        """Name and version of the model, as in `Assessment.model`."""

    def score(self, inputs: Sequence[ScoringInput]) -> list[Assessment]:
        """Judge a batch; the result has the same length and order."""


class Model(Protocol):
    """A model alone: probabilities for texts that fit it."""

    version: str

    def score(self, inputs: Sequence[ScoringInput]) -> NDArray[np.float32]:
        """Calibrated probabilities of shape (len(inputs), 11): the labels in order, then "at all"."""


def open_scorer(model: str | Path | None = None, *, personal_data: bool = True) -> Scorer:
    """Open the scoring step.

    Args:
        model: None for the shipped model, `ngram` for the first stage alone.
        personal_data: False leaves the recognizers out, to measure the model by itself.

    Raises:
        ModelError: The model is unknown, missing or damaged.
    """
    if model is None or str(model) == "ngram":
        return ModelScorer(NgramModel.load(), personal_data=personal_data)
    raise ModelError(f"unknown model {str(model)!r}: leave it out for the shipped one, or give ngram")


class ModelScorer:
    """One model and the recognizers, on whatever text comes in."""

    def __init__(self, model: Model, *, personal_data: bool = True) -> None:
        self._model = model
        self._personal_data = personal_data

    @property
    def version(self) -> str:
        """Name and version of the model."""
        return self._model.version

    def score(self, inputs: Sequence[ScoringInput]) -> list[Assessment]:
        """Judge a batch; the result has the same length and order.

        Text in which nothing can be read (empty, white space, invisible characters) scores 0. Long text is judged in
        windows and nothing is cut off. Times that run backwards change nothing: the order of the list is the order of
        the conversation.
        """
        windows, owners = [], []
        for place, one in enumerate(inputs):
            if readable(one.message.text):
                for part in in_windows(one):
                    windows.append(part)
                    owners.append(place)
        probabilities = np.zeros((len(inputs), len(LABELS) + 1), dtype=np.float32)
        if windows:
            np.maximum.at(probabilities, np.array(owners), self._model.score(windows))
        read = set(owners)
        return [
            self._assess(one, row, self.version if place in read else NOTHING)
            for place, (one, row) in enumerate(zip(inputs, probabilities, strict=True))
        ]

    def _assess(self, one: ScoringInput, row: NDArray[np.float32], version: str) -> Assessment:
        scores = {label: float(row[place]) for place, label in enumerate(LABELS)}
        score = float(row[ANY])
        findings: tuple[Finding, ...] = ()
        if self._personal_data and version != NOTHING:
            message = one.message
            opinion = scores[Label.PERSONAL_DATA]
            findings = tuple(find(message.text, one.before, message.author, contextual_score=opinion))
        if findings:
            surest = max(finding.score for finding in findings)
            scores[Label.PERSONAL_DATA] = max(scores[Label.PERSONAL_DATA], surest)
            score = max(score, surest)
        return Assessment(score, scores, findings, version, {"model": float(row[ANY])})


def readable(text: str) -> bool:
    """False where a person would see nothing: empty, white space or invisible characters only."""
    return bool(normalize(text[:WINDOW_CHARACTERS])) or bool(normalize(text))


def in_windows(one: ScoringInput) -> Iterator[ScoringInput]:
    """The message itself, or overlapping windows of it cut at white space where there is any."""
    text = one.message.text
    if len(text) <= WINDOW_CHARACTERS:
        yield one
        return
    start = 0
    while start < len(text):
        end = min(len(text), start + WINDOW_CHARACTERS)
        if end < len(text):
            gap = text.rfind(" ", start + WINDOW_CHARACTERS * 2 // 3, end)
            end = gap if gap > 0 else end
        message = one.message
        yield ScoringInput(Utterance(text[start:end], message.author, message.sent, message.role), one.before)
        if end == len(text):
            return
        start = end - WINDOW_CHARACTERS // 3
