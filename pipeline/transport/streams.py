"""Topics as Redis streams: what is stored and every function on it, usable without Faust.

A topic-partition is one stream whose ids are `0-<offset + 1>`: the server numbers the records itself, so any number of
producers may append, and the numbers go on when the stream was trimmed to nothing. Beside it: one hash of topics, one
hash of committed offsets a consumer group, and for a compacting topic (a table's changelog) the id of each key's last
record, so that compaction happens on write and a changelog holds one record a live key.

Offsets are Kafka's: the first record has 0; *committed* and *highwater* are the next one to be read or written.
"""

import asyncio
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple, TypeVar, cast

import msgspec
from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError, ResponseError

from pipeline.topics import TopicSpec
from pipeline.transport.errors import TransportError

PREFIX: Final = "vangnet:stream"
TOPICS_KEY: Final = f"{PREFIX}:topics"
GROUPS_KEY: Final = f"{PREFIX}:groups"
MOST_RECORDS_A_SCRIPT: Final = 500
"""The server does nothing else while a script runs; 500 appends take about two milliseconds."""

Place = TypeVar("Place", bound=tuple[str, int])
"""A topic and a partition: a plain pair, or Faust's own named one."""


class TopicConfig(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a topic is held; fixed when it is made, except for the retention."""

    partitions: int
    compacting: bool = False
    """Only the last record of each key is kept."""
    retention_seconds: float | None = None
    """Records older than this are dropped even when nobody read them; None keeps unread records for ever."""


class NewRecord(NamedTuple):
    """A record to append. A value of None deletes the key of a compacting topic."""

    key: bytes | None
    value: bytes | None
    created_at: float | None = None
    """Unix time in seconds, where it is not the moment of appending."""
    headers: bytes | None = None


class StoredRecord(NamedTuple):
    """A record as read."""

    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: float
    """Unix time in seconds: when it was created, else when it was appended."""
    headers: bytes | None


class Extent(NamedTuple):
    """What a partition holds now."""

    earliest: int
    """Offset of its first record, or the highwater when it holds none."""
    highwater: int
    """Offset that the next record will get."""


class Batch(NamedTuple):
    """Records for one partition, appended together or not at all; at least one record."""

    topic: str
    partition: int
    records: Sequence[NewRecord]
    compacting: bool


class Script:
    """A Lua script of this package, run by its hash and loaded again when the server has forgotten it."""

    def __init__(self, name: str) -> None:
        self.text = (files(__package__) / f"{name}.lua").read_text("utf-8")
        self.sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()

    async def run(self, redis: Redis, keys: Sequence[str], arguments: Sequence[bytes | str | int | float]) -> Any:  # noqa: ANN401 - each script answers in its own shape
        """Run it, atomically."""
        try:
            return await redis.evalsha(self.sha, len(keys), *keys, *arguments)
        except NoScriptError:
            return await redis.eval(self.text, len(keys), *keys, *arguments)


@cache
def script(name: str) -> Script:
    """The script of that name, read once."""
    return Script(name)


def stream_key(topic: str, partition: int) -> str:
    """Name of the stream that holds a topic-partition."""
    return f"{PREFIX}:{topic}:{partition}"


def offsets_key(group: str) -> str:
    """Name of the hash that holds a consumer group's committed offsets, one field `topic:partition` each."""
    return f"{PREFIX}:offsets:{group}"


async def topic_config(redis: Redis, topic: str) -> TopicConfig | None:
    """How a topic is held, or None when it does not exist."""
    raw = await cast("Any", redis.hget(TOPICS_KEY, topic))
    return None if raw is None else msgspec.json.decode(raw, type=TopicConfig)


async def create_topic(redis: Redis, topic: str, wanted: TopicConfig) -> TopicConfig:
    """Make a topic unless it exists; a new retention replaces the old one.

    Returns:
        How the topic is held: an existing one keeps its partitions and compaction, since its keys have their places.
    """
    await cast("Any", redis.hsetnx(TOPICS_KEY, topic, msgspec.json.encode(wanted)))
    held = await topic_config(redis, topic) or wanted
    if wanted.retention_seconds is not None and wanted.retention_seconds != held.retention_seconds:
        held = msgspec.structs.replace(held, retention_seconds=wanted.retention_seconds)
        await cast("Any", redis.hset(TOPICS_KEY, topic, msgspec.json.encode(held).decode()))
    return held


async def ensure_topic(redis: Redis, spec: TopicSpec, partitions: int) -> TopicConfig:
    """Make one of Vangnet's topics unless it exists.

    Args:
        redis: The server.
        spec: Its name and how long it keeps records.
        partitions: How many partitions a new topic gets.
    """
    return await create_topic(redis, spec.name, TopicConfig(partitions, retention_seconds=spec.retention_seconds))


async def append_records(
    redis: Redis,
    topic: str,
    partition: int,
    records: Sequence[tuple[bytes | None, bytes | None]],
    *,
    compacting: bool = False,
) -> int:
    """Append to one partition; when this returns, the server has the records (and its file, within a second).

    Args:
        redis: The server.
        topic: Topic name; make it with `ensure_topic` so that its retention is known.
        partition: See `partitioner.partition_for`.
        records: Pairs of key and value, at least one.
        compacting: True for a topic that keeps the last record of each key only.

    Returns:
        The offset of the first record.

    Raises:
        redis.exceptions.RedisError: The server refused or is away. Records may then be there or not: append again.
    """
    pieces = [
        Batch(topic, partition, [NewRecord(*pair) for pair in records[at : at + MOST_RECORDS_A_SCRIPT]], compacting)
        for at in range(0, len(records), MOST_RECORDS_A_SCRIPT)
    ]
    first: int | None = None
    for result in await append_batches(redis, pieces):
        if isinstance(result, Exception):
            raise result
        first = result if first is None else first
    if first is None:
        msg = f"Nothing to append to {topic!r}: give at least one record."
        raise TransportError(msg)
    return first


async def append_batches(redis: Redis, batches: Sequence[Batch]) -> list[int | RedisError]:
    """Append several batches in one round trip.

    Returns:
        For each batch the offset of its first record, or why the server refused it.

    Raises:
        redis.exceptions.ConnectionError: The server is away; any of the batches may be there or not.
    """
    append = script("append")
    results = await _append(redis, batches)
    if any(isinstance(result, NoScriptError) for result in results):
        # Nothing of such a batch was run, so running it again repeats nothing.
        await redis.script_load(append.text)
        missing = [at for at, result in enumerate(results) if isinstance(result, NoScriptError)]
        for at, result in zip(missing, await _append(redis, [batches[at] for at in missing]), strict=True):
            results[at] = result
    return results


async def _append(redis: Redis, batches: Sequence[Batch]) -> list[int | RedisError]:
    async with redis.pipeline(transaction=False) as pipe:
        for topic, partition, records, compacting in batches:
            stream = stream_key(topic, partition)
            arguments: list[bytes | str] = ["1" if compacting else "0"]
            for record in records:
                arguments += _arguments(record)
            pipe.evalsha(script("append").sha, 3, stream, f"{stream}:index", f"{stream}:tombstones", *arguments)
        results = await pipe.execute(raise_on_error=False)
    return [result if isinstance(result, RedisError) else int(result) - 1 for result in results]


def _arguments(record: NewRecord) -> tuple[str, bytes, bytes, str, bytes]:
    key, value, created_at, headers = record
    has = (
        ("" if key is None else "k")
        + ("" if value is None else "v")
        + ("" if created_at is None else "c")
        + ("" if headers is None else "h")
    )
    return has, key or b"", value or b"", "" if created_at is None else str(int(created_at * 1000)), headers or b""


async def read_records(
    redis: Redis, positions: Mapping[Place, int], *, count: int, block_ms: int
) -> dict[Place, list[StoredRecord]]:
    """Read on from a place in each partition; waits for a record when there is none.

    Args:
        redis: The server.
        positions: The offset to read first, of each partition.
        count: Most records of one partition.
        block_ms: Longest wait in milliseconds.

    Returns:
        The records of the partitions that have any, in order.
    """
    partitions = {stream_key(*place).encode(): place for place in positions}
    streams = [f"0-{offset}" for offset in positions.values()]  # XREAD answers what comes after this id
    execute = cast("Any", redis).execute_command  # `Redis.xread` would split the dictionary that was just joined
    answer = await execute("XREAD", "COUNT", count, "BLOCK", block_ms, "STREAMS", *partitions, *streams)
    pairs: Iterable[tuple[bytes, Any]] = answer or ()
    if isinstance(answer, dict):  # RESP3, which a URL may ask for
        pairs = ((stream, entries) for stream, (entries,) in answer.items())
    return {partitions[stream]: [_stored(id_, fields) for id_, fields in entries] for stream, entries in pairs}


def _stored(id_: bytes, fields: Mapping[bytes, bytes]) -> StoredRecord:
    get = fields.get
    return StoredRecord(int(id_[2:]) - 1, get(b"k"), get(b"v"), int(get(b"c") or fields[b"t"]) / 1000, get(b"h"))


async def extents(redis: Redis, places: Iterable[Place]) -> dict[Place, Extent]:
    """Look up what partitions hold now; one never written holds nothing."""
    asked = list(places)
    async with redis.pipeline(transaction=False) as pipe:
        for topic, partition in asked:
            pipe.xinfo_stream(stream_key(topic, partition))
        answers = await pipe.execute(raise_on_error=False)
    found: dict[Place, Extent] = {}
    for place, answer in zip(asked, answers, strict=True):
        if isinstance(answer, ResponseError) and "no such key" in str(answer):
            found[place] = Extent(0, 0)
        elif isinstance(answer, Exception):
            raise answer
        else:
            highwater = int(answer["last-generated-id"].split(b"-")[1])
            first = answer["first-entry"]
            found[place] = Extent(int(first[0].split(b"-")[1]) - 1 if first else highwater, highwater)
    return found


async def committed_offsets(redis: Redis, group: str) -> dict[tuple[str, int], int]:
    """How far a consumer group has committed, of each partition it ever subscribed to."""
    stored = await cast("Any", redis.hgetall(offsets_key(group)))
    found: dict[tuple[str, int], int] = {}
    for field, offset in stored.items():
        topic, _, partition = field.decode().rpartition(":")
        found[topic, int(partition)] = int(offset)
    return found


async def register_group(redis: Redis, group: str, starts: Mapping[Place, int]) -> None:
    """Make a group known as a reader, so that nothing it has still to read is trimmed.

    Args:
        redis: The server.
        group: The consumer group.
        starts: For each partition the offset where a group without a committed offset begins.
    """
    async with redis.pipeline(transaction=True) as pipe:
        pipe.sadd(GROUPS_KEY, offsets_key(group))
        for (topic, partition), offset in starts.items():
            pipe.hsetnx(offsets_key(group), f"{topic}:{partition}", str(offset))
        await pipe.execute()


async def rewind_group(redis: Redis, group: str, offsets: Mapping[Place, int]) -> None:
    """Set a group back, which a commit never does: for partitions that were emptied behind its back."""
    fields = {f"{topic}:{partition}": str(offset) for (topic, partition), offset in offsets.items()}
    await cast("Any", redis).hset(offsets_key(group), mapping=fields)


async def commit_offsets(
    redis: Redis,
    group: str,
    offsets: Mapping[Place, int],
    *,
    lease: tuple[str, str],
    trimmed: Iterable[str],
) -> bool:
    """Store how far a group has read, and drop what every group has read.

    Args:
        redis: The server.
        group: The consumer group.
        offsets: The next offset to read, of each partition. One below the stored offset changes nothing.
        lease: Name and token of the group's lease.
        trimmed: Topics whose read records are dropped (never a compacting one).

    Returns:
        False, with nothing changed, when the lease has passed to another.
    """
    trim = frozenset(trimmed)
    arguments: list[str | int] = [lease[1]]
    for (topic, partition), offset in offsets.items():
        arguments += [f"{topic}:{partition}", offset, stream_key(topic, partition), "1" if topic in trim else "0"]
    return bool(await script("commit").run(redis, [lease[0], offsets_key(group), GROUPS_KEY], arguments))


async def lag(redis: Redis, group: str) -> dict[tuple[str, int], int]:
    """Count the records that wait for a consumer group, of each partition it ever subscribed to.

    Records dropped by retention before they were read do not count. A group that never ran has no partitions here.
    """
    committed = await committed_offsets(redis, group)
    held = await extents(redis, committed)
    return {
        place: max(0, held[place].highwater - max(offset, held[place].earliest)) for place, offset in committed.items()
    }


async def trim_older(redis: Redis, topic: str, seconds: float) -> int:
    """Drop a topic's records that were appended longer ago than this, read or not.

    Args:
        redis: The server.
        topic: Topic name; one that does not exist holds nothing to drop.
        seconds: Age in seconds.

    Returns:
        How many records were dropped.

    Raises:
        TransportError: The topic is compacting; its records are a table's contents.
    """
    config = await topic_config(redis, topic)
    if config is None:
        return 0
    if config.compacting:
        msg = f"Topic {topic!r} is a table's changelog and is kept by key, not by age."
        raise TransportError(msg)
    age = f"{seconds * 1000:.0f}"
    dropped = 0
    for partition in range(config.partitions):
        piece = MOST_RECORDS_A_SCRIPT
        while piece >= MOST_RECORDS_A_SCRIPT:
            piece = int(await script("trim_older").run(redis, [stream_key(topic, partition)], [age]))
            dropped += piece
            await asyncio.sleep(0)
    return dropped
