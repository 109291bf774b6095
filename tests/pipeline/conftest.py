"""Factories for the pipeline's records, keys and ledger."""

from collections.abc import Awaitable, Callable

import pytest
from redis.asyncio import Redis

from pipeline.events import IncomingMessage
from pipeline.groups import Group, GroupLedger, GroupOptIn
from pipeline.privacy import Keyring
from tests.pipeline.moments import NOW


@pytest.fixture(scope="session")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return Keyring.open(tmp_path_factory.mktemp("school") / "keys")


@pytest.fixture
def ledger(redis: Redis, keyring: Keyring) -> GroupLedger:
    return GroupLedger(redis, keyring)


@pytest.fixture
def opt_in() -> Callable[..., GroupOptIn]:
    """An opt-in of class 2B on the demo platform; give what should differ."""

    def make(**fields: object) -> GroupOptIn:
        defaults: dict[str, object] = {
            "name": "Klas 2B",
            "platform": "demo",
            "platform_group": "2b",
            "teacher": "docent.smit",
            "purpose": "veilige klassenapp",
        }
        return GroupOptIn(**(defaults | fields))  # type: ignore[arg-type]

    return make


@pytest.fixture
def add_group(ledger: GroupLedger, opt_in: Callable[..., GroupOptIn]) -> Callable[..., Awaitable[Group]]:
    """Opt a group in at `NOW`; give what should differ."""

    async def add(**fields: object) -> Group:
        return await ledger.add(opt_in(**fields), NOW)

    return add


@pytest.fixture
def incoming() -> Callable[..., IncomingMessage]:
    """A message of Fenna in 2B, each with its own platform id; give what should differ."""
    made = 0

    def make(**fields: object) -> IncomingMessage:
        nonlocal made
        made += 1
        defaults: dict[str, object] = {
            "platform": "demo",
            "platform_group": "2b",
            "platform_message": f"m{made}",
            "author_id": "31600000001",
            "author_name": "Fenna",
            "text": "hoi allemaal",
            "sent_at": NOW - 1,
        }
        return IncomingMessage(**(defaults | fields))  # type: ignore[arg-type]

    return make
