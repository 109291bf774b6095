"""One store, one set of keys: other keys are refused before anything is written with them."""

import shutil
from pathlib import Path
from typing import cast

import pytest
from redis.asyncio import Redis

from pipeline.errors import KeyringError
from pipeline.key_mark import KEY_MARK, find_strange_keys, open_matching_keys
from pipeline.privacy import KEY_FILES, Keyring
from pipeline.settings import load_settings
from pipeline.valkey import connect
from tests.conftest import ValkeyServer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


async def test_the_same_keys_are_welcome_again(redis: Redis, folder: Path) -> None:
    """First start and every later one."""
    first = await open_matching_keys(redis, folder)
    again = await open_matching_keys(redis, folder)
    assert again.text.open(first.text.seal(b"hoi")) == b"hoi"


async def test_a_lost_key_folder_is_told_and_no_new_keys_are_made(redis: Redis, folder: Path) -> None:
    """The demo or a command in another folder does not go on with new keys beside the old data."""
    await open_matching_keys(redis, folder)
    shutil.rmtree(folder)
    with pytest.raises(KeyringError, match="is empty, but the store was filled with keys"):
        await open_matching_keys(redis, folder)
    assert not folder.exists()


@pytest.mark.parametrize("name", [name for name in KEY_FILES if name != "session.key"])
async def test_another_key_is_named(name: str, redis: Redis, folder: Path, tmp_path: Path) -> None:
    """Each key whose loss makes data unreadable or pseudonyms differ."""
    await open_matching_keys(redis, folder)
    Keyring.open(tmp_path / "other")
    shutil.copy(tmp_path / "other" / name, folder / name)
    with pytest.raises(KeyringError, match=f"{name} in .* did not fill this store"):
        await open_matching_keys(redis, folder)
    assert await find_strange_keys(redis, Keyring.open(folder)) == [name]


async def test_another_session_key_only_ends_sessions(redis: Redis, folder: Path) -> None:
    """A school may change it."""
    await open_matching_keys(redis, folder)
    (folder / "session.key").unlink()
    await open_matching_keys(redis, folder)


async def test_the_mark_tells_nothing_of_the_keys(redis: Redis, folder: Path) -> None:
    """Whoever reads the store alone finds no key in it."""
    await open_matching_keys(redis, folder)
    told = b"".join(cast("dict[bytes, bytes]", await redis.hgetall(KEY_MARK)).values())
    for name in KEY_FILES:
        key = (folder / name).read_text().strip()
        assert key.encode() not in told
        assert bytes.fromhex(key) not in told


async def test_every_process_checks_when_it_connects(valkey_server: ValkeyServer, tmp_path: Path) -> None:
    """Worker, pages, connectors and commands all come in by `connect`."""
    common = {"redis": valkey_server.url, "data": tmp_path / "var"}
    await (await connect(load_settings(keys=tmp_path / "keys", **common))).aclose()
    with pytest.raises(KeyringError):
        await connect(load_settings(keys=tmp_path / "elsewhere", **common))
