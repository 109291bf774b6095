"""The ledger of opted-in groups: the gate. What is not in it is not read.

Each group has a data key of its own, wrapped under the text key. Its waiting messages and its context window are
sealed with it, so that opting out (which destroys the key) makes them unreadable at once on any broker. Nothing of a
group is cached: a pause or a removal acts on the next batch.
"""

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

import msgspec
from redis.asyncio import Redis

from pipeline.errors import CodecError, KeyDestroyedError, LedgerError
from pipeline.privacy import KEY_BYTES, Cipher, Keyring
from pipeline.scripts import PREFIX, as_text, load_script

SCHOOL_ZONE = ZoneInfo("Europe/Amsterdam")
INDEX_KEY = f"{PREFIX}:groups"
REMOVED_KEY = f"{PREFIX}:groups:removed"
LONGEST_LESSON_SECONDS = 24 * 3600.0

_SCHOOL_YEAR_STARTS = 8
_LONGEST_NAME = 200


def group_key(group: str) -> str:
    """Name of the hash that holds a group: its sealed record, its wrapped data key and its dates."""
    return f"{PREFIX}:group:{group}"


def context_key(group: str) -> str:
    """Name of the list that holds a group's context window."""
    return f"{PREFIX}:context:{group}"


class GroupState(StrEnum):
    """Whether a group is read at a moment."""

    ACTIVE = "active"
    PAUSED = "paused"
    LESSON = "lesson"
    """Read and counted, but not judged: a lesson about social media (protocol 4.b)."""
    EXPIRED = "expired"
    """Its consent ended (the school year)."""
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupOptIn:
    """A teacher's decision that a group may be read."""

    name: str
    """What people call it: `Klas 2B`."""
    platform: str
    """The connector's name."""
    platform_group: str
    """The platform's id of the group."""
    teacher: str
    """User name of the teacher who opts in."""
    purpose: str
    """Why it is read, as told to pupils and parents."""
    until: float | None = None
    """Unix time in seconds at which reading stops; None is the end of the school year."""
    mentors: tuple[str, ...] = ()
    """User names of the mentors who see its flags; empty is all mentors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group in the ledger. Times are Unix seconds."""

    id: str
    """Random; says nothing."""
    name: str
    platform: str
    platform_group: str
    teacher: str
    purpose: str
    opted_in_at: float
    until: float
    paused: bool
    lesson_from: float | None
    lesson_until: float | None
    mentors: tuple[str, ...]

    def state(self, now: float) -> GroupState:
        """Tell whether the group is read at a moment: consent first, then a pause, then a lesson."""
        if now >= self.until:
            return GroupState.EXPIRED
        if self.paused:
            return GroupState.PAUSED
        return GroupState.LESSON if self.in_lesson(now) else GroupState.ACTIVE

    def in_lesson(self, at: float) -> bool:
        """Tell whether a message sent at this time belongs to a lesson about social media."""
        return self.lesson_from is not None and self.lesson_until is not None and (
            self.lesson_from <= at < self.lesson_until
        )  # fmt: skip


class RemovedGroup(msgspec.Struct, frozen=True):
    """What stays of a group that opted out: that it was read from then until then."""

    id: str
    platform: str
    opted_in_at: float
    removed_at: float
    mentors: tuple[str, ...] = ()
    """Who alone may go on seeing its cases; empty is all mentors."""


class _Names(msgspec.Struct, frozen=True, array_like=True):
    """The part of a group's record that is sealed."""

    name: str
    platform: str
    platform_group: str
    teacher: str
    purpose: str
    mentors: tuple[str, ...]


_names_decoder = msgspec.msgpack.Decoder(_Names)


class GroupCiphers:
    """The data keys of some groups; call it with a group's id, as `codec.decode` does."""

    __slots__ = ("_ciphers",)

    def __init__(self, ciphers: Mapping[str, Cipher | None]) -> None:
        """Hold the keys; None stands for a group that opted out."""
        self._ciphers = ciphers

    def __call__(self, group: str) -> Cipher:
        """Give the group's key.

        Raises:
            KeyDestroyedError: The group opted out; its records cannot be read any more, by anyone.
            CodecError: The ledger never held this group: the record is damaged or from another installation.
        """
        if group not in self._ciphers:
            msg = "A record names a group that the ledger never held"
            raise CodecError(msg)
        cipher = self._ciphers[group]
        if cipher is None:
            msg = f"Group {group} opted out; its key is destroyed"
            raise KeyDestroyedError(msg)
        return cipher

    def __contains__(self, group: str) -> bool:
        """Tell whether the group's records can be read."""
        return self._ciphers.get(group) is not None


class GroupLedger:
    """Who opted in, until when, paused or in a lesson; kept in Redis, names sealed."""

    def __init__(self, redis: Redis, keyring: Keyring) -> None:
        self._redis = redis
        self._keyring = keyring
        self._add = load_script(redis, "groups_add")
        self._change = load_script(redis, "groups_change")
        self._keys = load_script(redis, "groups_keys")
        self._hashes_of = load_script(redis, "groups_read")

    async def add(self, opt_in: GroupOptIn, now: float | None = None) -> Group:
        """Enter a group with a new data key.

        Raises:
            LedgerError: The place on the platform is taken, a name is missing or the consent would already be over.
        """
        now = time.time() if now is None else now
        until = end_of_school_year(now) if opt_in.until is None else opt_in.until
        _check(opt_in, until, now)
        identifier = secrets.token_hex(16)
        names = _Names(
            opt_in.name,
            opt_in.platform,
            opt_in.platform_group,
            opt_in.teacher,
            opt_in.purpose,
            opt_in.mentors,
        )
        index = self._keyring.pseudonymizer.group_key(opt_in.platform, opt_in.platform_group)
        aad = _aad(identifier)
        fields: dict[str, str | bytes] = {
            "names": self._keyring.text.seal(msgspec.msgpack.encode(names), aad),
            "key": self._keyring.text.seal(secrets.token_bytes(KEY_BYTES), aad),
            "index": index,
            "platform": opt_in.platform,
            "opted_in_at": repr(float(now)),
            "until": repr(float(until)),
            # User names of staff, in clear for the sweep, which has no keys.
            "mentors": msgspec.json.encode(opt_in.mentors),
        }
        arguments = [part for field in fields.items() for part in field]
        holder = await self._add(keys=[INDEX_KEY, group_key(identifier)], args=[index, identifier, *arguments])
        if holder.decode() != identifier:
            msg = (
                f"This {opt_in.platform} group is already in the ledger as {holder.decode()}. "
                "Resume it, or remove it first to opt in anew."
            )
            raise LedgerError(msg)
        group = await self.get(identifier)
        if group is None:
            msg = f"Group {identifier} was removed at the moment it was added"
            raise LedgerError(msg)
        return group

    async def get(self, group: str) -> Group | None:
        """Give a group, or None when the ledger does not hold it (any more)."""
        return (await self.read([group])).get(group)

    async def read(self, groups: Sequence[str]) -> dict[str, Group]:
        """Give those of the groups that the ledger holds, in one round trip."""
        found = await self._hashes(groups)
        return {group: self.opened(group, fields) for group, fields in found.items() if fields}

    async def by_platform(self, platform: str, platform_group: str) -> Group | None:
        """Find a group by the platform's id, or None when it did not opt in."""
        index = self._keyring.pseudonymizer.group_key(platform, platform_group)
        identifier = await self._redis.hget(INDEX_KEY, index)
        return None if identifier is None else await self.get(as_text(identifier))

    async def list(self) -> list[Group]:
        """Give all groups, first opted in first."""
        identifiers = [as_text(value) for value in await self._redis.hvals(INDEX_KEY)]
        return sorted((await self.read(identifiers)).values(), key=lambda group: (group.opted_in_at, group.id))

    async def removed(self) -> tuple[RemovedGroup, ...]:
        """Give the records of groups that opted out, first removed first."""
        records = await self._redis.hvals(REMOVED_KEY)
        found = [msgspec.json.decode(record, type=RemovedGroup) for record in records]
        return tuple(sorted(found, key=lambda record: record.removed_at))

    async def state(self, group: str, now: float | None = None) -> GroupState | None:
        """Tell a group's state, also of one that opted out; None when the ledger never held it."""
        held = await self.get(group)
        if held is not None:
            return held.state(time.time() if now is None else now)
        was_held = await self._redis.hexists(REMOVED_KEY, group)
        return GroupState.REMOVED if was_held else None

    async def ciphers(self, groups: Sequence[str]) -> GroupCiphers:
        """Give the data keys of groups, and know which of them opted out, in one round trip."""
        asked = list(dict.fromkeys(groups))
        # One script: as a pipeline, packing its many small commands was most of what a batch of messages cost.
        answers = await self._keys(keys=[REMOVED_KEY, *map(group_key, asked)], args=asked) if asked else []
        ciphers: dict[str, Cipher | None] = {}
        for group, wrapped, was_held in zip(asked, answers[::2], answers[1::2], strict=True):
            if wrapped is not None:
                ciphers[group] = self.unwrapped(group, wrapped)
            elif was_held:
                ciphers[group] = None
        return GroupCiphers(ciphers)

    async def pause(self, group: str) -> None:
        """Stop reading; messages that arrive meanwhile are refused, not kept for later.

        Raises:
            LedgerError: The ledger does not hold the group.
        """
        await self._set(group, paused="1")

    async def resume(self, group: str) -> None:
        """Read again, from now on.

        Raises:
            LedgerError: The ledger does not hold the group.
        """
        await self._set(group, paused="0")

    async def lesson(self, group: str, until: float, now: float | None = None) -> None:
        """Suspend judging from now until a time, for a lesson about social media (protocol 4.b).

        Args:
            group: Its id.
            until: Unix time in seconds, a day ahead at most; a time that has passed ends the lesson now.
            now: The moment, when it is not the clock's.

        Raises:
            LedgerError: The ledger does not hold the group, or the lesson would last longer than a day.
        """
        now = time.time() if now is None else now
        held = await self.get(group)
        if not until - now <= LONGEST_LESSON_SECONDS:
            msg = "A lesson lasts a day at most. Choose an earlier end, or pause the group."
            raise LedgerError(msg)
        start = held.lesson_from if held is not None and held.in_lesson(now) and held.lesson_from is not None else now
        await self._set(group, lesson_from=repr(float(start)), lesson_until=repr(float(until)))

    async def extend(self, group: str, until: float) -> None:
        """Set another end of the consent.

        Raises:
            LedgerError: The ledger does not hold the group.
        """
        await self._set(group, until=repr(float(until)))

    async def remove(self, group: str, now: float | None = None) -> RemovedGroup:
        """Opt a group out: its waiting messages become unreadable, its context is erased, a dated record stays.

        Raises:
            LedgerError: The ledger does not hold the group.
        """
        held = await self.get(group)
        if held is not None:
            record = RemovedGroup(
                group, held.platform, held.opted_in_at, time.time() if now is None else now, held.mentors
            )
            if await removal(self._redis, record):
                return record
        raise _not_held(group)

    def opened(self, group: str, fields: Mapping[bytes, bytes]) -> Group:
        """Open a group's record as it lies in Redis."""
        names = _names_decoder.decode(self._keyring.text.open(fields[b"names"], _aad(group)))
        lesson_from, lesson_until = fields.get(b"lesson_from"), fields.get(b"lesson_until")
        return Group(
            id=group,
            name=names.name,
            platform=names.platform,
            platform_group=names.platform_group,
            teacher=names.teacher,
            purpose=names.purpose,
            opted_in_at=float(fields[b"opted_in_at"]),
            until=float(fields[b"until"]),
            paused=fields.get(b"paused") == b"1",
            lesson_from=None if lesson_from is None else float(lesson_from),
            lesson_until=None if lesson_until is None else float(lesson_until),
            mentors=names.mentors,
        )

    def unwrapped(self, group: str, wrapped: bytes) -> Cipher:
        """Open a group's data key as it lies in Redis."""
        return Cipher(self._keyring.text.open(wrapped, _aad(group)))

    async def _hashes(self, groups: Sequence[str]) -> dict[str, dict[bytes, bytes]]:
        if not groups:
            return {}
        answers = await self._hashes_of(keys=[group_key(group) for group in groups])
        return {
            group: dict(zip(flat[::2], flat[1::2], strict=True)) for group, flat in zip(groups, answers, strict=True)
        }

    async def _set(self, group: str, **fields: str) -> None:
        arguments = [part for field in fields.items() for part in field]
        if not await self._change(keys=[group_key(group)], args=arguments):
            raise _not_held(group)


async def removal(redis: Redis, record: RemovedGroup) -> bool:
    """Destroy a group's key, names and context window in one step, leaving the record; False when it was gone."""
    keys = [INDEX_KEY, group_key(record.id), context_key(record.id), REMOVED_KEY]
    remove = load_script(redis, "groups_remove")
    return bool(await remove(keys=keys, args=[record.id, msgspec.json.encode(record)]))


def end_of_school_year(now: float) -> float:
    """Give the end of 31 July of the school year in which a moment lies, as Unix time in seconds."""
    today = datetime.fromtimestamp(now, SCHOOL_ZONE)
    year = today.year + (today.month >= _SCHOOL_YEAR_STARTS)
    return datetime(year, _SCHOOL_YEAR_STARTS, 1, tzinfo=SCHOOL_ZONE).timestamp()


def _aad(group: str) -> bytes:
    return b"group:" + group.encode()


def _not_held(group: str) -> LedgerError:
    return LedgerError(f"The ledger holds no group {group}. See: vangnet groups list")


def _check(opt_in: GroupOptIn, until: float, now: float) -> None:
    for field in ("name", "platform", "platform_group", "teacher", "purpose"):
        value = getattr(opt_in, field)
        if not value.strip() or len(value) > _LONGEST_NAME or not value.isprintable():
            msg = f"A group's {field} must be printable text of 1 to {_LONGEST_NAME} characters."
            raise LedgerError(msg)
    if not until > now:
        msg = "The consent would already be over. Choose a later end (--until)."
        raise LedgerError(msg)
