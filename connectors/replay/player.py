"""Plays the demo school's stream into the intake, and goes on exactly where it was after any interruption.

The cursor holds the next message's place and the moment on which the stream's time is based, so that a restarted
stream is the same stream: the same ids at the same times, and so the same totals.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from connectors.door import Door
from connectors.errors import ReplayError
from connectors.replay.conversations import Scheduled, duration
from pipeline.intake import Cursor, Receipt, ReceiptStatus

CURSOR = "replay"
BATCH = 50
"""Messages handed in at once when no pace is asked for."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a replay is."""

    following: int
    """The next message of the stream, from 0."""
    start: float
    """Unix time of the stream's first message."""

    def __str__(self) -> str:
        return f"{self.following}@{self.start!r}"

    @classmethod
    def parse(cls, value: str) -> "Place":
        """Read what `str` wrote.

        Raises:
            ReplayError: It is something else.
        """
        following, at, start = value.partition("@")
        try:
            return cls(int(following), float(start if at else ""))
        except ValueError as error:
            raise ReplayError("the replay's stored place is damaged; empty the data folder to begin anew") from error


@dataclass(slots=True)
class ReplaySummary:
    """What became of the messages of one run; grows while it plays."""

    first: int = 0
    """Place in the stream where this run began."""
    total: int = 0
    """Messages in the stream."""
    receipts: Counter[ReceiptStatus] = field(default_factory=Counter)

    @property
    def played(self) -> int:
        """Messages of this run."""
        return self.receipts.total()

    @property
    def finished(self) -> bool:
        """Whether the whole stream was played, by this run and those before."""
        return self.first + self.played >= self.total


async def play(
    stream: Sequence[Scheduled],
    door: Door,
    *,
    pace: float = 0.0,
    stop: asyncio.Event | None = None,
    on_batch: Callable[[Sequence[Scheduled], Sequence[Receipt]], None] = lambda _batch, _receipts: None,
    batch: int = BATCH,
) -> ReplaySummary:
    """Play a stream from where it was to its end.

    Args:
        stream: Messages in order; the same on every run.
        door: The intake.
        pace: Seconds before each message; 0 plays without pauses, in batches.
        stop: When set, the run ends after the batch in hand.
        on_batch: Told of each batch when it is durable.
        batch: Messages handed in at once when `pace` is 0.

    Returns:
        Figures of this run.
    """
    stop = stop or asyncio.Event()
    stored = await door.intake.cursor(CURSOR)
    # So that the last message is of now, and none lies in the future.
    place = Place.parse(stored) if stored is not None else Place(0, time.time() - duration(stream))
    summary = ReplaySummary(first=min(place.following, len(stream)), total=len(stream))
    step = 1 if pace > 0 else batch
    while place.following < len(stream) and not stop.is_set():
        if pace > 0 and await _stopped_within(stop, pace):
            break
        part = stream[place.following : place.following + step]
        place = Place(place.following + len(part), place.start)
        messages = [scheduled.at(place.start) for scheduled in part]
        receipts = await door.intake.accept(messages, Cursor(CURSOR, str(place)))
        summary.receipts.update(receipt.status for receipt in receipts)
        on_batch(part, receipts)
    return summary


async def _stopped_within(stop: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
    return stop.is_set()
