"""Faust's producer on Redis streams: everything sent in one turn of the event loop goes in one round trip."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from faust.transport import producer as base
from faust.types import TP, FutureMessage, HeadersArg, RecordMetadata
from mode import Seconds, Service, want_seconds
from redis.exceptions import RedisError

from pipeline.transport.connection import is_passing
from pipeline.transport.streams import MOST_RECORDS_A_SCRIPT, Batch, NewRecord, TopicConfig, append_batches

if TYPE_CHECKING:
    from pipeline.transport.redis import Transport


class _Queued(NamedTuple):
    topic: str
    partition: int | None
    record: NewRecord
    future: "asyncio.Future[RecordMetadata]"


class OrderedBuffer(base.ProducerBuffer):
    """What tables and `send_soon` hand to the producer, one after the other.

    Faust's own flush gives up after 0.1 s without progress, and handing a record over takes several turns of the event
    loop, so that a second hand would let a table's older value overtake a newer one.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self._accepted = 0
        self._handed_over = 0
        self._ended = False

    def put(self, fut: FutureMessage) -> None:
        """Take a record."""
        self._accepted += 1
        super().put(fut)

    async def hand_over(self) -> None:
        """Wait until every record taken before this call is with the producer."""
        target = self._accepted
        while self._handed_over < target and not self._ended:
            self.message_sent.clear()
            await self.message_sent.wait()
        while self._handed_over < target and not self.pending.empty():  # the task below ends first when all crashes
            await self._hand_over_one()

    async def _hand_over_one(self) -> None:
        await self._send_pending(await self.pending.get())
        self._handed_over += 1
        self.message_sent.set()

    @Service.task
    async def _handle_pending(self) -> None:
        try:
            while not self.should_stop:
                await self._hand_over_one()
        finally:
            self._ended = True
            self.message_sent.set()


class Producer(base.Producer):
    """Appends records; a write that fails is repeated until the server has it."""

    transport: "Transport"
    buffer: OrderedBuffer

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Faust's own signature
        super().__init__(*args, **kwargs)
        self.buffer = OrderedBuffer(loop=self.loop, beacon=self.beacon)
        self.buffer.app = self.app
        self._queue: list[_Queued] = []
        self._newest: asyncio.Future[RecordMetadata] | None = None
        """Of what was queued last: when it is done, all before it is."""
        self._wake = asyncio.Event()

    async def on_stop(self) -> None:
        """Write what is left."""
        if self.started:  # Faust also stops what it never started
            await self.flush()
        await super().on_stop()

    async def on_shutdown(self) -> None:
        """Close the connections when nothing uses them any more."""
        await self.transport.close()

    async def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None,
        timestamp: float | None,
        headers: HeadersArg | None,
        *,
        transactional_id: str | None = None,
    ) -> Awaitable[RecordMetadata]:
        """Queue a record. It never waits itself, so the order of sending is the order in the partition.

        Returns:
            A future that is done when the server has the record.
        """
        future: asyncio.Future[RecordMetadata] = asyncio.get_running_loop().create_future()
        record = NewRecord(key, value, timestamp, _encode_headers(headers))
        self._queue.append(_Queued(topic, partition, record, future))
        self._newest = future
        self._wake.set()
        return future

    async def send_and_wait(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None,
        timestamp: float | None,
        headers: HeadersArg | None,
        *,
        transactional_id: str | None = None,
    ) -> RecordMetadata:
        """Append a record and return its place when the server has it."""
        return await (
            await self.send(topic, key, value, partition, timestamp, headers, transactional_id=transactional_id)
        )

    async def flush(self) -> None:
        """Wait until everything sent before this call is with the server.

        What is sent meanwhile is not waited for: a loop until the queue is empty never ends under load, and commits
        (which flush first) would starve.
        """
        await self.buffer.hand_over()
        if self._newest is not None and not self._newest.done():
            self._wake.set()
            await asyncio.wait([self._newest])

    async def create_topic(
        self,
        topic: str,
        partitions: int,
        replication: int,
        *,
        config: Mapping[str, Any] | None = None,
        timeout: Seconds = 1000.0,  # noqa: ASYNC109 - Faust's own signature
        retention: Seconds | None = None,
        compacting: bool | None = None,
        deleting: bool | None = None,
        ensure_created: bool = False,
    ) -> None:
        """Make a topic unless it exists. A changelog is kept by key and has no retention."""
        keep = None if retention is None or compacting else want_seconds(retention)
        await self.transport.ensure_topic(topic, TopicConfig(partitions, bool(compacting), keep))

    def key_partition(self, topic: str, key: bytes) -> TP:
        """Tell the partition of a key."""
        return TP(topic, self.transport.partition_of(topic, key))

    def supports_headers(self) -> bool:
        """Headers are stored beside key and value."""
        return True

    @Service.task
    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            queue, self._queue = self._queue, []
            try:
                await self._append(queue)
            except Exception as error:  # noqa: BLE001 - whoever awaits the records decides; the writer must live
                for queued in queue:
                    _fail(queued.future, error)

    async def _append(self, queue: list[_Queued]) -> None:
        """Write records of any topics, in order within each partition, until the server has them or refuses them."""
        for topic in {queued.topic for queued in queue}:
            await self.transport.ensure_topic(topic)
        places: dict[TP, list[_Queued]] = defaultdict(list)
        for queued in queue:
            partition = queued.partition
            if partition is None:
                partition = self.transport.partition_of(queued.topic, queued.record.key)
            places[TP(queued.topic, partition)].append(queued)

        async def attempt() -> None:
            while places:
                # One piece of each partition at a time: a later piece must not overtake one that has to wait.
                pieces = {tp: several[:MOST_RECORDS_A_SCRIPT] for tp, several in places.items()}
                batches = [
                    Batch(*tp, [queued.record for queued in piece], self.transport.topics[tp.topic].compacting)
                    for tp, piece in pieces.items()
                ]
                results = await append_batches(self.transport.client, batches)
                waits: RedisError | None = None
                for (tp, piece), result in zip(pieces.items(), results, strict=True):
                    if not isinstance(result, int) and is_passing(result):
                        waits = result
                        continue
                    _settle(tp, piece, result)
                    del places[tp][: len(piece)]
                    if not places[tp]:
                        del places[tp]
                if waits is not None:
                    raise waits

        await self.transport.persist("writing records", attempt)


def _settle(tp: TP, piece: list[_Queued], result: int | RedisError) -> None:
    """Tell the senders of a piece the places of their records, or why they were refused."""
    if isinstance(result, RedisError):
        for queued in piece:
            _fail(queued.future, result)
        return
    for offset, queued in enumerate(piece, result):
        if not queued.future.done():
            queued.future.set_result(RecordMetadata(*tp, tp, offset, queued.record.created_at, 0))


def _fail(future: "asyncio.Future[RecordMetadata]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


def _encode_headers(headers: HeadersArg | None) -> bytes | None:
    if not headers:
        return None
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return msgspec.msgpack.encode([(name, value) for name, value in pairs])
