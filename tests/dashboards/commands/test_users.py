"""`vangnet users`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dashboards.commands.users import command
from pipeline.errors import VangnetError
from tests.conftest import ValkeyServer

PASSWORD = "vangnet-proef-1"
Run = Callable[..., Result]


@pytest.fixture
def run(valkey_server: ValkeyServer, tmp_path: Path) -> Run:
    """Run the command on a real server."""
    environment = {
        "VANGNET_REDIS": valkey_server.url,
        "VANGNET_DATA": str(tmp_path / "var"),
        "VANGNET_KEYS": str(tmp_path / "keys"),
    }

    def invoke(*arguments: str, typed: str | None = None) -> Result:
        return CliRunner().invoke(command, arguments, input=typed, env=environment)

    return invoke


def test_a_user_is_added_and_listed_without_the_hash(run: Run) -> None:
    """The password comes from standard input and is shown nowhere."""
    added = run("add", "Anna", "--role", "mentor", "--password-stdin", typed=f"{PASSWORD}\n")
    assert (added.exit_code, added.output) == (0, "User anna added as mentor.\n")
    run("add", "docent", "--role", "teacher", "--password-stdin", typed=PASSWORD)
    users = json.loads(run("list", "--json").output)
    assert [(user["name"], user["role"]) for user in users] == [("anna", "mentor"), ("docent", "teacher")]
    assert set(users[0]) == {"name", "role", "created_at", "changed_at"}
    listed = run("list").output
    assert "anna" in listed
    assert "argon2" not in listed


def test_a_user_gets_a_new_password(run: Run) -> None:
    """Reset names the user and what ended."""
    run("add", "anna", "--role", "mentor", "--password-stdin", typed=PASSWORD)
    done = run("reset", "ANNA", "--password-stdin", typed="een-ander-wachtwoord")
    assert done.exit_code == 0
    assert "sessions of this user have ended" in done.output


@pytest.mark.parametrize(
    ("arguments", "typed", "told"),
    [
        (("add", "anna", "--role", "mentor", "--password-stdin"), "kort", "at least 10"),
        (("add", "a b", "--role", "mentor", "--password-stdin"), PASSWORD, "user name"),
        (("add", "anna", "--role", "mentor"), "", "--password-stdin"),
        (("reset", "niemand", "--password-stdin"), PASSWORD, "vangnet users list"),
    ],
)
def test_what_cannot_be_done_says_what_to_do(run: Run, arguments: tuple[str, ...], typed: str, told: str) -> None:
    """Each refusal is one sentence of ours, which the command prints."""
    refused = run(*arguments, typed=typed)
    assert refused.exit_code != 0
    assert isinstance(refused.exception, VangnetError)
    assert told in str(refused.exception)
    assert PASSWORD not in str(refused.exception)


def test_only_known_roles_are_taken(run: Run) -> None:
    """A mistyped role lists the real ones."""
    refused = run("add", "anna", "--role", "baas", "--password-stdin", typed=PASSWORD)
    assert refused.exit_code == 2
    assert "mentor" in refused.output
