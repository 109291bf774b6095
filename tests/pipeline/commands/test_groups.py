"""What `vangnet groups` promises: a whole life of a group from the command line."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipeline.commands.groups import command
from pipeline.errors import LedgerError, VangnetError
from tests.conftest import ValkeyServer

Run = Callable[..., Result]


@pytest.fixture
def run(valkey_server: ValkeyServer, tmp_path: Path) -> Run:
    """Run the command against a real server; an error of ours is raised, as `vangnet` prints it."""
    environment = {
        "VANGNET_REDIS": valkey_server.url,
        "VANGNET_KEYS": str(tmp_path / "keys"),
        "VANGNET_DATA": str(tmp_path / "var"),
    }

    def invoke(*arguments: str, typed: str | None = None) -> Result:
        result = CliRunner().invoke(command, arguments, env=environment, input=typed)
        if isinstance(result.exception, VangnetError):
            raise result.exception
        return result

    return invoke


def add(run: Run, *more: str) -> str:
    result = run(
        "add", "Klas 2B", "--platform", "demo", "--id", "2b", "--teacher", "docent.smit", "--purpose", "veilig", *more
    )
    assert result.exit_code == 0, result.output
    return result.output.split()[0]


def listed(run: Run) -> list[dict[str, object]]:
    groups: list[dict[str, object]] = json.loads(run("list", "--json").stdout)
    return groups


def test_a_group_lives_from_opt_in_to_opt_out(run: Run) -> None:
    """Add, pause, resume, lesson and remove, each seen in the list for programs."""
    group = add(run, "--mentor", "mentor.bakker")
    (shown,) = listed(run)
    assert (shown["id"], shown["name"], shown["teacher"], shown["state"]) == (group, "Klas 2B", "docent.smit", "active")
    assert (shown["platform_group"], shown["mentors"]) == ("2b", ["mentor.bakker"])
    for arguments, state in [
        (("pause", group[:8]), "paused"),
        (("resume", group), "active"),
        (("lesson", group, "--minutes", "45"), "lesson"),
        (("lesson", group, "--minutes", "0"), "active"),
    ]:
        assert "Klas 2B" in run(*arguments).stdout
        assert listed(run)[0]["state"] == state
    assert run("remove", group, "--yes").exit_code == 0
    assert listed(run) == []


def test_the_table_shows_what_a_person_needs(run: Run) -> None:
    """One line a group with its full id, so that it can be copied into the next command."""
    group = add(run)
    output = run("list").stdout
    assert all(word in output for word in (group, "Klas 2B", "docent.smit", "all", "active", "-07-31"))


def test_the_last_day_is_read_until_its_end(run: Run) -> None:
    """`--until` names a day that is still read."""
    year = time.gmtime().tm_year + 1
    assert f"until the end of {year}-03-05" in run(
        "add", "Klas 1A", "--platform", "demo", "--id", "1a", "--teacher", "t", "--purpose", "p",
        "--until", f"{year}-03-05",
    ).stdout  # fmt: skip


def test_opting_out_asks_first(run: Run) -> None:
    """Without `--yes` a person confirms; no answer means no."""
    group = add(run)
    assert run("remove", group, typed="n\n").exit_code != 0
    assert len(listed(run)) == 1
    assert run("remove", group, typed="y\n").exit_code == 0
    assert listed(run) == []


@pytest.mark.parametrize("group", ["ffffffff", ""])
def test_a_group_that_is_not_there_is_told_with_where_to_look(run: Run, group: str) -> None:
    """No change without exactly one group; an empty id is not every group."""
    add(run)
    with pytest.raises(LedgerError, match="vangnet groups list"):
        run("pause", group)
