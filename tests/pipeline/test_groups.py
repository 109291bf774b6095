"""What the ledger promises: who is read, until when, and what remains after opting out."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from pipeline.errors import CodecError, KeyDestroyedError, LedgerError
from pipeline.groups import Group, GroupLedger, GroupOptIn, GroupState, context_key, end_of_school_year
from pipeline.privacy import Keyring
from tests.pipeline.moments import NOW

AddGroup = Callable[..., Awaitable[Group]]


async def test_a_group_comes_back_as_it_was_entered(ledger: GroupLedger, add_group: AddGroup) -> None:
    """Every fact of the opt-in is kept, and it is found by id and by its place on the platform."""
    group = await add_group(mentors=("mentor.bakker",), until=NOW + 60)
    assert (group.name, group.platform, group.platform_group) == ("Klas 2B", "demo", "2b")
    assert (group.teacher, group.purpose, group.mentors) == ("docent.smit", "veilige klassenapp", ("mentor.bakker",))
    assert (group.opted_in_at, group.until, group.paused) == (NOW, NOW + 60, False)
    assert await ledger.get(group.id) == group
    assert await ledger.by_platform("demo", "2b") == group
    assert await ledger.by_platform("demo", "2c") is None
    assert await ledger.list() == [group]


async def test_names_do_not_lie_in_the_store(redis: Redis, add_group: AddGroup) -> None:
    """A dump of Redis shows no name of class, teacher, purpose or platform group."""
    await add_group(name="Klas Zonnebloem", platform_group="0031-groep")
    dump = b"".join([await redis.dump(key) or b"" for key in await redis.keys("*")])
    for name in (b"Zonnebloem", b"docent.smit", b"veilige", b"0031-groep"):
        assert name not in dump


async def test_one_place_holds_one_group(ledger: GroupLedger, add_group: AddGroup) -> None:
    """Adding a group twice is refused with its id and changes nothing."""
    group = await add_group()
    with pytest.raises(LedgerError, match=group.id):
        await add_group(name="Klas 3C")
    assert await ledger.list() == [group]


@pytest.mark.parametrize(
    "fields", [{"name": ""}, {"teacher": " "}, {"purpose": "x" * 201}, {"until": NOW}, {"platform_group": "a\nb"},
               {"until": float("nan")}]
)  # fmt: skip
async def test_an_incomplete_opt_in_is_refused(
    ledger: GroupLedger, opt_in: Callable[..., GroupOptIn], fields: dict[str, Any]
) -> None:
    """No group is read without a name, a teacher, a purpose and an end in the future."""
    with pytest.raises(LedgerError):
        await ledger.add(opt_in(**fields), NOW)
    assert await ledger.list() == []


@pytest.mark.parametrize(
    ("day", "end"),
    [
        ("2025-08-01T00:00+02:00", "2026-08-01T00:00+02:00"),
        ("2025-12-31T23:00+01:00", "2026-08-01T00:00+02:00"),
        ("2026-07-31T23:59+02:00", "2026-08-01T00:00+02:00"),
    ],
)
def test_consent_ends_with_the_school_year(day: str, end: str) -> None:
    """By default reading stops when 31 July ends in the Netherlands."""
    given = end_of_school_year(datetime.fromisoformat(day).timestamp())
    assert datetime.fromtimestamp(given, UTC) == datetime.fromisoformat(end)


async def test_states_follow_consent_pause_and_lesson(ledger: GroupLedger, add_group: AddGroup) -> None:
    """Expired wins from paused, paused from a lesson; a removed group is known as removed, another one not at all."""
    group = await add_group(until=NOW + 1000)
    assert await ledger.state(group.id, NOW) is GroupState.ACTIVE
    await ledger.lesson(group.id, NOW + 100, NOW)
    assert await ledger.state(group.id, NOW + 99) is GroupState.LESSON
    assert await ledger.state(group.id, NOW + 100) is GroupState.ACTIVE
    await ledger.pause(group.id)
    assert await ledger.state(group.id, NOW + 50) is GroupState.PAUSED
    assert await ledger.state(group.id, NOW + 1000) is GroupState.EXPIRED
    await ledger.resume(group.id)
    assert await ledger.state(group.id, NOW + 50) is GroupState.LESSON
    await ledger.extend(group.id, NOW + 2000)
    assert await ledger.state(group.id, NOW + 1000) is GroupState.ACTIVE
    await ledger.remove(group.id)
    assert await ledger.state(group.id, NOW) is GroupState.REMOVED
    assert await ledger.state("f" * 32, NOW) is None


async def test_a_lesson_covers_messages_from_its_start_on(ledger: GroupLedger, add_group: AddGroup) -> None:
    """Messages from before the lesson are judged; lengthening keeps the start, an early end keeps what it covered."""
    group = await add_group()
    await ledger.lesson(group.id, NOW + 100, NOW)
    await ledger.lesson(group.id, NOW + 300, NOW + 50)
    held = await ledger.get(group.id)
    assert held is not None
    assert [held.in_lesson(NOW + at) for at in (-1, 0, 299, 300)] == [False, True, True, False]
    await ledger.lesson(group.id, NOW + 60, NOW + 60)
    held = await ledger.get(group.id)
    assert held is not None
    assert [held.in_lesson(NOW + at) for at in (59, 60)] == [True, False]


@pytest.mark.parametrize("seconds", [24 * 3600 + 1, float("inf"), float("nan")])
async def test_a_lesson_cannot_switch_the_group_off_for_long(
    ledger: GroupLedger, add_group: AddGroup, seconds: float
) -> None:
    """Lesson mode ends within a day; for longer there is the pause, which says what it is."""
    group = await add_group()
    with pytest.raises(LedgerError, match="a day at most"):
        await ledger.lesson(group.id, NOW + seconds, NOW)


async def test_opting_out_leaves_a_dated_record_without_names(
    redis: Redis, ledger: GroupLedger, add_group: AddGroup
) -> None:
    """After removal neither names nor key nor context remain, only from when until when it was read."""
    group = await add_group()
    await redis.rpush(context_key(group.id), b"something")
    await ledger.remove(group.id, NOW + 5)
    assert await ledger.list() == []
    assert await ledger.by_platform("demo", "2b") is None
    (record,) = await ledger.removed()
    assert (record.id, record.opted_in_at, record.removed_at) == (group.id, NOW, NOW + 5)
    assert await redis.keys("*") == [b"vangnet:groups:removed"]


async def test_opting_out_destroys_the_data_key(ledger: GroupLedger, add_group: AddGroup) -> None:
    """What was sealed for the group cannot be opened any more, and a new opt-in has another key."""
    first = await add_group()
    sealed = (await ledger.ciphers([first.id]))(first.id).seal(b"hoi")
    await ledger.remove(first.id)
    ciphers = await ledger.ciphers([first.id])
    assert first.id not in ciphers
    with pytest.raises(KeyDestroyedError):
        ciphers(first.id)
    second = await add_group()
    assert second.id != first.id
    with pytest.raises(Exception, match="do not open"):
        (await ledger.ciphers([second.id]))(second.id).open(sealed)


async def test_a_group_that_never_was_is_not_taken_for_one_that_opted_out(ledger: GroupLedger) -> None:
    """A damaged group id on a topic is an undecodable record, not a purged one."""
    with pytest.raises(CodecError) as caught:
        (await ledger.ciphers(["f" * 32]))("f" * 32)
    assert not isinstance(caught.value, KeyDestroyedError)


async def test_keys_and_names_cannot_be_swapped_between_groups(
    redis: Redis, ledger: GroupLedger, add_group: AddGroup
) -> None:
    """Whoever can write in Redis cannot make one group's key or names count for another."""
    first, second = await add_group(), await add_group(platform_group="2c")
    stolen: Any = await redis.hgetall(f"vangnet:group:{first.id}")
    await redis.hset(f"vangnet:group:{second.id}", mapping=stolen)
    with pytest.raises(Exception, match="do not open"):
        await ledger.get(second.id)
    with pytest.raises(Exception, match="do not open"):
        await ledger.ciphers([second.id])


async def test_changes_to_a_group_that_is_not_there_are_refused(ledger: GroupLedger, add_group: AddGroup) -> None:
    """No change brings a removed group back, and each refusal says where to look."""
    group = await add_group()
    await ledger.remove(group.id)
    for change in (ledger.pause, ledger.resume, ledger.remove):
        with pytest.raises(LedgerError, match="vangnet groups list"):
            await change(group.id)
    with pytest.raises(LedgerError):
        await ledger.lesson(group.id, NOW + 10, NOW)
    assert await ledger.get(group.id) is None


async def test_another_installations_keys_open_nothing(redis: Redis, add_group: AddGroup, tmp_path: Path) -> None:
    """The ledger is unreadable with other keys."""
    group = await add_group()
    with pytest.raises(Exception, match="do not open"):
        await GroupLedger(redis, Keyring.open(tmp_path / "keys")).get(group.id)
