"""Judges messages with the conversation encoder: stretches of conversation in, probabilities out.

Messages that follow each other in one conversation are read together in one pass (`stretches`), so a batch of a busy
group costs each message once; what a message left behind is kept for the batches after (`context_memory`).

Two runtimes give the same figures within rounding: ONNX Runtime, which needs no torch, and PyTorch, the reference,
which keeps nothing.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from classifiers.findings import ScoringInput, Utterance
from classifiers.toxicity.checkpoint import check_folder
from classifiers.toxicity.context_memory import ContextMemory, Key, Past, Remembered, identity, lay_past
from classifiers.toxicity.conversation import ConversationTokenizer, Rows, frame, pack

FAMILY = "encoder"
LONGEST_STRETCH = 384
"""Tokens read together at most: the row length of training."""
TOKEN_BUDGET = 256
"""Tokens a call at most; more buys nothing on a CPU."""


class Runtime(Protocol):
    """Runs the network."""

    def logits(self, rows: Rows) -> NDArray[np.float32]:
        """(M, 11) logits of the judged messages."""


@runtime_checkable
class RememberingRuntime(Protocol):
    """Runs the network on messages that go on from others read before."""

    memory_shape: tuple[int, int, int]
    """Layers that see context, heads, size of a head."""

    def read(self, rows: Rows, past: Past) -> tuple[NDArray[np.float32], NDArray[np.float16]]:
        """(M, 11) logits and (2, layers, B, heads, L, size) to be remembered, of rows of one stretch each."""


@dataclass(slots=True)
class TokenCounts:
    """What reading has cost so far."""

    read: int = 0
    padded: int = 0
    """With the padding around them."""
    reused: int = 0
    """Tokens of context that were remembered and not read again."""
    tokenize_seconds: float = 0.0


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


@dataclass(frozen=True, slots=True)
class _Message:
    """A message to be read."""

    ids: tuple[int, ...]
    mark: int | None
    number: int
    """Place in its stretch."""
    place: int | None
    """Place in the inputs; None for context."""
    key: Key
    previous: Key | None


@dataclass(frozen=True, slots=True)
class _Part:
    """One row: messages to be read, after those that are remembered."""

    past: list[tuple[int, Remembered]]
    messages: list[_Message]

    @property
    def length(self) -> int:
        return sum(len(one.ids) for one in self.messages)


class EncoderModel:
    """The encoder behind the engine's seam: calibrated probabilities for messages in conversation.

    Args:
        tokenizer: The checkpoint's.
        runtime: Runs the network.
        version: Family and hash of the weights.
        memory: Where messages are kept for the batches after; None reads the context anew each time. Serves only a
            runtime that remembers.
    """

    def __init__(
        self, tokenizer: ConversationTokenizer, runtime: Runtime, version: str, memory: ContextMemory | None = None
    ) -> None:
        self._tokenizer = tokenizer
        self._runtime = runtime
        self._memory = memory if isinstance(runtime, RememberingRuntime) else None
        self.version = version
        self.counts = TokenCounts()

    @classmethod
    def load(
        cls, folder: Path, *, runtime: Runtime | None = None, memory: ContextMemory | None = None
    ) -> "EncoderModel":
        """Open a checkpoint folder of ours.

        Args:
            folder: Checked against its hashes.
            runtime: None for PyTorch.
            memory: Where messages are kept for the batches after.

        Raises:
            ModelError: A file is missing, cut short or changed.
        """
        version = check_folder(folder)
        if runtime is None:
            from classifiers.toxicity.torch_runtime import TorchRuntime  # noqa: PLC0415  # torch takes seconds to load

            runtime = TorchRuntime(folder)
        tokenizer = ConversationTokenizer(Tokenizer.from_file(str(folder / "tokenizer.json")))
        return cls(tokenizer, runtime, f"{FAMILY}:{version}", memory)

    def forget(self) -> None:
        """Drop what is remembered of messages read before; they are read again where they are context."""
        if self._memory is not None:
            self._memory.clear()

    def score(self, inputs: Sequence[ScoringInput]) -> NDArray[np.float32]:
        """Probabilities of shape (len(inputs), 11): the labels in order, then "at all"."""
        return (1 / (1 + np.exp(-self.logits(inputs)))).astype(np.float32)

    def logits(self, inputs: Sequence[ScoringInput]) -> NDArray[np.float32]:
        """Log-odds of shape (len(inputs), 11), as `stacking` takes them."""
        found = np.zeros((len(inputs), 11), np.float32)
        for parts in self._batches(inputs):
            places = [one.place for part in parts for one in part.messages if one.place is not None]
            found[places] = self._read(parts)
        return found

    def _read(self, parts: list[_Part]) -> NDArray[np.float32]:
        """Logits of the judged messages of a batch, which are then remembered."""
        length = max(part.length for part in parts)
        rows = pack([[[(one.ids, one.place is not None) for one in part.messages]] for part in parts], length)
        self.counts.read += sum(part.length for part in parts)
        self.counts.padded += rows.ids.size
        if self._memory is None or not isinstance(self._runtime, RememberingRuntime):
            return self._runtime.logits(rows)
        for number, part in enumerate(parts):
            places = np.array([one.number for one in part.messages], np.int32)
            rows.message[number] = places[rows.message[number]]
            self.counts.reused += sum(entry.tokens for _, entry in part.past)
        past = lay_past([part.past for part in parts], self._runtime.memory_shape)
        logits, state = self._runtime.read(rows, past)
        for number, part in enumerate(parts):
            at = 0
            for one in part.messages:
                end = at + len(one.ids)
                kept = state[:, :, number, :, at:end].copy()
                self._memory.keep(Remembered(one.key, one.previous, one.mark, kept))
                at = end
        return logits

    def _batches(self, inputs: Sequence[ScoringInput]) -> Iterator[list[_Part]]:
        """Stretches of about the same length together, within the token budget."""
        started = time.perf_counter()
        parts = sorted(self._frame(stretches(inputs)), key=lambda part: part.length)
        self.counts.tokenize_seconds += time.perf_counter() - started
        batch: list[_Part] = []
        for part in parts:
            if batch and part.length * (len(batch) + 1) > TOKEN_BUDGET:
                yield batch
                batch = []
            batch.append(part)
        if batch:
            yield batch

    def _frame(self, joined: list[Stretch]) -> Iterator[_Part]:
        """Tokens of each stretch, split where they exceed `LONGEST_STRETCH`."""
        recalled = [self._recall(stretch) for stretch in joined]
        texts = [
            utterance.text
            for stretch, found in zip(joined, recalled, strict=True)
            for utterance, entry in zip(stretch.utterances, found, strict=True)
            if entry is None
        ]
        pieces = iter(self._tokenizer.pieces(texts))
        for stretch, found in zip(joined, recalled, strict=True):
            past: list[tuple[int, Remembered]] = []
            messages: list[_Message] = []
            key: Key | None = None
            for number, (entry, mark) in enumerate(zip(found, self._marks(stretch, found), strict=True)):
                if entry is not None:
                    past.append((number, entry))
                    key = entry.key
                else:
                    previous = key
                    key = (previous[1] if previous else 0, identity(stretch.utterances[number]))
                    ids = frame(next(pieces), mark)
                    messages.append(_Message(ids, mark, number, stretch.judged.get(number), key, previous))
            yield from _cut(past, messages)

    def _recall(self, stretch: Stretch) -> list[Remembered | None]:
        context = min(stretch.judged)
        judged: list[Remembered | None] = [None] * (len(stretch.utterances) - context)
        if self._memory is None:
            return [*[None] * context, *judged]
        return [*self._memory.recall(stretch.utterances[:context]), *judged]

    def _marks(self, stretch: Stretch, found: list[Remembered | None]) -> list[int | None]:
        if len(stretch.utterances) == 1 and not stretch.utterances[0].author:
            return [None]
        known = {
            utterance.author: entry.mark
            for utterance, entry in zip(stretch.utterances, found, strict=True)
            if entry is not None and entry.mark is not None and utterance.role == "pupil"
        }
        return [*self._tokenizer.speaker_marks(stretch.utterances, known=known)]


def _cut(past: list[tuple[int, Remembered]], messages: list[_Message]) -> Iterator[_Part]:
    """Keep a stretch within `LONGEST_STRETCH`: the oldest context goes first; judged messages are never dropped."""
    fresh = sum(len(one.ids) for one in messages)
    # Where both are too long, what is remembered gets half.
    room = LONGEST_STRETCH - min(fresh, LONGEST_STRETCH // 2 if past else LONGEST_STRETCH)
    kept: list[tuple[int, Remembered]] = []
    for number, entry in reversed(past):
        room -= entry.tokens
        if room < 0:
            break
        kept.insert(0, (number, entry))
    start = 0
    while start < len(messages):
        end, size = start, sum(entry.tokens for _, entry in kept)
        while end < len(messages) and (size + len(messages[end].ids) <= LONGEST_STRETCH or end == start):
            size += len(messages[end].ids)
            end += 1
        part = messages[start:end]
        if any(one.place is not None for one in part):
            yield _Part(kept, part)
        if end == len(messages):
            return
        # What follows is read with the messages before it, as many as leave it room.
        kept = []
        room = LONGEST_STRETCH - len(messages[end].ids)
        back = end
        while back > start + 1 and room - len(messages[back - 1].ids) >= 0 and end - back < 10:
            back -= 1
            room -= len(messages[back].ids)
        messages = [replace(one, place=None) if at < end else one for at, one in enumerate(messages)]
        start = back
