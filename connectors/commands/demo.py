"""`vangnet demo`: the whole product with a demo school whose pupils type, in one command."""

import asyncio
import json
import os
import secrets
import sys
import time
from pathlib import Path

import click

from connectors.replay.school import DemoSchool, load_school
from pipeline.commands.up import stop_on_signal
from pipeline.counters import Counters, Totals
from pipeline.errors import StoreError, SupervisorError
from pipeline.groups import GroupLedger, GroupOptIn
from pipeline.log import set_up_logging
from pipeline.privacy import Keyring
from pipeline.product import absolute, free_port, running_product
from pipeline.review.census import Census, take_census
from pipeline.settings import Settings, load_settings
from pipeline.supervisor import ChildSpec, Supervisor, vangnet_command
from pipeline.valkey import connect

ACCOUNTS = "demo_accounts.json"
"""In the data folder, mode 600: the demo accounts' passwords, made at the first start."""
STALL_SECONDS = 120.0
"""A demo in which no figure moves for so long has failed."""


@click.command("demo")
@click.option("--once", is_flag=True, help="Play everything without pauses, check that the figures add up, and stop.")
@click.option("--json", "as_json", is_flag=True, help="With --once: print the figures as one JSON object.")
@click.option(
    "--pace", type=click.FloatRange(0.05, 60), default=1.0, show_default=True, help="Seconds between two messages."
)
def command(*, once: bool, as_json: bool, pace: float) -> None:
    """Run Vangnet with a demo school on this machine, until Ctrl-C.

    Six invented class groups, five of them opted in; a teacher, two mentors and a manager. Started again, the demo goes
    on where it was; empty the data folder to begin anew.
    """
    if as_json and not once:
        raise click.UsageError("--json goes with --once")
    set_up_logging("vangnet")
    settings = absolute(load_settings())
    if once:
        # Nobody looks at the pages; free ports let it run beside anything.
        settings = settings.model_copy(update={"web_port": free_port(), "worker_port": free_port()})
        sys.exit(asyncio.run(_once(settings, as_json=as_json)))
    asyncio.run(_run(settings, pace))


async def _run(settings: Settings, pace: float) -> None:
    stop = stop_on_signal()
    school = load_school()
    async with running_product(settings, restart=False, tell=_tell) as supervisor:
        accounts = await _set_up(settings, school)
        _tell(f"\n{school.name} is open: http://{settings.web_host}:{settings.web_port}\n")
        for user in school.users:
            _tell(f"  {user.role:<8} {user.name:<10} password {accounts[user.name]:<18} ({user.display_name})")
        _tell("\nPupils are typing; flags come to the mentors' queue by themselves. Ctrl-C stops everything.\n")
        await supervisor.start(_replay(settings, "--pace", str(pace)))
        await supervisor.run_until(stop.wait())


async def _once(settings: Settings, *, as_json: bool) -> int:
    started = time.monotonic()
    stop = stop_on_signal()
    async with running_product(settings, restart=False, tell=_tell) as supervisor:
        await _set_up(settings, load_school())
        await supervisor.start(_replay(settings, "--once"))
        finish = asyncio.create_task(_finish(settings, supervisor))
        stopped = asyncio.create_task(stop.wait())
        try:
            await supervisor.run_until(asyncio.wait({finish, stopped}, return_when=asyncio.FIRST_COMPLETED))
            if not finish.done():
                _tell("stopped before the end; start again to go on")
                return 1
            totals, census = finish.result()
        finally:
            finish.cancel()
            stopped.cancel()
            await asyncio.gather(finish, stopped, return_exceptions=True)
    figures = demo_figures(totals, census, time.monotonic() - started)
    if as_json:
        click.echo(json.dumps(figures))
    else:
        for name, value in figures.items():
            click.echo(f"{name:<16} {value}")
    return 1 if figures["problems"] else 0


def demo_figures(totals: Totals, census: Census, seconds: float) -> dict[str, object]:
    """The figures of a demo, and in `problems` one sentence for each sum that does not hold."""
    problems = totals.disagreements()
    if totals.waiting > 0:
        problems.append(f"{totals.waiting} accepted messages were not judged")
    if census.flags != totals.flagged:
        problems.append(f"{totals.flagged} messages were flagged but the review store holds {census.flags} flags")
    if census.parked != totals.parked:
        problems.append(f"{totals.parked} messages were parked but the review store lists {census.parked}")
    return {
        "received": totals.received,
        "refused": totals.refused,
        "repeated": totals.repeated,
        "invalid": totals.invalid,
        "accepted": totals.accepted,
        "scored": totals.scored,
        "flagged": totals.flagged,
        "flagged_labels": dict(totals.flagged_labels),
        "flagged_clauses": dict(totals.flagged_clauses),
        "parked": totals.parked,
        "flags_in_store": census.flags,
        "seconds": round(seconds, 2),
        "problems": problems,
    }


async def _finish(settings: Settings, supervisor: Supervisor) -> tuple[Totals, Census]:
    """Wait until all that was played is judged and stored."""
    redis = await connect(settings)
    try:
        await supervisor.ended("replay")
        last, moved = None, time.monotonic()
        while True:
            totals, census = await Counters(redis).totals(), await take_census(redis)
            if totals.waiting == 0 and census.flags >= totals.flagged and census.parked >= totals.parked:
                return totals, census
            if (totals, census) != last:
                last, moved = (totals, census), time.monotonic()
            elif time.monotonic() - moved > STALL_SECONDS:
                raise SupervisorError(
                    f"nothing moved for {STALL_SECONDS:.0f} s, {totals.waiting} messages wait; see `vangnet doctor`"
                )
            await asyncio.sleep(0.1)
    finally:
        await redis.aclose()


def _replay(settings: Settings, *options: str) -> ChildSpec:
    return ChildSpec(
        "replay",
        vangnet_command("replay", *options),
        ends=True,
        environment={"VANGNET_DATA": str(settings.data), "VANGNET_KEYS": str(settings.keys)},
    )


async def _set_up(settings: Settings, school: DemoSchool) -> dict[str, str]:
    """Open the demo school's groups and accounts where they are not there yet; returns the passwords."""
    redis = await connect(settings)
    try:
        ledger = GroupLedger(redis, Keyring.open(settings.keys))
        for group in school.groups:
            if group.opted_in and await ledger.by_platform(group.platform, group.platform_group) is None:
                await ledger.add(
                    GroupOptIn(
                        name=group.name,
                        platform=group.platform,
                        platform_group=group.platform_group,
                        teacher=group.teacher,
                        purpose=group.purpose,
                        mentors=group.mentors,
                    )
                )
    finally:
        await redis.aclose()
    return await _open_accounts(settings, school)


async def _open_accounts(settings: Settings, school: DemoSchool) -> dict[str, str]:
    path = settings.data / ACCOUNTS
    passwords = read_passwords(path)
    known = {user["name"] for user in json.loads(await _vangnet(settings, "users", "list", "--json"))}
    for user in school.users:
        password = passwords.setdefault(user.name, secrets.token_urlsafe(9))
        # Written before the account is made: a kill in between leaves no account that nobody can enter.
        write_private(path, json.dumps(passwords, indent=1))
        if user.name not in known:
            await _vangnet(settings, "users", "add", user.name, "--role", user.role, "--password-stdin", stdin=password)
    return passwords


async def _vangnet(settings: Settings, *arguments: str, stdin: str = "") -> str:
    """Run a subcommand of another package: connectors and dashboards do not know each other's code."""
    process = await asyncio.create_subprocess_exec(
        *vangnet_command(*arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "VANGNET_DATA": str(settings.data), "VANGNET_KEYS": str(settings.keys)},
    )
    answer, _ = await process.communicate(stdin.encode() + b"\n")
    if process.returncode:
        raise SupervisorError(
            f"`vangnet {' '.join(arguments[:2])}` ended with status {process.returncode}; its own line says why"
        )
    return answer.decode()


def read_passwords(path: Path) -> dict[str, str]:
    """The demo accounts' passwords by name; none before the first start.

    Raises:
        StoreError: The file is damaged or cannot be read.
    """
    try:
        passwords: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise StoreError(f"{path} cannot be read; empty the data folder to begin the demo anew") from error
    return passwords


def write_private(path: Path, text: str) -> None:
    """Replace a file that only its owner reads, as a whole: a full disk leaves the one of before.

    Raises:
        StoreError: It cannot be written.
    """
    draft = path.with_suffix(".new")
    try:
        draft.touch(mode=0o600)
        draft.chmod(0o600)
        draft.write_text(text)
        draft.replace(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be written ({error.strerror}). Free space, or set VANGNET_DATA") from error


def _tell(line: str) -> None:
    click.echo(line, err=True)
