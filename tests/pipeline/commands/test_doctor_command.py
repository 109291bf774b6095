"""What `vangnet doctor` promises: one line a part, an exit status a script can use, no secret on the screen."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipeline.commands.doctor import command
from tests.conftest import ValkeyServer


@pytest.fixture
def environment(valkey_server: ValkeyServer, tmp_path: Path) -> dict[str, str]:
    return {
        "VANGNET_REDIS": valkey_server.url,
        "VANGNET_KEYS": str(tmp_path / "keys"),
        "VANGNET_DATA": str(tmp_path / "var"),
        "VANGNET_MODEL": "ngram",
        "VANGNET_WEB_PORT": "0",
        "VANGNET_WORKER_PORT": "0",
    }


def run(environment: Mapping[str, str], *arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, env=environment)


def test_a_healthy_installation(environment: dict[str, str]) -> None:
    """Status 0, every part once, in words and as JSON alike."""
    words, data = run(environment), run(environment, "--json")
    assert (words.exit_code, data.exit_code) == (0, 0), words.output
    told = json.loads(data.output)
    assert told["ok"] is True
    names = [check["name"] for check in told["checks"]]
    assert names == [
        *("python", "packages", "settings", "keys", "disk", "model"),
        *("store", "stream", "clock", "broker", "web port", "worker port"),
    ]
    assert [text[5:18].strip() for text in words.output.splitlines()] == names


def test_a_broken_part_is_status_1(environment: dict[str, str], tmp_path: Path) -> None:
    """One failure is enough, and its line says what to do."""
    (tmp_path / "keys").mkdir(mode=0o755)
    (tmp_path / "keys" / "text.key").write_text("")
    result = run(environment)
    assert result.exit_code == 1
    assert f"Do: chmod 700 {tmp_path / 'keys'}" in result.output
    assert json.loads(run(environment, "--json").output)["ok"] is False


def test_no_secret_is_shown(environment: dict[str, str]) -> None:
    """Neither of a server that answers nor of one that does not."""
    for url in (environment["VANGNET_REDIS"] + "?password=geheim1", "redis://:geheim2@127.0.0.1:1"):
        result = run({**environment, "VANGNET_REDIS": url})
        assert "geheim" not in result.output
    assert result.exit_code == 1
