"""A click group whose subcommands are found by entry point and loaded only when used.

A package adds a command with one file and one line in pyproject.toml, and a command that is not used costs nothing.
"""

from importlib.metadata import EntryPoint, entry_points
from typing import Any

import click


class LazyGroup(click.Group):
    """Subcommands from the entry points of one group; give its name as `entry_group`."""

    def __init__(self, *args: Any, entry_group: str, **kwargs: Any) -> None:  # noqa: ANN401  # click's own signature
        super().__init__(*args, **kwargs)
        self._entry_group = entry_group

    def _found(self) -> dict[str, EntryPoint]:
        return {entry.name: entry for entry in entry_points(group=self._entry_group)}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the subcommands, in order of the alphabet."""
        return sorted(self._found())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a subcommand."""
        entry = self._found().get(cmd_name)
        if entry is None:
            return None
        command: click.Command = entry.load()
        return command
