"""Factories for the pipeline's records, keys and ledger."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from redis.asyncio import Redis

from pipeline.events import IncomingMessage
from pipeline.groups import Group, GroupLedger, GroupOptIn
from pipeline.intake import Intake
from pipeline.privacy import Keyring
from pipeline.publisher import Publisher, open_publisher
from pipeline.settings import Settings, load_settings
from pipeline.topics import TopicSpec
from pipeline.transport.streams import read_records
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


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data=tmp_path / "var", keys=tmp_path / "keys")


@pytest.fixture
def make_intake(redis: Redis, ledger: GroupLedger, keyring: Keyring, settings: Settings) -> Callable[..., Intake]:
    """An intake at `NOW` that writes to the real streams; give another publisher or clock to disturb it."""

    def make(publisher: Publisher | None = None, clock: Callable[[], float] = lambda: NOW) -> Intake:
        return Intake(ledger, publisher or open_publisher(settings, redis), redis, keyring, settings, clock=clock)

    return make


@pytest.fixture
def on_topic(redis: Redis, settings: Settings) -> Callable[[TopicSpec], Awaitable[list[bytes]]]:
    """Read every value on a topic, raw, as whoever can read the broker would."""

    async def read(topic: TopicSpec) -> list[bytes]:
        places = {(topic.name, partition): 0 for partition in range(settings.partitions)}
        found = await read_records(redis, places, count=10_000, block_ms=1)
        return [record.value or b"" for records in found.values() for record in records]

    return read
