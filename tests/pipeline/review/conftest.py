"""A review store on a real server, with a clock that the test moves."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.asyncio import Redis

from pipeline.privacy import Keyring
from pipeline.review.store import ReviewStore

from .factories import MONDAY


@dataclass
class Clock:
    """Time as the store sees it."""

    now: float = MONDAY + 10

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return Keyring.open(Path(tmp_path_factory.mktemp("keys")) / "keys")


@pytest.fixture
def store(redis: Redis, keyring: Keyring, clock: Clock) -> ReviewStore:
    return ReviewStore(redis, keyring, clock=clock)
