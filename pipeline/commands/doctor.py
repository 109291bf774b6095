"""`vangnet doctor`: is everything there that Vangnet needs? One line each, with what to do."""

import json
import logging
import os
import sys
from dataclasses import asdict

import click

from pipeline.doctor import Check, Verdict, examine


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(*, as_json: bool) -> None:
    """Check configuration, keys, store, broker, model, disk, ports and clock.

    Changes nothing. Exit status 1 when something fails.
    """
    # What a client library thinks of a broker that is away is told in our own words.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    checks = []
    for check in examine(os.environ):
        checks.append(check)
        if not as_json:
            click.echo(line(check))
    failed = sum(check.verdict is Verdict.FAIL for check in checks)
    if as_json:
        click.echo(json.dumps({"ok": failed == 0, "checks": [asdict(check) for check in checks]}))
    sys.exit(1 if failed else 0)


def line(check: Check) -> str:
    """One check as a line for people."""
    todo = f" -> {check.todo}" if check.todo else ""
    return f"{check.verdict:<5}{check.name:<13}{check.found}{todo}"
