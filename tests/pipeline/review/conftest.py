"""A review store on a real server, with a clock that the test moves."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from redis.asyncio import Redis

from pipeline.privacy import Keyring
from pipeline.review.store import ReviewStore
from tests.pipeline.review.factories import MONDAY, make_flag


@dataclass
class Clock:
    """Time as the store sees it."""

    now: float = MONDAY + 10

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(redis: Redis, keyring: Keyring, clock: Clock) -> ReviewStore:
    return ReviewStore(redis, keyring, clock=clock)


@pytest.fixture
def opened(store: ReviewStore, keyring: Keyring) -> Callable[..., Awaitable[str]]:
    """Open a case of one author with the given message ids; gives its id. More fields go to every flag."""

    async def open_case(*message_ids: str, **fields: object) -> str:
        for message_id in message_ids:
            assert await store.add_flag(make_flag(keyring, message_id=message_id, **fields))  # type: ignore[arg-type]
        found = [case for case in await store.queue(None) if case.messages == len(message_ids)]
        for summary in found:
            case = await store.case(summary.case_id, None)
            if case and {message.message_id for message in case.messages} == set(message_ids):
                return summary.case_id
        raise AssertionError("the messages are not one case")

    return open_case
