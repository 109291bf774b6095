"""The demo is the same demo, however often it is interrupted."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
from redis.asyncio import Redis

from connectors.door import Door
from connectors.errors import ReplayError
from connectors.replay.conversations import Scheduled, duration, schedule
from connectors.replay.player import CURSOR, Place, play
from connectors.replay.school import load_school
from pipeline.counters import Counters
from pipeline.groups import Group
from pipeline.intake import ReceiptStatus

OptIn = Callable[..., Awaitable[Group]]


@pytest.fixture(scope="module")
def stream() -> list[Scheduled]:
    """The packaged school's stream."""
    return schedule(load_school())


@pytest.fixture
async def school(door: Door, opt_in: OptIn) -> Door:
    """The door, with the demo's opted-in groups in the ledger."""
    for group in load_school().groups:
        if group.opted_in:
            await opt_in(group.platform, group.platform_group)
    return door


async def test_the_figures_add_up(school: Door, stream: list[Scheduled], redis: Redis) -> None:
    """What is opted in is accepted once, repeats are told as such and the other group is refused."""
    summary = await play(stream, school)
    refused = sum(not scheduled.opted_in for scheduled in stream)
    repeats = sum(scheduled.repeat and scheduled.opted_in for scheduled in stream)
    assert summary.receipts == {
        ReceiptStatus.ACCEPTED: len(stream) - refused - repeats,
        ReceiptStatus.REPEATED: repeats,
        ReceiptStatus.REFUSED: refused,
    }
    assert summary.finished
    counted = await Counters(redis).totals()
    assert (counted.received, counted.repeated, counted.refused) == (len(stream), repeats, refused)


async def test_an_interrupted_replay_goes_on_exactly_where_it_was(
    school: Door, stream: list[Scheduled], redis: Redis
) -> None:
    """Stopped twice on the way, the totals are those of an undisturbed run and no message is played again."""
    played = 0
    for stop_after in (120, 300, None):
        stop = asyncio.Event()

        def watch(part: object, _: object, stop: asyncio.Event = stop, most: int | None = stop_after) -> None:
            nonlocal played
            played += len(part)  # type: ignore[arg-type]  # a list of messages
            if most is not None and played >= most:
                stop.set()

        summary = await play(stream, school, stop=stop, on_batch=watch)
    assert summary.finished
    assert summary.first == 300
    assert played == len(stream)
    counted = await Counters(redis).totals()
    assert counted.received == len(stream)
    assert counted.repeated == sum(scheduled.repeat and scheduled.opted_in for scheduled in stream)


async def test_a_finished_replay_plays_nothing(school: Door, stream: list[Scheduled]) -> None:
    """Started again after the last conversation it has nothing left to tell."""
    await play(stream, school)
    again = await play(stream, school)
    assert (again.played, again.finished) == (0, True)


async def test_the_time_of_sending_survives_a_restart(school: Door, stream: list[Scheduled]) -> None:
    """The stream keeps the moment on which it is based, so a conversation that was interrupted keeps its context."""
    stop = asyncio.Event()
    await play(stream, school, stop=stop, on_batch=lambda _part, _receipts: stop.set())
    first = Place.parse(await school.intake.cursor(CURSOR) or "")
    await play(stream, school)
    last = Place.parse(await school.intake.cursor(CURSOR) or "")
    assert (first.start, last.following) == (last.start, len(stream))


async def test_a_pace_plays_one_by_one_and_stops_at_once(school: Door, stream: list[Scheduled]) -> None:
    """With a pace each message is a step of its own, and a stop does not wait for the next."""
    stop = asyncio.Event()
    seen: list[int] = []

    def watch(part: object, _: object) -> None:
        seen.append(len(part))  # type: ignore[arg-type]  # a list of messages
        if len(seen) == 3:
            stop.set()

    summary = await play(stream, school, pace=0.001, stop=stop, on_batch=watch)
    assert (seen, summary.played, summary.finished) == ([1, 1, 1], 3, False)
    asked = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, asked.set)
    async with asyncio.timeout(30):
        assert (await play(stream, school, pace=3600, stop=asked)).played == 0


async def test_no_message_lies_in_the_future(school: Door, stream: list[Scheduled], redis: Redis) -> None:
    """The stream's last message is of the moment it began to be played."""
    before = time.time()
    await play(stream, school)
    place = Place.parse(await school.intake.cursor(CURSOR) or "")
    assert before <= stream[-1].at(place.start).sent_at <= time.time()
    assert place.start + duration(stream) == stream[-1].at(place.start).sent_at
    assert (await Counters(redis).totals()).clamped == 0


def test_a_place_is_read_as_it_was_written() -> None:
    """What the cursor stores is what is read, to the last digit; something else is told."""
    place = Place(17, 1_764_000_000.123456)
    assert Place.parse(str(place)) == place
    for damaged in ("", "x", "1", "1@x", "@1"):
        with pytest.raises(ReplayError, match="damaged"):
            Place.parse(damaged)
