"""Judges messages with the conversation encoder: stretches of conversation in, probabilities out.

Messages that follow each other in one conversation are read together in one pass (`stretches`), so a batch of a busy
group costs each message once. Two runtimes give the same figures within rounding: ONNX Runtime, which needs no torch,
and PyTorch, the reference.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from classifiers.findings import ScoringInput, Utterance
from classifiers.toxicity.checkpoint import check_folder
from classifiers.toxicity.conversation import ConversationTokenizer, Rows, frame, pack

FAMILY = "encoder"
LONGEST_STRETCH = 384
"""Tokens read together at most: the row length of training."""
TOKEN_BUDGET = 512
"""Tokens a call at most; more buys nothing on a CPU."""


class Runtime(Protocol):
    """Runs the network."""

    def logits(self, rows: Rows) -> NDArray[np.float32]:
        """(M, 11) logits of the judged messages."""


@dataclass(slots=True)
class Stretch:
    """Messages of one conversation that are read together."""

    utterances: list[Utterance]
    judged: dict[int, int] = field(default_factory=dict)
    """Place in the stretch to place in the inputs."""

    def follows(self, before: Sequence[Utterance]) -> bool:
        """True when a message with this context would come right after the stretch's last one."""
        return bool(before) and len(before) <= len(self.utterances) and self.utterances[-len(before) :] == list(before)


def stretches(inputs: Sequence[ScoringInput], longest: int = 24) -> list[Stretch]:
    """Join inputs that continue each other.

    Args:
        inputs: Messages, those of one conversation in order; conversations may be interleaved.
        longest: Messages a stretch at most; then the conversation goes on in a new one with its context repeated.
    """
    found: list[Stretch] = []
    last_of: dict[tuple[str, str, float | None], Stretch] = {}
    for place, one in enumerate(inputs):
        tail = (one.before[-1].text, one.before[-1].author, one.before[-1].sent) if one.before else None
        stretch = last_of.pop(tail, None) if tail is not None else None
        if stretch is None or len(stretch.utterances) >= longest or not stretch.follows(one.before):
            stretch = Stretch(list(one.before))
            found.append(stretch)
        stretch.judged[len(stretch.utterances)] = place
        stretch.utterances.append(one.message)
        last_of[one.message.text, one.message.author, one.message.sent] = stretch
    return found


class EncoderModel:
    """The encoder behind the engine's seam: calibrated probabilities for messages in conversation.

    Args:
        tokenizer: The checkpoint's.
        runtime: Runs the network.
        version: Family and hash of the weights.
    """

    def __init__(self, tokenizer: ConversationTokenizer, runtime: Runtime, version: str) -> None:
        self._tokenizer = tokenizer
        self._runtime = runtime
        self.version = version

    @classmethod
    def load(cls, folder: Path, *, runtime: Runtime | None = None) -> "EncoderModel":
        """Open a checkpoint folder of ours.

        Args:
            folder: Checked against its hashes.
            runtime: None for PyTorch.

        Raises:
            ModelError: A file is missing, cut short or changed.
        """
        version = check_folder(folder)
        if runtime is None:
            from classifiers.toxicity.torch_runtime import TorchRuntime  # noqa: PLC0415  # torch takes seconds to load

            runtime = TorchRuntime(folder)
        tokenizer = ConversationTokenizer(Tokenizer.from_file(str(folder / "tokenizer.json")))
        return cls(tokenizer, runtime, f"{FAMILY}:{version}")

    def score(self, inputs: Sequence[ScoringInput]) -> NDArray[np.float32]:
        """Probabilities of shape (len(inputs), 11): the labels in order, then "at all"."""
        scores = np.zeros((len(inputs), 11), np.float32)
        for rows, places in self._batches(inputs):
            scores[places] = 1 / (1 + np.exp(-self._runtime.logits(rows)))
        return scores

    def _batches(self, inputs: Sequence[ScoringInput]) -> Iterator[tuple[Rows, list[int]]]:
        """Stretches of about the same length together, within the token budget."""
        framed = sorted(self._frame(stretches(inputs)), key=lambda one: sum(len(ids) for ids, _ in one[0]))
        batch: list[tuple[list[tuple[tuple[int, ...], bool]], list[int]]] = []
        for messages, places in framed:
            length = sum(len(ids) for ids, _ in messages)
            if batch and length * (len(batch) + 1) > TOKEN_BUDGET:
                yield _packed(batch)
                batch = []
            batch.append((messages, places))
        if batch:
            yield _packed(batch)

    def _frame(self, joined: list[Stretch]) -> Iterator[tuple[list[tuple[tuple[int, ...], bool]], list[int]]]:
        """Tokens of each stretch, split where they exceed `LONGEST_STRETCH`, and the inputs' places."""
        texts = [utterance.text for stretch in joined for utterance in stretch.utterances]
        pieces = iter(self._tokenizer.pieces(texts))
        for stretch in joined:
            alone = len(stretch.utterances) == 1 and not stretch.utterances[0].author
            marks: Sequence[int | None] = [None] if alone else self._tokenizer.speaker_marks(stretch.utterances)
            messages = [(frame(next(pieces), mark), stretch.judged.get(place)) for place, mark in enumerate(marks)]
            yield from _cut(messages)


def _cut(
    messages: list[tuple[tuple[int, ...], int | None]],
) -> Iterator[tuple[list[tuple[tuple[int, ...], bool]], list[int]]]:
    """Keep a stretch within `LONGEST_STRETCH`: the oldest context goes first; judged messages are never dropped."""
    start = 0
    while start < len(messages):
        end, size = start, 0
        while end < len(messages) and size + len(messages[end][0]) <= LONGEST_STRETCH:
            size += len(messages[end][0])
            end += 1
        part = messages[start:end]
        if any(place is not None for _, place in part):
            yield [(ids, place is not None) for ids, place in part], [place for _, place in part if place is not None]
        if end == len(messages):
            return
        # What follows is read with the messages before it, as many as leave it room.
        room = LONGEST_STRETCH - len(messages[end][0])
        back = end
        while back > start + 1 and room - len(messages[back - 1][0]) >= 0 and end - back < 10:
            back -= 1
            room -= len(messages[back][0])
        messages = [(ids, None if at < end else place) for at, (ids, place) in enumerate(messages)]
        start = back


def _packed(
    batch: list[tuple[list[tuple[tuple[int, ...], bool]], list[int]]],
) -> tuple[Rows, list[int]]:
    length = max(sum(len(ids) for ids, _ in messages) for messages, _ in batch)
    rows = pack([[messages] for messages, _ in batch], length)
    return rows, [place for _, places in batch for place in places]
