"""`vangnet bench`: what each part reaches on this machine, beside what is aimed at."""

import click

from pipeline.commands.lazy import LazyGroup


@click.group("bench", cls=LazyGroup, entry_group="vangnet.bench")
def command() -> None:
    """Measure speed and memory on this machine."""
