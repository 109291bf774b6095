"""`vangnet bench pipeline`: how much, how fast and how large, beside what is aimed at."""

import asyncio
import json
from dataclasses import asdict, dataclass

import click
from rich.console import Console

from pipeline.bench.measure import BareLoop, Latency, Throughput, bare_loop, latency, resident, throughput
from pipeline.bench.school import bench_school
from pipeline.log import set_up_logging

RATE = 5000.0
"""Messages a second that the pipeline without the classifier is to carry on two cores."""
P95 = 250.0
"""Milliseconds within which one message alone is to be in the queue, 95 times of 100."""
WORKER_BYTES = 1.2e9
WEB_BYTES = 200e6


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that was measured."""

    bare: BareLoop
    throughput: Throughput
    latency: Latency
    worker_bytes: int
    web_bytes: int


@click.command("pipeline")
@click.option("--messages", type=click.IntRange(500), default=20_000, show_default=True, help="To send through.")
@click.option("--groups", type=click.IntRange(1, 500), default=40, show_default=True, help="Class groups they are of.")
@click.option("--alone", type=click.IntRange(1), default=100, show_default=True, help="Messages sent one by one.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON object on the last line.")
def command(messages: int, groups: int, alone: int, *, as_json: bool) -> None:
    """Measure the pipeline on this machine, with a store of its own that is erased afterwards.

    The throughput is measured with a classifier that looks at nothing and flags 2 %, the latency and the memory with
    the shipped one. Other programs on the machine count: compare the ratio and the CPU-seconds before the rates.
    """
    set_up_logging("bench")
    found = asyncio.run(_measure(messages, groups, alone))
    for line in told(found):
        click.echo(line)
    if as_json:
        click.echo(json.dumps(figures(found)))


async def _measure(messages: int, groups: int, alone: int) -> Findings:
    console = Console(stderr=True)
    with console.status("starting a Valkey server") as status:
        async with bench_school(groups) as school:
            status.update("reading in a bare loop: the limit")
            bare = await bare_loop(school, messages)
            status.update("sending through a worker whose classifier looks at nothing")
            through = await throughput(school, messages)
            status.update("sending one by one through the shipped classifier")
            settings = school.settings
            worker = await school.start(["-m", "pipeline", "worker"], settings.worker_port, "/metrics")
            web = await school.start(["-m", "pipeline", "web"], settings.web_port, "/health")
            single = await latency(school, alone)
            return Findings(bare, through, single, resident(worker), resident(web))


def told(found: Findings) -> list[str]:
    """The figures as lines for people."""
    bare, through, single = found.bare, found.throughput, found.latency
    return [
        f"bare loop        {bare.rate:>9,.0f} messages/s ({bare.cpu:.2f} CPU-s for {bare.messages:,})",
        f"pipeline         {through.rate:>9,.0f} messages/s, {_beside(through.rate >= RATE)} {RATE:,.0f}; "
        f"{through.rate / bare.rate:.3f} of the bare loop; {through.cpu_rate:,.0f} messages a CPU-second",
        f"  CPU-seconds      intake {through.intake_cpu:.2f}, worker {through.worker_cpu:.2f}, store "
        f"{through.store_cpu:.2f} for {through.messages:,} messages, {through.flagged:,} flagged, in "
        f"{through.seconds:.2f} s (let in after {through.intake_seconds:.2f} s)",
        f"one alone        {single.p50:>9.0f} ms p50, {single.p95:.0f} ms p95, {single.longest:.0f} ms at most "
        f"({single.messages} times), {_beside(single.p95 <= P95)} {P95:.0f} ms p95",
        f"worker           {found.worker_bytes / 1e6:>9,.0f} MB resident, "
        f"{_beside(found.worker_bytes < WORKER_BYTES)} {WORKER_BYTES / 1e6:,.0f} MB",
        f"web              {found.web_bytes / 1e6:>9,.0f} MB resident, "
        f"{_beside(found.web_bytes < WEB_BYTES)} {WEB_BYTES / 1e6:,.0f} MB",
    ]


def figures(found: Findings) -> dict[str, object]:
    """The figures for programs: what was measured, what is aimed at and whether it was reached."""
    through = found.throughput
    reached = {
        "rate": through.rate >= RATE,
        "p95_ms": found.latency.p95 <= P95,
        "worker_bytes": found.worker_bytes < WORKER_BYTES,
        "web_bytes": found.web_bytes < WEB_BYTES,
    }
    derived = {"rate": through.rate, "cpu_rate": through.cpu_rate, "of_bare": through.rate / found.bare.rate}
    targets = {"rate": RATE, "p95_ms": P95, "worker_bytes": WORKER_BYTES, "web_bytes": WEB_BYTES}
    return {**asdict(found), "derived": derived, "targets": targets, "reached": reached}


def _beside(reached: bool) -> str:  # one word out, one fact in
    return "reached:" if reached else "MISSED:"
