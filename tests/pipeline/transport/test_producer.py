"""What Faust's producer promises on the transport: order, places, flushes that end, refusals that reach the sender."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import cast

import faust
import pytest
from faust.types import TP
from redis.asyncio import Redis
from redis.exceptions import ResponseError
from yarl import URL

from pipeline.transport import streams
from pipeline.transport.partitioner import partition_for
from pipeline.transport.producer import Producer
from pipeline.transport.streams import TopicConfig
from tests.conftest import ValkeyServer


@pytest.fixture
async def producer(valkey_server: ValkeyServer) -> AsyncIterator[Producer]:
    app = faust.App("unit", broker=[URL(valkey_server.url)], topic_partitions=3)
    producer = cast("Producer", app.transport.create_producer())
    await producer.start()
    yield producer
    await producer.stop()


async def values(redis: Redis, topic: str, partition: int = 0) -> list[bytes | None]:
    found = await streams.read_records(redis, {(topic, partition): 0}, count=100_000, block_ms=1)
    return [record.value for record in found.get((topic, partition), [])]


async def test_records_keep_their_order(redis: Redis, producer: Producer) -> None:
    """What is sent in one go is stored in that order, each with its place, also when it takes several scripts."""
    futures = [await producer.send("t", b"k", b"%d" % number, 1, None, None) for number in range(1300)]
    places = [await future for future in futures]
    assert [place.offset for place in places] == list(range(1300))
    assert {place.topic_partition for place in places} == {TP("t", 1)}
    assert await values(redis, "t", 1) == [b"%d" % number for number in range(1300)]


async def test_a_record_without_a_partition_goes_where_its_key_belongs(redis: Redis, producer: Producer) -> None:
    """Keys go to Kafka's partition, records without a key take turns, headers and time travel along."""
    placed = await producer.send_and_wait("t", b"klas", b"x", None, 12.5, {"a": b"1"})
    assert placed.partition == partition_for(b"klas", 3) == producer.key_partition("t", b"klas").partition
    spread = [await producer.send_and_wait("t", None, b"x", None, None, None) for _ in range(3)]
    assert {place.partition for place in spread} == {0, 1, 2}
    (record, *_) = (await streams.read_records(redis, {("t", placed.partition): 0}, count=1, block_ms=1)).popitem()[1]
    assert record.timestamp == 12.5
    assert record.headers is not None


async def test_flush_writes_what_was_queued(redis: Redis, producer: Producer) -> None:
    """After a flush, everything sent before it is stored: a commit must not get ahead of a changelog."""
    topic = producer.app.topic("t", key_serializer="raw", value_serializer="raw")
    cast("faust.App", producer.app).producer = producer
    for number in range(500):
        topic.send_soon(key=b"k", value=b"%d" % number, partition=0)
        if number == 200:
            await asyncio.sleep(0)  # let the buffer begin
    assert producer.buffer.size >= 498
    await producer.flush()
    assert await values(redis, "t") == [b"%d" % number for number in range(500)]


async def test_flush_ends_under_load(producer: Producer) -> None:
    """A flush does not wait for what is sent after it began, however much that is."""
    running = True

    async def keep_sending() -> None:
        for number in itertools.count():
            if not running:
                return
            await producer.send("t", None, b"%d" % number, None, None, None)
            await asyncio.sleep(0)

    sender = asyncio.ensure_future(keep_sending())
    await asyncio.sleep(0.1)
    for _ in range(10):
        await asyncio.wait_for(producer.flush(), 5)
    running = False
    await sender


async def test_a_refusal_reaches_the_sender(redis: Redis, producer: Producer) -> None:
    """What waiting cannot mend is told to whoever sent it; others go on."""
    await redis.set(streams.stream_key("t", 0), "not a stream")
    refused = await producer.send("t", None, b"x", 0, None, None)
    written = await producer.send("t", None, b"x", 1, None, None)
    assert (await written).offset == 0
    with pytest.raises(ResponseError):
        await refused


async def test_topics_are_declared_once(redis: Redis, producer: Producer) -> None:
    """A changelog is compacting and has no age; a topic that exists keeps its form."""
    await producer.create_topic("log", 2, 1, compacting=True, retention=60.0)
    await producer.create_topic("log", 5, 1)
    assert await streams.topic_config(redis, "log") == TopicConfig(2, compacting=True)
    await producer.create_topic("plain", 2, 1, retention=60.0)
    assert await streams.topic_config(redis, "plain") == TopicConfig(2, retention_seconds=60.0)
    await producer.send_and_wait("log", b"k", b"1", 0, None, None)
    await producer.send_and_wait("log", b"k", b"2", 0, None, None)
    assert await values(redis, "log") == [b"2"]


async def test_stopping_writes_the_rest(redis: Redis, producer: Producer) -> None:
    """Nothing that was handed over is forgotten by an orderly stop."""
    for number in range(100):
        await producer.send("t", None, b"%d" % number, 0, None, None)
    await producer.stop()
    assert len(await values(redis, "t")) == 100
