"""From a broker URL to a client, and trying again for as long as the server is away.

Faust finds the transport by the URL's scheme, so every form that redis-py knows works as `broker`:

- `redis://[[user]:password@]host[:port][/db]`, `rediss://…` with TLS;
- `unix:///path/to/valkey.sock[?password=…]` for a unix socket.

Either may carry `password_file=/path` instead of a password, which then is in no log, banner or process list.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from redis import exceptions as redis_errors
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)

from pipeline.transport.errors import TransportError

logger = logging.getLogger(__name__)

FIRST_DELAY: Final = 0.05
"""Seconds before the first repeat; it doubles up to `LONGEST_DELAY`."""
LONGEST_DELAY: Final = 1.0
SECONDS_BETWEEN_WARNINGS: Final = 10.0

T = TypeVar("T")


def split_password(url: str) -> tuple[str, str | None]:
    """Take `password_file` out of a broker URL.

    Args:
        url: See the module's text.

    Returns:
        The URL without it, and the password that the file holds (None without a file).

    Raises:
        TransportError: The file cannot be read.
    """
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    name = query.pop("password_file", None)
    if name is None:
        return url, None
    try:
        password = Path(name).read_text("utf-8").strip()
    except OSError as error:
        msg = f"The password file {name} of the Redis URL cannot be read ({error.strerror})."
        raise TransportError(msg) from error
    return urlunsplit(parts._replace(query=urlencode(query))), password


def open_client(url: str, *, retry: Retry | None = None) -> Redis:
    """Make a client for a broker URL; it connects on first use and answers in bytes.

    Args:
        url: See the module's text.
        retry: How one command is repeated; by default it is not, and `persist` repeats around it.

    Raises:
        TransportError: The URL cannot be understood or its password file cannot be read.
    """
    bare, password = split_password(url)
    try:
        return Redis.from_url(
            bare,
            password=password,
            protocol=2,
            retry=retry or Retry(NoBackoff(), 0),
            socket_timeout=30.0,
            socket_connect_timeout=5.0,
        )
    except ValueError as error:
        msg = "The Redis URL cannot be understood: use redis://[:password@]host:port or unix:///path/to/socket."
        raise TransportError(msg) from error


def is_passing(error: BaseException) -> bool:
    """True for what ends by itself or by a person's hand: server away, starting, full, or unable to write its file."""
    if isinstance(error, (AuthenticationError, AuthorizationError)):
        return False
    if isinstance(
        error, (redis_errors.ConnectionError, redis_errors.TimeoutError, OutOfMemoryError, ReadOnlyError, OSError)
    ):
        return True
    return isinstance(error, ResponseError) and str(error).startswith(("MISCONF", "LOADING", "MASTERDOWN", "TRYAGAIN"))


async def persist(what: str, attempt: Callable[[], Awaitable[T]], given_up: Callable[[], bool]) -> T:
    """Try until it works, however long the server is away.

    Args:
        what: What is tried, for the log.
        attempt: Makes one attempt.
        given_up: True once it is no longer worth waiting for the server.

    Raises:
        redis.exceptions.RedisError: An error that waiting does not mend, or any after giving up.
        OSError: The same, from below redis-py.
    """
    now = asyncio.get_running_loop().time
    delay = FIRST_DELAY
    warned_at: float | None = None
    while True:
        try:
            result = await attempt()
        except (RedisError, OSError) as error:
            if not is_passing(error) or given_up():
                raise
            if warned_at is None or now() - warned_at >= SECONDS_BETWEEN_WARNINGS:
                warned_at = now()
                logger.warning("Redis: %s is waiting, the server does not serve (%s).", what, type(error).__name__)
        else:
            if warned_at is not None:
                logger.warning("Redis: %s goes on.", what)
            return result
        await asyncio.sleep(delay)
        delay = min(delay * 2, LONGEST_DELAY)
