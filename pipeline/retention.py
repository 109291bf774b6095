"""What is over its term goes, also when nobody reads or writes: the sweep that runs every minute.

Marks and outcomes carry their own end in Redis, and Kafka keeps its topics' terms itself. What needs a broom:
entries of quiet groups' context windows, records that no worker read, and groups whose consent ended long ago.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple

import msgspec
from redis.asyncio import Redis

from pipeline.counters import Counters
from pipeline.groups import INDEX_KEY, REMOVED_KEY, RemovedGroup, context_key, group_key, removal
from pipeline.scripts import as_text, load_script
from pipeline.settings import Settings
from pipeline.topics import MESSAGES, TOPICS
from pipeline.transport.streams import trim_older

GRACE_SECONDS: Final = 30 * 24 * 3600.0
"""How long a group stays in the ledger after its consent ended, for a teacher who wants to extend it."""
REMOVED_SECONDS: Final = 366 * 24 * 3600.0
"""How long the record is kept that a group was read from then until then."""


class Term(NamedTuple):
    """One kind of thing that has a term."""

    name: str
    """What goes, in a word; stable, for logs and figures."""
    sweep: Callable[[Redis, Settings, float], Awaitable[int]]
    """Removes what is over its term at a moment (Unix seconds); gives how many things."""


async def sweep_context(redis: Redis, settings: Settings, now: float) -> int:
    """Drop entries of context windows that were held for their time."""
    trim = load_script(redis, "context_trim")
    dropped = 0
    for identifier in await redis.hvals(INDEX_KEY):
        dropped += int(await trim(keys=[context_key(as_text(identifier))], args=[int(now * 1000)]))
    return dropped


async def sweep_topics(redis: Redis, settings: Settings, now: float) -> int:
    """Drop records that lay on a topic for its whole term; unread messages among them are counted as expired."""
    if settings.broker is not None:
        return 0  # Kafka does it itself: the topics were made with their retention
    dropped = 0
    for topic in TOPICS:
        number = await trim_older(redis, topic.name, topic.retention_seconds)
        if topic is MESSAGES and number:
            # Read records leave topic `messages` when they are committed, so what is left this long was never read.
            await Counters(redis).add_expired(number, now)
        dropped += number
    return dropped


async def sweep_groups(redis: Redis, settings: Settings, now: float) -> int:
    """Opt out groups whose consent ended more than `GRACE_SECONDS` ago: names and keys go, the dated record stays."""
    dropped = 0
    for value in await redis.hvals(INDEX_KEY):
        identifier = as_text(value)
        fields = ["until", "opted_in_at", "platform", "mentors"]
        until, opted_in_at, platform, mentors = await redis.hmget(group_key(identifier), fields)
        if until is None or opted_in_at is None or float(until) + GRACE_SECONDS > now:
            continue
        restricted = msgspec.json.decode(mentors or b"[]", type=tuple[str, ...])
        record = RemovedGroup(identifier, as_text(platform or ""), float(opted_in_at), now, restricted)
        dropped += await removal(redis, record)
    return dropped


async def sweep_removed(redis: Redis, settings: Settings, now: float) -> int:
    """Drop the records of groups that opted out more than `REMOVED_SECONDS` ago."""
    old = [
        record.id
        for record in [msgspec.json.decode(value, type=RemovedGroup) for value in await redis.hvals(REMOVED_KEY)]
        if record.removed_at + REMOVED_SECONDS <= now
    ]
    return int(await redis.hdel(REMOVED_KEY, *old)) if old else 0


TERMS: Final = (
    Term("context", sweep_context),
    Term("topics", sweep_topics),
    Term("groups", sweep_groups),
    Term("removed_groups", sweep_removed),
)
"""What the pipeline's core keeps."""


async def sweep(
    redis: Redis, settings: Settings, now: float | None = None, more: Sequence[Term] = ()
) -> dict[str, int]:
    """Remove everything that is over its term.

    Args:
        redis: The store.
        settings: Terms that the school chose.
        now: The moment, Unix seconds, when it is not the clock's.
        more: Terms of other parts (the review store's), swept after ours.

    Returns:
        How many things went, by the term's name.
    """
    moment = time.time() if now is None else now
    return {term.name: await term.sweep(redis, settings, moment) for term in (*TERMS, *more)}
