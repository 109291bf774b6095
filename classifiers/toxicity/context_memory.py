"""What messages left behind when they were read, so that a conversation's next message costs its own tokens only.

A message never sees what comes after it, so its keys and values in the layers that see context stay as they are. They
are kept for the messages lately read, within a set number of bytes and for as long as a conversation may be held, and
found again by the messages before: each entry knows the one it followed. No text is kept, only hashes under the
process's own secret.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.findings import Utterance
from classifiers.toxicity.conversation import NO_MESSAGE

MEMORY_BYTES = 128 << 20
"""What is kept at most: about twelve hundred messages of the shipped shape, ten in each of a hundred conversations."""

MEMORY_SECONDS = 3600.0
"""So long after its last use a message is kept: the longest that the pipeline holds one as context."""

Key = tuple[int, int]
"""The message before (0 for none) and the message itself, as hashes."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """One message that was read."""

    key: Key
    previous: Key | None
    """The message it followed, None for the first."""
    mark: int | None
    """Token of the speaker under which it was read."""
    state: NDArray[np.float16]
    """(2, layers, heads, tokens, size): keys, then values."""

    @property
    def tokens(self) -> int:
        """How long the message is."""
        return int(self.state.shape[3])


@dataclass(frozen=True, slots=True)
class Past:
    """What B rows go on from, padded to P tokens."""

    state: NDArray[np.float16]
    """(2, layers, B, heads, P, size)."""
    message: NDArray[np.int64]
    """(B, P) number of the message each token belongs to, `NO_MESSAGE` where there is none."""


def identity(utterance: Utterance) -> int:
    """Stands for a message; never 0."""
    return hash((utterance.text, utterance.author, utterance.sent, utterance.role)) or 1


class ContextMemory:
    """The messages lately read, the one not used longest is forgotten first.

    Args:
        most_bytes: What is kept at most.
        clock: Seconds.
    """

    def __init__(self, most_bytes: int = MEMORY_BYTES, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most_bytes
        self._clock = clock
        self._kept: OrderedDict[Key, tuple[float, Remembered]] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def recall(self, before: Sequence[Utterance]) -> list[Remembered | None]:
        """What is known of each message of a window, oldest first; None must be read again.

        An entry is used only when it was read right after the entry before it, so what it saw was this conversation.
        """
        found: list[Remembered | None] = [None] * len(before)
        if not before:
            return found
        hashes = [identity(one) for one in before]
        key: Key | None = (hashes[-2] if len(hashes) > 1 else 0, hashes[-1])
        now = self._clock()
        self._forget(now)
        for place in range(len(before) - 1, -1, -1):
            _, entry = self._kept.get(key, (now, None)) if key else (now, None)
            if entry is None or entry.key[1] != hashes[place]:
                break
            self._kept[entry.key] = (now, entry)
            self._kept.move_to_end(entry.key)
            found[place] = entry
            key = entry.previous
        return found

    def keep(self, entry: Remembered) -> None:
        """Remember a message, and forget others where there is no room."""
        _, old = self._kept.pop(entry.key, (0.0, None))
        self.bytes += entry.state.nbytes - (old.state.nbytes if old else 0)
        now = self._clock()
        self._kept[entry.key] = (now, entry)
        self._forget(now)

    def clear(self) -> None:
        """Forget everything, now."""
        self._kept.clear()
        self.bytes = 0

    def _forget(self, now: float) -> None:
        """Drop from the longest unused on: what is too old, and what there is no room for."""
        while self._kept:
            used, entry = next(iter(self._kept.values()))
            if self.bytes <= self._most and now - used <= MEMORY_SECONDS:
                return
            del self._kept[entry.key]
            self.bytes -= entry.state.nbytes


def lay_past(rows: Sequence[Sequence[tuple[int, Remembered]]], shape: tuple[int, int, int]) -> Past:
    """Lay what is remembered beside the rows that go on from it.

    Args:
        rows: For each row the remembered messages with their numbers in the stretch.
        shape: Layers that see context, heads, size.
    """
    layers, heads, size = shape
    longest = max(1, *(sum(entry.tokens for _, entry in row) for row in rows), 1)
    state = np.zeros((2, layers, len(rows), heads, longest, size), np.float16)
    message = np.full((len(rows), longest), NO_MESSAGE, np.int64)
    for number, row in enumerate(rows):
        at = 0
        for place, entry in row:
            end = at + entry.tokens
            state[:, :, number, :, at:end] = entry.state
            message[number, at:end] = place
            at = end
    return Past(state, message)
