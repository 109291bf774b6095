"""The transport that Faust finds for `redis://`, `rediss://` and `unix://` brokers (entry point `faust.transports`).

It promises what Faust's own Kafka transport does with `processing_guarantee='at_least_once'`: every record of a
partition in order, again after a crash from the last commit on. The measured facts behind its choices stand where they
matter; what it leaves out: exactly-once, more than one worker a group, standby replicas, pattern subscriptions.
"""

import time
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any, ClassVar, TypeVar, cast

import redis
from faust.exceptions import ImproperlyConfigured
from faust.transport import base
from faust.types import AppT
from faust.types.enums import ProcessingGuarantee
from faust.types.transports import ConsumerT, ProducerT
from redis.asyncio import Redis

from pipeline.transport import connection
from pipeline.transport.consumer import Consumer
from pipeline.transport.partitioner import partition_for
from pipeline.transport.producer import Producer
from pipeline.transport.streams import TopicConfig, create_topic

T = TypeVar("T")


class Transport(base.Transport):
    """Holds what a producer or a consumer needs: the client and how each topic is held. Faust makes one for either."""

    Consumer: ClassVar[type[ConsumerT]] = Consumer
    Producer: ClassVar[type[ProducerT]] = Producer
    default_port = 6379
    driver_version = f"redis-py={redis.__version__}"
    patience_at_stop: ClassVar[float] = 5.0
    """Seconds that a stopping worker waits for a server that is away, before it leaves the rest to its next start."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Faust's own signature
        super().__init__(*args, **kwargs)
        self.topics: dict[str, TopicConfig] = {}
        self._client: Redis | None = None
        self._turn = count()
        self._stopping_since: float | None = None

    @property
    def client(self) -> Redis:
        """The client, made on first use; redis-py gives each command under way its own connection."""
        if self._client is None:
            self._client = connection.open_client(str(self.url[0]))
        return self._client

    async def close(self) -> None:
        """Close the connections, where there are any."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def create_consumer(self, callback: Any, **kwargs: Any) -> ConsumerT:  # noqa: ANN401 - Faust's own signature
        """Make the consumer.

        Raises:
            ImproperlyConfigured: The app asks for exactly-once.
        """
        refuse_exactly_once(self.app)
        return super().create_consumer(callback, **kwargs)

    def create_producer(self, **kwargs: Any) -> ProducerT:  # noqa: ANN401 - Faust's own signature
        """Make the producer.

        Raises:
            ImproperlyConfigured: The app asks for exactly-once.
        """
        refuse_exactly_once(self.app)
        return super().create_producer(**kwargs)

    async def persist(self, what: str, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try until it works, or the worker stops and its patience is over; see `connection.persist`."""
        return await connection.persist(what, attempt, self._has_given_up)

    def _has_given_up(self) -> bool:
        if not self.app.should_stop:
            return False
        if self._stopping_since is None:
            self._stopping_since = time.monotonic()
        return time.monotonic() - self._stopping_since >= self.patience_at_stop

    async def ensure_topic(self, topic: str, wanted: TopicConfig | None = None) -> TopicConfig:
        """Make a topic unless it exists, and remember how it is held.

        Args:
            topic: Its name.
            wanted: How a new one is held; by default with the app's number of partitions, not compacting.
        """
        held = self.topics.get(topic)
        if held is None or (wanted is not None and wanted != held):
            new = wanted or TopicConfig(self.app.conf.topic_partitions)
            held = await self.persist("making a topic", lambda: create_topic(self.client, topic, new))
            self.topics[topic] = held
        return held

    def partition_of(self, topic: str, key: bytes | None) -> int:
        """Choose the partition of a record; records without a key take turns."""
        held = self.topics.get(topic)
        partitions = self.app.conf.topic_partitions if held is None else held.partitions
        if key is None:
            return next(self._turn) % partitions
        return partition_for(key, partitions)


def refuse_exactly_once(app: AppT) -> None:
    """Say so at start when an app asks for a promise that this transport does not make."""
    guarantee = cast("ProcessingGuarantee", app.conf.processing_guarantee)  # typed as its class by Faust
    if guarantee == ProcessingGuarantee.EXACTLY_ONCE:
        msg = (
            "The redis:// transport does not do processing_guarantee='exactly_once': "
            "use 'at_least_once' and make the work idempotent (by message id)."
        )
        raise ImproperlyConfigured(msg)
