"""One worker a consumer group, whatever dies or freezes."""

import asyncio
import subprocess
import sys

import pytest
from redis.asyncio import Redis

from pipeline.transport import lease as lease_module
from pipeline.transport.lease import Lease


async def test_the_second_does_not_get_it(redis: Redis) -> None:
    """Who comes second is told who holds it, and gets it when that one lets go."""
    first, second = Lease(redis, "g"), Lease(redis, "g")
    assert await first.hold() is None
    assert await first.hold() is None
    holder = await second.hold()
    assert holder is not None
    assert holder.startswith("process ")
    await first.release()
    assert await second.hold() is None


async def test_only_its_holder_releases_it(redis: Redis) -> None:
    """A worker that lost its lease cannot take it from its successor by stopping."""
    first, second = Lease(redis, "g"), Lease(redis, "g")
    await first.hold()
    await second.release()
    assert await second.hold() is not None


async def test_it_ends_by_itself(redis: Redis) -> None:
    """A worker that is gone from another machine is succeeded when its lease has run out; renewal prolongs it."""
    first, second = Lease(redis, "g", seconds=0.3), Lease(redis, "g", seconds=0.3)
    await first.hold()
    await asyncio.sleep(0.2)
    await first.hold()
    await asyncio.sleep(0.2)
    assert await second.hold() is not None
    await asyncio.sleep(0.2)
    assert await second.hold() is None
    assert await first.hold() is not None


async def test_groups_do_not_meet(redis: Redis) -> None:
    """Each consumer group has its own lease."""
    assert await Lease(redis, "a").hold() is None
    assert await Lease(redis, "b").hold() is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells in which space a process id counts")
async def test_a_killed_worker_is_succeeded_at_once(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the same machine a restart after kill -9 does not wait for the lease to run out."""
    with subprocess.Popen([sys.executable, "-c", ""]) as child:  # noqa: ASYNC220 - ends at once
        gone = child.pid
    killed = Lease(redis, "g", seconds=60)
    host, _, space, nonce = killed.token.split("|")
    killed.token = f"{host}|{gone}|{space}|{nonce}"
    await killed.hold()
    # Where the same number may be another process (other container, other boot), it is not taken for dead.
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(lease_module, "_process_space", lambda: "another")
        assert await Lease(redis, "g").hold() is not None
    assert await Lease(redis, "g").hold() is None
