"""What was counted: totals since the start and figures per day and group, kept in Redis through every crash.

The figures move inside the scripts that make them true (intake's mark, the scoring step's commit), so that they are
those of an undisturbed run after a kill -9 of any process. Two sums always hold: received = refused + repeated +
invalid + accepted, and accepted = scored + parked + purged + lesson + expired + waiting.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from redis.asyncio import Redis

from pipeline.groups import SCHOOL_ZONE
from pipeline.scripts import PREFIX, as_text

TOTALS_KEY = f"{PREFIX}:counters"
DAY_SECONDS = 400 * 24 * 3600
"""How long a day's figures are kept: a school year and the comparison with the last one."""

RECEIVED = "received"
REFUSED = "refused"
REPEATED = "repeated"
INVALID = "invalid"
ACCEPTED = "accepted"
SCORED = "scored"
FLAGGED = "flagged"
PARKED = "parked"
PURGED = "purged"
LESSON = "lesson"
EXPIRED = "expired"
CLAMPED = "clamped"

FLAGGED_LABEL = "flagged_label:"
FLAGGED_CLAUSE = "flagged_clause:"
REFUSED_REASON = "refused_reason:"
INVALID_REASON = "invalid_reason:"
PARKED_REASON = "parked_reason:"


def day_key(now: float) -> str:
    """Name of the hash that holds the figures of the day, in the Netherlands, in which a moment lies."""
    return _day_key(datetime.fromtimestamp(now, SCHOOL_ZONE).date())


def _day_key(day: date) -> str:
    return f"{TOTALS_KEY}:{day.isoformat()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Figures since the first start."""

    received: int = 0
    refused: int = 0
    """Of a group that is not in the ledger, paused or expired; nothing of them was kept."""
    repeated: int = 0
    invalid: int = 0
    accepted: int = 0
    scored: int = 0
    flagged: int = 0
    """Part of `scored`."""
    parked: int = 0
    purged: int = 0
    """Waited when their group opted out."""
    lesson: int = 0
    """Sent during a lesson about social media and not judged."""
    expired: int = 0
    """Waited longer than the topic keeps them."""
    clamped: int = 0
    """Part of `accepted`: their time was impossible and was replaced by the time of receipt."""
    flagged_labels: Mapping[str, int] = field(default_factory=dict)
    flagged_clauses: Mapping[str, int] = field(default_factory=dict)
    refused_reasons: Mapping[str, int] = field(default_factory=dict)
    invalid_reasons: Mapping[str, int] = field(default_factory=dict)
    parked_reasons: Mapping[str, int] = field(default_factory=dict)

    @property
    def waiting(self) -> int:
        """Accepted and not yet through the scoring step."""
        return self.accepted - self.scored - self.parked - self.purged - self.lesson - self.expired

    def disagreements(self) -> list[str]:
        """Tell which sums do not hold, one sentence each; nothing when the figures add up."""
        found = []
        if self.received != self.refused + self.repeated + self.invalid + self.accepted:
            found.append(
                f"received {self.received} is not refused {self.refused} + repeated {self.repeated} "
                f"+ invalid {self.invalid} + accepted {self.accepted}"
            )
        if self.waiting < 0:
            found.append(f"{-self.waiting} more messages were dealt with than accepted")
        if self.flagged > self.scored:
            found.append(f"flagged {self.flagged} is more than scored {self.scored}")
        return found


@dataclass(frozen=True, slots=True)
class GroupDay:
    """What was counted for one group on one day."""

    day: date
    group: str
    """The group's id; empty for what belonged to no group of the ledger."""
    counts: Mapping[str, int]
    """By counter name, e.g. `accepted` or `flagged_label:pesten`."""


class Counters:
    """Reads the figures."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def totals(self) -> Totals:
        """Give the figures since the first start, all of one moment."""
        stored = await self._redis.hgetall(TOTALS_KEY)
        counts = {as_text(name): int(value) for name, value in stored.items()}
        return Totals(
            received=counts.get(RECEIVED, 0),
            refused=counts.get(REFUSED, 0),
            repeated=counts.get(REPEATED, 0),
            invalid=counts.get(INVALID, 0),
            accepted=counts.get(ACCEPTED, 0),
            scored=counts.get(SCORED, 0),
            flagged=counts.get(FLAGGED, 0),
            parked=counts.get(PARKED, 0),
            purged=counts.get(PURGED, 0),
            lesson=counts.get(LESSON, 0),
            expired=counts.get(EXPIRED, 0),
            clamped=counts.get(CLAMPED, 0),
            flagged_labels=_with_prefix(counts, FLAGGED_LABEL),
            flagged_clauses=_with_prefix(counts, FLAGGED_CLAUSE),
            refused_reasons=_with_prefix(counts, REFUSED_REASON),
            invalid_reasons=_with_prefix(counts, INVALID_REASON),
            parked_reasons=_with_prefix(counts, PARKED_REASON),
        )

    async def days(self, first: date, last: date) -> list[GroupDay]:
        """Give the figures per day and group, from the first day through the last.

        Returns:
            By day, then by group; days and groups without figures are absent.
        """
        asked = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        async with self._redis.pipeline(transaction=False) as pipe:
            for day in asked:
                pipe.hgetall(_day_key(day))
            answers = await pipe.execute()
        found = []
        for day, fields in zip(asked, answers, strict=True):
            groups: dict[str, dict[str, int]] = {}
            for name, value in fields.items():
                group, _, counter = as_text(name).partition("|")
                groups.setdefault(group, {})[counter] = int(value)
            found += [GroupDay(day, group, counts) for group, counts in sorted(groups.items())]
        return found

    async def add_expired(self, number: int, now: float) -> None:
        """Count messages that a topic dropped unread at the end of their term."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hincrby(TOTALS_KEY, EXPIRED, number)
            pipe.hincrby(day_key(now), f"|{EXPIRED}", number)
            pipe.expire(day_key(now), DAY_SECONDS)
            await pipe.execute()


def _with_prefix(counts: Mapping[str, int], prefix: str) -> dict[str, int]:
    return {name.removeprefix(prefix): count for name, count in sorted(counts.items()) if name.startswith(prefix)}
