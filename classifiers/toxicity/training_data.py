"""Corpus lines become rows of training tokens, shuffled anew each epoch by a seeded generator."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.corpus.conversations import utterance
from classifiers.corpus.load import CorpusLine
from classifiers.labels import LABELS
from classifiers.toxicity.augmentation import augment
from classifiers.toxicity.conversation import PUPIL_MARKS, ConversationTokenizer, Rows, fill_rows, frame, pack

OUTPUTS = len(LABELS) + 1
"""The ten labels and, last, "a mentor would want to see it"."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """Lines in order: a whole conversation, or one message on its own."""

    lines: tuple[CorpusLine, ...]
    alone: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows and what the model should say of each judged message."""

    rows: Rows
    targets: NDArray[np.float32]
    """(M, OUTPUTS) zeros and ones."""
    lines: tuple[CorpusLine, ...]
    """(M,) the line behind each target."""


def conversations(lines: Sequence[CorpusLine]) -> list[Conversation]:
    """Group corpus lines; lines without a thread stand alone."""
    threads: dict[str, list[CorpusLine]] = {}
    order: list[list[CorpusLine]] = []
    for line in lines:
        name = line.conversation
        if name is None:
            order.append([line])
        elif name in threads:
            threads[name].append(line)
        else:
            threads[name] = [line]
            order.append(threads[name])
    return [Conversation(tuple(group), group[0].thread is None) for group in order]


def target(line: CorpusLine) -> list[float]:
    """Zeros and ones in the order of `LABELS`, then "any"."""
    return [float(label in line.labels) for label in LABELS] + [float(bool(line.labels))]


_Message = tuple[tuple[int, ...], CorpusLine, bool]


class EpochMaker:
    """Makes the batches of an epoch.

    Args:
        tokenizer: Texts to ids.
        length: Tokens a row.
        rows: Rows a batch.
        overlap: Messages of context repeated, unjudged, where a conversation is longer than a row.
    """

    def __init__(self, tokenizer: ConversationTokenizer, length: int, rows: int, overlap: int = 6) -> None:
        self._tokenizer = tokenizer
        self._length = length
        self._rows = rows
        self._overlap = overlap

    def epoch(
        self, conversations: Sequence[Conversation], rng: random.Random, *, noise: float = 0.0, cut: float = 0.0
    ) -> list[Batch]:
        """Batches that judge every line once.

        Args:
            conversations: What to read.
            rng: Decides letters, noise, cuts and order.
            noise: Share of messages that are misspelled, respaced or recased (`augmentation.augment`).
            cut: Share of conversations cut in two, so that the model also meets messages with little before them.
        """
        texts = [
            augment(line.text, rng) if rng.random() < noise else line.text
            for conversation in conversations
            for line in conversation.lines
        ]
        pieces = iter(self._tokenizer.pieces(texts))
        stretches: list[tuple[int, list[_Message]]] = []
        for conversation in conversations:
            messages = self._frame(conversation, [next(pieces) for _ in conversation.lines], rng)
            parts = [messages]
            if len(messages) > 3 and rng.random() < cut:
                at = rng.randrange(1, len(messages) - 1)
                parts = [messages[:at], messages[at:]]
            for part in parts:
                stretches += self._stretch(part)
        rng.shuffle(stretches)
        stretches.sort(key=lambda stretch: -(stretch[0] // 16))
        rows = fill_rows(stretches, self._length)
        rng.shuffle(rows)
        return [self._batch(rows[at : at + self._rows]) for at in range(0, len(rows), self._rows)]

    def _frame(self, conversation: Conversation, pieces: list[list[int]], rng: random.Random) -> list[_Message]:
        if conversation.alone:
            return [(frame(pieces[0], None), conversation.lines[0], True)]
        letters = list(PUPIL_MARKS)
        rng.shuffle(letters)
        marks = self._tokenizer.speaker_marks(map(utterance, conversation.lines), letters)
        return [
            (frame(body, mark), line, True) for body, mark, line in zip(pieces, marks, conversation.lines, strict=True)
        ]

    def _stretch(self, messages: list[_Message]) -> list[tuple[int, list[_Message]]]:
        """Cut what does not fit a row; the next piece repeats the last messages as unjudged context."""
        stretches = []
        current: list[_Message] = []
        size = 0
        for message in messages:
            if size + len(message[0]) > self._length:
                stretches.append((size, current))
                current = [(ids, line, False) for ids, line, _ in current[-self._overlap :]]
                while current and sum(len(ids) for ids, _, _ in current) + len(message[0]) > self._length:
                    current = current[1:]
                size = sum(len(ids) for ids, _, _ in current)
            current.append(message)
            size += len(message[0])
        return [*stretches, (size, current)]

    def _batch(self, rows: list[list[list[_Message]]]) -> Batch:
        packed = pack([[[(ids, judged) for ids, _, judged in part] for part in row] for row in rows], self._length)
        lines = tuple(line for row in rows for part in row for _, line, judged in part if judged)
        return Batch(packed, np.array([target(line) for line in lines], np.float32), lines)
