"""Live updates of the queue."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable

import pytest

from dashboards.review import live
from dashboards.review.live import Revisions
from tests.dashboards.conftest import School


@pytest.fixture
async def listen() -> AsyncIterator[Callable[[Callable[[], AsyncGenerator[int, None]]], Revisions]]:
    """Start revisions of a source of changes; closed at the end, whatever became of the test."""
    started: list[Revisions] = []

    def start(changes: Callable[[], AsyncGenerator[int, None]]) -> Revisions:
        revisions = Revisions(changes)
        revisions.start()
        started.append(revisions)
        return revisions

    yield start
    for revisions in started:
        await revisions.close()


Listen = Callable[[Callable[[], AsyncGenerator[int, None]]], Revisions]


async def test_every_open_page_hears_of_a_change(school: School, listen: Listen) -> None:
    """A flag that reaches the store wakes all followers of one subscription."""
    group = await school.group()
    revisions = listen(school.store.changes)
    pages = [revisions.follow() for _ in range(3)]
    first = [await asyncio.wait_for(anext(page), 5) for page in pages]
    assert len(set(first)) == 1
    await school.case(group)
    second = [await asyncio.wait_for(anext(page), 5) for page in pages]
    assert second[0] is not None
    assert first[0] is not None
    assert set(second) == {second[0]}
    assert second[0] > first[0]


async def test_closing_ends_every_stream(school: School, listen: Listen) -> None:
    """Pages that wait are let go, so that the server can stop."""
    revisions = listen(school.store.changes)
    page = revisions.follow()
    await asyncio.wait_for(anext(page), 5)
    waiting = asyncio.create_task(anext(page, "einde"))
    await asyncio.sleep(0)
    await revisions.close()
    assert await asyncio.wait_for(waiting, 5) == "einde"


async def test_a_quiet_queue_still_gives_a_sign_of_life(monkeypatch: pytest.MonkeyPatch, listen: Listen) -> None:
    """Proxies do not take the connection for dead."""
    monkeypatch.setattr(live, "KEEP_ALIVE_SECONDS", 0.01)

    async def nothing() -> AsyncGenerator[int, None]:
        await asyncio.Event().wait()
        yield 0

    revisions = listen(nothing)
    assert await asyncio.wait_for(anext(revisions.follow()), 5) is None


async def test_a_store_that_fails_is_asked_again(monkeypatch: pytest.MonkeyPatch, listen: Listen) -> None:
    """Pages keep their live updates after the store comes back."""
    monkeypatch.setattr(live, "RETRY_SECONDS", 0.0)
    tries = 0

    async def changes() -> AsyncGenerator[int, None]:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise ConnectionError
        yield 7
        await asyncio.Event().wait()

    revisions = listen(changes)
    assert await asyncio.wait_for(anext(revisions.follow()), 5) == 7
