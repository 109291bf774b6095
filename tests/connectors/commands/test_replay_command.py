"""`vangnet replay`, as the demo runs it: killed, stopped or left alone, the totals are the same."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from redis.asyncio import Redis

from connectors.replay.school import load_school
from pipeline.counters import Counters
from pipeline.groups import Group
from tests.connectors.commands.conftest import Ran

Vangnet = Callable[..., Awaitable[Ran]]
Start = Callable[..., Awaitable[asyncio.subprocess.Process]]
Received = Callable[[int], Awaitable[None]]


@pytest.fixture
async def _school(opt_in: Callable[..., Awaitable[Group]]) -> None:
    """The demo's opted-in groups in the ledger."""
    for group in load_school().groups:
        if group.opted_in:
            await opt_in(group.platform, group.platform_group)


@pytest.mark.usefixtures("_school")
async def test_killed_on_the_way_the_totals_are_the_same(
    start: Start, vangnet: Vangnet, received: Received, redis: Redis
) -> None:
    """Kill -9 in the middle, then --once: every message is counted once, and the figures add up."""
    process = await start("replay", "--pace", "0.002")
    await received(40)
    process.kill()
    await process.communicate()
    ran = await vangnet("replay", "--once", "--json")
    assert ran.status == 0, ran.err
    figures = json.loads(ran.out)
    assert figures["first"] >= 40
    assert figures["first"] + figures["played"] == figures["total"]
    assert figures["finished"]
    assert "the last conversation is told" in ran.err
    totals = await Counters(redis).totals()
    assert totals.received == figures["total"] == totals.refused + totals.repeated + totals.invalid + totals.accepted
    assert min(totals.refused, totals.repeated, totals.accepted) > 0
    again = await vangnet("replay", "--once")
    assert "told before" in again.err


@pytest.mark.usefixtures("_school")
async def test_asked_to_stop_it_says_where(start: Start, received: Received) -> None:
    """Ctrl-C or the supervisor's request ends it after the message in hand, with status 0 and a sentence."""
    process = await start("replay", "--pace", "0.01")
    await received(3)
    process.terminate()
    _, err = await process.communicate()
    assert process.returncode == 0
    assert b"it goes on from there" in err
