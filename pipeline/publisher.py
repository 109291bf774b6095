"""How intake writes to a topic without Faust: on the Redis transport's streams, or on Apache Kafka.

Both choose the partition from the key as Kafka does, so that a group keeps its order, and both return only when the
broker has the records. A record may be written twice when an answer was lost; readers know messages by their id.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from redis.asyncio import Redis

from pipeline.errors import PublishError, SettingsError
from pipeline.settings import Settings
from pipeline.topics import TOPICS, TopicSpec
from pipeline.transport.partitioner import partition_for
from pipeline.transport.streams import MOST_RECORDS_A_SCRIPT as MOST_RECORDS
from pipeline.transport.streams import Batch, NewRecord, append_batches, ensure_topic

DELIVERY_SECONDS = 30.0
"""How long Kafka may take for a batch before the caller is told that it failed."""

_SECONDS_TO_STOP = 2.0
_SECONDS_BETWEEN_KNOCKS = 1.0
_MOST_REPLICAS = 3
"""Copies of each record where there are as many brokers: one may fail while another is being serviced."""


class Publisher(Protocol):
    """Writes records to topics; open it with `async with`."""

    async def publish(self, topic: TopicSpec, key: bytes, values: Sequence[bytes]) -> None:
        """Append records of one key, in order, and return when they are durable.

        Raises:
            PublishError: Kafka did not take them in time.
            redis.exceptions.RedisError: The Redis server refused or is away.
        """

    async def publish_many(self, topic: TopicSpec, records: Sequence[tuple[bytes, bytes]]) -> None:
        """Append pairs of key and value, each key's in order, and return when all are durable; raises as `publish`."""

    async def prepare(self) -> None:
        """Make the topics that are missing, with their terms; raises as `publish`."""

    async def close(self) -> None:
        """Let go of connections; the publisher is not used again."""

    async def __aenter__(self) -> Self:
        """Give itself."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""


def open_publisher(settings: Settings, redis: Redis) -> Publisher:
    """Give the publisher for the broker that the settings name; it connects on first use.

    Raises:
        SettingsError: The broker is of a kind that Vangnet does not know.
    """
    if settings.broker is None:
        return RedisPublisher(redis, settings.partitions)
    scheme, _, servers = settings.broker.get_secret_value().partition("://")
    if scheme != "kafka" or not servers:
        msg = "VANGNET_BROKER must be kafka://host:port, or empty to use the same Redis as the store."
        raise SettingsError(msg)
    return KafkaPublisher(servers, settings.partitions)


class RedisPublisher:
    """Appends to the streams of our own transport."""

    def __init__(self, redis: Redis, partitions: int) -> None:
        """Write over this client, which the caller closes; new topics get this many partitions."""
        self._redis = redis
        self._wanted = partitions
        self._partitions: dict[str, int] = {}

    async def publish(self, topic: TopicSpec, key: bytes, values: Sequence[bytes]) -> None:
        """Append records of one key; see `Publisher.publish`."""
        await self.publish_many(topic, [(key, value) for value in values])

    async def publish_many(self, topic: TopicSpec, records: Sequence[tuple[bytes, bytes]]) -> None:
        """Append records in one round trip; see `Publisher.publish_many`."""
        if not records:
            return
        if topic.name not in self._partitions:
            self._partitions[topic.name] = (await ensure_topic(self._redis, topic, self._wanted)).partitions
        places: dict[int, list[NewRecord]] = {}
        for key, value in records:
            places.setdefault(partition_for(key, self._partitions[topic.name]), []).append(NewRecord(key, value))
        batches = [
            Batch(topic.name, partition, of_place[at : at + MOST_RECORDS], compacting=False)
            for partition, of_place in places.items()
            for at in range(0, len(of_place), MOST_RECORDS)
        ]
        for result in await append_batches(self._redis, batches):
            if isinstance(result, Exception):
                raise result

    async def prepare(self) -> None:
        """Make the topics that are missing; see `Publisher.prepare`."""
        for topic in TOPICS:
            await ensure_topic(self._redis, topic, self._wanted)

    async def close(self) -> None:
        """Do nothing: the client belongs to the caller."""

    async def __aenter__(self) -> Self:
        """Give itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        await self.close()


class KafkaPublisher:
    """Produces to Apache Kafka: acknowledged by all replicas, without repeats by the client's own retries."""

    def __init__(self, servers: str, partitions: int) -> None:
        """Write to `host:port[,host:port]`; missing topics are made with this many partitions and their retention."""
        self._servers = servers
        self._partitions = partitions
        self._producer: AIOKafkaProducer | None = None
        self._opening = asyncio.Lock()

    async def publish(self, topic: TopicSpec, key: bytes, values: Sequence[bytes]) -> None:
        """Append records of one key; see `Publisher.publish`."""
        await self.publish_many(topic, [(key, value) for value in values])

    async def publish_many(self, topic: TopicSpec, records: Sequence[tuple[bytes, bytes]]) -> None:
        """Append records; see `Publisher.publish_many`."""
        if not records:
            return
        try:
            producer = await self._opened()
            # Sending in order keeps the order of a key: the idempotent producer never overtakes itself.
            sent = [await producer.send(topic.name, value=value, key=key) for key, value in records]
            async with asyncio.timeout(DELIVERY_SECONDS):
                await asyncio.gather(*sent)
        except (KafkaError, TimeoutError, OSError) as error:
            await self._abandon()
            msg = (
                f"Kafka at {self._servers} did not take {len(records)} records for topic {topic.name} "
                f"({type(error).__name__}). Check VANGNET_BROKER and the broker."
            )
            raise PublishError(msg) from error

    async def prepare(self) -> None:
        """Make the topics that are missing, waiting a while for a broker that starts; see `Publisher.prepare`."""
        deadline = asyncio.get_running_loop().time() + DELIVERY_SECONDS
        while True:
            try:
                await create_topics(self._servers, self._partitions)
            except (KafkaError, OSError) as error:
                if asyncio.get_running_loop().time() > deadline:
                    msg = (
                        f"Kafka at {self._servers} cannot be reached ({type(error).__name__}). Start it, or correct "
                        "VANGNET_BROKER."
                    )
                    raise PublishError(msg) from error
                await asyncio.sleep(_SECONDS_BETWEEN_KNOCKS)
            else:
                return

    async def close(self) -> None:
        """Write out what is queued and disconnect."""
        async with self._opening:
            if self._producer is not None:
                await self._producer.stop()
                self._producer = None

    async def _abandon(self) -> None:
        """Give up a producer that failed: after a lost answer its numbering may no longer agree with the broker's."""
        async with self._opening:
            producer, self._producer = self._producer, None
        if producer is not None:
            with contextlib.suppress(KafkaError, TimeoutError, OSError):
                async with asyncio.timeout(_SECONDS_TO_STOP):
                    await producer.stop()

    async def _opened(self) -> AIOKafkaProducer:
        async with self._opening:
            if self._producer is None:
                await create_topics(self._servers, self._partitions)
                producer = AIOKafkaProducer(
                    bootstrap_servers=self._servers,
                    acks="all",
                    enable_idempotence=True,
                    request_timeout_ms=int(DELIVERY_SECONDS * 1000),
                    linger_ms=2,
                )
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer

    async def __aenter__(self) -> Self:
        """Give itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        await self.close()


async def create_topics(servers: str, partitions: int, topics: Sequence[TopicSpec] = TOPICS) -> None:
    """Make those topics on Kafka that do not exist, each with its retention.

    Args:
        servers: `host:port[,host:port]`.
        partitions: How many partitions a new topic gets; an existing one keeps its own.
        topics: Which topics.

    Raises:
        aiokafka.errors.KafkaError: The broker is away or refuses.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    try:
        await admin.start()
        present = set(await admin.list_topics())
        brokers = (await admin.describe_cluster())["brokers"]
        missing = [
            NewTopic(
                name=topic.name,
                num_partitions=partitions,
                replication_factor=min(len(brokers), _MOST_REPLICAS),
                topic_configs={
                    "retention.ms": str(int(topic.retention_seconds * 1000)),
                    # Kafka drops whole segments, so text outlives its term by a segment's time at most.
                    "segment.ms": str(int(min(topic.retention_seconds, 3600.0) * 1000)),
                    "cleanup.policy": "delete",
                },
            )
            for topic in topics
            if topic.name not in present
        ]
        if not missing:
            return
        response = await admin.create_topics(missing)
        for _name, code, *_message in response.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                raise error
    finally:
        await admin.close()
