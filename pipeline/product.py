"""The product as one thing that can be started and stopped: store, worker and pages under one supervisor."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from pipeline.errors import SettingsError, StoreError, SupervisorError
from pipeline.settings import Settings
from pipeline.supervisor import ChildSpec, Supervisor, vangnet_command
from pipeline.valkey import ValkeyServer, connect

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 0.2
AGAIN_SECONDS = 5.0
"""Between two tries to start a server that cannot start now."""


@contextlib.asynccontextmanager
async def running_product(
    settings: Settings,
    *,
    restart: bool,
    tell: Callable[[str], None] = lambda _: None,
) -> AsyncIterator[Supervisor]:
    """Run store, worker and web app; leaving stops them in order.

    Args:
        settings: What to run on. Ports are checked before anything starts.
        restart: Start a process that died again, instead of stopping everything.
        tell: Takes one sentence a step, for people.

    Raises:
        VangnetError: Something could not be started; what was started is stopped again.
    """
    check_port(settings.web_host, settings.web_port, "VANGNET_WEB_PORT", "the pages")
    check_port(settings.worker_host, settings.worker_port, "VANGNET_WORKER_PORT", "the worker's /metrics")
    supervisor = Supervisor(restart=restart)
    server: ValkeyServer | None = None
    guard: asyncio.Task[None] | None = None
    try:
        if settings.redis is None:
            tell("starting the embedded Valkey server")
            server = ValkeyServer(settings.data)
            server.start()
            guard = asyncio.create_task(_guard(server, supervisor, restart=restart))
        # What is wrong with store or keys is told once and first, not by each child after it has loaded.
        await (await connect(settings)).aclose()
        environment = {
            "VANGNET_DATA": str(settings.data),
            "VANGNET_KEYS": str(settings.keys),
            "VANGNET_WEB_PORT": str(settings.web_port),
            "VANGNET_WORKER_PORT": str(settings.worker_port),
        }
        tell("starting the worker (it loads the classifier)")
        await supervisor.start(
            ChildSpec(
                "worker",
                vangnet_command("worker"),
                ready=lambda: answers(settings.worker_host, settings.worker_port, "/metrics"),
                environment=environment,
            )
        )
        tell("starting the pages")
        await supervisor.start(
            ChildSpec(
                "web app",
                vangnet_command("web"),
                ready=lambda: answers(settings.web_host, settings.web_port, "/health"),
                environment=environment,
            )
        )
        yield supervisor
    finally:
        tell("stopping")
        await supervisor.stop()
        if guard is not None:
            guard.cancel()
        if server is not None:
            server.stop()


async def _guard(server: ValkeyServer, supervisor: Supervisor, *, restart: bool) -> None:
    """Watch the embedded server, which is no child of the supervisor's: it must be started from the main thread."""
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        process = server.process
        if process is None or process.poll() is None:
            continue
        status = process.returncode
        how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended. {server.why_it_ended()}"
        if not restart:
            supervisor.fail(
                SupervisorError(
                    f"the Valkey server {how.rstrip('.')}; everything is stopped. Nothing is lost: start again to go on"
                )
            )
            return
        logger.warning("the Valkey server %s; starting it again", how.rstrip("."))
        await _start_again(server)


async def _start_again(server: ValkeyServer) -> None:
    """Try until it runs: when the disk has room again, everything goes on by itself."""
    while True:
        try:
            server.start()
        except StoreError as error:
            logger.warning("%s Trying again in %.0f s.", error, AGAIN_SECONDS)
            await asyncio.sleep(AGAIN_SECONDS)
        else:
            return


def check_port(host: str, port: int, setting: str, what: str) -> None:
    """Refuse a port that is taken, before anything is started.

    Raises:
        SettingsError: Another program listens there.
    """
    with contextlib.closing(socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingsError(
                f"port {port} on {host}, needed for {what}, cannot be used ({error.strerror}). "
                f"Stop the program that has it, or set {setting} to a free port."
            ) from None


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def answers(host: str, port: int, path: str) -> bool:
    """True when a web server there answers the path with 200."""
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(f"GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
                await writer.drain()
                return b" 200 " in await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False


def absolute(settings: Settings) -> Settings:
    """The same settings with whole paths, so that children find the same folders whatever they are started from."""
    return settings.model_copy(update={"data": Path(settings.data).resolve(), "keys": Path(settings.keys).resolve()})
