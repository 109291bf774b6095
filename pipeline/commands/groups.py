"""`vangnet groups`: opt class groups in and out, pause them, and suspend judging for a lesson."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from typing import TypeVar

import click
import msgspec
from rich.console import Console
from rich.table import Column, Table

from pipeline.errors import LedgerError
from pipeline.groups import SCHOOL_ZONE, Group, GroupLedger, GroupOptIn
from pipeline.privacy import Keyring
from pipeline.settings import load_settings
from pipeline.valkey import connect

T = TypeVar("T")

_GROUP = click.argument("group", metavar="GROUP")


@click.group("groups")
def command() -> None:
    """Opt class groups in and out. Only groups in this ledger are read.

    GROUP is a group's id as `vangnet groups list` shows it, or its beginning.
    """


@command.command("add")
@click.argument("name")
@click.option("--platform", required=True, help="The connector: whatsapp_export, matrix, ...")
@click.option("--id", "platform_group", required=True, help="The platform's id of the group.")
@click.option("--teacher", required=True, help="User name of the teacher who opts in.")
@click.option("--purpose", required=True, help="Why it is read, as told to pupils and parents.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Last day it is read; default 31 July.")
@click.option(
    "--mentor", "mentors", multiple=True, help="User name of a mentor who sees its flags; repeat for more. Default all."
)
def add(
    *,
    name: str,
    platform: str,
    platform_group: str,
    teacher: str,
    purpose: str,
    until: datetime | None,
    mentors: tuple[str, ...],
) -> None:
    """Opt in the group NAME."""
    opt_in = GroupOptIn(
        name=name,
        platform=platform,
        platform_group=platform_group,
        teacher=teacher,
        purpose=purpose,
        until=None if until is None else _end_of(until.date()),
        mentors=mentors,
    )
    group = _with_ledger(lambda ledger: ledger.add(opt_in))
    click.echo(f"{group.id} {group.name} is read until the end of {_last_day(group)}")


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON array, for programs.")
def list_groups(*, as_json: bool) -> None:
    """Show the groups in the ledger and their state."""
    groups = _with_ledger(lambda ledger: ledger.list())
    now = time.time()
    if as_json:
        records = [msgspec.to_builtins(group) | {"state": group.state(now).value} for group in groups]
        click.echo(msgspec.json.encode(records))
        return
    # An id is copied into the next command, so it is never cut; without a terminal nothing is.
    table = Table(
        Column("id", no_wrap=True), "name", "platform", "platform id", "teacher", "mentors", "until", "state", box=None
    )
    for group in groups:
        table.add_row(
            group.id,
            group.name,
            group.platform,
            group.platform_group,
            group.teacher,
            ", ".join(group.mentors) or "all",
            _last_day(group).isoformat(),
            group.state(now).value,
        )
    console = Console(markup=False)
    if not console.is_terminal:
        console.width = 240
    console.print(table)


@command.command("pause")
@_GROUP
def pause(group: str) -> None:
    """Stop reading; messages that arrive meanwhile are not kept."""
    found = _change(group, lambda ledger, identifier: ledger.pause(identifier))
    click.echo(f"{found.name} is paused")


@command.command("resume")
@_GROUP
def resume(group: str) -> None:
    """Read again, from now on."""
    found = _change(group, lambda ledger, identifier: ledger.resume(identifier))
    click.echo(f"{found.name} is read again")


@command.command("lesson")
@_GROUP
@click.option(
    "--minutes", type=click.IntRange(0, 24 * 60), default=50, show_default=True, help="How long; 0 ends it now."
)
def lesson(group: str, minutes: int) -> None:
    """Suspend judging for a lesson about social media (protocol 4.b)."""
    until = time.time() + minutes * 60
    found = _change(group, lambda ledger, identifier: ledger.lesson(identifier, until))
    end = datetime.fromtimestamp(until, SCHOOL_ZONE)
    click.echo(f"{found.name} is not judged until {end:%H:%M}" if minutes else f"{found.name} is judged again")


@command.command("remove")
@_GROUP
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(group: str, *, yes: bool) -> None:
    """Opt out: its waiting messages become unreadable and its context is erased, at once and for good."""
    if not yes:
        click.confirm(f"Opt out {group}? Its waiting messages cannot be read any more.", abort=True, err=True)
    found = _change(group, lambda ledger, identifier: ledger.remove(identifier))
    click.echo(f"{found.name} is opted out")


@asynccontextmanager
async def _open_ledger() -> AsyncIterator[GroupLedger]:
    settings = load_settings()
    redis = await connect(settings)
    try:
        yield GroupLedger(redis, Keyring.open(settings.keys))
    finally:
        await redis.aclose()


def _with_ledger(work: Callable[[GroupLedger], Awaitable[T]]) -> T:
    async def run() -> T:
        async with _open_ledger() as ledger:
            return await work(ledger)

    return asyncio.run(run())


def _change(beginning: str, change: Callable[[GroupLedger, str], Awaitable[object]]) -> Group:
    async def work(ledger: GroupLedger) -> Group:
        found = [group for group in await ledger.list() if beginning and group.id.startswith(beginning)]
        if len(found) != 1:
            what = "no group" if not found else f"{len(found)} groups"
            msg = f"The ledger holds {what} whose id begins with {beginning!r}. See: vangnet groups list"
            raise LedgerError(msg)
        await change(ledger, found[0].id)
        return found[0]

    return _with_ledger(work)


def _end_of(day: date) -> float:
    return datetime.combine(day + timedelta(days=1), time_of_day(), SCHOOL_ZONE).timestamp()


def _last_day(group: Group) -> date:
    return datetime.fromtimestamp(group.until - 1, SCHOOL_ZONE).date()
