"""How many flags and unjudged messages the review store holds, open and closed: for checks that figures add up."""

from dataclasses import dataclass

from redis.asyncio import Redis

from pipeline.review.layout import key


@dataclass(frozen=True, slots=True)
class Census:
    """What is in the store now."""

    flags: int
    parked: int
    """Unjudged messages, also those that a mentor has dealt with."""


async def take_census(redis: Redis) -> Census:
    """Count; walks over all keys, so for checks and not for pages."""
    flags = 0
    async for _ in redis.scan_iter(match=key("flag", "*"), count=1000):
        flags += 1
    return Census(flags, int(await redis.zcard(key("parked-all"))))
