"""The scoring step: a list of messages with their conversations in, a list of assessments out, same length and order.

A model says how likely each label is; the recognizers of personal data look at every message besides. Which model:
the shipped one, or the folder or hub id of another.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from classifiers.findings import Assessment, Finding, ScoringInput, Span, Utterance
from classifiers.labels import LABELS, Label
from classifiers.measures import Measured, Observe, unwatched
from classifiers.personal_data import find
from classifiers.staged import Shortcuts, StagedModel, load_clear_below
from classifiers.toxicity.checkpoint import is_own_checkpoint
from classifiers.toxicity.context_memory import ContextMemory
from classifiers.toxicity.encoder import EncoderModel, Runtime
from classifiers.toxicity.explanation import explain
from classifiers.toxicity.ngram import ANY, NgramModel
from classifiers.toxicity.ngram_features import normalize
from classifiers.toxicity.other_models.model import open_other
from classifiers.toxicity.stacking import STACK, Stack, StackedModel

logger = logging.getLogger(__name__)

SHIPPED = Path(__file__).parent / "toxicity" / "weights" / "encoder"
WINDOW_CHARACTERS = 600
"""A longer message is judged in windows of this length, each overlapping the last by a third; the gravest counts."""
NOTHING = "none:empty"
"""`Assessment.model` of a message in which there is nothing to read."""
EXPLANATION = "toxicity.explanation"
"""`Finding.classifier` of what carried a model's own opinion."""
EARLIER = "earlier message {back} back weighed in"
"""`Finding.why` where the conversation carried it; 1 is the message right before."""


class Scorer(Protocol):
    """Judges messages; the only thing the pipeline and the commands know of the classifiers."""

    @property
    def version(self) -> str:
        """Name and version of the model, as in `Assessment.model`."""

    def score(self, inputs: Sequence[ScoringInput]) -> list[Assessment]:
        """Judge a batch; the result has the same length and order."""

    def explain(self, inputs: Sequence[ScoringInput], labels: Sequence[Label]) -> list[Finding]:
        """Say what carried a label of each message, one finding a message; costly, for flags only."""

    def forget(self) -> None:
        """Drop what is kept of messages read before, as when a group opts out."""


class Model(Protocol):
    """A model alone: probabilities for texts that fit it."""

    @property
    def version(self) -> str:
        """Family and hash of the weights."""

    def score(self, inputs: Sequence[ScoringInput]) -> NDArray[np.float32]:
        """Calibrated probabilities of shape (len(inputs), 11): the labels in order, then "at all"."""


def open_scorer(
    model: str | Path | None = None, *, personal_data: bool = True, shortcuts: Shortcuts | None = None
) -> Scorer:
    """Open the scoring step.

    Args:
        model: None for the shipped model, `ngram` for the first stage alone; else the folder of a checkpoint, ours or
            any transformers sequence classifier with a label map, or a hub id (`classifiers.toxicity.other_models`).
        personal_data: False leaves the recognizers out, to measure the model by itself.
        shortcuts: What the encoder need not do twice; None for the usual ones.

    Raises:
        ModelError: The model is unknown, missing or damaged.
    """
    if model is None and SHIPPED.is_dir():
        model = SHIPPED
    if model is None or str(model) == "ngram":
        return ModelScorer(NgramModel.load(), personal_data=personal_data)
    own = Path(model)
    if is_own_checkpoint(own):
        return ModelScorer(_open_encoder(own, shortcuts or Shortcuts()), personal_data=personal_data)
    return ModelScorer(open_other(str(model)), personal_data=personal_data)


def _open_encoder(folder: Path, shortcuts: Shortcuts) -> StagedModel:
    runtime: Runtime | None = None
    try:
        from classifiers.toxicity.onnx_runtime import open_runtime  # noqa: PLC0415  # may be missing on a platform
    except ImportError:
        logger.warning("onnxruntime is missing: the model runs in PyTorch, several times slower")
    else:
        runtime = open_runtime(folder)
    encoder = EncoderModel.load(folder, runtime=runtime, memory=ContextMemory() if shortcuts.context_memory else None)
    full: EncoderModel | StackedModel = encoder
    if (folder / STACK).is_file():
        full = StackedModel(encoder, NgramModel.load(), Stack.load(folder))
    if not shortcuts.first_stage:
        return StagedModel(full, shortcuts)
    return StagedModel(full, shortcuts, first=NgramModel.load(), clear_below=load_clear_below())


class ModelScorer:
    """One model and the recognizers, on whatever text comes in."""

    def __init__(self, model: Model, *, personal_data: bool = True) -> None:
        self._model = model
        self._personal_data = personal_data
        self._observe: Observe = unwatched

    def forget(self) -> None:
        """Drop what is kept of messages read before; the next batch reads its context anew."""
        if isinstance(self._model, StagedModel):
            self._model.forget()

    def watch(self, observe: Observe) -> None:
        """Have every batch told to a watcher: one record from the model's stages, one from the rest."""
        self._observe = observe
        if isinstance(self._model, StagedModel):
            self._model.observe = observe

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
        started = time.perf_counter()
        found = [
            self._assess(one, row, self.version if place in read else NOTHING)
            for place, (one, row) in enumerate(zip(inputs, probabilities, strict=True))
        ]
        self._observe(Measured(messages=len(inputs), seconds={"recognizers": time.perf_counter() - started}))
        return found

    def explain(self, inputs: Sequence[ScoringInput], labels: Sequence[Label]) -> list[Finding]:
        """Say what carried a label of each message, one finding a message; costly, for flags only.

        A finding's spans are words (type WORD) and its `why` tells which earlier message mattered; either may be
        empty. Of a long message the window that bears the label most is explained.
        """
        return [self._explain(one, label) for one, label in zip(inputs, labels, strict=True)]

    def _explain(self, one: ScoringInput, label: Label) -> Finding:
        if not readable(one.message.text):
            return Finding(label, 0.0, EXPLANATION)
        column = LABELS.index(label)
        starts = [start for start, _ in window_bounds(one.message.text)]
        windows = list(in_windows(one))
        # Words taken out one by one are no messages: shortcuts and their counts are not for them.
        model = self._model.full if isinstance(self._model, StagedModel) else self._model
        scores = model.score(windows)[:, column]
        gravest = int(scores.argmax())
        found = explain(model.score, windows[gravest], column)
        shift = starts[gravest]
        spans = tuple(Span(span.start + shift, span.end + shift, span.type) for span in found.words)
        why = "" if found.earlier is None else EARLIER.format(back=len(one.before) - found.earlier)
        return Finding(label, float(scores[gravest]), EXPLANATION, why, spans)

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
    message = one.message
    for start, end in window_bounds(message.text):
        if end - start == len(message.text):
            yield one
        else:
            yield ScoringInput(
                Utterance(message.text[start:end], message.author, message.sent, message.role), one.before
            )


def window_bounds(text: str) -> Iterator[tuple[int, int]]:
    """Where the windows of a text begin and end."""
    start = 0
    while start < len(text):
        end = min(len(text), start + WINDOW_CHARACTERS)
        if end < len(text):
            gap = text.rfind(" ", start + WINDOW_CHARACTERS * 2 // 3, end)
            end = gap if gap > 0 else end
        yield start, end
        if end == len(text):
            return
        start = end - WINDOW_CHARACTERS // 3
