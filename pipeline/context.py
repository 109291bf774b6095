"""The last messages of a group, for judging in conversation, and the ledger of what became of each message.

A window is sealed with its group's own key and holds few messages for an hour at most. It grows only together with a
message's outcome, in one step: a message that comes again after a crash finds the window as it was the first time,
and what already has an outcome is not judged, counted or remembered twice.
"""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import msgspec
from redis.asyncio import Redis

from pipeline import counters
from pipeline.errors import SealError
from pipeline.events import ChatMessage, ContextMessage
from pipeline.groups import GroupCiphers, GroupLedger, context_key, group_key
from pipeline.privacy import Keyring
from pipeline.scripts import PREFIX, load_script
from pipeline.settings import Settings

logger = logging.getLogger(__name__)

OUTCOME_SECONDS = 6 * 24 * 3600
"""How long an outcome is remembered: well over the day that topic `messages` keeps a record, and less than intake's
marks, so that a message that intake lets in anew is judged anew."""
LONGEST_CONTEXT_TEXT = 2000
"""Characters of a message that the window keeps: enough to understand the next one."""

_END_DIGITS = 13
"""Each entry begins with the end of its term, Unix milliseconds, readable so that the server can drop it."""
_decoder = msgspec.msgpack.Decoder(ContextMessage)


def outcome_key(message_id: str) -> str:
    """Name of the mark that a message has an outcome."""
    return f"{PREFIX}:outcome:{message_id}"


class OutcomeStatus(StrEnum):
    """What became of a message in the scoring step."""

    SCORED = "scored"
    """Judged, and nothing to see."""
    FLAGGED = "flagged"
    PARKED = "parked"
    """Could not be judged; a person can look at it."""
    PURGED = "purged"
    """Its group opted out while it waited."""
    LESSON = "lesson"
    """Sent during a lesson about social media: not judged, forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one message. Make it with the function named after its status."""

    message_id: str
    group: str
    status: OutcomeStatus
    labels: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()
    reason: str = ""
    """Why it was parked: the code of `FailedMessage.reason`."""
    message: ChatMessage | None = None
    """Given when it enters the group's window."""

    @classmethod
    def scored(cls, message: ChatMessage) -> Self:
        """Judged, and nothing to see."""
        return cls(message_id=message.message_id, group=message.group, status=OutcomeStatus.SCORED, message=message)

    @classmethod
    def flagged(cls, message: ChatMessage, labels: Iterable[str], clauses: Iterable[str]) -> Self:
        """Judged, and laid before a mentor."""
        return cls(
            message_id=message.message_id,
            group=message.group,
            status=OutcomeStatus.FLAGGED,
            labels=tuple(labels),
            clauses=tuple(clauses),
            message=message,
        )

    @classmethod
    def parked(cls, message_id: str, group: str, reason: str) -> Self:
        """Not judged. It does not enter the window: what stopped the classifier would stop it again."""
        return cls(message_id=message_id, group=group, status=OutcomeStatus.PARKED, reason=reason)

    @classmethod
    def purged(cls, message_id: str, group: str) -> Self:
        """Unreadable because its group opted out (`KeyDestroyedError`)."""
        return cls(message_id=message_id, group=group, status=OutcomeStatus.PURGED)

    @classmethod
    def lesson(cls, message: ChatMessage) -> Self:
        """Sent during a lesson."""
        return cls(message_id=message.message_id, group=message.group, status=OutcomeStatus.LESSON)

    def counted_as(self) -> list[str]:
        """Names of the counters that move."""
        if self.status is OutcomeStatus.FLAGGED:
            return [
                counters.SCORED,
                counters.FLAGGED,
                *(counters.FLAGGED_LABEL + label for label in dict.fromkeys(self.labels)),
                *(counters.FLAGGED_CLAUSE + clause for clause in dict.fromkeys(self.clauses)),
            ]
        if self.status is OutcomeStatus.PARKED:
            return [counters.PARKED, counters.PARKED_REASON + self.reason]
        return [self.status.value]


class ContextWindows:
    """The groups' windows and the messages' outcomes, kept in Redis."""

    def __init__(self, redis: Redis, keyring: Keyring, settings: Settings) -> None:
        self._redis = redis
        self._ledger = GroupLedger(redis, keyring)
        self._entries = settings.context_messages
        self._seconds = settings.context_seconds
        self._read = load_script(redis, "context_read")
        self._commit = load_script(redis, "counters", "context_commit")

    async def already(self, message_ids: Sequence[str]) -> set[str]:
        """Tell which messages have an outcome, in one round trip."""
        if not message_ids:
            return set()
        marks = await self._redis.mget([outcome_key(message_id) for message_id in message_ids])
        return {message_id for message_id, mark in zip(message_ids, marks, strict=True) if mark is not None}

    async def read(self, groups: Iterable[str], now: float | None = None) -> dict[str, list[ContextMessage]]:
        """Read the windows of groups, in one round trip.

        Returns:
            For every group asked its messages, oldest first; none for a group without a window or key.
        """
        end = (time.time() if now is None else now) * 1000
        asked = list(dict.fromkeys(groups))
        if not asked:
            return {}
        answers = await self._read(keys=[name for group in asked for name in (group_key(group), context_key(group))])
        windows: dict[str, list[ContextMessage]] = {}
        for group, wrapped, entries in zip(asked, answers[::2], answers[1::2], strict=True):
            windows[group] = []
            if wrapped is None or not entries:
                continue
            cipher = self._ledger.unwrapped(group, wrapped)
            for entry in entries:
                if float(entry[:_END_DIGITS]) <= end:
                    continue
                try:
                    windows[group].append(_decoder.decode(cipher.open(entry[_END_DIGITS:], _aad(group))))
                except (SealError, msgspec.DecodeError):
                    # A damaged entry costs context, not the judgement of the next message.
                    logger.warning("An entry of the context window of group %s does not open; it is left out", group)
        return windows

    def conversations(
        self, messages: Sequence[ChatMessage], windows: Mapping[str, Sequence[ContextMessage]]
    ) -> list[tuple[ContextMessage, ...]]:
        """Give each message of a batch what was said before it, however the stream was cut into batches.

        Args:
            messages: In the order of the topic.
            windows: What `read` gave for their groups.

        Returns:
            For each message, in the same order, the messages before it: the window's, then those of the batch; at
            most `context_messages`, none sent more than `context_seconds` earlier; oldest first.
        """
        running = {group: list(window) for group, window in windows.items()}
        found = []
        for message in messages:
            before = running.setdefault(message.group, [])
            kept = before[-self._entries :] if self._entries else []
            found.append(tuple(said for said in kept if message.sent_at - said.sent_at <= self._seconds))
            before.append(_remembered(message))
        return found

    async def commit(self, outcomes: Sequence[Outcome], now: float | None = None) -> set[str]:
        """Record a batch of outcomes in one atomic step: marks, counters and windows. Repeating it changes nothing.

        Call it when the outputs (flags, parked messages) are durable, and before the messages are acknowledged.

        Returns:
            The ids of the messages that had no outcome before.

        Raises:
            redis.exceptions.RedisError: The server is away; all or nothing was recorded. Repeat the call.
        """
        if not outcomes:
            return set()
        now = time.time() if now is None else now
        remembered = [outcome.group for outcome in outcomes if outcome.message is not None and self._entries]
        ciphers = await self._ledger.ciphers(remembered) if remembered else GroupCiphers({})
        keys = [counters.TOTALS_KEY, counters.day_key(now)]
        arguments: list[str | bytes | int] = [
            counters.DAY_SECONDS,
            OUTCOME_SECONDS,
            self._entries,
            int(self._seconds * 1000),
            int(now * 1000),
        ]
        for outcome in outcomes:
            keys += [outcome_key(outcome.message_id), group_key(outcome.group), context_key(outcome.group)]
            names = outcome.counted_as()
            arguments += [outcome.group, outcome.status.value, self._entry(outcome, ciphers), len(names), *names]
        recorded = await self._commit(keys=keys, args=arguments)
        return {outcome.message_id for outcome, new in zip(outcomes, recorded, strict=True) if new}

    async def purge(self, group: str) -> None:
        """Erase a group's window at once."""
        await self._redis.delete(context_key(group))

    def _entry(self, outcome: Outcome, ciphers: GroupCiphers) -> bytes:
        if outcome.message is None or not self._entries or self._seconds <= 0 or outcome.group not in ciphers:
            return b""
        plain = msgspec.msgpack.encode(_remembered(outcome.message))
        return ciphers(outcome.group).seal(plain, _aad(outcome.group))


def _remembered(message: ChatMessage) -> ContextMessage:
    return ContextMessage(
        message_id=message.message_id,
        author=message.author,
        role=message.role,
        text=message.text[:LONGEST_CONTEXT_TEXT],
        sent_at=message.sent_at,
    )


def _aad(group: str) -> bytes:
    return b"context:" + group.encode()
