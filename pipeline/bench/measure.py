"""The measurements: throughput beside a bare loop, one message alone, and memory."""

import asyncio
import contextlib
import random
import statistics
import time
from dataclasses import dataclass
from typing import Any, cast

import psutil
from redis.asyncio import Redis

from pipeline.bench.school import BenchSchool
from pipeline.counters import Counters
from pipeline.errors import SupervisorError
from pipeline.privacy import Keyring
from pipeline.review.census import take_census
from pipeline.review.layout import key
from pipeline.review.store import ReviewStore

BATCH = 500
"""Messages handed to intake at once, and entries read at once in the bare loop."""
RECORD_BYTES = 300
"""About what a sealed message takes on its topic."""
_ROUNDS = 10
"""How often the bare loop reads everything; once would be too short to time."""
_STALL_SECONDS = 120.0
_ALONE = "ik weet waar je woont, morgen sla ik je helemaal in elkaar en dan maak ik je dood"
"""A threat that any classifier of ours flags."""


@dataclass(frozen=True, slots=True)
class Throughput:
    """Messages through intake, agents and store."""

    messages: int
    flagged: int
    seconds: float
    intake_seconds: float
    """Until the last message was let in; the worker runs meanwhile."""
    intake_cpu: float
    """CPU-seconds, of this process."""
    worker_cpu: float
    store_cpu: float

    @property
    def rate(self) -> float:
        """Messages a second, from the first at the door to the last flag in the queue."""
        return self.messages / self.seconds

    @property
    def cpu_rate(self) -> float:
        """Messages a CPU-second, of all processes together."""
        return self.messages / (self.intake_cpu + self.worker_cpu + self.store_cpu)


@dataclass(frozen=True, slots=True)
class BareLoop:
    """The limit: reading the same number of records of the same size, and doing nothing with them."""

    messages: int
    seconds: float
    cpu: float
    """CPU-seconds of this process and the server."""

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds


@dataclass(frozen=True, slots=True)
class Latency:
    """One message alone, from the door to the queue, in milliseconds."""

    messages: int
    p50: float
    p95: float
    longest: float


async def bare_loop(school: BenchSchool, number: int) -> BareLoop:
    """Write records to a stream of their own, then time reading them back."""
    name, redis = "bench:bare", school.redis
    payload = random.Random(1).randbytes(RECORD_BYTES)  # noqa: S311  # a filling
    for start in range(0, number, BATCH):
        async with redis.pipeline(transaction=False) as pipe:
            for _ in range(min(BATCH, number - start)):
                pipe.xadd(name, {"v": payload})
            await pipe.execute()
    began, before = time.perf_counter(), _cpu(psutil.Process()) + _cpu(school.server)
    last, read, wanted = b"0", 0, _ROUNDS * number
    while read < wanted:
        [(_, entries)] = cast("list[tuple[bytes, list[Any]]]", await redis.xread({name: last}, count=BATCH))
        read += len(entries)
        last = entries[-1][0] if read % number else b"0"
    seconds = time.perf_counter() - began
    cpu = _cpu(psutil.Process()) + _cpu(school.server) - before
    await redis.delete(name)
    return BareLoop(wanted, seconds, cpu)


async def throughput(school: BenchSchool, number: int) -> Throughput:
    """Send messages through a worker with the stand-in classifier, as fast as they go in."""
    port = school.settings.worker_port
    worker = await school.start(["-m", "pipeline.bench.stand_in"], port, "/metrics")
    await _through(school, BATCH)  # what is made at first use is not timed
    messages = school.messages(number)
    processes = (psutil.Process(), worker, school.server)
    before = [_cpu(process) for process in processes]
    flagged_before = (await take_census(school.redis)).flags
    began = time.perf_counter()
    for start in range(0, number, BATCH):
        await school.intake.accept(messages[start : start + BATCH])
    let_in = time.perf_counter() - began
    await _settled(school.redis)
    seconds = time.perf_counter() - began
    spent = [_cpu(process) - earlier for process, earlier in zip(processes, before, strict=True)]
    flagged = (await take_census(school.redis)).flags - flagged_before
    school.stop(worker)
    return Throughput(number, flagged, seconds, let_in, *spent)


async def latency(school: BenchSchool, number: int) -> Latency:
    """Send messages one by one to the running worker with the shipped classifier, each when the last is in the queue.

    Raises:
        SupervisorError: The classifier does not flag the message, or the worker ended.
    """
    store = ReviewStore(school.redis, Keyring.open(school.settings.keys))
    pause = random.Random(2)  # noqa: S311  # so that no timer of ours is met in step
    took = []
    async with contextlib.aclosing(store.changes()) as changes:
        await anext(changes)  # subscribed
        for _ in range(number + 3):
            await asyncio.sleep(pause.uniform(0.02, 0.12))
            began = time.perf_counter()
            [receipt] = await school.intake.accept(school.messages(1, _ALONE))
            try:
                async with asyncio.timeout(_STALL_SECONDS):
                    while not await school.redis.exists(key("flag", receipt.message_id or "")):
                        await anext(changes)
            except TimeoutError as error:
                msg = f"a message was not in the queue after {_STALL_SECONDS:.0f} s; the worker's lines may say why"
                raise SupervisorError(msg) from error
            took.append((time.perf_counter() - began) * 1000)
    took = took[3:]  # what is made at first use is not timed
    return Latency(number, statistics.median(took), _percentile(took, 95), max(took))


def resident(process: psutil.Process) -> int:
    """Bytes of memory that a process and its children hold."""
    return sum(int(one.memory_info().rss) for one in (process, *process.children(recursive=True)))


async def _through(school: BenchSchool, number: int) -> None:
    await school.intake.accept(school.messages(number))
    await _settled(school.redis)


async def _settled(redis: Redis) -> None:
    """Wait until everything let in is judged and every flag lies in the queue."""
    counters, last, moved = Counters(redis), None, time.monotonic()
    while True:
        totals = await counters.totals()
        if totals.waiting == 0:
            census = await take_census(redis)
            if census.flags >= totals.flagged:
                return
        if totals != last:
            last, moved = totals, time.monotonic()
        elif time.monotonic() - moved > _STALL_SECONDS:
            raise SupervisorError(f"nothing moved for {_STALL_SECONDS:.0f} s with {totals.waiting} messages waiting")
        await asyncio.sleep(0.01)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _percentile(values: list[float], percent: int) -> float:
    """The smallest value that so many percent do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
