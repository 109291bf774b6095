"""Every connector is in the list, and the list says only what is there."""

from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import connectors
from connectors.registry import CONNECTORS, find_connector


def test_every_connector_folder_is_listed() -> None:
    """A folder with a connector that the list forgot is found here."""
    folder = Path(connectors.__file__).parent
    packages = {path.parent.name for path in folder.glob("*/__init__.py")} - {"commands"}
    assert {connector.package.rpartition(".")[2] for connector in CONNECTORS} == packages


def test_every_listed_connector_is_there() -> None:
    """Package and command of every entry exist."""
    commands = {entry.name for entry in entry_points(group="vangnet.commands")}
    for connector in CONNECTORS:
        assert import_module(connector.package).__doc__
        assert connector.command in commands
        assert find_connector(connector.name) is connector


def test_an_unknown_connector_is_none() -> None:
    """A name that is not listed is not guessed."""
    assert find_connector("whatsapp") is None
