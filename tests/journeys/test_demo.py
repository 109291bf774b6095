"""The demo from end to end: real server, worker, pages and connector as processes of their own."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import RedisError

from pipeline.counters import TOTALS_KEY

PATIENCE = 240.0
"""Seconds; generous, since machines that test are slow and shared."""


@dataclass(frozen=True)
class Home:
    """One installation's folders."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        # The first stage alone: this test is about the stream, and it must judge the same however batches fall.
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("VANGNET_")},
            "VANGNET_DATA": str(self.folder / "var"),
            "VANGNET_KEYS": str(self.folder / "keys"),
            "VANGNET_MODEL": "ngram",
        }

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(  # noqa: S603  # our own command
            [sys.executable, "-m", "pipeline", *arguments],
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @contextmanager
    def store(self) -> Iterator[Redis]:
        """A blocking client of the embedded server."""
        with Redis(unix_socket_path=str(self.folder / "var" / "valkey" / "valkey.sock")) as client:
            yield client

    def received(self) -> int:
        """Messages counted at the door so far; 0 while the store is not there."""
        try:
            with self.store() as client:
                return int(client.hget(TOTALS_KEY, "received") or 0)
        except (RedisError, OSError):
            return 0


@contextmanager
def new_home() -> Iterator[Home]:
    """Folders with a short path: a unix socket's may be about 100 bytes long."""
    folder = Path(tempfile.mkdtemp(prefix="vn"))
    try:
        yield Home(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def home() -> Iterator[Home]:
    with new_home() as made:
        yield made


def once(home: Home) -> dict[str, Any]:
    """`vangnet demo --once --json`, which must succeed."""
    process = home.start("demo", "--once", "--json")
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    figures: dict[str, Any] = json.loads(out)
    return figures


def counted(figures: dict[str, Any]) -> dict[str, Any]:
    """The figures without the time it took."""
    return {name: value for name, value in figures.items() if name != "seconds"}


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, Any]:
    """The figures of a run that nothing happened to."""
    with new_home() as made:
        return counted(once(made))


def test_the_demo_adds_up(undisturbed: dict[str, Any]) -> None:
    """Every message played is refused, repeated or judged, and every flag is in the store."""
    assert undisturbed["problems"] == []
    assert undisturbed["received"] == undisturbed["refused"] + undisturbed["repeated"] + undisturbed["accepted"]
    assert undisturbed["scored"] == undisturbed["accepted"]
    assert undisturbed["flags_in_store"] == undisturbed["flagged"] == flags_with_labels(undisturbed)
    assert undisturbed["refused"] > 0
    assert undisturbed["repeated"] > 0


def flags_with_labels(figures: dict[str, Any]) -> int:
    """Flags, which each bear one label or more."""
    assert figures["flagged"] > 0
    assert sum(figures["flagged_labels"].values()) >= figures["flagged"]
    assert sum(figures["flagged_clauses"].values()) >= figures["flagged"]
    return int(figures["flagged"])


def pid_of(parent: int, what: str) -> int | None:
    """A child process of the demo by a word of its command line."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            owner = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if owner == parent and what in command:
            return int(entry.name)
    return None


@pytest.mark.skipif(sys.platform != "linux", reason="finds the demo's processes in /proc")
@pytest.mark.parametrize(
    ("victim", "word"), [("worker", "pipeline worker"), ("web app", "pipeline web"), ("Valkey server", "valkey-server")]
)
def test_a_killed_process_loses_nothing(victim: str, word: str, home: Home, undisturbed: dict[str, Any]) -> None:
    """After a kill -9 there is a sentence and a non-zero exit; started again, the totals are those of a calm run."""
    process = home.start("demo", "--once", "--json")
    deadline = time.monotonic() + PATIENCE
    while home.received() < 200:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.005)
    pid = pid_of(process.pid, word)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode not in {0, None}, "the kill came after the end"
    assert out == ""
    assert f"the {victim} was ended by SIGKILL" in err
    assert "Traceback" not in err
    assert counted(once(home)) == undisturbed


def test_a_port_in_use_is_a_sentence(home: Home) -> None:
    """The demo names the port and the setting, and starts nothing."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = home.start("demo", VANGNET_WEB_PORT=str(port))
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert f"port {port}" in err
    assert "VANGNET_WEB_PORT" in err
    assert "Traceback" not in err
    assert not (home.folder / "var" / "valkey").exists()


def test_ctrl_c_stops_everything(home: Home) -> None:
    """SIGINT ends the demo with status 0 and leaves no process behind; started again it goes on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        worker_port = str(probe.getsockname()[1])
    process = home.start("demo", "--pace", "0.05", VANGNET_WEB_PORT=port, VANGNET_WORKER_PORT=worker_port)
    deadline = time.monotonic() + PATIENCE
    while home.received() < 20:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    children = [pid_of(process.pid, word) for word in ("pipeline worker", "pipeline web", "pipeline replay")]
    assert None not in children
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert "mentor1" in err
    assert "\x1b" not in err, "control characters where there is no terminal"
    assert "Traceback" not in err
    for child in children:
        assert not Path(f"/proc/{child}").exists()
