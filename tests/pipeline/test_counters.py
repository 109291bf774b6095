"""What the figures promise: they can be checked, read by day, and hold no name."""

from datetime import UTC, date, datetime

import pytest
from redis.asyncio import Redis

from pipeline.counters import DAY_SECONDS, Counters, Totals, day_key


async def test_before_the_first_message_all_figures_are_zero(redis: Redis) -> None:
    """A new installation has figures, and they add up."""
    counters = Counters(redis)
    assert await counters.totals() == Totals()
    assert Totals().disagreements() == []
    assert await counters.days(date(2025, 11, 1), date(2025, 11, 30)) == []


@pytest.mark.parametrize(
    ("totals", "says"),
    [
        (Totals(received=3, accepted=2), "received 3"),
        (Totals(received=1, accepted=1, scored=2), "1 more"),
        (Totals(received=1, accepted=1, scored=1, flagged=2), "flagged 2"),
    ],
)
def test_figures_that_do_not_add_up_are_told(totals: Totals, says: str) -> None:
    """Each broken sum gives a sentence with its figures."""
    (sentence,) = totals.disagreements()
    assert says in sentence


def test_what_waits_is_what_was_accepted_and_not_dealt_with() -> None:
    """Every way out of the scoring step lessens what waits."""
    totals = Totals(received=20, accepted=20, scored=5, flagged=2, parked=4, purged=3, lesson=2, expired=1)
    assert totals.waiting == 5
    assert totals.disagreements() == []


@pytest.mark.parametrize(
    ("moment", "day"),
    [("2025-11-24T22:59:59+00:00", "2025-11-24"), ("2025-11-24T23:00:00+00:00", "2025-11-25"),
     ("2025-07-01T22:00:00+00:00", "2025-07-02")],
)  # fmt: skip
def test_a_day_begins_at_midnight_in_the_netherlands(moment: str, day: str) -> None:
    """Winter and summer time alike."""
    assert day_key(datetime.fromisoformat(moment).timestamp()) == f"vangnet:counters:{day}"


async def test_messages_that_a_topic_dropped_are_counted(redis: Redis) -> None:
    """They lessen what waits, and the day's figures end by themselves."""
    now = datetime(2025, 11, 24, 12, tzinfo=UTC).timestamp()
    await Counters(redis).add_expired(3, now)
    await Counters(redis).add_expired(1, now)
    assert (await Counters(redis).totals()).expired == 4
    (entry,) = await Counters(redis).days(date(2025, 11, 24), date(2025, 11, 24))
    assert (entry.group, entry.counts) == ("", {"expired": 4})
    assert DAY_SECONDS - 10 < await redis.ttl(day_key(now)) <= DAY_SECONDS
