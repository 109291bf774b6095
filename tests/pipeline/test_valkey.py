"""The embedded server and the school's own, started and stopped for real."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from pydantic import SecretStr

from pipeline.errors import StoreError
from pipeline.settings import Settings, load_settings
from pipeline.transport.connection import open_client
from pipeline.valkey import ValkeyServer, check_server, connect, server_url
from tests.conftest import ValkeyServer as OtherServer

MakeServer = Callable[..., ValkeyServer]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder with a short name, as a unix socket needs."""
    home = Path(tempfile.mkdtemp(prefix="vn"))
    (home / "v").mkdir()
    yield home / "v"
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def make_server(folder: Path) -> Iterator[MakeServer]:
    """Embedded servers that are gone at the end of the test."""
    servers: list[ValkeyServer] = []

    def make(data: Path | None = None) -> ValkeyServer:
        servers.append(ValkeyServer(folder if data is None else data))
        return servers[-1]

    yield make
    for server in servers:
        server.kill()


def settings(data: Path, redis: str | None = None) -> Settings:
    return load_settings(data=data, keys=data.parent / "keys", redis=None if redis is None else SecretStr(redis))


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


async def test_what_was_stored_is_there_after_a_kill(folder: Path, make_server: MakeServer) -> None:
    """Kill -9 of the server loses nothing that it had answered, and it starts again on the same folder."""
    server = make_server()
    server.start()
    redis = await connect(settings(folder))
    await redis.set("a", "1")
    server.kill()
    server.start()
    assert await redis.get("a") == b"1"
    await redis.aclose()


async def test_a_client_rides_out_a_restart(folder: Path, make_server: MakeServer) -> None:
    """A command that is given while the server is away works when it is back."""
    server = make_server()
    server.start()
    redis = await connect(settings(folder))
    await redis.set("a", "1")
    server.kill()
    waiting = asyncio.ensure_future(redis.get("a"))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    server.start()
    assert await waiting == b"1"
    await redis.aclose()


async def test_the_server_keeps_what_it_was_given(folder: Path, make_server: MakeServer) -> None:
    """Append-only file on, nothing evicted, no snapshot, and no door for other users of the machine."""
    server = make_server()
    server.start()
    redis = await connect(settings(folder))
    wanted = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction", "save": "", "port": "0"}
    assert {name: (await redis.config_get(name))[name] for name in wanted} == wanted
    facts = await check_server(redis, own=False)
    assert facts.warnings == ()
    assert facts.name.startswith("valkey 9.")
    await redis.aclose()
    assert (folder / "valkey").stat().st_mode & 0o777 == 0o700
    assert (folder / "valkey" / "valkey.sock").stat().st_mode & 0o077 == 0


async def test_a_long_path_falls_back_to_a_guarded_port(folder: Path, make_server: MakeServer) -> None:
    """Where a socket's path would be too long, a loopback port with a password serves, the same one after a restart."""
    deep = folder / ("map" * 20) / ("met een spatie" * 5)
    server = make_server(deep)
    server.start()
    url = server.url
    assert url.startswith("redis://127.0.0.1:")
    secret = deep / "valkey" / "password"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert secret.read_text() not in url
    assert server.process is not None
    assert secret.read_text() not in _arguments(server.process.pid)
    redis = await connect(settings(deep))
    await redis.set("a", "1")
    async with open_client(url.partition("?")[0]) as stranger:
        with pytest.raises(StoreError, match="refuses us"):
            await check_server(stranger, own=False)
    server.kill()
    server.start()
    assert server.url == url
    assert await redis.get("a") == b"1"
    await redis.aclose()


def test_a_second_server_on_the_data_is_refused(folder: Path, make_server: MakeServer) -> None:
    """Two servers never share files, whoever started the first; once it is gone the folder is free."""
    first, second = make_server(), make_server()
    first.start()
    with pytest.raises(StoreError, match="already runs on"):
        second.start()
    first.stop()
    second.start()


def test_it_ends_cleanly_and_leaves_no_socket(folder: Path, make_server: MakeServer) -> None:
    """Stopping writes everything, ends the process and removes the socket; stopping twice is harmless."""
    server = make_server()
    server.start()
    assert server.process is not None
    process = server.process.pid
    server.stop()
    server.stop()
    assert not is_running(process)
    assert not (folder / "valkey" / "valkey.sock").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child's life to its parent's")
def test_it_dies_with_its_parent(folder: Path) -> None:
    """A supervisor that is killed leaves no server behind."""
    code = (
        "import sys, time; from pathlib import Path; from pipeline.valkey import ValkeyServer\n"
        "server = ValkeyServer(Path(sys.argv[1])); server.start()\n"
        "print(server.process.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True) as parent:  # noqa: S603
        assert parent.stdout is not None
        process = int(parent.stdout.readline())
        assert is_running(process)
        parent.send_signal(signal.SIGKILL)
    assert wait_for(lambda: not is_running(process) or "Z" in _state(process))


def _arguments(process: int) -> str:
    return Path(f"/proc/{process}/cmdline").read_text() if sys.platform == "linux" else ""


def _state(process: int) -> str:
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_data_folder_that_cannot_be_made_is_told(folder: Path, make_server: MakeServer) -> None:
    """A file in the way, or no right to write, ends in a sentence with the setting to change."""
    (folder / "data").write_text("in the way")
    with pytest.raises(StoreError, match="Set VANGNET_DATA"):
        make_server(folder / "data").start()


def test_a_full_disk_is_told_before_anything_starts(
    folder: Path, make_server: MakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too little room ends in a sentence, not in a server that fails on its first message."""
    usage = shutil.disk_usage(folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=2**20))
    server = make_server()
    with pytest.raises(StoreError, match="Only 1 MB are free"):
        server.start()
    assert server.process is None


def test_damaged_data_is_told(folder: Path, make_server: MakeServer) -> None:
    """A stored file that makes no sense stops the start with a sentence that says what to do."""
    server = make_server()
    server.start()
    server.stop()
    part = next((folder / "valkey" / "aof").glob("*.incr.aof"))
    part.write_bytes(b"*2\r\nrubbish" + b"x" * 100)
    with pytest.raises(StoreError, match="damaged"):
        server.start()
    assert server.process is None


async def test_a_server_must_be_started_by_the_main_thread(make_server: MakeServer) -> None:
    """Started from a passing thread it would end with that thread: refused."""
    with pytest.raises(StoreError, match="main thread"):
        await asyncio.to_thread(make_server().start)


async def test_an_own_server_is_used_as_it_is(folder: Path, start_valkey: Callable[..., OtherServer]) -> None:
    """VANGNET_REDIS wins over the embedded server; what is unwise about it is told."""
    own = start_valkey(password=True)
    chosen = settings(folder, own.url)
    assert server_url(chosen) == own.url
    redis = await connect(chosen)
    await redis.config_set("maxmemory-policy", "allkeys-lru")
    await redis.config_set("appendonly", "no")
    warnings = (await check_server(redis, own=True)).warnings
    assert "noeviction" in warnings[0]
    assert "appendonly" in warnings[1]
    await redis.aclose()


@pytest.mark.parametrize(
    ("info", "told"),
    [
        ({"redis_version": "6.2.14"}, "is version 6.2.14: Vangnet needs Redis or Valkey 7.0"),
        ({"redis_version": "7.4.1", "cluster_enabled": 1}, "is a Redis Cluster"),
    ],
)
async def test_a_server_that_will_not_do_is_refused(info: dict[str, object], told: str) -> None:
    """An old server and a cluster are refused with a sentence at start, not with an odd error later."""

    class Answers(NamedTuple):
        facts: dict[str, object]

        async def info(self) -> dict[str, object]:
            return self.facts

    with pytest.raises(StoreError, match=told):
        await check_server(Answers(info), own=True)  # type: ignore[arg-type]  # the one call that is made


async def test_no_server_is_told_with_what_to_do(folder: Path) -> None:
    """Nobody there: one sentence that names the setting, without the password."""
    with pytest.raises(StoreError, match="VANGNET_REDIS names cannot be reached") as caught:
        await connect(settings(folder, "redis://:geheim@127.0.0.1:1/0"), seconds=0.2)
    assert "geheim" not in str(caught.value)
    with pytest.raises(StoreError, match="vangnet up"):
        await connect(settings(folder), seconds=0.2)
