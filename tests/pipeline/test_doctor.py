"""What the doctor promises: it sees what is wrong, says where and says what to do; its sentences are its interface."""

import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import pytest
from pydantic import SecretStr

from pipeline import doctor
from pipeline.commands.doctor import line
from pipeline.doctor import (
    Check,
    Verdict,
    check_clock,
    check_disk,
    check_kafka,
    check_keys,
    check_listener,
    check_model,
    check_python,
    check_servers,
    check_settings,
)
from pipeline.privacy import Keyring
from pipeline.settings import Settings, load_settings
from pipeline.valkey import connect
from tests.conftest import ValkeyServer


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that a stranger listens on."""
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        yield stranger.getsockname()[1]


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def told(checks: list[Check]) -> list[str]:
    return [line(check) for check in checks]


def test_what_is_installed_is_what_is_needed() -> None:
    """The tests' own installation has nothing to complain about."""
    assert {check.verdict for check in check_python()} == {Verdict.OK}


def test_a_missing_and_an_old_package_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what is needed instead."""
    needed = ["faust-streaming<0.1", "no-such-package>=1", "matplotlib ; extra == 'train'"]
    monkeypatch.setattr(metadata, "requires", lambda _: needed)
    monkeypatch.setattr(metadata, "version", fake_version)
    assert told(list(check_python()))[1] == (
        "FAIL packages     faust-streaming is 0.15.3, needed is <0.1; no-such-package is missing -> run `make install`"
    )


def fake_version(name: str) -> str:
    if name == "faust-streaming":
        return "0.15.3"
    raise metadata.PackageNotFoundError(name)


def test_a_misspelled_setting_is_seen() -> None:
    """It would be ignored without a word otherwise."""
    environment = {"VANGNET_DATA": "var", "VANGNET_OPERATINGPOINT": "waakzaam", "HOME": "/"}
    assert told(list(check_settings(load_settings(), environment))) == [
        "WARN settings     unknown: VANGNET_OPERATINGPOINT -> correct the spelling; the README lists every setting"
    ]


def test_pages_without_https_beyond_this_machine_are_warned_about() -> None:
    """Passwords would travel in clear."""
    checks = check_settings(load_settings(web_host="0.0.0.0"), {})  # noqa: S104
    assert told(list(checks))[1] == (
        "WARN https        the pages listen on 0.0.0.0 without https -> put a proxy with https before them and set "
        "VANGNET_WEB_HTTPS=true, or set VANGNET_WEB_HOST=127.0.0.1"
    )
    assert len(list(check_settings(load_settings(web_host="0.0.0.0", web_https=True), {}))) == 1  # noqa: S104


def test_keys_that_are_not_there_are_not_made(tmp_path: Path) -> None:
    """Looking changes nothing."""
    folder = tmp_path / "keys"
    assert line(check_keys(folder)) == f"OK   keys         none yet; they are made in {folder} at the first start"
    assert not folder.exists()


def test_keys_that_others_may_read_fail(tmp_path: Path) -> None:
    """With the command that mends it."""
    folder = tmp_path / "keys"
    Keyring.open(folder)
    assert check_keys(folder).verdict is Verdict.OK
    (folder / "text.key").chmod(0o644)
    assert line(check_keys(folder)).startswith(
        f"FAIL keys         {folder / 'text.key'} may be read by others (mode 644). Do: chmod 600 {folder / 'text.key'}"
    )


def test_a_lost_key_fails(tmp_path: Path) -> None:
    """A new one would not open the old data."""
    folder = tmp_path / "keys"
    Keyring.open(folder)
    (folder / "identity.key").unlink()
    check = check_keys(folder)
    assert check.verdict is Verdict.FAIL
    assert "identity.key is gone" in check.found
    assert not (folder / "identity.key").exists()


def test_a_disk_that_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """First a warning, then a failure, with the setting that helps."""
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=500 * 2**20))
    assert line(check_disk(tmp_path / "var")) == (
        f"WARN disk         500.0 MB free for {tmp_path / 'var'} -> "
        "free some space, or set VANGNET_DATA to another disk"
    )
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=2**20))
    assert line(check_disk(tmp_path / "var")) == (
        f"FAIL disk         1.0 MB free for {tmp_path / 'var'} -> "
        "free at least 64.0 MB, or set VANGNET_DATA to another disk"
    )


def test_a_data_folder_that_is_a_file(tmp_path: Path) -> None:
    """Nothing can be stored in it."""
    (tmp_path / "var").write_text("")
    assert check_disk(tmp_path / "var" / "deeper").verdict is Verdict.FAIL


def test_a_data_folder_open_to_everyone(tmp_path: Path) -> None:
    """The sealed data are still nobody else's business."""
    tmp_path.chmod(0o755)
    assert line(check_disk(tmp_path)).endswith(f"may be read by everyone on this machine -> do: chmod o= {tmp_path}")


def test_an_unknown_model_fails() -> None:
    """With the variable that named it."""
    check = check_model("no/such/model")
    assert check.verdict is Verdict.FAIL
    assert "VANGNET_MODEL" in check.todo


async def test_an_embedded_server_that_does_not_run(settings: Settings) -> None:
    """A warning: the next `vangnet up` starts it."""
    assert told(await check_servers(settings))[0] == (
        f"WARN store        the embedded Valkey server of {settings.data} does not run -> start it with `vangnet up`"
    )


async def test_a_server_that_runs(settings: Settings, valkey_server: ValkeyServer) -> None:
    """Version, memory, what waits, and its clock beside ours."""
    checks = await check_servers(settings.model_copy(update={"redis": SecretStr(valkey_server.url)}))
    assert [check.verdict for check in checks] == [Verdict.OK] * 4
    assert checks[0].found.startswith("valkey 9.")
    assert checks[1].found == "0 records wait"


async def test_a_server_that_throws_data_away(settings: Settings, valkey_server: ValkeyServer) -> None:
    """An own server with the wrong policy or without a file is told which setting to change."""
    with valkey_server.client() as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            checks = told(await check_servers(settings.model_copy(update={"redis": SecretStr(valkey_server.url)})))
        finally:
            client.config_set("maxmemory-policy", "noeviction")
    assert checks[1] == (
        "WARN store        The server that VANGNET_REDIS names throws data away when its memory is full "
        "(maxmemory-policy allkeys-lru) -> set it to noeviction, or messages can be lost."
    )


async def test_keys_that_did_not_fill_the_store(
    settings: Settings, valkey_server: ValkeyServer, tmp_path: Path
) -> None:
    """Told without making keys or touching the store."""
    own = settings.model_copy(update={"redis": SecretStr(valkey_server.url)})
    await (await connect(own)).aclose()
    other = own.model_copy(update={"keys": tmp_path / "elsewhere"})
    assert f"FAIL keys         {other.keys} is empty, but the store was filled with keys" in "\n".join(
        told(await check_servers(other))
    )
    assert not other.keys.exists()
    Keyring.open(other.keys)
    assert "FAIL keys         text.key and identity.key and pseudonym.key did not fill this store" in "\n".join(
        told(await check_servers(other))
    )


@pytest.mark.parametrize(
    ("url", "verdict"),
    [
        ("redis://127.0.0.1:{port}", "FAIL store        The server that VANGNET_REDIS names cannot be reached"),
        ("http://127.0.0.1:{port}", "FAIL store        The Redis URL cannot be understood"),
    ],
)
async def test_a_server_that_is_not_there(settings: Settings, free_port: int, url: str, verdict: str) -> None:
    """The variable is named; a password in the URL would not be."""
    own = settings.model_copy(update={"redis": SecretStr(url.format(port=free_port))})
    assert told(await check_servers(own))[0].startswith(verdict)


async def test_a_wrong_password_is_told_without_it(
    settings: Settings, start_valkey: Callable[..., ValkeyServer]
) -> None:
    """Nothing of the URL is repeated."""
    server = start_valkey(password=True)
    url = f"unix://{server.socket}?password=geheim-en-fout"
    lines = told(await check_servers(settings.model_copy(update={"redis": SecretStr(url)})))
    assert lines[0].startswith("FAIL store        The server that VANGNET_REDIS names refuses us")
    assert "geheim" not in str(lines)


async def test_a_kafka_that_is_not_there(free_port: int) -> None:
    """Named with its address and the variable."""
    assert line(await check_kafka(f"kafka://127.0.0.1:{free_port}", 4)) == (
        f"FAIL broker       Kafka at 127.0.0.1:{free_port} cannot be reached (KafkaConnectionError) -> "
        "start it, or correct VANGNET_BROKER"
    )


async def test_a_broker_of_another_kind() -> None:
    """Only Kafka, or the store's own server."""
    assert line(await check_kafka("amqp://127.0.0.1", 4)) == (
        "FAIL broker       VANGNET_BROKER is no Kafka address -> use kafka://host:port, or leave it empty"
    )


def test_clocks_that_differ() -> None:
    """A message would seem to come from the future."""
    check = check_clock(time.time() - 90)
    assert check.verdict is Verdict.WARN
    assert check.found == "this machine and the store differ by 90 s"
    assert check_clock(time.time()).verdict is Verdict.OK


def test_a_port_that_a_stranger_has(taken_port: int) -> None:
    """It fails and names the setting; Vangnet's own answer there is fine."""
    check = check_listener("web port", "127.0.0.1", taken_port, "/health", "VANGNET_WEB_PORT", ask=lambda _: False)
    assert line(check) == (
        f"FAIL web port     127.0.0.1:{taken_port} is not free and it is not Vangnet that has it -> "
        "stop the program that has it, or set VANGNET_WEB_PORT to a free port"
    )
    asked: list[str] = []

    def yes(url: str) -> bool:
        asked.append(url)
        return True

    check = check_listener("web port", "127.0.0.1", taken_port, "/health", "VANGNET_WEB_PORT", ask=yes)
    assert line(check) == f"OK   web port     Vangnet answers on 127.0.0.1:{taken_port}"
    assert asked == [f"http://127.0.0.1:{taken_port}/health"]


def test_an_unreadable_configuration_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What stands on no settings is still looked at, and nothing else."""
    monkeypatch.setenv("VANGNET_DATA", str(tmp_path))
    monkeypatch.setenv("VANGNET_KEYS", str(tmp_path / "keys"))
    lines = told(list(doctor.examine(os.environ)))
    assert len(lines) == 3
    assert lines[2].startswith(f"FAIL settings     VANGNET_KEYS ({tmp_path / 'keys'}) lies inside VANGNET_DATA")
