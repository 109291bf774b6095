"""How a batch is carried out so that nothing is lost: try again, take apart, and park what still fails.

The delivery rules of the stream in one place, without Faust. A batch is acknowledged only after `deliver` returned; an
error that escapes ends the worker (CrashingSupervisor), and its parent or the broker hands the batch out again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from redis.exceptions import (
    BusyLoadingError,
)
from redis.exceptions import (
    ConnectionError as RedisConnectionError,
)
from redis.exceptions import (
    TimeoutError as RedisTimeoutError,
)

logger = logging.getLogger(__name__)

Item = TypeVar("Item")

PASSING = (RedisConnectionError, RedisTimeoutError, BusyLoadingError)
"""The store is away: no message's fault. Tried again for as long as it takes."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how fast a batch is tried again."""

    attempts: int = 3
    """Tries of a batch, and again of each message alone, before it is parked."""
    first_delay: float = 0.2
    """Seconds before the second try; each further wait is twice as long."""
    longest_delay: float = 5.0


async def deliver(
    batch: Sequence[Item],
    handle: Callable[[Sequence[Item]], Awaitable[None]],
    park: Callable[[Item, Exception, int], Awaitable[None]],
    *,
    patience: Patience = Patience(),
    on_retry: Callable[[], None] = lambda: None,
    on_split: Callable[[], None] = lambda: None,
) -> None:
    """Carry out a batch whole, or message by message; what fails alone is parked.

    Args:
        batch: The messages, in order.
        handle: Does the work for some of them; must be safe to repeat.
        park: Puts one message where a person sees it, with its error and the number of tries. Its failure escapes.
        patience: How often and how fast.
        on_retry: Called before a further try.
        on_split: Called when a batch is taken apart.

    Raises:
        Exception: Whatever `park` raised: then nothing of the batch may be acknowledged.
    """
    error = await _attempt(batch, handle, patience, on_retry)
    if error is None:
        return
    if len(batch) == 1:
        await park(batch[0], error, patience.attempts)
        return
    on_split()
    logger.warning("a batch of %d failed %d times (%s); trying each alone", len(batch), patience.attempts, _name(error))
    for item in batch:
        error = await _attempt([item], handle, patience, on_retry)
        if error is not None:
            await park(item, error, 2 * patience.attempts)


async def _attempt(
    batch: Sequence[Item],
    handle: Callable[[Sequence[Item]], Awaitable[None]],
    patience: Patience,
    on_retry: Callable[[], None],
) -> Exception | None:
    """Try until it works or patience ends; returns the last error."""
    tried, delay = 0, patience.first_delay
    while True:
        try:
            await handle(batch)
        except PASSING as error:
            logger.warning("the store is away (%s); trying again in %.1f s", _name(error), delay)
        except Exception as error:  # noqa: BLE001  # any fault of a message must end in the queue of people, not in a crash
            tried += 1
            # The error's name alone: its text may quote the message.
            logger.warning(
                "scoring %d messages failed, try %d of %d: %s", len(batch), tried, patience.attempts, _name(error)
            )
            if tried >= patience.attempts:
                return error
        else:
            return None
        on_retry()
        await asyncio.sleep(delay)
        delay = min(2 * delay, patience.longest_delay)


def _name(error: Exception) -> str:
    return type(error).__name__
