"""Children are started, watched and stopped in order; a dead one stops everything or is started again."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from pipeline import supervisor as supervisor_module
from pipeline.errors import SupervisorError
from pipeline.supervisor import ChildSpec, Supervisor

SLEEPER = "import time, sys, pathlib; pathlib.Path(sys.argv[1]).open('a').write('x'); time.sleep(60)"


def sleeper(mark: Path, name: str = "worker") -> ChildSpec:
    """A child that leaves a mark at each start, and then waits."""

    async def ready() -> bool:
        return mark.exists()

    return ChildSpec(name, [sys.executable, "-c", SLEEPER, str(mark)], ready=ready)


async def test_a_dead_child_stops_everything(tmp_path: Path) -> None:
    """Without restarts the death of a child is a sentence that says how it ended and what to do."""
    supervisor = Supervisor(restart=False)
    try:
        await supervisor.start(sleeper(tmp_path / "mark"))
        os.kill(supervisor.pids()["worker"], signal.SIGKILL)
        with pytest.raises(SupervisorError, match=r"the worker was ended by SIGKILL.*start again"):
            await supervisor.run_until(asyncio.sleep(30))
    finally:
        await supervisor.stop()


async def test_a_dead_child_is_started_again(tmp_path: Path) -> None:
    """With restarts a killed child comes back, as another process."""
    supervisor = Supervisor(restart=True)
    mark = tmp_path / "mark"
    try:
        await supervisor.start(sleeper(mark))
        first = supervisor.pids()["worker"]
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(30):
            while mark.read_text() != "xx":
                await asyncio.sleep(0.02)
        assert supervisor.pids()["worker"] != first
    finally:
        await supervisor.stop()


async def test_a_child_that_keeps_dying_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that dies at once, again and again, ends the run with a sentence instead of a loop."""
    monkeypatch.setattr(supervisor_module, "RESTARTS", 1)
    supervisor = Supervisor(restart=True)
    try:
        await supervisor.start(ChildSpec("web app", [sys.executable, "-c", "raise SystemExit(3)"]))
        with pytest.raises(SupervisorError, match=r"the web app ended with status 3, .*giving up"):
            await supervisor.run_until(asyncio.sleep(30))
    finally:
        await supervisor.stop()


async def test_a_child_that_never_gets_ready_is_named() -> None:
    """A child that ends before it is ready gives a sentence at once."""

    async def never() -> bool:
        return False

    supervisor = Supervisor(restart=True)
    try:
        with pytest.raises(SupervisorError, match="the worker ended at once"):
            await supervisor.start(ChildSpec("worker", [sys.executable, "-c", "raise SystemExit(1)"], ready=never))
    finally:
        await supervisor.stop()


async def test_a_child_may_end_when_its_work_is_done() -> None:
    """A child that is allowed to end does so without stopping the others."""
    supervisor = Supervisor(restart=False)
    try:
        await supervisor.start(ChildSpec("replay", [sys.executable, "-c", ""], ends=True))
        async with asyncio.timeout(30):
            await supervisor.ended("replay")
        await supervisor.run_until(asyncio.sleep(0.05))
    finally:
        await supervisor.stop()


async def test_stop_ends_the_last_started_first(tmp_path: Path) -> None:
    """Children end in the reverse order of their start, and none is left."""
    order = tmp_path / "order"
    script = (
        "import signal, sys, time, pathlib\n"
        "def end(*_):\n"
        "    pathlib.Path(sys.argv[1]).open('a').write(sys.argv[2])\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "pathlib.Path(sys.argv[1] + sys.argv[2]).touch()\n"
        "time.sleep(60)\n"
    )

    def child(name: str) -> ChildSpec:
        async def ready() -> bool:
            return Path(f"{order}{name}").exists()

        return ChildSpec(name, [sys.executable, "-c", script, str(order), name], ready=ready)

    supervisor = Supervisor(restart=True)
    for name in "abc":
        await supervisor.start(child(name))
    pids = supervisor.pids()
    await supervisor.stop()
    assert order.read_text() == "cba"
    assert supervisor.pids() == {}
    assert all(not Path(f"/proc/{pid}").exists() for pid in pids.values())
