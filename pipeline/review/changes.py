"""The queue's revision as a stream, so that a mentor's page updates by itself.

Pub/sub tells at once but forgets who was away; the number itself is stored. So after every new connection, and now
and then, the stored number is read too: nothing is missed, whatever the network does.
"""

import asyncio
from collections.abc import AsyncGenerator

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from pipeline.review.layout import key

_LOOK_SECONDS = 15.0
"""How often the stored number is read although nothing was announced (a half-open connection tells nothing)."""
_RECONNECT_SECONDS = (0.1, 2.0)
"""First and longest pause between attempts to reach the server."""


async def read_revision(redis: Redis) -> int:
    """Read the number of the queue's last change; 0 before the first."""
    return int(await redis.get(key("revision")) or 0)


async def revisions(redis: Redis) -> AsyncGenerator[int, None]:
    """Give the revision now, and again whenever it grew; some may be skipped, none comes twice."""
    last = -1
    pause = _RECONNECT_SECONDS[0]
    while True:
        subscription = redis.pubsub(ignore_subscribe_messages=True)
        try:
            await subscription.subscribe(key("changes"))
            while True:
                # Subscribed first, then read: a change between the two is announced.
                current = await read_revision(redis)
                pause = _RECONNECT_SECONDS[0]
                if current != last:
                    last = current
                    yield current
                await subscription.get_message(timeout=_LOOK_SECONDS)
        except (RedisConnectionError, RedisTimeoutError, OSError):
            await asyncio.sleep(pause)
            pause = min(pause * 2, _RECONNECT_SECONDS[1])
        finally:
            await subscription.aclose()  # type: ignore[no-untyped-call]  # redis-py has no types here
