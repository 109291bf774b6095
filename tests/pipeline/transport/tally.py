"""A small Faust app for the crash tests: notes numbers in a table and passes each on, as the product's agents do.

Run as `python tally.py URL FOLDER [WORK_SECONDS]`. It follows the delivery rules of the product: `noack_take`, outputs
awaited, acks in order, an escaped exception ends the process. While a file `raise` lies in the folder the agent raises
once, and removes it. After recovery the file `restored` tells how many numbers the table had.
"""

import asyncio
import logging
import sys
from pathlib import Path
from typing import Any, cast

import faust
from faust.types import StreamT
from faust.worker import Worker
from mode.supervisors import CrashingSupervisor
from yarl import URL

from pipeline.transport.redis import Transport

PARTITIONS = 2


def build_app(url: str, folder: Path, work_seconds: float) -> faust.App:
    app = faust.App(
        "tally",
        broker=[URL(url)],
        store="memory://",
        datadir=str(folder / "faust"),
        topic_partitions=PARTITIONS,
        web_enabled=False,
        broker_commit_interval=0.2,
        broker_max_poll_records=200,
        stream_buffer_maxsize=512,
        agent_supervisor=CrashingSupervisor,
    )
    numbers = app.topic("numbers", key_serializer="raw", value_serializer="raw")
    out = app.topic("out", key_serializer="raw", value_serializer="raw")
    seen = app.Table("seen", partitions=PARTITIONS, key_type=str, value_type=int, use_partitioner=True)
    trip = folder / "raise"

    @seen.on_recover
    async def note_restored() -> None:
        (folder / "restored").write_text(str(len(seen)))

    @app.agent(numbers, concurrency=1)
    async def note(stream: StreamT[bytes]) -> None:
        async for batch in cast("Any", stream).noack_take(32, within=0.01):
            await asyncio.sleep(work_seconds)
            if trip.exists():
                trip.unlink()
                msg = "asked to"
                raise RuntimeError(msg)
            sent = []
            for event in batch:
                seen[event.value.decode()] = 1
                sent.append(await out.send(key=event.key, value=event.value))
            await asyncio.gather(*sent)
            for event in batch:
                await cast("Any", stream).ack(event)

    return app


def main() -> None:
    url, folder, *rest = sys.argv[1:]
    Transport.patience_at_stop = 1.0
    app = build_app(url, Path(folder), float(rest[0]) if rest else 0.0)
    worker = Worker(app, loglevel=logging.INFO, quiet=False, redirect_stdouts=False)
    worker.execute_from_commandline()


if __name__ == "__main__":
    main()
