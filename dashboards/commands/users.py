"""`vangnet users`: who may sign in to the pages."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

import click

from dashboards.access import Role
from dashboards.accounts import SHORTEST_PASSWORD, Account, Accounts
from dashboards.errors import AccountError
from pipeline.settings import load_settings
from pipeline.valkey import connect

T = TypeVar("T")

_PASSWORD = click.option(
    "--password-stdin", is_flag=True, help="Read the password from the first line of standard input."
)


@click.group("users")
def command() -> None:
    """Add users of the pages, list them, give a new password."""


@command.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True, help="What the user may see.")
@_PASSWORD
def add(name: str, role: str, *, password_stdin: bool) -> None:
    """Add the user NAME."""
    password = _password(from_stdin=password_stdin)
    account = _with_accounts(lambda accounts: accounts.add(name, Role(role), password))
    click.echo(f"User {account.name} added as {account.role}.")


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
def list_users(*, as_json: bool) -> None:
    """List all users."""
    users = _with_accounts(lambda accounts: accounts.list())
    if as_json:
        click.echo(json.dumps([_shown(account) for account in users]))
        return
    for account in users:
        shown = _shown(account)
        click.echo(f"{shown['name']:<40} {shown['role']:<8} password of {shown['changed_at'][:10]}")


@command.command("reset")
@click.argument("name")
@_PASSWORD
def reset(name: str, *, password_stdin: bool) -> None:
    """Give the user NAME a new password; all sessions of this user end."""
    password = _password(from_stdin=password_stdin)
    account = _with_accounts(lambda accounts: accounts.reset(name, password))
    click.echo(f"User {account.name} has a new password; sessions of this user have ended.")


def _with_accounts(act: Callable[[Accounts], Awaitable[T]]) -> T:
    async def run() -> T:
        redis = await connect(load_settings())
        try:
            return await act(Accounts(redis))
        finally:
            await redis.aclose()

    return asyncio.run(run())


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        msg = "There is no terminal to ask for a password. Give it on standard input with --password-stdin."
        raise AccountError(msg)
    password: str = click.prompt(
        f"Password (at least {SHORTEST_PASSWORD} characters)", hide_input=True, confirmation_prompt=True
    )
    return password


def _shown(account: Account) -> dict[str, str]:
    """All but the hash and the generation."""
    return {
        "name": account.name,
        "role": account.role,
        "created_at": datetime.fromtimestamp(account.created_at, UTC).isoformat(timespec="seconds"),
        "changed_at": datetime.fromtimestamp(account.changed_at, UTC).isoformat(timespec="seconds"),
    }
