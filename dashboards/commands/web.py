"""`vangnet web`: serves the pages until it is told to stop. Never loads a classifier's model."""

import asyncio
import contextlib
import errno
import logging
import signal
import socket
from collections.abc import Callable, Iterator

import click
import uvicorn

from dashboards.errors import AddressInUseError
from dashboards.web import create_app
from pipeline.groups import GroupLedger
from pipeline.log import set_up_logging
from pipeline.privacy import Keyring
from pipeline.review.store import ReviewStore
from pipeline.settings import Settings, load_settings
from pipeline.valkey import connect

logger = logging.getLogger(__name__)

_GRACE_SECONDS = 5
"""How long open answers may take after the signal to stop."""


@click.command("web")
@click.option("--host", help="Address to listen on (VANGNET_WEB_HOST, 127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port (VANGNET_WEB_PORT, 8080); 0 takes a free one.")
@click.option("--verbose", is_flag=True, help="Log every request, without its query and without who asked.")
def command(host: str | None, port: int | None, *, verbose: bool) -> None:
    """Serve the pages for mentors, teachers and management."""
    set_up_logging("web", verbose=verbose)
    given = {"web_host": host, "web_port": port}
    settings = load_settings(**{name: value for name, value in given.items() if value is not None})
    with listen(settings.web_host, settings.web_port) as listener:
        asyncio.run(_serve(settings, listener))


def listen(host: str, port: int) -> socket.socket:
    """Take the address before anything else starts.

    Raises:
        AddressInUseError: It is taken, not ours or does not exist.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        msg = f"{host} is no address to listen on ({error.strerror}). Change VANGNET_WEB_HOST or --host."
        raise AddressInUseError(msg) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        listener.close()
        why = "is in use by another program" if error.errno == errno.EADDRINUSE else f"is refused ({error.strerror})"
        msg = f"Port {port} on {host} {why}. Stop that program, or choose another port: VANGNET_WEB_PORT or --port."
        raise AddressInUseError(msg) from error
    return listener


async def _serve(settings: Settings, listener: socket.socket) -> None:
    redis = await connect(settings)
    try:
        keyring = Keyring.open(settings.keys)
        store = ReviewStore(redis, keyring, overdue_hours=settings.overdue_hours)
        app = create_app(settings, store, GroupLedger(redis, keyring), redis, keyring)
        logging.getLogger("uvicorn.access").addFilter(without_query)
        config = uvicorn.Config(
            app, log_config=None, server_header=False, lifespan="on", timeout_graceful_shutdown=_GRACE_SECONDS
        )
        host, port = listener.getsockname()[:2]
        logger.info("pages on http://%s:%s", f"[{host}]" if ":" in host else host, port)
        # Live streams would keep the server waiting for browsers that never hang up.
        await _Server(config, app.state["site"].revisions.stop).serve(sockets=[listener])
    finally:
        await redis.aclose()


class _Server(uvicorn.Server):
    """Ends with status 0 on SIGTERM and SIGINT, where uvicorn would end by the signal itself."""

    def __init__(self, config: uvicorn.Config, on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_stop = on_stop

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at the first signal, at once at the second."""
        loop = asyncio.get_running_loop()
        stopping = (signal.SIGTERM, signal.SIGINT)
        for number in stopping:
            loop.add_signal_handler(number, self._stop)
        try:
            yield
        finally:
            for number in stopping:
                loop.remove_signal_handler(number)

    def _stop(self) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True
        self._on_stop()


def without_query(record: logging.LogRecord) -> bool:
    """Logging filter for uvicorn's access log: no query and no address of a person."""
    if isinstance(record.args, tuple) and len(record.args) == 5:
        _address, method, path, version, status = record.args
        record.args = ("-", method, str(path).partition("?")[0], version, status)
    return True
