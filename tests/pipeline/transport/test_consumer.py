"""What the consumer decides without a broker: how far it may commit, and what it refuses."""

from collections.abc import Iterable
from functools import cache
from random import Random
from typing import Any, cast

import faust
import pytest
from faust.exceptions import ImproperlyConfigured
from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis
from yarl import URL

from pipeline.transport.consumer import Consumer
from pipeline.transport.errors import LeaseError
from pipeline.transport.lease import Lease
from pipeline.transport.redis import Transport
from pipeline.transport.streams import StoredRecord
from tests.conftest import ValkeyServer

HERE = TP("t", 0)


@cache
def make_app(guarantee: str = "at_least_once") -> faust.App:
    return faust.App("unit", broker=[URL("unix:///nowhere")], processing_guarantee=guarantee)


def make_consumer(committed: int = 0) -> Consumer:
    async def nothing(*_: object) -> None:
        """Stand in for Faust's callbacks."""

    app = make_app()
    consumer = cast(
        "Consumer",
        Transport([URL("unix:///nowhere")], app).create_consumer(
            nothing, on_partitions_revoked=nothing, on_partitions_assigned=nothing
        ),
    )
    consumer._committed_offset[HERE] = committed
    consumer._positions[HERE] = committed
    return consumer


def ack(consumer: Consumer, offsets: Iterable[int]) -> None:
    for offset in offsets:
        consumer._acked[HERE].append(offset)
        consumer._acked_index[HERE].add(offset)


def test_faust_finds_the_transport_by_the_scheme_of_its_url() -> None:
    """redis://, rediss:// and unix:// brokers all come here through the entry point."""
    for scheme in ("redis", "rediss", "unix"):
        assert isinstance(faust.App("unit", broker=[URL(f"{scheme}://host")]).transport, Transport)


def test_exactly_once_is_refused_in_plain_words() -> None:
    """An app that asks for more than the transport promises does not start."""
    app = make_app("exactly_once")
    transport = Transport([URL("unix:///nowhere")], app)
    for create in (transport.create_producer, lambda: transport.create_consumer(cast("Any", None))):
        with pytest.raises(ImproperlyConfigured, match="does not do processing_guarantee='exactly_once'"):
            create()


async def test_a_single_message_in_flight_is_not_passed() -> None:
    """One unfinished message at the head holds the commit back (Faust's own rule does not: its issue 606)."""
    consumer = make_consumer(committed=10)
    ack(consumer, [11, 12, 13])
    assert consumer._new_offset(HERE) is None
    ack(consumer, [10])
    assert consumer._new_offset(HERE) == 14
    assert consumer._acked[HERE] == []
    assert consumer._acked_index[HERE] == set()


@given(
    committed=st.integers(0, 50),
    present=st.lists(st.booleans(), min_size=1, max_size=25),
    order=st.randoms(use_true_random=False),
    rounds=st.lists(st.integers(0, 8), max_size=6),
)
async def test_commits_stop_at_the_first_unfinished_message(
    committed: int, present: list[bool], order: Random, rounds: list[int]
) -> None:
    """Messages done in any order, others trimmed away between them: the commit is the first one that is open."""
    consumer = make_consumer(committed)
    there = [committed + at for at, held in enumerate(present) if held]
    if there:
        records = [StoredRecord(offset, None, b"", 0.0, None) for offset in there]
        half = len(records) // 2
        for part in (records[:half], records[half:]):
            if part:
                consumer._note_gaps(HERE, part)
                consumer._positions[HERE] = part[-1].offset + 1
    waiting = list(there)
    order.shuffle(waiting)
    reached, done = committed, set[int]()
    for size in [*rounds, len(waiting)]:
        now, waiting = waiting[:size], waiting[size:]
        ack(consumer, now)
        done.update(now)
        offset = consumer._new_offset(HERE)
        unfinished = [number for number in there if number not in done]
        finished_before = [number for number in there if number in done and number < min([*unfinished, 10**9])]
        expected = max([reached, *(number + 1 for number in finished_before)])
        if offset is None:
            assert expected == reached
        else:
            assert offset >= expected
            assert not [number for number in unfinished if number < offset]
            reached = consumer._committed_offset[HERE] = offset
    assert reached == (there[-1] + 1 if there else committed)


async def test_reads_begun_before_a_seek_are_thrown_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a read brings for a partition that was sought meanwhile is not delivered and does not move the position."""
    consumer = make_consumer()

    async def slow_read(*_: object, **__: object) -> dict[TP, list[StoredRecord]]:
        await consumer._seek(HERE, 3)
        return {HERE: [StoredRecord(0, None, b"", 0.0, None)]}

    monkeypatch.setattr("pipeline.transport.streams.read_records", slow_read)
    assert await consumer._getmany({HERE}, 1.0) == {}
    assert await consumer.position(HERE) == 3


async def test_a_second_worker_does_not_wait_for_ever(
    valkey_server: ValkeyServer, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another worker lives on, the second ends with a sentence that says which and what to do."""
    monkeypatch.setattr("pipeline.transport.consumer.WAIT_FOR_LEASE_SECONDS", 0.0)
    consumer = make_consumer()
    monkeypatch.setattr(consumer, "transport", Transport([URL(valkey_server.url)], make_app()))
    first = Lease(redis, "unit")
    await first.hold()
    with pytest.raises(LeaseError, match=r"A worker already runs 'unit' on this Redis: process \d+ on .*Stop it first"):
        await consumer._take_lease()
    await consumer.transport.close()
