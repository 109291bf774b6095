"""The product is refused before anything is loaded where it could not run."""

import asyncio
import logging
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from pipeline import product
from pipeline.errors import KeyringError, SettingsError, StoreError, SupervisorError, VangnetError
from pipeline.product import free_port, running_product
from pipeline.settings import Settings, load_settings
from pipeline.supervisor import Supervisor
from pipeline.valkey import ValkeyServer as EmbeddedServer
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


@pytest.fixture
def embedded() -> Iterator[EmbeddedServer]:
    """An embedded server that runs, in a folder with a short name."""
    home = Path(tempfile.mkdtemp(prefix="vn"))
    server = EmbeddedServer(home / "v")
    server.start()
    yield server
    server.kill()
    shutil.rmtree(home, ignore_errors=True)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0.02)


async def test_a_disk_that_ran_full_is_named(embedded: EmbeddedServer) -> None:
    """What the server wrote last becomes the sentence: a status number helps nobody."""
    assert embedded.process is not None
    log = embedded.folder / "valkey.log"
    log.write_text(log.read_text() + "# Short write while writing to the AOF file: (nwritten=540, expected=602)\n")
    embedded.process.terminate()
    guard = asyncio.create_task(product._guard(embedded, supervisor := Supervisor(restart=False), restart=False))
    with pytest.raises(SupervisorError, match=r"the Valkey server ended\. The disk of .* is full\. .*start again"):
        await supervisor.run_until(asyncio.sleep(60))
    await guard


async def test_a_server_that_cannot_start_now_is_tried_until_it_can(
    embedded: EmbeddedServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """`vangnet up` on a full disk says so and goes on by itself when there is room; it is not left without a store."""
    monkeypatch.setattr(product, "AGAIN_SECONDS", 0.01)
    start, refused = embedded.start, 0

    def full_twice() -> None:
        nonlocal refused
        if refused < 2:
            refused += 1
            embedded.kill()  # as `start` leaves it
            raise StoreError("The disk of var is full.")
        start()

    monkeypatch.setattr(embedded, "start", full_twice)
    first = embedded.process
    assert first is not None
    first.kill()
    with caplog.at_level(logging.WARNING):
        guard = asyncio.create_task(product._guard(embedded, Supervisor(restart=True), restart=True))
        await until(lambda: embedded.process is not None and embedded.process is not first)
    guard.cancel()
    assert caplog.text.count("The disk of var is full. Trying again") == 2
