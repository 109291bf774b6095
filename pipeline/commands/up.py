"""`vangnet up`: the product without demo data, until Ctrl-C."""

import asyncio
import contextlib
import signal

import click

from pipeline.log import set_up_logging
from pipeline.product import absolute, running_product
from pipeline.settings import load_settings


@click.command("up")
def command() -> None:
    """Run store, worker and pages on this machine.

    A process that dies is started again. Add users with `vangnet users add`, groups with `vangnet groups add`.
    """
    set_up_logging("vangnet")
    asyncio.run(_run())


async def _run() -> None:
    settings = absolute(load_settings())
    stop = stop_on_signal()
    async with running_product(settings, restart=True, tell=lambda line: click.echo(line, err=True)) as supervisor:
        click.echo(f"Vangnet runs: http://{settings.web_host}:{settings.web_port} (Ctrl-C stops it)", err=True)
        with contextlib.suppress(asyncio.CancelledError):
            await supervisor.run_until(stop.wait())


def stop_on_signal() -> asyncio.Event:
    """An event that Ctrl-C or SIGTERM sets."""
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    return stop
