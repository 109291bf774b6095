"""Tells open queue pages that the queue changed: one subscription to the store, shared by all pages of the process."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, suppress

from pipeline.review.store import ReviewStore

KEEP_ALIVE_SECONDS = 20.0
"""A line at least this often, so that proxies keep the connection and a dead one is noticed."""
RETRY_SECONDS = 2.0

logger = logging.getLogger(__name__)


class Revisions:
    """The last known revision of the queue, and everyone who waits for the next one."""

    def __init__(self, changes: Callable[[], AsyncGenerator[int, None]]) -> None:
        self._changes = changes
        self._current: int | None = None
        self._news = asyncio.Condition()
        self._closed = False
        self._task: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[None] | None = None

    @classmethod
    def of(cls, store: ReviewStore) -> "Revisions":
        """Revisions of a store's queue."""
        return cls(store.changes)

    def start(self) -> None:
        """Begin to listen, in the running event loop."""
        self._task = asyncio.create_task(self._listen())

    def stop(self) -> None:
        """End every waiting page's stream as soon as the event loop comes to it."""
        self._closed = True
        self._stopping = asyncio.create_task(self._wake())

    async def close(self) -> None:
        """End every waiting page's stream, and listen no more."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        await self._wake()

    async def follow(self) -> AsyncIterator[int | None]:
        """The revision now and each later one; None when nothing happened for a while."""
        seen: int | None = None
        while not self._closed:
            if self._current is not None and self._current != seen:
                seen = self._current
                yield seen
                continue
            try:
                async with asyncio.timeout(KEEP_ALIVE_SECONDS), self._news:
                    await self._news.wait()
            except TimeoutError:
                yield None

    async def _wake(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def _listen(self) -> None:
        while True:
            try:
                async with aclosing(self._changes()) as changes:
                    async for revision in changes:
                        self._current = revision
                        await self._wake()
            except Exception:
                # The pages stay usable without live updates; the next try comes soon.
                logger.warning("the queue's changes cannot be read from the store; trying again", exc_info=True)
            await asyncio.sleep(RETRY_SECONDS)
