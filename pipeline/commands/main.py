"""The command `vangnet`: a group whose subcommands are found by entry point and loaded only when used.

So `vangnet score` never imports the web app, and a package adds a command with one file and one line in pyproject.toml.
"""

import sys
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import click

from classifiers.errors import ClassifierError
from pipeline.errors import VangnetError

GROUP = "vangnet.commands"


class _Commands(click.Group):
    """Subcommands from the entry points, in the order of pyproject.toml."""

    def _found(self) -> dict[str, EntryPoint]:
        return {entry.name: entry for entry in entry_points(group=GROUP)}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self._found())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self._found().get(cmd_name)
        if entry is None:
            return None
        command: click.Command = entry.load()
        return command

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  # click's own signature
        try:
            return super().invoke(ctx)
        except (VangnetError, ClassifierError) as error:
            # One clear sentence and a status instead of a stack trace.
            click.echo(f"vangnet: {error}", err=True)
            sys.exit(1)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="vangnet", prog_name="vangnet")
def main() -> None:
    """Vangnet: a safety net under class-group chats. A person decides, always."""
