"""`vangnet worker`: one process that scores what intake accepted and fills the review queue."""

import asyncio
import logging
from typing import TYPE_CHECKING

import click

from pipeline.errors import SettingsError
from pipeline.product import check_port
from pipeline.publisher import open_publisher
from pipeline.settings import Settings, load_settings
from pipeline.valkey import connect

if TYPE_CHECKING:
    from classifiers.engine import Scorer


@click.command("worker")
@click.option("--verbose", is_flag=True, help="Show what Faust says too.")
def command(*, verbose: bool) -> None:
    """Score accepted messages and lay flags before the mentors.

    Settings come from VANGNET_... (see the README). On Redis one worker runs at a time, another waits for its lease;
    on Kafka start as many as there are partitions.
    """
    from pipeline.log import set_up_logging  # noqa: PLC0415

    set_up_logging("worker", verbose=verbose)
    settings = load_settings()
    check_port(settings.worker_host, settings.worker_port, "VANGNET_WORKER_PORT", "the worker's /metrics")
    _make_folder(settings)
    asyncio.run(_check(settings))

    from classifiers.engine import open_scorer  # noqa: PLC0415  # only now what takes seconds to load
    from classifiers.staged import Shortcuts  # noqa: PLC0415

    shortcuts = Shortcuts(
        context_memory=settings.context_memory, repeats=settings.repeats, first_stage=settings.first_stage
    )
    run_worker(settings, open_scorer(settings.model, shortcuts=shortcuts))


def run_worker(settings: Settings, scorer: "Scorer") -> None:
    """Run a worker in this process until it is told to stop; ends the process.

    Args:
        settings: Of a store and a broker that are there.
        scorer: The classifiers, loaded.
    """
    import faust  # noqa: PLC0415

    from pipeline.app import build_app  # noqa: PLC0415
    from pipeline.services import open_services  # noqa: PLC0415

    services = open_services(settings, scorer)
    logging.getLogger(__name__).info("ready to score with %s", services.scoring.version)
    app = build_app(services)
    worker = faust.Worker(app, loglevel="WARN", override_logging=False, redirect_stdouts=False, quiet=True)
    worker.spinner = None  # its control characters come out even where there is no terminal
    worker.execute_from_commandline()


def _make_folder(settings: Settings) -> None:
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"the data folder {settings.data} cannot be made ({error.strerror}). Set VANGNET_DATA to one that can"
        ) from error


async def _check(settings: Settings) -> None:
    """Say what is wrong with store or broker in one sentence, before anything large is loaded."""
    client = await connect(settings)
    try:
        async with open_publisher(settings, client) as publisher:
            await publisher.prepare()
    finally:
        await client.aclose()
