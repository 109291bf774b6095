import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

from redis.asyncio import Redis

from pipeline.privacy import Keyring
from pipeline.review.records import Outcome
from pipeline.review.store import ReviewStore
from tests.conftest import ValkeyServer
from tests.pipeline.review.factories import make_failed, make_flag


async def until(changes: AsyncIterator[int], revision: int) -> int:
    """Follow the changes until a revision is reached."""
    async with asyncio.timeout(10):
        async for seen in changes:
            if seen >= revision:
                return seen
    raise AssertionError("the changes ended")


async def test_every_change_is_announced(store: ReviewStore, keyring: Keyring) -> None:
    """A new page gets the revision at once, and a greater one after each act that changes the queue."""
    async with aclosing(store.changes()) as changes:
        assert await until(changes, 0) == 0
        await store.add_flag(make_flag(keyring, message_id="a"))
        [case] = await store.queue(None)
        seen = await until(changes, 1)
        for act in (
            store.add_flag(make_flag(keyring, message_id="b")),
            store.park(make_failed(keyring, message_id="p")),
            store.claim(case.case_id, "vera", allowed_groups=None),
            store.release(case.case_id, "vera", allowed_groups=None),
            store.decide(case.case_id, ["a"], "vera", Outcome.UPHELD, "reden", allowed_groups=None),
            store.revise(case.case_id, ["a"], "vera", Outcome.DISMISSED, "reden", allowed_groups=None),
            store.dismiss_parked("p", "vera", "gezien", allowed_groups=None),
            store.erase_group("klas-2b"),
        ):
            await act
            later = await until(changes, seen + 1)
            assert later > seen
            seen = later


async def test_what_changes_nothing_is_not_announced(store: ReviewStore, keyring: Keyring) -> None:
    """Repeated deliveries and a prolonged claim leave the revision as it is."""
    await store.add_flag(make_flag(keyring, message_id="a"))
    await store.park(make_failed(keyring, message_id="p"))
    [case] = await store.queue(None)
    await store.claim(case.case_id, "vera", allowed_groups=None)
    before = await store.revision()
    await store.add_flag(make_flag(keyring, message_id="a"))
    await store.park(make_failed(keyring, message_id="p"))
    await store.claim(case.case_id, "vera", allowed_groups=None)
    await store.expire(0.0, 90)
    assert await store.revision() == before


async def test_the_stream_survives_a_killed_server(start_valkey: Callable[..., ValkeyServer], keyring: Keyring) -> None:
    """A page that follows the queue through a kill -9 of the server is told of what changed meanwhile."""
    server = start_valkey()
    async with Redis(unix_socket_path=str(server.socket)) as redis:
        store = ReviewStore(redis, keyring)
        async with aclosing(store.changes()) as changes:
            await store.add_flag(make_flag(keyring, message_id="a"))
            await until(changes, 1)
            server.kill()
            following = asyncio.ensure_future(until(changes, 2))
            await asyncio.sleep(0.3)
            assert not following.done()
            server.start()
            assert await store.add_flag(make_flag(keyring, message_id="b"))
            assert await following == 2


async def test_no_revision_comes_twice(store: ReviewStore, keyring: Keyring) -> None:
    """A page that has the newest revision hears nothing until the queue changes again."""
    await store.add_flag(make_flag(keyring, message_id="a"))
    async with aclosing(store.changes()) as changes:
        assert await anext(changes) == 1
        following = asyncio.ensure_future(anext(changes))
        await asyncio.sleep(0.3)
        assert not following.done()
        await store.add_flag(make_flag(keyring, message_id="b"))
        assert await following == 2
