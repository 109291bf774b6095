"""The same agents on a real Apache Kafka, with a worker that is killed twice in the middle."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pytest
from redis.asyncio import Redis

from connectors.replay.school import load_school
from pipeline.counters import Counters, Totals
from pipeline.groups import GroupLedger, GroupOptIn
from pipeline.privacy import Keyring
from pipeline.product import free_port
from pipeline.review.census import Census, take_census
from pipeline.review.store import ReviewStore
from tests.conftest import ValkeyServer
from tests.journeys.kafka import KafkaServer, missing_programs

PATIENCE = 200.0
"""Seconds; generous, since machines that test are slow and shared."""

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def kafka() -> Iterator[KafkaServer]:
    """A running Kafka without topics."""
    missing = missing_programs()
    if missing and not os.environ.get("VANGNET_NO_SKIP"):
        pytest.skip(f"not installed: {', '.join(missing)}")
    folder = Path(tempfile.mkdtemp(prefix="vnkafka"))
    server = KafkaServer(folder, free_port(), free_port())
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Installation:
    """One school: a store, a broker, keys, and the processes that were started on them."""

    folder: Path
    store: ValkeyServer
    broker: str | None
    log: IO[bytes]
    worker_port: int = field(default_factory=free_port)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    killed: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        # The first stage alone: it judges the same however batches fall.
        settings = {
            "VANGNET_DATA": str(self.folder / "var"),
            "VANGNET_KEYS": str(self.folder / "keys"),
            "VANGNET_REDIS": self.store.url,
            "VANGNET_MODEL": "ngram",
            "VANGNET_WORKER_PORT": str(self.worker_port),
        }
        if self.broker is not None:
            settings["VANGNET_BROKER"] = self.broker
        return {name: value for name, value in os.environ.items() if not name.startswith("VANGNET_")} | settings

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start `vangnet` with arguments; what it says goes to the installation's log."""
        command = [sys.executable, "-m", "pipeline", *arguments]
        process = subprocess.Popen(  # noqa: S603  # our own command line
            command, env=self.environment, stdout=self.log, stderr=self.log
        )
        self.processes.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """End one of them as a machine would."""
        self.killed.append(process)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def said(self) -> str:
        """The end of what the processes said."""
        return (self.folder / "log").read_text("utf-8", "replace")[-5000:]

    async def open_groups(self) -> None:
        """Enter the demo school's opted-in groups in the ledger."""
        async with self.redis() as redis:
            ledger = GroupLedger(redis, Keyring.open(self.folder / "keys"))
            for group in load_school().groups:
                if group.opted_in:
                    await ledger.add(
                        GroupOptIn(
                            name=group.name,
                            platform=group.platform,
                            platform_group=group.platform_group,
                            teacher=group.teacher,
                            purpose=group.purpose,
                        )
                    )

    def redis(self) -> Redis:
        return Redis(unix_socket_path=str(self.store.socket))

    async def wait(self, done: Callable[[Totals, Census], bool]) -> tuple[Totals, Census]:
        """Look at the figures until they are as wanted."""
        deadline = time.monotonic() + PATIENCE
        async with self.redis() as redis:
            while True:
                figures = await Counters(redis).totals(), await take_census(redis)
                if done(*figures):
                    return figures
                assert time.monotonic() < deadline, f"{figures}\n{self.said()}"
                assert not any(process.poll() for process in self.processes if process not in self.killed), self.said()
                await asyncio.sleep(0.005)

    async def flags_in_cases(self) -> int:
        """Flags as mentors see them: messages of the queue's cases that wait for a judgement."""
        async with self.redis() as redis:
            store = ReviewStore(redis, Keyring.open(self.folder / "keys"))
            return sum(case.messages for case in await store.queue(None, limit=10_000))


@contextmanager
def installation(store: ValkeyServer, broker: str | None) -> Iterator[Installation]:
    """A school that is closed at the end, whatever still runs."""
    folder = Path(tempfile.mkdtemp(prefix="vn"))
    with (folder / "log").open("ab") as log:
        school = Installation(folder, store, broker, log)
        asyncio.run(school.open_groups())
        try:
            yield school
        finally:
            for process in school.processes:
                if process.poll() is None:
                    process.kill()
                process.wait()
    shutil.rmtree(folder, ignore_errors=True)


def scored_more_than(number: int) -> Callable[[Totals, Census], bool]:
    """The worker is at work."""
    return lambda totals, _: totals.scored > number


def settled(replay: subprocess.Popen[bytes]) -> Callable[[Totals, Census], bool]:
    """Everything was played, judged and stored."""

    def done(totals: Totals, census: Census) -> bool:
        return replay.poll() is not None and totals.waiting == 0 and census.flags >= totals.flagged

    return done


@pytest.fixture(scope="module")
def undisturbed(kafka: KafkaServer) -> Iterator[tuple[Totals, Census]]:
    """The figures of a calm run with the store's own server as broker."""
    assert kafka.process is not None  # no Kafka, no need for this run
    store = ValkeyServer(Path(tempfile.mkdtemp(prefix="vn")))
    store.start()
    try:
        with installation(store, None) as school:
            worker, replay = school.start("worker"), school.start("replay", "--once")
            figures = asyncio.run(school.wait(settled(replay)))
            assert replay.wait() == 0, school.said()
            worker.terminate()
            assert worker.wait(timeout=PATIENCE) == 0, school.said()
        yield figures
    finally:
        store.kill()
        shutil.rmtree(store.folder, ignore_errors=True)


def test_a_worker_killed_on_kafka_loses_nothing_and_flags_nothing_twice(
    kafka: KafkaServer, undisturbed: tuple[Totals, Census], start_valkey: Callable[..., ValkeyServer]
) -> None:
    """Kill -9 twice with messages waiting; started again, the totals are those of a calm run on Redis."""
    with installation(start_valkey(), kafka.url) as school:
        replay = school.start("replay", "--once")
        for judged in (0, undisturbed[0].accepted // 3):
            worker = school.start("worker")
            totals, _ = asyncio.run(school.wait(scored_more_than(judged)))
            school.kill(worker)
            assert totals.scored < undisturbed[0].accepted, "the kill came after the end"

        last = school.start("worker")
        figures = asyncio.run(school.wait(settled(replay)))
        assert replay.wait() == 0, school.said()
        assert figures == undisturbed
        assert figures[0].disagreements() == []
        assert asyncio.run(school.flags_in_cases()) == figures[0].flagged > 0

        last.terminate()
        assert last.wait(timeout=PATIENCE) == 0, school.said()
        assert "Traceback" not in school.said()
