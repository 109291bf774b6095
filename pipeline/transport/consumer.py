"""Faust's consumer on Redis streams: owns all partitions of its group, for as long as it holds the group's lease.

Faust's rules that are not obvious from its code, each learned by seeing it go wrong:

- `subscribe` must return before the rebalance runs: assignment waits for the subscription to be done.
- The app's own assignor has to run, or tables are not recovered and stay silently empty.
- The same generation id goes into the app and into every message, else streams skip the message.
- *highwater* is the next offset; recovery ends when the record before it was read, so it has to exist.
- A seek while a read is under way makes what that read brings wrong: one epoch a partition tells.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import msgspec
from faust.transport import consumer as base
from faust.types import TP, ConsumerMessage, Message
from mode import Seconds, Service, ServiceT
from redis.exceptions import RedisError

from pipeline.transport import streams
from pipeline.transport.connection import is_passing
from pipeline.transport.errors import LeaseError, TransportError
from pipeline.transport.lease import RENEW_SECONDS, Lease
from pipeline.transport.streams import Extent, StoredRecord

if TYPE_CHECKING:
    from pipeline.transport.redis import Transport

T = TypeVar("T")

BLOCK_MS = 100
"""Longest wait of a read. New records end it at once; a seek or a resumed partition waits for it."""
DEFAULT_POLL_RECORDS = 500
LAG_SECONDS = 1.0
RETENTION_SECONDS = 60.0
IDLE_SECONDS = 0.02
"""Pause while every partition's stream is full."""
WAIT_FOR_LEASE_SECONDS = 15.0
"""How long a second worker waits for the first one to go: three times as long as the lease of a dead worker lasts."""


class _OneServer(NamedTuple):
    """What the assignor asks of a Kafka cluster."""

    transport: "Transport"

    def partitions_for_topic(self, topic: str) -> set[int]:
        """All partitions of a topic."""
        held = self.transport.topics.get(topic)
        return set(range(held.partitions)) if held else set()


class Consumer(base.Consumer):
    """Reads, seeks and commits."""

    transport: "Transport"

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Faust's own signature
        super().__init__(*args, **kwargs)
        conf = self.app.conf
        self._group: str = conf.id
        self._poll_records: int = conf.broker_max_poll_records or DEFAULT_POLL_RECORDS
        self._assigned: set[TP] = set()
        self._positions: dict[TP, int] = {}
        """Offset to read next."""
        self._epochs: defaultdict[TP, int] = defaultdict(int)
        """How often each partition was sought."""
        self._gaps: defaultdict[TP, dict[int, int]] = defaultdict(dict)
        """Offsets that hold no record any more: from the first to (not including) the last."""
        self._highwaters: dict[TP, int] = {}
        self._records_lost = False
        """True when the server came back with less than was read; nothing may then be committed."""
        self._rebalance_lock = asyncio.Lock()
        self._generation = 0
        self._lease: Lease | None = None

    # -- the group -----------------------------------------------------------------------------------------------

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Replace the subscription; the rebalance follows when this has returned."""
        self.add_future(self._rebalance(set(topics)))

    async def _rebalance(self, topics: set[str]) -> None:
        async with self._rebalance_lock:
            await self._take_lease()
            if self.should_stop:
                return
            self.app.on_rebalance_start()
            if self._assigned:
                await self.on_partitions_revoked(set(self._assigned))
            for topic in topics:
                await self.transport.ensure_topic(topic)
            self._assigned = self._assign(topics)
            await self._register()
            self._generation += 1
            self.app.consumer_generation_id = self._generation
            await self.on_partitions_assigned(set(self._assigned), self._generation)

    async def _take_lease(self) -> None:
        if self._lease is None:
            lease = Lease(self.transport.client, self._group)
            now = asyncio.get_running_loop().time
            since: float | None = None
            while holder := await self.transport.persist("taking the lease", lease.hold):
                if since is None:
                    since = now()
                    self.log.warning("%s runs %r; waiting for it to stop.", holder.capitalize(), self._group)
                if now() - since >= WAIT_FOR_LEASE_SECONDS:
                    msg = (
                        f"A worker already runs {self._group!r} on this Redis: {holder}. Stop it first: one worker "
                        "reads a Redis stream. For more workers set VANGNET_BROKER to a Kafka."
                    )
                    raise LeaseError(msg)
                await self.sleep(0.2)
                if self.should_stop:
                    return
            self._lease = lease

    def _assign(self, topics: set[str]) -> set[TP]:
        """Run the app's assignor on a group of one."""
        assignor = cast("Any", self.app.assignor)
        member = {self._group: assignor.metadata(topics)}
        assignment = assignor.assign(_OneServer(self.transport), member)[self._group]
        assignor.on_assignment(assignment)
        return {TP(topic, partition) for topic, partitions in assignment.assignment for partition in partitions}

    async def _register(self) -> None:
        """Make this group known as a reader of what it was assigned."""
        client = self.transport.client
        latest = str(self.app.conf.consumer_auto_offset_reset) == "latest"
        held = await self._extents(tp for tp in self._assigned if not self._is_changelog_tp(tp))
        starts = {tp: extent.highwater if latest else 0 for tp, extent in held.items()}
        await self.transport.persist("joining", lambda: streams.register_group(client, self._group, starts))
        committed = await self._committed()
        emptied = {tp: extent.highwater for tp, extent in held.items() if committed[tp] > extent.highwater}
        if emptied:
            self.log.warning("%s hold less than %r had read: beginning at their ends.", sorted(emptied), self._group)
            await self.transport.persist("joining", lambda: streams.rewind_group(client, self._group, emptied))

    async def _committed(self) -> Mapping[tuple[str, int], int]:
        return await self.transport.persist(
            "reading offsets", lambda: streams.committed_offsets(self.transport.client, self._group)
        )

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Forget where we were in these partitions."""
        await super().on_partitions_revoked(revoked)
        for tp in revoked:
            self._positions.pop(tp, None)
            self._gaps.pop(tp, None)
            self._epochs[tp] += 1

    async def on_stop(self) -> None:
        """Commit what was done and let another worker in."""
        if self._lease is None:  # it never ran
            return
        await super().on_stop()
        try:
            await self._lease.release()
        except (RedisError, OSError):
            self.log.warning("The lease of %r could not be released; it ends by itself.", self._group)

    async def on_shutdown(self) -> None:
        """Close the connections when nothing uses them any more."""
        await self.transport.close()

    def close(self) -> None:
        """Faust asks this when it stops in mid-rebalance; `on_shutdown` closes."""

    @Service.task
    async def _renew_lease(self) -> None:
        while not self.should_stop:
            await self.sleep(RENEW_SECONDS)
            if self._lease is not None and not self.should_stop:
                await self._unless_stopping(self._check_lease(self._lease))

    async def _check_lease(self, lease: Lease) -> None:
        holder = await self.transport.persist("renewing the lease", lease.hold)
        if holder is not None:
            msg = f"{holder.capitalize()} has taken over {self._group!r}: this worker stood still too long and stops."
            raise LeaseError(msg)

    # -- reading -------------------------------------------------------------------------------------------------

    async def _drain_messages(self, fetcher: ServiceT) -> None:
        """Read and deliver until the fetcher stops.

        Faust's own loop races every message against a suspended flow; once a batch is 2.5 times as fast for the
        processor, and still lets go of a full stream when a rebalance begins.
        """
        stopped = cast("Service", fetcher)._stopped
        try:
            while not (self.should_stop or stopped.is_set()):
                await asyncio.sleep(0)
                batch = [message async for _, message in self.getmany(timeout=1.0)]
                if not batch:
                    continue
                delivery = asyncio.ensure_future(self._deliver(batch))
                await self.wait_first(delivery, self.suspend_flow.wait())
                if not delivery.done():  # cancelled a moment ago; it must be over before the next batch
                    await asyncio.wait([delivery])
        except asyncio.CancelledError:
            if not self.app.should_stop:
                raise

    async def _deliver(self, batch: list[Message]) -> None:
        for at, message in enumerate(batch):
            if at % 100 == 0:
                await asyncio.sleep(0)
                if self._commit_every is not None and self._n_acked >= self._commit_every:
                    self._n_acked = 0
                    await self.commit()
            await self.callback(message)

    async def _wait_next_records(self, timeout: float) -> tuple[dict[TP, list[StoredRecord]], set[TP]]:  # noqa: ASYNC109 - Faust's own signature
        if not self.flow_active:
            await self.wait(cast("Any", self.can_resume_flow))
        active = self._get_active_partitions()
        if active:
            return await self._getmany(active, timeout), active
        await self.sleep(IDLE_SECONDS)
        return {}, active

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> dict[TP, list[StoredRecord]]:  # noqa: ASYNC109 - Faust's own signature
        positions = {tp: self._positions[tp] for tp in active_partitions or () if tp in self._positions}
        if not positions:
            await self.sleep(IDLE_SECONDS)
            return {}
        epochs = {tp: self._epochs[tp] for tp in positions}
        try:
            found = await streams.read_records(
                self.transport.client, positions, count=self._poll_records, block_ms=BLOCK_MS
            )
        except (RedisError, OSError) as error:
            if not is_passing(error):
                raise
            await self.transport.persist("reading records", self._ping)
            await self._check_records_kept()
            return {}
        records = {tp: stored for tp, stored in found.items() if self._epochs[tp] == epochs[tp]}
        for tp, stored in records.items():
            self._note_gaps(tp, stored)
            self._positions[tp] = stored[-1].offset + 1
            self._highwaters[tp] = max(self._highwaters.get(tp, 0), stored[-1].offset + 1)
        return records

    async def _ping(self) -> None:
        await cast("Any", self.transport.client.ping())

    async def _check_records_kept(self) -> None:
        """Stop when the server came back without records that were read already.

        After a power cut it may have lost its last second. New records would get the numbers of lost ones and be taken
        for read; a worker that starts again begins at the last commit, which the same server kept or lost with them.
        """
        positions = dict(self._positions)
        for tp, extent in (await self._extents(positions)).items():
            if positions[tp] > extent.highwater:
                self._records_lost = True
                msg = f"Redis came back without its newest records of {tp.topic!r}: the worker has to start again."
                raise TransportError(msg)

    def _note_gaps(self, tp: TP, stored: list[StoredRecord]) -> None:
        """Remember offsets that were trimmed or compacted away, so that commits go past them."""
        expected = self._positions[tp]
        if stored[-1].offset - expected + 1 == len(stored):
            return
        for record in stored:
            if record.offset > expected:
                self._gaps[tp][expected] = record.offset
            expected = record.offset + 1

    def _to_message(self, tp: TP, record: StoredRecord) -> ConsumerMessage:
        key, value = record.key, record.value
        headers = msgspec.msgpack.decode(record.headers) if record.headers else []
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            record.offset,
            record.timestamp,
            0,
            [(name, content) for name, content in headers],
            key,
            value,
            None,
            len(key or b""),
            len(value or b""),
            tp,
            generation_id=self.app.consumer_generation_id,
        )

    # -- places --------------------------------------------------------------------------------------------------

    async def perform_seek(self) -> None:
        """Go back to the committed offsets; Faust does so at the end of recovery and after a stopped flow."""
        self._committed_offset.update(await self.seek_to_committed())

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Go back to the committed offsets, or to the first record where older ones were dropped."""
        committed = await self._committed()
        wanted = [tp for tp in self._assigned if tp in committed]
        held = await self._extents(wanted)
        offsets = {tp: max(committed[tp], held[tp].earliest) for tp in wanted}
        await self.seek_wait(offsets)
        return offsets

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Go to these offsets."""
        for tp, offset in partitions.items():
            await self._seek(tp, offset)

    async def _seek(self, partition: TP, offset: int) -> None:
        self._positions[partition] = offset
        self._epochs[partition] += 1
        self._gaps.pop(partition, None)

    async def position(self, tp: TP) -> int | None:
        """Offset to be read next, or None where nothing was sought yet."""
        return self._positions.get(tp)

    def assignment(self) -> set[TP]:
        """All partitions of the subscribed topics."""
        return set(self._assigned)

    def highwater(self, tp: TP) -> int:
        """Offset that the next record gets, as last seen; asked for every message."""
        return self._highwaters.get(tp, 0)

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        """Ask what offsets the next records get."""
        return {tp: extent.highwater for tp, extent in (await self._extents(partitions)).items()}

    async def earliest_offsets(self, *partitions: TP) -> Mapping[TP, int]:
        """Ask for the first record's offset of each partition."""
        return {tp: extent.earliest for tp, extent in (await self._extents(partitions)).items()}

    async def _extents(self, partitions: Iterable[TP]) -> dict[TP, Extent]:
        asked = list(partitions)
        held = await self.transport.persist(
            "looking up partitions", lambda: streams.extents(self.transport.client, asked)
        )
        self._highwaters.update({tp: extent.highwater for tp, extent in held.items()})
        return held

    @Service.task
    async def _follow_highwaters(self) -> None:
        """Keep the lag true also for partitions that are not being read."""
        while not self.should_stop:
            await self.sleep(LAG_SECONDS)
            if self._assigned and not self.should_stop:
                await self._unless_stopping(self._check_records_kept())
                for tp in self._assigned:
                    self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))

    def topic_partitions(self, topic: str) -> int | None:
        """How many partitions a topic has, or None when it is not known here."""
        held = self.transport.topics.get(topic)
        return held.partitions if held else None

    def key_partition(self, topic: str, key: bytes | None, partition: int | None = None) -> int | None:
        """Choose the partition of a record, unless one is given."""
        return self.transport.partition_of(topic, key) if partition is None else partition

    async def create_topic(
        self,
        topic: str,
        partitions: int,
        replication: int,
        *,
        config: Mapping[str, Any] | None = None,
        timeout: Seconds = 30.0,  # noqa: ASYNC109 - Faust's own signature
        retention: Seconds | None = None,
        compacting: bool | None = None,
        deleting: bool | None = None,
        ensure_created: bool = False,
    ) -> None:
        """Make a topic unless it exists."""
        await self.app.producer.create_topic(
            topic,
            partitions,
            replication,
            config=config,
            timeout=timeout,
            retention=retention,
            compacting=compacting,
            deleting=deleting,
            ensure_created=ensure_created,
        )

    def _new_topicpartition(self, topic: str, partition: int) -> TP:
        return TP(topic, partition)

    # -- commits -------------------------------------------------------------------------------------------------

    def _new_offset(self, tp: TP) -> int | None:
        """Find how far a partition was done without a hole, counted from what is committed.

        Faust's own rule commits past a single message in flight at the head (its issue 606) and so may lose it.
        """
        acked = self._acked[tp]
        committed = self._committed_offset[tp]
        if not acked or committed is None:
            return None
        acked.sort()
        gaps = self._gaps[tp]
        reached, used = committed, 0
        for offset in acked:
            while reached in gaps:
                reached = gaps.pop(reached)
            if offset > reached:
                break
            used += 1
            reached = max(reached, offset + 1)
        self._acked_index[tp].difference_update(acked[:used])
        del acked[:used]
        return reached if reached > committed else None

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        lease = self._lease
        if lease is None or self._records_lost:
            return False
        trimmed = {tp.topic for tp in offsets if not self.transport.topics[tp.topic].compacting}

        async def attempt() -> bool:
            return await streams.commit_offsets(
                self.transport.client, self._group, offsets, lease=(lease.name, lease.token), trimmed=trimmed
            )

        async def commit() -> bool:
            if await self.transport.persist("committing", attempt):
                return True
            # The lease ran out while the server or this process stood still; it may still be nobody's.
            await self._check_lease(lease)
            return await self.transport.persist("committing", attempt)

        return bool(await self._unless_stopping(commit()))

    async def _unless_stopping(self, work: Awaitable[T]) -> T | None:
        """Do something, or leave it when the worker stops while the server is away: its next start does the rest."""
        try:
            return await work
        except (RedisError, OSError):
            if not self.app.should_stop:
                raise
            return None

    # -- retention -----------------------------------------------------------------------------------------------

    @Service.task
    async def _drop_old_records(self) -> None:
        """Drop what is older than its topic allows, read or not, also of topics that nobody reads."""
        while not self.should_stop:
            await self.sleep(RETENTION_SECONDS)
            if self._lease is None or self.should_stop:
                continue
            for topic, held in list(self.transport.topics.items()):
                seconds = held.retention_seconds
                if seconds is not None and not held.compacting:
                    drop = partial(streams.trim_older, self.transport.client, topic, seconds)
                    dropped = await self._unless_stopping(self.transport.persist("dropping old records", drop))
                    if dropped:
                        self.log.info("Dropped %d records of %r older than %.0f s.", dropped, topic, seconds)
