"""Topics as streams on a real server: numbering, compaction, commits, trimming, retention, lag."""

import asyncio
import itertools
from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from pipeline.topics import MESSAGES
from pipeline.transport import streams
from pipeline.transport.errors import TransportError
from pipeline.transport.lease import Lease
from pipeline.transport.streams import Batch, Extent, NewRecord, StoredRecord, TopicConfig, append_records

on_one_server = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # every example takes a topic of its own
fresh_topic = map("topic{}".format, itertools.count()).__next__


async def read_all(redis: Redis, topic: str, partition: int = 0, start: int = 0) -> list[StoredRecord]:
    found = await streams.read_records(redis, {(topic, partition): start}, count=100_000, block_ms=1)
    return found.get((topic, partition), [])


async def commit(redis: Redis, group: str, offsets: Mapping[tuple[str, int], int], *, trim: bool = True) -> bool:
    lease = Lease(redis, group)
    await redis.delete(lease.name)
    await lease.hold()
    trimmed = {topic for topic, _ in offsets} if trim else set()
    return await streams.commit_offsets(redis, group, offsets, lease=(lease.name, lease.token), trimmed=trimmed)


async def test_a_record_comes_back_as_it_was_given(redis: Redis) -> None:
    """Key, value, headers and time are kept to the byte; no key is not an empty key."""
    records = [
        NewRecord(b"k\x00\xff", b"v\r\n\x00"),
        NewRecord(None, b""),
        NewRecord(b"", None, created_at=12.5, headers=b"h"),
    ]
    assert await streams.append_batches(redis, [Batch("t", 0, records, compacting=False)]) == [0]
    first, second, third = await read_all(redis, "t")
    assert (first.offset, first.key, first.value, first.headers) == (0, b"k\x00\xff", b"v\r\n\x00", None)
    assert (second.offset, second.key, second.value) == (1, None, b"")
    assert third == StoredRecord(2, b"", None, 12.5, b"h")


async def test_many_producers_number_without_a_hole(redis: Redis, valkey_server: object) -> None:
    """Producers that append at the same moment share one numbering; each one's records stay together."""

    async def produce(name: bytes) -> list[int]:
        client = Redis(connection_pool=redis.connection_pool)
        return [await append_records(client, "t", 0, [(name, b"1"), (name, b"2")]) for _ in range(50)]

    starts = await asyncio.gather(*(produce(b"%d" % number) for number in range(8)))
    assert sorted(itertools.chain(*starts)) == list(range(0, 800, 2))
    stored = await read_all(redis, "t")
    assert [record.offset for record in stored] == list(range(800))
    for one, two in zip(stored[::2], stored[1::2], strict=True):
        assert (one.key, one.value, two.value) == (two.key, b"1", b"2")


async def test_more_records_than_one_script_takes(redis: Redis) -> None:
    """A long list is appended in pieces and numbered through."""
    assert await append_records(redis, "t", 0, [(None, b"%d" % number) for number in range(1234)]) == 0
    assert [record.value for record in await read_all(redis, "t")] == [b"%d" % number for number in range(1234)]


async def test_nothing_to_append_is_refused(redis: Redis) -> None:
    """An empty list is a mistake of the caller, told as one."""
    with pytest.raises(TransportError, match="at least one record"):
        await append_records(redis, "t", 0, [])


async def test_scripts_come_back_after_a_restart(redis: Redis) -> None:
    """A server that forgot the scripts gets them again; nothing is appended twice."""
    await append_records(redis, "t", 0, [(None, b"1")])
    await redis.script_flush()
    await append_records(redis, "t", 0, [(None, b"2")])
    assert [record.value for record in await read_all(redis, "t")] == [b"1", b"2"]


async def test_a_refused_batch_stops_no_other(redis: Redis) -> None:
    """In one round trip one partition may fail (here: its name holds something else) and the others are written."""
    await redis.set(streams.stream_key("t", 0), "not a stream")
    batches = [Batch("t", partition, [NewRecord(None, b"x")], compacting=False) for partition in (0, 1)]
    refused, written = await streams.append_batches(redis, batches)
    assert isinstance(refused, ResponseError)
    assert written == 0
    with pytest.raises(ResponseError):
        await append_records(redis, "t", 0, [(None, b"x")])


@pytest.mark.parametrize("protocol", [2, 3])
async def test_both_protocols_are_read(redis: Redis, valkey_server: object, protocol: int) -> None:
    """A URL may ask for either form of the server's answers."""
    await append_records(redis, "t", 0, [(b"k", b"v")])
    path = redis.connection_pool.connection_kwargs["path"]
    async with Redis(unix_socket_path=path, protocol=protocol) as client:
        assert [record.value for record in await read_all(client, "t")] == [b"v"]
        assert await streams.extents(client, [("t", 0), ("t", 1)]) == {("t", 0): Extent(0, 1), ("t", 1): Extent(0, 0)}


async def test_a_waiting_read_wakes_on_a_record(redis: Redis) -> None:
    """A reader at the end of a partition gets a new record at once, well before its wait is over."""
    waiting = asyncio.ensure_future(streams.read_records(redis, {("t", 0): 0}, count=10, block_ms=20_000))
    await asyncio.sleep(0.05)
    await append_records(redis, "t", 0, [(None, b"x")])
    assert (await asyncio.wait_for(waiting, 10))["t", 0][0].value == b"x"


async def test_a_topic_keeps_its_form(redis: Redis) -> None:
    """A second declaration changes neither partitions nor compaction; a retention may be added and changed."""
    made = await streams.create_topic(redis, "t", TopicConfig(4, compacting=True))
    assert await streams.create_topic(redis, "t", TopicConfig(2)) == made
    kept = await streams.create_topic(redis, "t", TopicConfig(2, retention_seconds=5.0))
    assert kept == TopicConfig(4, compacting=True, retention_seconds=5.0)
    assert await streams.topic_config(redis, "t") == kept
    assert await streams.ensure_topic(redis, MESSAGES, 4) == TopicConfig(
        4, retention_seconds=MESSAGES.retention_seconds
    )


# -- compaction ------------------------------------------------------------------------------------------------------

changes = st.lists(
    st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c", None]), st.none() | st.binary(max_size=3)), min_size=1),
    min_size=1,
    max_size=8,
)


@on_one_server
@given(changes)
async def test_a_changelog_holds_each_live_key_once(
    redis: Redis, batches: list[list[tuple[bytes | None, bytes | None]]]
) -> None:
    """After any changes the changelog replays to the table, with one record a live key and at most one deletion."""
    topic = fresh_topic()
    table: dict[bytes, bytes] = {}
    keyless = []
    for batch in batches:
        await append_records(redis, topic, 0, batch, compacting=True)
        for key, value in batch:
            if key is None:
                keyless.append(value)
            elif value is None:
                table.pop(key, None)
            else:
                table[key] = value
    stored = await read_all(redis, topic)
    total = sum(map(len, batches))
    assert stored[-1].offset == total - 1, "recovery waits for the last record"
    assert (stored[-1].key, stored[-1].value) == batches[-1][-1]
    assert {
        record.key: record.value for record in stored if record.key is not None and record.value is not None
    } == table
    deletions = [record for record in stored if record.key is not None and record.value is None]
    assert deletions in ([], [stored[-1]])
    assert [record.value for record in stored if record.key is None] == keyless
    assert len(stored) == len(table) + len(deletions) + len(keyless)


async def test_nothing_grows_beside_a_changelog(redis: Redis) -> None:
    """Keys that are deleted leave nothing in the index, however often they come and go."""
    for number in range(50):
        await append_records(redis, "t", 0, [(b"%d" % number, b"x")], compacting=True)
        await append_records(redis, "t", 0, [(b"%d" % number, None)], compacting=True)
    stream = streams.stream_key("t", 0)
    assert await redis.xlen(stream) == 1
    assert await redis.hlen(f"{stream}:index") == 1
    assert await redis.hlen(f"{stream}:tombstones") == 1


# -- commits and trimming --------------------------------------------------------------------------------------------


@on_one_server
@given(
    st.integers(1, 30),
    st.lists(st.tuples(st.sampled_from(["one", "two", "three"]), st.integers(0, 30)), max_size=12),
)
async def test_only_what_every_group_has_read_is_dropped(
    redis: Redis, total: int, commits: list[tuple[str, int]]
) -> None:
    """Whatever the groups commit in whatever order, exactly the records from the slowest group on are kept."""
    topic, groups = fresh_topic(), ("one", "two", "three")
    place = (topic, 0)
    await append_records(redis, topic, 0, [(None, b"%d" % number) for number in range(total)])
    reached = dict.fromkeys(groups, 0)
    for group in groups:
        await streams.register_group(redis, group, {place: 0})
    for group, offset in commits:
        await commit(redis, group, {place: min(offset, total)})
        reached[group] = max(reached[group], min(offset, total))
    for group in groups:
        assert (await streams.committed_offsets(redis, group))[place] == reached[group]
        assert (await streams.lag(redis, group))[place] == total - reached[group]
    slowest = min(reached.values()) if commits else 0
    assert [record.offset for record in await read_all(redis, topic)] == list(range(slowest, total))
    assert await append_records(redis, topic, 0, [(None, b"next")]) == total


async def test_numbering_goes_on_after_trimming_to_nothing(redis: Redis) -> None:
    """A partition that was read and emptied goes on counting, and its extent says that it is empty."""
    await append_records(redis, "t", 0, [(None, b"x")] * 5)
    await streams.register_group(redis, "g", {("t", 0): 0})
    await commit(redis, "g", {("t", 0): 5})
    assert await streams.extents(redis, [("t", 0)]) == {("t", 0): Extent(5, 5)}
    assert await append_records(redis, "t", 0, [(None, b"y")]) == 5
    assert [record.offset for record in await read_all(redis, "t", start=5)] == [5]


async def test_a_frozen_worker_cannot_commit(redis: Redis) -> None:
    """A commit under a lease that has passed to another changes nothing and says so."""
    old, new = Lease(redis, "g"), Lease(redis, "g")
    await append_records(redis, "t", 0, [(None, b"x")] * 5)
    await streams.register_group(redis, "g", {("t", 0): 0})
    await old.hold()
    await redis.delete(old.name)
    await new.hold()
    done = await streams.commit_offsets(redis, "g", {("t", 0): 5}, lease=(old.name, old.token), trimmed={"t"})
    assert not done
    assert await streams.committed_offsets(redis, "g") == {("t", 0): 0}
    assert len(await read_all(redis, "t")) == 5


async def test_joining_again_keeps_the_place(redis: Redis) -> None:
    """A group that is registered at every start begins where it was."""
    await streams.register_group(redis, "g", {("t", 0): 0})
    await commit(redis, "g", {("t", 0): 3})
    await streams.register_group(redis, "g", {("t", 0): 0, ("t", 1): 0})
    assert await streams.committed_offsets(redis, "g") == {("t", 0): 3, ("t", 1): 0}


async def test_a_topic_with_a_colon_in_its_name(redis: Redis) -> None:
    """Names are taken apart at the right place."""
    await streams.register_group(redis, "g", {("a:1", 2): 7})
    assert await streams.committed_offsets(redis, "g") == {("a:1", 2): 7}


# -- retention and lag -----------------------------------------------------------------------------------------------


async def test_old_records_go_and_young_ones_stay(redis: Redis) -> None:
    """Retention drops by age whoever has read, over as many pieces as it takes, and numbering goes on."""
    await streams.create_topic(redis, "t", TopicConfig(2))
    await append_records(redis, "t", 0, [(None, b"old")] * 1200)
    await asyncio.sleep(0.3)
    await append_records(redis, "t", 0, [(None, b"young")] * 3)
    await append_records(redis, "t", 1, [(None, b"young")])
    assert await streams.trim_older(redis, "t", 0.2) == 1200
    assert [record.offset for record in await read_all(redis, "t")] == [1200, 1201, 1202]
    assert await streams.trim_older(redis, "t", 60) == 0
    await asyncio.sleep(0.01)
    assert await streams.trim_older(redis, "t", 0) == 4
    assert await append_records(redis, "t", 0, [(None, b"x")]) == 1203


async def test_age_is_the_moment_of_appending(redis: Redis) -> None:
    """A record that carries an old or future time of its own is kept by when it came in."""
    await streams.create_topic(redis, "t", TopicConfig(1))
    records = [NewRecord(None, b"x", created_at=moment) for moment in (1.0, 9e9)]
    await streams.append_batches(redis, [Batch("t", 0, records, compacting=False)])
    assert await streams.trim_older(redis, "t", 60) == 0
    await asyncio.sleep(0.01)
    assert await streams.trim_older(redis, "t", 0) == 2


async def test_a_changelog_is_not_dropped_by_age(redis: Redis) -> None:
    """A table's contents have no age; an unknown topic has nothing to drop."""
    await streams.create_topic(redis, "t", TopicConfig(1, compacting=True))
    with pytest.raises(TransportError, match="changelog"):
        await streams.trim_older(redis, "t", 1)
    assert await streams.trim_older(redis, "unknown", 1) == 0


async def test_lag_counts_what_is_there(redis: Redis) -> None:
    """Records that retention took before they were read no longer wait; an unknown group waits for nothing."""
    await streams.create_topic(redis, "t", TopicConfig(1))
    await streams.register_group(redis, "g", {("t", 0): 0})
    await append_records(redis, "t", 0, [(None, b"x")] * 4)
    assert await streams.lag(redis, "g") == {("t", 0): 4}
    await asyncio.sleep(0.01)
    await streams.trim_older(redis, "t", 0)
    await append_records(redis, "t", 0, [(None, b"x")])
    assert await streams.lag(redis, "g") == {("t", 0): 1}
    assert await streams.lag(redis, "other") == {}
