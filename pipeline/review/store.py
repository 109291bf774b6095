"""The review store: every flag from its arrival to a mentor's decision, on Redis or Valkey (one server, no cluster).

Each change is one Lua script, so that a process killed anywhere leaves either all of it or nothing, and a repeated
delivery changes nothing. Texts, contexts, reasons and scores are sealed under the text key before they leave this
process; in clear stands only what sorting and joining need: times, severities, labels, group ids and tags.
"""

import base64
import heapq
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from datetime import date
from typing import cast

import msgspec
from redis.asyncio import Redis

from pipeline.counters import ACCEPTED, DAY_SECONDS, Counters
from pipeline.events import FailedMessage, Flag
from pipeline.privacy import Identity, Keyring
from pipeline.review import audit, changes, retention, statistics
from pipeline.review.cases import CaseRules, facts_of, load_rules
from pipeline.review.errors import (
    AlreadyDecidedError,
    CaseClosedError,
    CaseNotFoundError,
    ClaimedByOtherError,
    MessageNotFoundError,
    NotClaimedError,
    NotDecidedError,
    ReasonError,
    ReviewError,
)
from pipeline.review.layout import key, overdue_ranges, school_day, waiting_since
from pipeline.review.reading import Hash, case_of, parked_of, summary_of
from pipeline.review.records import (
    AuditEntry,
    Case,
    CaseSummary,
    ErasureReceipt,
    Outcome,
    ParkedMessage,
    QueueCounts,
    Statistics,
)
from pipeline.review.scripts import Argument, Scripts
from pipeline.review.sealing import Sealing

CLAIM_SECONDS = 15 * 60.0
"""How long a claim holds without a sign of life from its mentor."""
REASON_LENGTH = 2_000
"""Longest reason, in characters."""
_REFUSE_SECONDS = 30 * 24 * 3600
"""How long a flag of an erased group is refused: twice what the topics keep one."""

_REFUSALS: dict[str, type[ReviewError]] = {
    "absent": CaseNotFoundError,
    "claimed": ClaimedByOtherError,
    "unclaimed": NotClaimedError,
    "closed": CaseClosedError,
    "missing": MessageNotFoundError,
    "decided": AlreadyDecidedError,
    "undecided": NotDecidedError,
}
"""What the scripts answer when they refuse."""
_REFUSAL_TEXTS = {
    "absent": "There is no case {0}. It may be erased; go back to the queue.",
    "claimed": "Case {0} is being judged by another mentor. Take another one, or wait until the claim ends.",
    "unclaimed": "Case {0} is not claimed by you, or your claim ended. Open the case again and repeat.",
    "closed": "Case {0} is closed: every message has its outcome. Revise an outcome instead, with a new reason.",
    "missing": "Case {0} does not hold every message that was named. Load the case again.",
    "decided": "A message of case {0} has its outcome already. Load the case again, or revise the outcome.",
    "undecided": "A message of case {0} has no outcome yet. Decide it first; only then it can be revised.",
}


class ReviewStore:
    """Cases, claims, decisions, audit and figures.

    Every method a person stands behind takes `allowed_groups`: the ids of the groups this person may see (None: all
    groups, for the worker, metrics and a mentor whom no group shuts out). A case of any other group is absent: not
    listed, not counted, `CaseNotFoundError`.

    Args:
        redis: Client with bytes as answers (`decode_responses=False`).
        keyring: The text key and the identity key.
        rules: How flags join cases; the shipped cases.toml when left out.
        overdue_hours: A case that waits longer counts as overdue (`Settings.overdue_hours`).
        clock: Gives the time; replaced in tests.
    """

    def __init__(
        self,
        redis: Redis,
        keyring: Keyring,
        *,
        rules: CaseRules | None = None,
        overdue_hours: float = 24.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._redis = redis
        self._sealing = Sealing(keyring)
        self._scripts = Scripts(redis)
        self._rules = rules or load_rules()
        self._rules_json = msgspec.json.encode(self._rules)
        self._overdue_seconds = overdue_hours * 3600.0
        self._clock = clock

    # what the worker does

    async def add_flag(self, flag: Flag) -> bool:
        """Put a flag into the case it belongs to, or a new one.

        Returns:
            True when it is new; False when this message was flagged before or its group was erased.
        """
        return (await self.add_flags([flag]))[0]

    async def add_flags(self, flags: Sequence[Flag]) -> list[bool]:
        """`add_flag` for a batch in one round trip, in order; each flag is atomic by itself."""
        now = self._clock()
        answers = await self._scripts.call_each("add_flag", [self._flag_arguments(flag, now) for flag in flags])
        return [bool(case_id) for case_id in answers]

    async def park(self, failed: FailedMessage) -> bool:
        """Put a message that could not be judged on the *niet beoordeeld* list.

        Returns:
            True when it is new; False when it is or was there, or its group was erased.
        """
        sealed = self._sealing.parked(failed.message) if failed.message else b""
        arguments = (failed.message_id, failed.group, failed.reason, failed.attempts, failed.failed_at, sealed)
        return bool(await self._scripts.call("park", *arguments, self._clock()))

    # what a mentor sees

    async def queue(self, allowed_groups: frozenset[str] | None, *, limit: int = 50) -> list[CaseSummary]:
        """Open cases, the most severe first and of these the longest waiting first."""
        ids = await self._first("queue", allowed_groups, limit)
        return [summary for summary in await self._summaries(ids) if summary.open]

    async def closed(self, allowed_groups: frozenset[str] | None, *, limit: int = 50) -> list[CaseSummary]:
        """Closed cases, the last closed first, until the retention removes them."""
        ids = await self._first("closed", allowed_groups, limit, newest_first=True)
        return await self._summaries(ids)

    async def counts(self, allowed_groups: frozenset[str] | None = None) -> QueueCounts:
        """How full the queue is."""
        now = self._clock()
        ranges = overdue_ranges(now - self._overdue_seconds)
        severities = overdue_ranges(now)
        queues, lists = self._indexes("queue", allowed_groups), self._indexes("parked", _or_unknown(allowed_groups))
        async with self._redis.pipeline(transaction=False) as pipe:
            for name in queues:
                pipe.zcard(name)
                for lowest, highest in ranges:
                    pipe.zcount(name, lowest, f"({highest!r}")
                for lowest, highest in severities:
                    pipe.zrange(
                        name, lowest, highest, byscore=True, withscores=True, offset=0, num=1
                    )  # longest waiting
            for name in lists:
                pipe.zcard(name)
            answers = iter(await pipe.execute())
        is_open = overdue = 0
        oldest = now
        for _ in queues:
            is_open += next(answers)
            overdue += sum(next(answers) for _ in ranges)
            for first in (next(answers) for _ in severities):
                oldest = min([oldest, *(waiting_since(score) for _, score in first)])
        return QueueCounts(is_open, overdue, now - oldest, sum(answers))

    async def case(self, case_id: str, allowed_groups: frozenset[str] | None) -> Case | None:
        """A case with its messages opened; None when it is absent or not allowed."""
        summaries = await self._summaries([case_id])
        if not summaries or not _may_see(summaries[0].group, allowed_groups):
            return None
        members = cast("list[bytes]", await self._redis.hkeys(key("case", case_id, "members")))
        ids = [name.decode() for name in members]
        stored = zip(ids, await self._hashes(key("flag", message_id) for message_id in ids), strict=True)
        # A message erased between the two looks leaves an empty hash.
        return case_of(summaries[0], {message_id: fields for message_id, fields in stored if fields}, self._sealing)

    async def parked(self, allowed_groups: frozenset[str] | None, *, limit: int = 50) -> list[ParkedMessage]:
        """Messages that could not be judged, the oldest failure first.

        One whose group could not be read is shown to every mentor: it has no text, and must not disappear.
        """
        ids = await self._first("parked", _or_unknown(allowed_groups), limit)
        stored = zip(ids, await self._hashes(key("parked-item", message_id) for message_id in ids), strict=True)
        return [parked_of(message_id, fields, self._sealing) for message_id, fields in stored if b"body" in fields]

    async def audit(self, case_id: str, allowed_groups: frozenset[str] | None) -> list[AuditEntry]:
        """Everything that happened to a case, oldest first, with reasons; empty when absent or not allowed."""
        group = cast("bytes | None", await self._redis.hget(key("case", case_id), "group"))
        if group is None or not _may_see(group.decode(), allowed_groups):
            return []
        return await audit.case_trail(self._redis, self._sealing, case_id)

    async def audit_trail(self, *, limit: int = 100) -> list[AuditEntry]:
        """The last acts over all cases, newest first, without reasons (for the privacy officer)."""
        return await audit.global_trail(self._redis, limit)

    def changes(self) -> AsyncGenerator[int, None]:
        """The queue's revision now, and again whenever it changes; survives a lost connection.

        Revisions only grow; some may be skipped when changes come fast. A claim that merely ends gives none.
        Close the iterator (`aclose`) when the page goes.
        """
        return changes.revisions(self._redis)

    async def revision(self) -> int:
        """The queue's revision now."""
        return await changes.read_revision(self._redis)

    # what a mentor does

    async def claim(self, case_id: str, mentor: str, *, allowed_groups: frozenset[str] | None) -> float:
        """Take an open or closed case for `CLAIM_SECONDS`; the same mentor's claim is prolonged.

        Returns:
            When the claim ends.

        Raises:
            CaseNotFoundError: Absent or not allowed.
            ClaimedByOtherError: Another mentor's claim runs.
        """
        now = self._clock()
        until = now + CLAIM_SECONDS
        refusal = await self._scripts.call("claim", case_id, mentor, _json(allowed_groups), now, until)
        _raise_refusal(refusal, case_id)
        return until

    async def release(self, case_id: str, mentor: str, *, allowed_groups: frozenset[str] | None) -> None:
        """Give a claim back; nothing happens when this mentor holds none.

        Raises:
            CaseNotFoundError: Absent or not allowed.
        """
        refusal = await self._scripts.call("release", case_id, mentor, _json(allowed_groups), self._clock())
        _raise_refusal(refusal, case_id)

    async def decide(
        self,
        case_id: str,
        message_ids: Sequence[str],
        mentor: str,
        outcome: Outcome,
        reason: str,
        *,
        allowed_groups: frozenset[str] | None,
    ) -> None:
        """Give messages of a case their outcome, all or none; the case closes with its last one.

        A claim that ended is taken again, unless another mentor took it.

        Raises:
            ReasonError: The reason is empty or longer than `REASON_LENGTH`.
            CaseNotFoundError: Absent or not allowed.
            ClaimedByOtherError: Another mentor's claim runs.
            CaseClosedError: Every message has its outcome already.
            MessageNotFoundError: No messages given, or one is not in this case.
            AlreadyDecidedError: One has its outcome already.
        """
        await self._judge(
            "decide", case_id, message_ids, mentor=mentor, outcome=outcome, reason=reason, allowed_groups=allowed_groups
        )

    async def revise(
        self,
        case_id: str,
        message_ids: Sequence[str],
        mentor: str,
        outcome: Outcome,
        reason: str,
        *,
        allowed_groups: frozenset[str] | None,
    ) -> None:
        """Replace the outcome of decided messages, with a new reason; the audit trail keeps the earlier one.

        Raises:
            NotDecidedError: One of them has no outcome yet.
            Others: As `decide`, but a closed case is fine and stays closed.
        """
        await self._judge(
            "revise", case_id, message_ids, mentor=mentor, outcome=outcome, reason=reason, allowed_groups=allowed_groups
        )

    async def show_original(
        self, case_id: str, message_id: str, mentor: str, *, allowed_groups: frozenset[str] | None
    ) -> None:
        """Record that a mentor opens a message as typed; to be called before it is shown.

        Raises:
            CaseNotFoundError: Absent or not allowed.
            MessageNotFoundError: It is not in this case.
        """
        refusal = await self._scripts.call("show", case_id, message_id, mentor, _json(allowed_groups), self._clock())
        _raise_refusal(refusal, case_id)

    async def reveal_author(
        self, case_id: str, message_id: str, mentor: str, reason: str, *, allowed_groups: frozenset[str] | None
    ) -> Identity:
        """Open the author's real name and number; the audit trail has it before it is opened.

        Raises:
            ReasonError: The reason is empty or longer than `REASON_LENGTH`.
            CaseNotFoundError: Absent or not allowed.
            NotClaimedError: This mentor holds no running claim on the case.
            MessageNotFoundError: It is not in this case.
        """
        sealed = self._sealing.reason(case_id, _checked(reason))
        refusal, body = cast(
            "tuple[bytes, bytes]",
            await self._scripts.call(
                "reveal", case_id, message_id, mentor, sealed, _json(allowed_groups), self._clock()
            ),
        )
        _raise_refusal(refusal, case_id)
        return self._sealing.open_identity(self._sealing.open_flag(message_id, body))

    async def dismiss_parked(
        self, message_id: str, mentor: str, reason: str, *, allowed_groups: frozenset[str] | None
    ) -> None:
        """Take a message off the *niet beoordeeld* list; its text is erased, that it was there is kept.

        Raises:
            ReasonError: The reason is empty or longer than `REASON_LENGTH`.
            MessageNotFoundError: It is not on the list, or not allowed.
        """
        sealed = self._sealing.reason(message_id, _checked(reason))
        refusal = await self._scripts.call(
            "dismiss_parked", message_id, mentor, sealed, _json(_or_unknown(allowed_groups)), self._clock()
        )
        if refusal:
            raise MessageNotFoundError("That message is not on the list any more. Load the list again.")

    # management and retention

    async def statistics(self, days: int) -> Statistics:
        """Figures of the last days, today included, with small counts hidden.

        Args:
            days: Rounded up to the next of `statistics.PERIODS` (at most the last of them): freely chosen periods
                would give a single day's figure away by subtraction.
        """
        now = self._clock()
        period = statistics.period(days, school_day(now))
        stored = await self._hashes(key("day", day.isoformat()) for day in period)
        read: dict[date, dict[str, int]] = {day: {} for day in period}
        for entry in await Counters(self._redis).days(period[0], period[-1]):
            if entry.group:
                read[entry.day][entry.group] = entry.counts.get(ACCEPTED, 0)
        counts = [
            statistics.DayCounts(day, read[day], {name.decode(): int(count) for name, count in fields.items()})
            for day, fields in zip(period, stored, strict=True)
        ]
        return statistics.figures(counts, await self.counts())

    async def erase_group(self, group: str) -> ErasureReceipt:
        """Remove everything of a group: cases, flags, parked messages, their audit. What still arrives is refused."""
        now = self._clock()
        answer = cast("list[int]", await self._scripts.call("erase_group", group, now, _REFUSE_SECONDS))
        return ErasureReceipt(now, group, *answer)

    async def expire(self, now: float, review_days: float) -> ErasureReceipt:
        """Remove closed cases and dismissed parked messages `review_days` after their end, all others after a year."""
        return await retention.expire(self._redis, now, review_days)

    # how it is done

    def _flag_arguments(self, flag: Flag, now: float) -> tuple[Argument, ...]:
        return (
            msgspec.json.encode(facts_of(flag, self._rules)),
            self._sealing.flag(flag),
            self._rules_json,
            base64.b32encode(secrets.token_bytes(10)).decode().lower(),
            now,
            school_day(flag.scored_at).isoformat(),
            DAY_SECONDS,
        )

    async def _judge(
        self,
        mode: str,
        case_id: str,
        message_ids: Sequence[str],
        *,
        mentor: str,
        outcome: Outcome,
        reason: str,
        allowed_groups: frozenset[str] | None,
    ) -> None:
        sealed = self._sealing.reason(case_id, _checked(reason))
        ids = list(dict.fromkeys(message_ids))
        if not ids:
            _raise_refusal(b"missing", case_id)
        now = self._clock()
        refusal = await self._scripts.call(
            "decide",
            mode,
            case_id,
            msgspec.json.encode(ids),
            mentor,
            outcome.value,
            sealed,
            _json(allowed_groups),
            now,
            now + CLAIM_SECONDS,
        )
        _raise_refusal(refusal, case_id)

    def _indexes(self, index: str, allowed_groups: frozenset[str] | None) -> list[str]:
        """The sorted sets that together hold what may be seen."""
        return [key(index)] if allowed_groups is None else [key(index, group) for group in sorted(allowed_groups)]

    async def _first(
        self, index: str, allowed_groups: frozenset[str] | None, limit: int, *, newest_first: bool = False
    ) -> list[str]:
        """The first ids of an index over all groups that may be seen."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for name in self._indexes(index, allowed_groups):
                pipe.zrange(name, 0, limit - 1, desc=newest_first, withscores=True)
            found: list[list[tuple[bytes, float]]] = await pipe.execute()
        merged = heapq.merge(*found, key=lambda entry: entry[1], reverse=newest_first)
        return [name.decode() for name, _ in merged][:limit]

    async def _summaries(self, case_ids: Sequence[str]) -> list[CaseSummary]:
        now = self._clock()
        stored = zip(case_ids, await self._hashes(key("case", case_id) for case_id in case_ids), strict=True)
        return [summary_of(case_id, fields, now) for case_id, fields in stored if fields]

    async def _hashes(self, names: Iterable[str]) -> list[Hash]:
        async with self._redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.hgetall(name)
            found: list[Hash] = await pipe.execute()
        return found


def _may_see(group: str, allowed_groups: frozenset[str] | None) -> bool:
    return allowed_groups is None or group in allowed_groups


def _or_unknown(allowed_groups: frozenset[str] | None) -> frozenset[str] | None:
    """The groups that may be seen, and "" for what names no group."""
    return None if allowed_groups is None else allowed_groups | {""}


def _json(allowed_groups: frozenset[str] | None) -> bytes:
    return b"" if allowed_groups is None else msgspec.json.encode(sorted(allowed_groups))


def _checked(reason: str) -> str:
    reason = reason.strip()
    if not reason:
        raise ReasonError("A reason is needed. Write in your own words why.")
    if len(reason) > REASON_LENGTH:
        raise ReasonError(f"The reason has {len(reason)} characters; shorten it to {REASON_LENGTH} at most.")
    return reason


def _raise_refusal(refusal: object, case_id: str) -> None:
    if refusal:
        code = cast("bytes", refusal).decode()
        raise _REFUSALS[code](_REFUSAL_TEXTS[code].format(case_id))
