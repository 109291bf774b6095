"""The command `vangnet`: every package brings its subcommands by entry point, see `lazy`."""

import sys
from typing import Any

import click

from classifiers.errors import ClassifierError
from pipeline.commands.lazy import LazyGroup
from pipeline.errors import VangnetError


class _Vangnet(LazyGroup):
    """Tells an error of ours as one clear sentence and a status instead of a stack trace."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  # click's own signature
        try:
            return super().invoke(ctx)
        except (VangnetError, ClassifierError) as error:
            click.echo(f"vangnet: {error}", err=True)
            sys.exit(1)


@click.group(cls=_Vangnet, entry_group="vangnet.commands", context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="vangnet", prog_name="vangnet")
def main() -> None:
    """Vangnet: a safety net under class-group chats. A person decides, always."""
