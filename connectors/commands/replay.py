"""`vangnet replay`: the demo school's pupils start to type."""

import asyncio
import json
import signal

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from connectors.door import open_door
from connectors.replay.conversations import schedule
from connectors.replay.player import ReplaySummary, play
from connectors.replay.school import load_school
from pipeline.intake import ReceiptStatus
from pipeline.settings import load_settings


@click.command("replay")
@click.option(
    "--pace", type=click.FloatRange(0, 3600), default=1.0, show_default=True, help="Seconds between two messages."
)
@click.option("--once", is_flag=True, help="Play what is left without pauses.")
@click.option("--json", "as_json", is_flag=True, help="Print this run's figures as one JSON object.")
def command(pace: float, *, once: bool, as_json: bool) -> None:
    """Play the demo school's conversations into the intake.

    Whole conversations of the corpus, as if pupils typed them, in six groups of which five are opted in. An interrupted
    replay goes on exactly where it was; after the last conversation it stops.
    """
    summary = asyncio.run(_run(0.0 if once else pace))
    figures = {
        "first": summary.first,
        "played": summary.played,
        "total": summary.total,
        **{status.value: summary.receipts[status] for status in ReceiptStatus},
        "finished": summary.finished,
    }
    if as_json:
        click.echo(json.dumps(figures))
    click.echo(_told(summary), err=True)


async def _run(pace: float) -> ReplaySummary:
    stream = schedule(load_school())
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stop.set)
    columns = (TextColumn("replaying"), BarColumn(), MofNCompleteColumn())
    async with open_door(load_settings()) as door:
        console = Console(stderr=True)
        # Beside the other processes of a demo only a terminal of its own gets a bar.
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task("replaying", total=len(stream))
            return await play(
                stream, door, pace=pace, stop=stop, on_batch=lambda part, _: progress.advance(task, len(part))
            )


def _told(summary: ReplaySummary) -> str:
    if summary.total == summary.first:
        return "replay: every conversation was told before; empty the data folder to begin anew"
    if summary.finished:
        return f"replay: the last conversation is told ({summary.total} messages)"
    return f"replay: stopped after message {summary.first + summary.played} of {summary.total}; it goes on from there"
