"""The product is refused before anything is loaded where it could not run."""

import socket
from pathlib import Path

import pytest
from pydantic import SecretStr

from pipeline.errors import KeyringError, SettingsError, VangnetError
from pipeline.product import free_port, running_product
from pipeline.settings import Settings, load_settings
from pipeline.valkey import connect
from tests.conftest import ValkeyServer


@pytest.fixture
def settings(valkey_server: ValkeyServer, tmp_path: Path) -> Settings:
    return load_settings(
        redis=SecretStr(valkey_server.url),
        data=tmp_path / "var",
        keys=tmp_path / "keys",
        web_port=free_port(),
        worker_port=free_port(),
    )


async def refusal(settings: Settings) -> tuple[VangnetError, list[str]]:
    """Why the product does not start, and what it had told by then."""
    told: list[str] = []
    with pytest.raises(VangnetError) as caught:
        async with running_product(settings, restart=False, tell=told.append):
            pass
    return caught.value, told


async def test_other_keys_than_the_stores_are_told_before_a_child_starts(settings: Settings, tmp_path: Path) -> None:
    """One sentence, and no worker that loads its classifier only to say the same."""
    await (await connect(settings)).aclose()
    error, told = await refusal(settings.model_copy(update={"keys": tmp_path / "elsewhere"}))
    assert isinstance(error, KeyringError)
    assert told == ["stopping"]


async def test_the_workers_port_is_tried_on_the_workers_own_address(settings: Settings) -> None:
    """In a container the worker listens on another address than 127.0.0.1."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.2", 0))
        taken.listen()
        port = taken.getsockname()[1]
        error, told = await refusal(settings.model_copy(update={"worker_host": "127.0.0.2", "worker_port": port}))
    assert isinstance(error, SettingsError)
    assert f"port {port} on 127.0.0.2" in str(error)
    assert told == []
