"""What the publisher promises: order, durability, and the same place on either broker."""

import socket
from contextlib import closing

import pytest
from aiokafka.partitioner import DefaultPartitioner
from redis.asyncio import Redis

from pipeline.errors import PublishError, SettingsError
from pipeline.publisher import KafkaPublisher, RedisPublisher, open_publisher
from pipeline.settings import load_settings
from pipeline.topics import FLAGS, MESSAGES
from pipeline.transport.partitioner import partition_for
from pipeline.transport.streams import ensure_topic, read_records, topic_config


@pytest.fixture
def unused_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_records_of_one_key_lie_in_one_partition_in_order(redis: Redis) -> None:
    """Whatever the size of a batch; other keys find their own places in the same call."""
    publisher = RedisPublisher(redis, 4)
    values = [b"%d" % number for number in range(1200)]
    await publisher.publish(MESSAGES, b"group-a", values[:3])
    await publisher.publish_many(MESSAGES, [(b"group-a", value) for value in values[3:]] + [(b"group-b", b"x")])
    place = (MESSAGES.name, partition_for(b"group-a", 4))
    found = await read_records(redis, {place: 0}, count=5000, block_ms=1)
    assert [record.value for record in found[place] if record.key == b"group-a"] == values
    assert [record.offset for record in found[place]] == list(range(len(found[place])))


async def test_topics_are_made_with_their_term_and_keep_their_partitions(redis: Redis) -> None:
    """A topic that exists with other partitions is written as it is, so that groups keep their places."""
    await ensure_topic(redis, FLAGS, 2)
    async with RedisPublisher(redis, 8) as publisher:
        await publisher.publish(FLAGS, b"k", [b"v"])
        await publisher.publish(MESSAGES, b"k", [b"v"])
    held, made = await topic_config(redis, FLAGS.name), await topic_config(redis, MESSAGES.name)
    assert held is not None
    assert made is not None
    assert (held.partitions, made.partitions) == (2, 8)
    assert made.retention_seconds == MESSAGES.retention_seconds
    place = (FLAGS.name, partition_for(b"k", 2))
    assert place in await read_records(redis, {place: 0}, count=5, block_ms=1)


async def test_nothing_to_write_touches_nothing(redis: Redis) -> None:
    """An empty batch makes no topic."""
    await RedisPublisher(redis, 4).publish(MESSAGES, b"k", [])
    assert await redis.keys("*") == []


async def test_a_refusal_by_the_server_is_raised(redis: Redis) -> None:
    """A batch that the server did not take is never reported as durable."""
    await redis.set(f"vangnet:stream:{MESSAGES.name}:{partition_for(b'k', 4)}", "no stream")
    with pytest.raises(Exception, match="WRONGTYPE"):
        await RedisPublisher(redis, 4).publish(MESSAGES, b"k", [b"v"])


@pytest.mark.parametrize("key", [b"", b"a", b"group", b"0123456789abcdef" * 2, bytes(range(256))])
@pytest.mark.parametrize("partitions", [1, 4, 7])
def test_kafka_puts_a_group_in_the_same_partition(key: bytes, partitions: int) -> None:
    """Moving a school from one broker to the other moves no group to another partition number."""
    places = list(range(partitions))
    assert DefaultPartitioner()(key, places, places) == partition_for(key, partitions)


def test_the_setting_chooses_the_broker(redis: Redis) -> None:
    """Empty is the store's own server, kafka:// is Kafka, anything else is refused with what to do."""
    assert isinstance(open_publisher(load_settings(), redis), RedisPublisher)
    with pytest.raises(SettingsError, match="VANGNET_BROKER"):
        open_publisher(load_settings(broker="amqp://127.0.0.1"), redis)


async def test_kafka_is_chosen_and_an_absent_broker_is_told(redis: Redis, unused_port: int) -> None:
    """The error names the servers and the setting to check, and holds no record."""
    publisher = open_publisher(load_settings(broker=f"kafka://127.0.0.1:{unused_port}"), redis)
    assert isinstance(publisher, KafkaPublisher)
    async with publisher:
        with pytest.raises(PublishError, match="VANGNET_BROKER") as caught:
            await publisher.publish(MESSAGES, b"k", [b"GEHEIM"])
    assert "GEHEIM" not in str(caught.value)
