"""Where a message enters: opted in? valid? seen before? Then it is pseudonymized, sealed and published.

Three steps a batch, so that a kill -9 at any point loses nothing and counts nothing twice:

1. look up the groups, the connector's cursor and what was seen before;
2. publish what is let in, and wait until the broker has it;
3. in one script: mark it as seen, move the counters and store the cursor.

Killed before 3, the connector hands the batch in again from its cursor and a message may lie on the topic twice; the
scoring step knows it by its id. Killed after 3, the cursor says that the batch is done.
"""

import asyncio
import math
import re
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache, partial
from typing import Final, TypeVar

from redis.asyncio import Redis

from pipeline import counters
from pipeline.codec import encode
from pipeline.errors import BatchError
from pipeline.events import ChatMessage, FailedMessage, IncomingMessage
from pipeline.groups import INDEX_KEY, Group, GroupLedger, GroupState, group_key
from pipeline.privacy import Cipher, Keyring, replace_surrogates
from pipeline.publisher import Publisher
from pipeline.scripts import PREFIX, as_text, load_script
from pipeline.settings import Settings
from pipeline.topics import FAILED, MESSAGES
from pipeline.transport.connection import persist

LARGEST_BATCH: Final = 2000
"""Messages handed in at once; the server does nothing else while it records them (some milliseconds)."""
LONGEST_TEXT: Final = 100_000
"""Characters; a longer text is parked for a person to look at."""
FURTHEST_AHEAD: Final = 24 * 3600.0
"""Seconds that a message's time may lie ahead of ours; beyond it the time is wrong."""

CURSORS_KEY: Final = f"{PREFIX}:cursors"
BATCHES_KEY: Final = f"{PREFIX}:counters:batches"
"""Random tokens of the batches recorded lately, so that one whose answer was lost is not counted twice."""
_TOKEN_SECONDS: Final = 3600
_PATIENCE_SECONDS: Final = 25.0
"""How long a batch waits for a server that restarts, before the connector is told."""
_CACHED_AUTHORS: Final = 4096
_LONGEST_ID: Final = 512
_LONGEST_NAME: Final = 200
_ROLES: Final = frozenset({"pupil", "teacher", "parent"})

_INVISIBLE: Final = re.compile(
    # White space, control and format characters, variation selectors and tags, and the fillers that look like nothing.
    r"[\s\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]*+"
)

T = TypeVar("T")


class ReceiptStatus(StrEnum):
    """What became of a message at the door."""

    ACCEPTED = "accepted"
    REPEATED = "repeated"
    """It was let in before."""
    REFUSED = "refused"
    """Its group is not in the ledger, paused or expired; nothing of it is kept."""
    INVALID = "invalid"
    PARKED = "parked"
    """It cannot be judged by the classifier and lies ready for a person."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer for one message."""

    status: ReceiptStatus
    reason: str = ""
    """REFUSED: `unknown`, `paused` or `expired`. INVALID: `malformed` or `empty`. PARKED: `too_long`."""
    message_id: str | None = None
    """Pseudonym of a message that was let in."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a connector is after a batch, stored in the same step as the batch's figures."""

    name: str
    """Whose: one connector's run over one source."""
    value: str
    """Where to go on. It must differ from batch to batch: an equal one means that the batch is done already."""


@dataclass(frozen=True, slots=True)
class _OpenGroup:
    group: Group
    cipher: Cipher
    state: GroupState


@dataclass(slots=True)
class _Entry:
    """A message on its way to a topic."""

    position: int
    message: ChatMessage
    cipher: Cipher
    counted: list[str]
    too_long: bool


@dataclass(slots=True)
class _Batch:
    """What is known of a batch while it passes."""

    now: float
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    receipts: dict[int, Receipt] = field(default_factory=dict)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    entries: list[_Entry] = field(default_factory=list)

    def turn_away(self, position: int, receipt: Receipt, group: str, *names: str) -> None:
        self.receipts[position] = receipt
        for name in names:
            self.counts[group, name] += 1


class Intake:
    """The door. One is enough for a process; connectors share it."""

    def __init__(  # what it is wired from, each of its own type
        self,
        ledger: GroupLedger,
        publisher: Publisher,
        redis: Redis,
        keyring: Keyring,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ledger = ledger
        self._publisher = publisher
        self._redis = redis
        self._keyring = keyring
        self._seen_seconds = settings.seen_days * 24 * 3600
        self._clock = clock
        self._read = load_script(redis, "intake_read")
        self._record = load_script(redis, "counters", "intake_record")
        # Sealing costs more than the rest of a message's way; a class has few authors.
        self._author = lru_cache(maxsize=_CACHED_AUTHORS)(self._seal_author)

    async def accept(self, messages: Sequence[IncomingMessage], cursor: Cursor | None = None) -> list[Receipt]:
        """Let in what may be read; when this returns, it is durable and counted.

        Args:
            messages: As the platform gave them, at most `LARGEST_BATCH`, in the order of the conversation.
            cursor: How far the connector is when this batch is done, for connectors that read forward.

        Returns:
            A receipt for each message, in the same order. A batch whose cursor is stored already was done before a
            crash: its messages are told as REPEATED and counted no second time.

        Raises:
            BatchError: Too many messages at once.
            PublishError: Kafka did not take them. Nothing was counted; hand the batch in again.
            redis.exceptions.RedisError: The server stayed away. Hand the batch in again.
        """
        if len(messages) > LARGEST_BATCH:
            msg = f"{len(messages)} messages in one batch; hand in {LARGEST_BATCH} at most at once"
            raise BatchError(msg)
        if not messages and cursor is None:
            return []
        batch = _Batch(self._clock())
        named = self._with_place(messages, batch)
        groups, done = await self._patiently(
            lambda: self._look_up(list(dict.fromkeys(named.values())), cursor, batch.now)
        )
        if done:
            return [Receipt(ReceiptStatus.REPEATED) for _ in messages]
        for position, place in named.items():
            self._admit(position, messages[position], groups.get(place), batch)
        await self._drop_seen(batch)
        await self._publish(batch)
        await self._settle(batch, cursor)
        return [batch.receipts[position] for position in range(len(messages))]

    async def cursor(self, name: str) -> str | None:
        """Give how far a connector was, or None when it never stored a cursor of this name."""
        value = await self._redis.hget(CURSORS_KEY, name)
        return None if value is None else as_text(value)

    async def forget_cursor(self, name: str) -> None:
        """Forget how far a connector was; it begins anew."""
        await self._redis.hdel(CURSORS_KEY, name)

    def _with_place(self, messages: Sequence[IncomingMessage], batch: _Batch) -> dict[int, tuple[str, str]]:
        """Find which messages name a group at all; the others are invalid whatever else they hold."""
        named = {}
        for position, message in enumerate(messages):
            batch.counts["", counters.RECEIVED] += 1
            if isinstance(message, IncomingMessage) and _is_id(message.platform) and _is_id(message.platform_group):
                named[position] = message.platform, message.platform_group
            else:
                _turn_away_invalid(batch, position, "malformed", "")
        return named

    async def _look_up(
        self, places: Sequence[tuple[str, str]], cursor: Cursor | None, now: float
    ) -> tuple[dict[tuple[str, str], _OpenGroup], bool]:
        names = self._keyring.pseudonymizer
        arguments = [cursor.name if cursor else "", group_key(""), *(names.group_key(*place) for place in places)]
        stored, *found = await self._read(keys=[INDEX_KEY, CURSORS_KEY], args=arguments)
        groups = {}
        for place, answer in zip(places, found, strict=True):
            if answer:
                identifier, flat = as_text(answer[0]), answer[1]
                fields = dict(zip(flat[::2], flat[1::2], strict=True))
                group = self._ledger.opened(identifier, fields)
                groups[place] = _OpenGroup(group, self._ledger.unwrapped(identifier, fields[b"key"]), group.state(now))
        return groups, cursor is not None and stored is not None and as_text(stored) == cursor.value

    def _admit(self, position: int, message: IncomingMessage, opened: _OpenGroup | None, batch: _Batch) -> None:
        """Gate, then shape, then pseudonyms; what passes waits in `batch.entries`."""
        if opened is None or opened.state in (GroupState.PAUSED, GroupState.EXPIRED):
            reason = "unknown" if opened is None else opened.state.value
            receipt = Receipt(ReceiptStatus.REFUSED, reason)
            owner = "" if opened is None else opened.group.id
            batch.turn_away(position, receipt, owner, counters.REFUSED, counters.REFUSED_REASON + reason)
            return
        group = opened.group
        invalid = _fault(message)
        if invalid:
            _turn_away_invalid(batch, position, invalid, group.id)
            return
        counted = [counters.ACCEPTED]
        sent_at = _plausible_time(message.sent_at, batch.now)
        if sent_at is None:
            sent_at = batch.now
            counted.append(counters.CLAMPED)
        too_long = len(message.text) > LONGEST_TEXT
        if too_long:
            counted += [counters.PARKED, counters.PARKED_REASON + "too_long"]
        names = self._keyring.pseudonymizer
        author, author_sealed = self._author(message.platform, message.author_id, message.author_name)
        accepted = ChatMessage(
            message_id=names.message(message.platform, message.platform_message, group.id),
            group=group.id,
            author=author,
            author_sealed=author_sealed,
            role=message.role if message.role in _ROLES else "pupil",
            text=readable(message.text[:LONGEST_TEXT]),
            sent_at=sent_at,
            received_at=batch.now,
            reply_to=names.message(message.platform, message.reply_to, group.id) if message.reply_to else None,
        )
        batch.entries.append(_Entry(position, accepted, opened.cipher, counted, too_long))

    def _seal_author(self, platform: str, author_id: str, name: str) -> tuple[str, bytes]:
        sealed = self._keyring.seal_identity(name[:_LONGEST_NAME], author_id)
        return self._keyring.pseudonymizer.author(platform, author_id), sealed

    async def _drop_seen(self, batch: _Batch) -> None:
        """Tell as repeated what was let in before, or stands twice in the batch."""
        if not batch.entries:
            return
        keys = [_seen_key(entry.message.message_id) for entry in batch.entries]
        marks = await self._patiently(lambda: self._redis.mget(keys))
        new: dict[str, _Entry] = {}
        for entry, mark in zip(batch.entries, marks, strict=True):
            identifier = entry.message.message_id
            if mark is not None or identifier in new:
                receipt = Receipt(ReceiptStatus.REPEATED, message_id=identifier)
                batch.turn_away(entry.position, receipt, entry.message.group, counters.REPEATED)
            else:
                new[identifier] = entry
        batch.entries = list(new.values())

    async def _publish(self, batch: _Batch) -> None:
        messages, parked = [], []
        for entry in batch.entries:
            message = entry.message
            key = message.group.encode()
            if entry.too_long:
                record = FailedMessage(
                    message_id=message.message_id,
                    group=message.group,
                    reason="too_long",
                    attempts=0,
                    failed_at=batch.now,
                    message=message,
                )
                parked.append((key, encode(record, self._keyring.text, message.group)))
            else:
                messages.append((key, encode(message, entry.cipher, message.group)))
        for topic, records in ((MESSAGES, messages), (FAILED, parked)):
            if records:
                await self._patiently(partial(self._publisher.publish_many, topic, records))

    async def _settle(self, batch: _Batch, cursor: Cursor | None) -> None:
        keys = [counters.TOTALS_KEY, counters.day_key(batch.now), BATCHES_KEY, CURSORS_KEY]
        arguments: list[str | int | float] = [
            counters.DAY_SECONDS,
            self._seen_seconds,
            batch.now,
            batch.token,
            _TOKEN_SECONDS,
            cursor.name if cursor else "",
            cursor.value if cursor else "",
            len(batch.counts),
        ]
        for (group, name), number in batch.counts.items():
            arguments += [group, name, number]
        for entry in batch.entries:
            keys.append(_seen_key(entry.message.message_id))
            arguments += [entry.message.group, len(entry.counted), *entry.counted]
        new = await self._patiently(lambda: self._record(keys=keys, args=arguments))
        for number, entry in enumerate(batch.entries):
            status, reason = ReceiptStatus.ACCEPTED, ""
            if new is not None and not new[number]:
                status = ReceiptStatus.REPEATED
            elif entry.too_long:
                status, reason = ReceiptStatus.PARKED, "too_long"
            batch.receipts[entry.position] = Receipt(status, reason, entry.message.message_id)

    async def _patiently(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try a step again while the server restarts; each step may be repeated without harm."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + _PATIENCE_SECONDS
        return await persist("intake", attempt, lambda: clock() >= deadline)


def readable(text: str) -> str:
    """Give text that every store and encoding can hold: NUL and lone surrogates become U+FFFD, nothing else changes."""
    return replace_surrogates(text).replace("\x00", "\ufffd")


def _seen_key(message_id: str) -> str:
    return f"{PREFIX}:seen:{message_id}"


def _turn_away_invalid(batch: _Batch, position: int, reason: str, group: str) -> None:
    receipt = Receipt(ReceiptStatus.INVALID, reason)
    batch.turn_away(position, receipt, group, counters.INVALID, counters.INVALID_REASON + reason)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_ID and not value.isspace()


def _fault(message: IncomingMessage) -> str:
    """Give the code of what is wrong with a message's shape, or nothing."""
    # A connector fills the record from foreign data; msgspec checks types when decoding only.
    shaped = (
        _is_id(message.platform_message)
        and isinstance(message.author_id, str)
        and len(message.author_id) <= _LONGEST_ID
        and isinstance(message.author_name, str)
        and isinstance(message.role, str)
        and isinstance(message.text, str)
        and isinstance(message.sent_at, (int, float))
        and not isinstance(message.sent_at, bool)
        and (message.reply_to is None or message.reply_to == "" or _is_id(message.reply_to))
    )
    if not shaped:
        return "malformed"
    return "empty" if _INVISIBLE.fullmatch(message.text) else ""


def _plausible_time(sent_at: float, now: float) -> float | None:
    """Give the time as it is, or None where no message can have been sent then."""
    try:
        seconds = float(sent_at)
    except OverflowError:
        return None
    return seconds if math.isfinite(seconds) and 0 <= seconds <= now + FURTHEST_AHEAD else None
