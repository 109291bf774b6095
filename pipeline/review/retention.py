"""When flags, cases, parked messages and the trail go: the review store's part of the retention sweep."""

from typing import Final, cast

from redis.asyncio import Redis

from pipeline.retention import Term
from pipeline.review import audit
from pipeline.review.records import ErasureReceipt
from pipeline.review.scripts import Scripts
from pipeline.settings import Settings

_DAY = 24 * 3600.0
_LONGEST_DAYS = 366.0
"""What nobody judged, and the global trail, is kept a year."""
_AT_ONCE = 200
"""Cases that one script removes, so that nobody waits for it."""


async def expire(redis: Redis, now: float, review_days: float) -> ErasureReceipt:
    """Remove what is over its term at a moment; see `ReviewStore.expire`."""
    scripts = Scripts(redis)
    closed_before, arrived_before = now - review_days * _DAY, now - _LONGEST_DAYS * _DAY
    total = [0, 0, 0]
    while True:
        gone = cast("list[int]", await scripts.call("expire", closed_before, arrived_before, now, _AT_ONCE))
        if not any(gone):
            break
        total = [before + more for before, more in zip(total, gone, strict=True)]
    await audit.trim_global_trail(redis, arrived_before)
    return ErasureReceipt(now, None, *total)


async def sweep_review(redis: Redis, settings: Settings, now: float) -> int:
    """Remove judged cases after `Settings.review_days`; gives how many cases and parked messages went."""
    receipt = await expire(redis, now, settings.review_days)
    return receipt.cases + receipt.parked


REVIEW_TERM: Final = Term("review", sweep_review)
"""For `pipeline.retention.sweep(..., more=(REVIEW_TERM,))`."""
