"""The command `vangnet` as people run it: a process of its own against the tests' real server."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.asyncio import Redis

from pipeline.counters import Counters
from pipeline.settings import Settings


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    status: int | None
    out: str
    err: str


@pytest.fixture
def start(settings: Settings) -> Callable[..., Awaitable[asyncio.subprocess.Process]]:
    """Start `vangnet` with arguments."""
    redis = settings.redis
    assert redis is not None
    environment = os.environ | {
        "VANGNET_REDIS": redis.get_secret_value(),
        "VANGNET_DATA": str(settings.data),
        "VANGNET_KEYS": str(settings.keys),
    }

    async def run(*arguments: str | Path) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("vangnet"),
            *arguments,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    return run


@pytest.fixture
def vangnet(start: Callable[..., Awaitable[asyncio.subprocess.Process]]) -> Callable[..., Awaitable[Ran]]:
    """Run `vangnet` to its end."""

    async def run(*arguments: str | Path) -> Ran:
        process = await start(*arguments)
        out, err = await process.communicate()
        return Ran(process.returncode, out.decode(), err.decode())

    return run


@pytest.fixture
def received(redis: Redis) -> Callable[[int], Awaitable[None]]:
    """Wait until the store has counted so many received messages."""

    async def wait(number: int) -> None:
        async with asyncio.timeout(60):
            while (await Counters(redis).totals()).received < number:  # another process counts
                await asyncio.sleep(0.005)

    return wait
