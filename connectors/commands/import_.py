"""`vangnet import`: reads a WhatsApp export into the same intake as every other message."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from connectors.door import open_door
from connectors.whatsapp_export.headers import DateOrder
from connectors.whatsapp_export.importing import (
    ImportSummary,
    count_export,
    describe,
    find_open_group,
    import_export,
)
from connectors.whatsapp_export.parse import Export, open_export
from pipeline.settings import load_settings


@click.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--group", "group_id", required=True, metavar="ID", help="Group in the ledger; see `vangnet groups list`."
)
@click.option(
    "--day-first", "order", flag_value=DateOrder.DAY_FIRST.value, help="Dates are written as Dutch phones do."
)
@click.option(
    "--month-first", "order", flag_value=DateOrder.MONTH_FIRST.value, help="Dates are written as American phones do."
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON object.")
@click.option("--dry-run", is_flag=True, help="Only read the file and count; hand nothing in.")
def command(path: Path, group_id: str, order: str | None, *, as_json: bool, dry_run: bool) -> None:
    """Read a WhatsApp export (.txt or .zip) of an opted-in group.

    PATH is the file that WhatsApp made with "Export chat" ("Chat exporteren"), in Dutch or English, on Android or
    iPhone. Whether day or month stands first is found by evidence in the file; where there is none you are asked. An
    interrupted import goes on where it was; messages that were read before are told as repeats.
    """
    export, summary = asyncio.run(_run(path, group_id, DateOrder(order) if order else None, dry_run=dry_run))
    figures = {**describe(export, summary), "dry_run": dry_run}
    click.echo(json.dumps(figures, ensure_ascii=False) if as_json else _table(figures))


async def _run(path: Path, group_id: str, order: DateOrder | None, *, dry_run: bool) -> tuple[Export, ImportSummary]:
    if dry_run:
        export = open_export(path, order)
        with _progress(export) as on_progress:
            return export, count_export(export, on_progress)
    # The file first: a wrong one is told without a store.
    export = open_export(path, order)
    async with open_door(load_settings()) as door:
        group = await find_open_group(door, group_id)
        with _progress(export) as on_progress:
            return export, await import_export(export, group, door, on_progress)


@contextmanager
def _progress(export: Export) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn("importing"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("importing", total=export.headers)
        yield lambda number: progress.update(task, completed=number)


def _table(figures: dict[str, object]) -> str:
    rows = [
        ("messages in the file", figures["messages"]),
        ("accepted", figures["accepted"]),
        ("repeats", figures["repeated"]),
        ("refused", figures["refused"]),
        ("invalid", figures["invalid"]),
        ("too long, for a person", figures["parked"]),
        ("taken in by an earlier run", figures["earlier"]),
        ("system events", figures["system_events"]),
    ]
    lines = [f"{name:<28}{number:>8}" for name, number in rows]
    lines.append(f"read as {figures['phone']}, {figures['date_order']}; {figures['provenance']}")
    notes = figures["notes"]
    if isinstance(notes, list):
        lines += [f"note: {note}" for note in notes]
    if figures["dry_run"]:
        lines.append("dry run: nothing was handed in")
    return "\n".join(lines)
