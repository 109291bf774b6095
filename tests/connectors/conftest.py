"""A real server, a ledger with a group and the door to the intake, for the connectors' journeys."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from connectors.door import Door, open_door
from pipeline.groups import Group, GroupOptIn
from pipeline.settings import Settings, load_settings
from tests.conftest import ValkeyServer


@pytest.fixture
def settings(valkey_server: ValkeyServer, tmp_path: Path) -> Settings:
    """Settings of a school whose store is the tests' real server."""
    return load_settings(data=tmp_path / "var", keys=tmp_path / "keys", redis=SecretStr(valkey_server.url))


@pytest.fixture
async def door(settings: Settings) -> AsyncIterator[Door]:
    """The intake on the real server."""
    async with open_door(settings) as opened:
        yield opened


@pytest.fixture
def opt_in(door: Door) -> Callable[..., Awaitable[Group]]:
    """Opt a group in and give it."""

    async def add(platform: str = "whatsapp_export", platform_group: str = "2b") -> Group:
        return await door.ledger.add(
            GroupOptIn(
                name="Klas 2B",
                platform=platform,
                platform_group=platform_group,
                teacher="docent",
                purpose="veilige klassenapp",
            )
        )

    return add
