"""Faust on the transport through crashes: real workers, a real server, kill -9 of either.

At least once means: every number comes out, some twice; what is committed is never behind what is stored.
"""

import asyncio
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from faust.types import TP
from redis.asyncio import Redis

from pipeline.transport import streams
from pipeline.transport.connection import open_client, persist
from pipeline.transport.lease import Lease
from pipeline.transport.partitioner import partition_for
from pipeline.transport.streams import TopicConfig, append_records
from tests.conftest import ValkeyServer
from tests.pipeline.transport.tally import build_app

PARTITIONS = 2
SCRIPT = Path(__file__).with_name("tally.py")
StartWorker = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def server(start_valkey: Callable[..., ValkeyServer]) -> ValkeyServer:
    """A server that the test may kill, with a password as a school's own has."""
    return start_valkey(password=True)


@pytest.fixture
async def store(server: ValkeyServer) -> AsyncIterator[Redis]:
    """The test's own look at the server."""
    client = open_client(server.url)
    await streams.create_topic(client, "numbers", TopicConfig(PARTITIONS))
    yield client
    await client.aclose()


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="vn"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def start_worker(server: ValkeyServer, folder: Path) -> Iterator[StartWorker]:
    """Start workers of the app in tally.py; whatever is left is killed at the end."""
    workers: list[subprocess.Popen[bytes]] = []

    def start(work_seconds: float = 0.0) -> subprocess.Popen[bytes]:
        with (folder / f"worker{len(workers)}.log").open("wb") as log:
            command = [sys.executable, str(SCRIPT), server.url, str(folder), str(work_seconds)]
            workers.append(subprocess.Popen(command, stdout=log, stderr=log))  # noqa: S603
        return workers[-1]

    yield start
    for worker in workers:
        worker.kill()
        worker.wait()


def log_of(folder: Path, number: int) -> str:
    return (folder / f"worker{number}.log").read_text()


async def send(store: Redis, first: int, count: int) -> None:
    """Append numbers, spread over the partitions by their keys as a publisher does."""
    places: dict[int, list[tuple[bytes | None, bytes | None]]] = {place: [] for place in range(PARTITIONS)}
    for number in range(first, first + count):
        key = b"group%d" % (number % 7)
        places[partition_for(key, PARTITIONS)].append((key, b"%d" % number))
    for place, records in places.items():
        await append_records(store, "numbers", place, records)


async def came_out(store: Redis) -> list[int]:
    places = [("out", place) for place in range(PARTITIONS)]
    found = await streams.read_records(store, dict.fromkeys(places, 0), count=1_000_000, block_ms=1)
    return [int(record.value or b"") for records in found.values() for record in records]


async def in_table(store: Redis) -> int:
    """Count the live keys of the table's changelog."""
    lengths = [await store.xlen(streams.stream_key("tally-seen-changelog", place)) for place in range(PARTITIONS)]
    return sum(lengths)


async def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait for a condition that may be a coroutine function; fail when it does not come."""
    deadline = time.monotonic() + seconds
    while True:
        outcome = condition()
        if asyncio.iscoroutine(outcome):
            outcome = await outcome
        if outcome:
            return
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.05)


async def is_done(store: Redis) -> bool:
    waiting = await streams.lag(store, "tally")
    return bool(waiting) and not any(count for (topic, _), count in waiting.items() if topic == "numbers")


async def has_out(store: Redis, least: int) -> bool:
    held = await streams.extents(store, [("out", place) for place in range(PARTITIONS)])
    return sum(extent.highwater for extent in held.values()) >= least


async def exit_code(worker: subprocess.Popen[bytes], seconds: float = 30.0) -> int:
    return await asyncio.to_thread(worker.wait, seconds)


async def test_a_worker_does_its_work_and_stops(store: Redis, start_worker: StartWorker, folder: Path) -> None:
    """Undisturbed: each number comes out once, read ones are dropped, SIGTERM ends it cleanly and frees the lease."""
    await send(store, 0, 2000)
    worker = start_worker()
    await until(lambda: is_done(store))
    assert sorted(await came_out(store)) == list(range(2000))
    assert await in_table(store) == 2000
    assert [await store.xlen(streams.stream_key("numbers", place)) for place in range(PARTITIONS)] == [0, 0]
    worker.send_signal(signal.SIGTERM)
    assert await exit_code(worker) == 0
    assert await Lease(store, "tally").hold() is None
    assert "ERROR" not in log_of(folder, 0)


async def test_killed_workers_lose_nothing(store: Redis, start_worker: StartWorker, folder: Path) -> None:
    """Kill -9 in mid-work, twice, then SIGTERM in mid-work: every number comes out, the table is whole."""
    await send(store, 0, 4000)
    for least in (400, 1200):
        worker = start_worker(0.005)
        await until(lambda least=least: has_out(store, least))  # type: ignore[misc]
        worker.kill()
        await exit_code(worker)
    worker = start_worker(0.005)
    await until(lambda: has_out(store, 2400))
    worker.send_signal(signal.SIGTERM)
    assert await exit_code(worker) == 0
    worker = start_worker()
    await until(lambda: is_done(store))
    assert set(await came_out(store)) == set(range(4000))
    assert await in_table(store) == 4000
    restored = int((folder / "restored").read_text())
    # Far fewer than came out: some of those came out again after a kill, and the last were not committed yet.
    assert restored >= 800, "the table came back from its changelog before work went on"
    worker.send_signal(signal.SIGTERM)
    assert await exit_code(worker) == 0


async def test_a_killed_server_is_ridden_out(
    server: ValkeyServer, store: Redis, start_worker: StartWorker, folder: Path
) -> None:
    """Kill -9 of the server with the worker alive: the worker waits and goes on by itself, and nothing is lost."""
    await send(store, 0, 3000)
    worker = start_worker(0.005)
    await until(lambda: has_out(store, 500))
    server.kill()
    await asyncio.sleep(1.5)
    assert worker.poll() is None
    server.start()
    await persist("test", lambda: send(store, 3000, 500), lambda: False)
    await until(lambda: is_done(store))
    assert set(await came_out(store)) == set(range(3500))
    assert await in_table(store) == 3500
    assert worker.poll() is None
    assert "does not serve" in log_of(folder, 0)
    worker.send_signal(signal.SIGTERM)
    assert await exit_code(worker) == 0


async def test_a_worker_stops_without_its_server(server: ValkeyServer, store: Redis, start_worker: StartWorker) -> None:
    """SIGTERM while the server is away ends the worker within its patience instead of hanging; the rest comes later."""
    await send(store, 0, 2000)
    worker = start_worker(0.01)
    await until(lambda: has_out(store, 300))
    server.kill()
    await asyncio.sleep(0.2)
    worker.send_signal(signal.SIGTERM)
    await exit_code(worker)
    server.start()
    worker = start_worker()
    await until(lambda: is_done(store))
    assert set(await came_out(store)) == set(range(2000))


async def test_an_agent_that_raises_ends_the_worker(store: Redis, start_worker: StartWorker, folder: Path) -> None:
    """An escaped exception ends the process with an error; started again it does exactly what was missing."""
    await send(store, 0, 600)
    (folder / "raise").touch()
    worker = start_worker()
    assert await exit_code(worker) == 1
    assert not (folder / "raise").exists()
    worker = start_worker()
    await until(lambda: is_done(store))
    assert set(await came_out(store)) == set(range(600))


async def test_a_second_worker_waits_its_turn(store: Redis, start_worker: StartWorker, folder: Path) -> None:
    """Two workers never read at once: the second says whom it waits for and takes over when that one stops."""
    first = start_worker()
    await until(lambda: "Worker ready" in log_of(folder, 0))
    second = start_worker()
    await until(lambda: "waiting for it to stop" in log_of(folder, 1))
    assert f"Process {first.pid} on" in log_of(folder, 1)
    first.send_signal(signal.SIGTERM)
    assert await exit_code(first) == 0
    await until(lambda: "Worker ready" in log_of(folder, 1))
    await send(store, 0, 100)
    await until(lambda: is_done(store))
    assert sorted(await came_out(store)) == list(range(100))
    assert second.poll() is None


async def test_a_replaced_worker_stops(store: Redis, start_worker: StartWorker, folder: Path) -> None:
    """A worker that finds its lease in other hands ends with an error that says so, and commits no more."""
    worker = start_worker()
    await until(lambda: "Worker ready" in log_of(folder, 0))
    usurper = Lease(store, "tally", seconds=60)
    await store.delete(usurper.name)
    await usurper.hold()
    assert await exit_code(worker) == 1
    assert "has taken over 'tally'" in log_of(folder, 0)


async def test_a_full_server_is_waited_for(store: Redis, start_worker: StartWorker, folder: Path) -> None:
    """A server without memory for one more record holds the worker up; with memory again nothing is missing."""
    worker = start_worker()
    await until(lambda: "Worker ready" in log_of(folder, 0))
    await send(store, 0, 1000)
    await until(lambda: has_out(store, 1))
    await store.config_set("maxmemory", "1mb")
    await asyncio.sleep(1.0)
    assert worker.poll() is None
    await store.config_set("maxmemory", "0")
    await until(lambda: is_done(store))
    assert set(await came_out(store)) == set(range(1000))


async def test_retention_during_work_holds_nothing_up(store: Redis, start_worker: StartWorker, folder: Path) -> None:
    """Records dropped by age before they were read are passed over; what came later is done and committed."""
    await send(store, 0, 300)
    await asyncio.sleep(0.01)
    await streams.trim_older(store, "numbers", 0)
    await send(store, 300, 200)
    worker = start_worker()
    await until(lambda: is_done(store))
    assert sorted(await came_out(store)) == list(range(300, 500))
    assert worker.poll() is None


async def test_a_server_that_lost_records_is_noticed(
    server: ValkeyServer, store: Redis, start_worker: StartWorker, folder: Path
) -> None:
    """A server that comes back without what was read ends the worker; the next one reads what is there."""
    worker = start_worker()
    await until(lambda: "Worker ready" in log_of(folder, 0))
    await send(store, 0, 300)
    await until(lambda: is_done(store))
    server.kill()
    shutil.rmtree(server.folder / "appendonlydir")
    server.start()
    assert await exit_code(worker) == 1
    assert "came back without its newest records" in log_of(folder, 0)
    await persist("test", lambda: streams.create_topic(store, "numbers", TopicConfig(PARTITIONS)), lambda: False)
    await send(store, 1000, 100)
    start_worker()
    await until(lambda: is_done(store))
    assert sorted(await came_out(store)) == list(range(1000, 1100))


async def test_a_topic_emptied_behind_the_groups_back(store: Redis, start_worker: StartWorker) -> None:
    """A stream deleted by hand counts from 0 again: the group is set back and does not wait for its old place."""
    await streams.register_group(store, "tally", {("numbers", 0): 0, ("numbers", 1): 0})
    await streams.rewind_group(store, "tally", {("numbers", 0): 5000, ("numbers", 1): 5000})
    start_worker()
    await until(lambda: _was_set_back(store))
    await send(store, 0, 100)
    await until(lambda: has_out(store, 100))
    assert sorted(await came_out(store)) == list(range(100))


async def _was_set_back(store: Redis) -> bool:
    return all(offset == 0 for (topic, _), offset in (await streams.committed_offsets(store, "tally")).items())


async def test_a_new_subscription_keeps_the_work_going(server: ValkeyServer, store: Redis, folder: Path) -> None:
    """A topic that is subscribed to while the worker runs is read too; nothing of the others is lost or repeated."""
    app = build_app(server.url, folder, work_seconds=0.002)
    await app.start()
    try:
        await until(lambda: not app.rebalancing and app.consumer.assignment())
        await send(store, 0, 600)
        await until(lambda: has_out(store, 100))
        before = app.consumer_generation_id
        await app.consumer.subscribe({*(tp.topic for tp in app.consumer.assignment()), "late"})
        await until(lambda: app.consumer_generation_id > before and not app.rebalancing)
        assert TP("late", 0) in app.consumer.assignment()
        await send(store, 600, 100)
        await until(lambda: is_done(store))
        assert set(await came_out(store)) == set(range(700))
    finally:
        await app.stop()
