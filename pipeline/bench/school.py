"""An installation of the bench's own, thrown away at the end: folders, keys, Valkey server, groups and processes."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from redis.asyncio import Redis

from pipeline.errors import SupervisorError
from pipeline.events import IncomingMessage
from pipeline.groups import GroupLedger, GroupOptIn
from pipeline.intake import Intake
from pipeline.privacy import Keyring
from pipeline.product import answers, free_port
from pipeline.publisher import RedisPublisher
from pipeline.settings import Settings, load_settings
from pipeline.transport.connection import open_client
from pipeline.valkey import ValkeyServer, server_url

PLATFORM = "bench"
BUSY, QUIET = "druk", "stil"
"""Groups of the throughput, and of the latency: a classifier reads what was said before."""
_READY_SECONDS = 120.0
_AUTHORS = 28


@dataclass
class BenchSchool:
    """What the measurements work on."""

    settings: Settings
    redis: Redis
    intake: Intake
    groups: int
    server: psutil.Process
    children: list[subprocess.Popen[bytes]] = field(default_factory=list)
    made: int = 0

    def messages(self, number: int, text: str = "") -> list[IncomingMessage]:
        """Invented messages, spread over the groups; never two with the same id.

        Args:
            number: How many.
            text: What they say, in groups where nothing else is said; by default each says something else, of the
                usual length.
        """
        kind = QUIET if text else BUSY
        first, self.made = self.made, self.made + number
        now = time.time()
        return [
            IncomingMessage(
                platform=PLATFORM,
                platform_group=f"{kind}-{one % self.groups}",
                platform_message=str(one),
                author_id=f"31600{one % self.groups:03}{one % _AUTHORS:03}",
                author_name=f"Leerling {one % _AUTHORS}",
                text=text or f"wie heeft er nog huiswerk voor wiskunde, ik zit bij som {one} en snap het niet",
                sent_at=now,
            )
            for one in range(first, first + number)
        ]

    async def start(self, command: Sequence[str], port: int, path: str) -> psutil.Process:
        """Start a process of ours and wait until it answers on a port.

        Raises:
            SupervisorError: It ended or does not answer.
        """
        environment = {name: value for name, value in os.environ.items() if not name.startswith("VANGNET_")} | {
            "VANGNET_DATA": str(self.settings.data),
            "VANGNET_KEYS": str(self.settings.keys),
            "VANGNET_REDIS": server_url(self.settings),
            "VANGNET_WEB_PORT": str(self.settings.web_port),
            "VANGNET_WORKER_PORT": str(self.settings.worker_port),
            "VANGNET_BATCH_SIZE": str(self.settings.batch_size),
            "VANGNET_BATCH_WITHIN": str(self.settings.batch_within),
        }
        child = subprocess.Popen([sys.executable, *command], env=environment)  # noqa: ASYNC220, S603  # our own command
        self.children.append(child)
        deadline = time.monotonic() + _READY_SECONDS
        while not await answers("127.0.0.1", port, path):
            if child.poll() is not None or time.monotonic() > deadline:
                raise SupervisorError(f"`{' '.join(command)}` did not come up; its own lines above say why")
            await asyncio.sleep(0.05)
        return psutil.Process(child.pid)

    def stop(self, process: psutil.Process) -> None:
        """Stop one of the processes."""
        child = next(child for child in self.children if child.pid == process.pid)
        child.terminate()
        child.wait()
        self.children.remove(child)


@asynccontextmanager
async def bench_school(groups: int) -> AsyncIterator[BenchSchool]:
    """Open a school with so many opted-in groups; leaving erases it."""
    folder = Path(tempfile.mkdtemp(prefix="vnbench"))
    settings = load_settings(
        data=folder / "var",
        keys=folder / "keys",
        redis=None,
        broker=None,
        web_port=free_port(),
        worker_port=free_port(),
    )
    server = ValkeyServer(settings.data)
    school: BenchSchool | None = None
    try:
        server.start()
        keyring = Keyring.open(settings.keys)
        redis = open_client(server.url)
        ledger = GroupLedger(redis, keyring)
        for name in (f"{kind}-{number}" for kind in (BUSY, QUIET) for number in range(groups)):
            await ledger.add(
                GroupOptIn(
                    name=name,
                    platform=PLATFORM,
                    platform_group=name,
                    teacher="bench",
                    purpose="meting",
                )
            )
        intake = Intake(ledger, RedisPublisher(redis, settings.partitions), redis, keyring, settings)
        pid = server.process.pid if server.process else 0
        school = BenchSchool(settings, redis, intake, groups, psutil.Process(pid))
        yield school
        await redis.aclose()
    finally:
        for child in school.children if school else ():
            child.kill()
            child.wait()
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)
