"""Starts Vangnet's processes as children, watches them, and stops them in order.

`vangnet up` starts a child that died again; `vangnet demo` stops with a sentence instead, so that whoever tries it sees
what happened. Nothing is lost either way: what was not acknowledged is handed out again.
"""

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.errors import SupervisorError

logger = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1
STOP_SECONDS = 15.0
"""How long a child may take to finish its batch before it is killed."""
RESTARTS = 5
"""A child that dies oftener than this within `RESTART_WINDOW` is given up."""
RESTART_WINDOW = 60.0


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """One process to run."""

    name: str
    """In sentences for people: `worker`, `web`, ..."""
    command: Sequence[str]
    ready: Callable[[], Awaitable[bool]] | None = None
    """Asked until it says yes; None is ready at once."""
    ends: bool = False
    """True for a child that may end by itself with status 0."""
    environment: Mapping[str, str] = field(default_factory=dict)


def vangnet_command(*arguments: str) -> list[str]:
    """The command line of a subcommand, run by the same Python."""
    return [sys.executable, "-m", "pipeline", *arguments]


class Supervisor:
    """Runs children until one of them, or a signal, says stop.

    Args:
        restart: Start a dead child again (with growing pauses) instead of stopping everything.
        quiet: Hide what children write to stdout; their stderr is always passed on.
    """

    def __init__(self, *, restart: bool) -> None:
        self._restart = restart
        self._children: dict[str, asyncio.subprocess.Process] = {}
        self._watchers: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._failure: asyncio.Future[SupervisorError] = asyncio.get_running_loop().create_future()
        self._ended: dict[str, asyncio.Event] = {}

    async def start(self, spec: ChildSpec, *, patience: float = 90.0) -> None:
        """Start a child and wait until it is ready.

        Args:
            spec: What to run.
            patience: Seconds it gets to become ready.

        Raises:
            SupervisorError: It ended or did not become ready in time.
        """
        process = await self._spawn(spec)
        deadline = time.monotonic() + patience
        while spec.ready is not None and not await spec.ready():
            if process.returncode is not None:
                raise SupervisorError(
                    f"the {spec.name} ended at once ({_how(process.returncode)}); its own lines above say why"
                )
            if time.monotonic() > deadline:
                raise SupervisorError(
                    f"the {spec.name} was not ready within {patience:.0f} s; its own lines above may say why"
                )
            await asyncio.sleep(0.1)
        self._ended[spec.name] = asyncio.Event()
        watcher = asyncio.create_task(self._watch(spec, process))
        self._watchers.add(watcher)
        watcher.add_done_callback(self._watchers.discard)

    async def ended(self, name: str) -> None:
        """Wait until a child that may end has ended well.

        Raises:
            SupervisorError: Another child failed first, or this one did.
        """
        await self._unless_failed(self._ended[name].wait())

    async def run_until(self, done: Awaitable[object]) -> None:
        """Wait for something while the children run.

        Raises:
            SupervisorError: A child failed first.
        """
        await self._unless_failed(done)

    async def stop(self) -> None:
        """End the children, the last started first; kill those that do not end in time."""
        self._stopping = True
        for name, process in reversed(self._children.items()):
            if process.returncode is not None:
                continue
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await process.wait()
            except TimeoutError:
                logger.warning(
                    "the %s did not stop within %.0f s and is killed; nothing is lost by that", name, STOP_SECONDS
                )
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)

    def fail(self, error: SupervisorError) -> None:
        """Stop everything for a reason found elsewhere (the embedded server ended)."""
        if not self._failure.done():
            self._failure.set_result(error)

    def pids(self) -> dict[str, int]:
        """Process ids of the children that run, by name."""
        return {name: process.pid for name, process in self._children.items() if process.returncode is None}

    async def _spawn(self, spec: ChildSpec) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *spec.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=sys.stderr,  # this program's stdout belongs to its own result
            env={**os.environ, **spec.environment},
            start_new_session=True,  # Ctrl-C is for the parent, which stops its children in order
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )
        self._children[spec.name] = process
        return process

    async def _watch(self, spec: ChildSpec, process: asyncio.subprocess.Process) -> None:
        deaths: list[float] = []
        while True:
            status = await process.wait()
            if self._stopping:
                return
            if spec.ends and status == 0:
                self._ended[spec.name].set()
                return
            now = time.monotonic()
            deaths = [death for death in deaths if now - death < RESTART_WINDOW] + [now]
            how = _how(status)
            if not self._restart:
                self.fail(
                    SupervisorError(
                        f"the {spec.name} {how}; everything is stopped. Nothing is lost: start again to go on"
                    )
                )
                return
            if len(deaths) > RESTARTS:
                self.fail(
                    SupervisorError(
                        f"the {spec.name} {how}, for the {len(deaths)}th time within a minute; giving up. "
                        "Its own lines above say why"
                    )
                )
                return
            pause = min(10.0, 0.5 * 2 ** (len(deaths) - 1))
            logger.warning("the %s %s; starting it again in %.1f s", spec.name, how, pause)
            await asyncio.sleep(pause)
            process = await self._spawn(spec)

    async def _unless_failed(self, done: Awaitable[object]) -> None:
        task = asyncio.ensure_future(done)
        waited: set[asyncio.Future[Any]] = {task, self._failure}
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        if self._failure.done():
            task.cancel()
            raise self._failure.result()
        await task


def _how(status: int) -> str:
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"


def _die_with_parent() -> None:
    # A supervisor that is killed outright takes its children with it; else they would hold the ports and the lease.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
