"""The README names what there is: whoever reads it misses no setting, command, connector or clause file."""

from importlib.metadata import entry_points
from pathlib import Path

import pytest

from connectors.registry import CONNECTORS
from pipeline.settings import Settings

REPOSITORY = Path(__file__).parents[2]
README = (REPOSITORY / "README.md").read_text("utf-8")


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_in_the_readme(name: str) -> None:
    """A school finds each setting without reading code."""
    assert f"`VANGNET_{name.upper()}`" in README


@pytest.mark.parametrize("name", sorted(entry.name for entry in entry_points(group="vangnet.commands")))
def test_every_command_is_in_the_readme(name: str) -> None:
    """Each subcommand is named with what it is for."""
    assert f"`vangnet {name}`" in README


@pytest.mark.parametrize("name", [connector.name for connector in CONNECTORS])
def test_every_connector_is_in_the_readme(name: str) -> None:
    """Each connector is named with what it reads."""
    assert f"| `{name}` |" in README


def test_every_path_in_the_readme_exists() -> None:
    """A file or folder that the README points at is there."""
    quoted = [part for part in README.split("`")[1::2] if "/" in part and " " not in part and "\n" not in part]
    paths = [
        part
        for part in quoted
        if part.split("/")[0] in {"classifiers", "pipeline", "connectors", "dashboards", "tests"}
    ]
    assert len(paths) >= 5
    assert [path for path in paths if not (REPOSITORY / path).exists()] == []
