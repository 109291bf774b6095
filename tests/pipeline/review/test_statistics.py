from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from classifiers.labels import LABELS
from pipeline.counters import day_key
from pipeline.privacy import Keyring
from pipeline.review.records import Count, Outcome, QueueCounts
from pipeline.review.statistics import PERIODS, SMALLEST, DayCounts, figures, hide_small, period
from pipeline.review.store import ReviewStore
from tests.pipeline.review.conftest import Clock
from tests.pipeline.review.factories import MONDAY, make_failed, make_flag

DAY = 24 * 3600.0
EMPTY_QUEUE = QueueCounts(0, 0, 0.0, 0)
cells = st.lists(st.one_of(st.integers(0, 9), st.integers(0, 500)), max_size=40)


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ([], []),
        ([12, 30], [12, 30]),
        ([4], [None]),
        ([3, 30, 12], [None, 30, None]),  # one hidden cell alone would be the total less the others
        ([2, 1, 30, 12], [None, None, 30, None]),  # together 3: the smallest shown one hides them
        ([4, 4, 30, 12], [None, None, 30, 12]),
        ([0, 2, 0, 50], [None, None, None, None]),
        ([0, 7], [None, 7]),  # that nothing happened points at nobody
        ([0, 0, 3, 9, 8], [None, None, None, 9, None]),
    ],
)
def test_small_cells_and_what_gives_them_away_are_hidden(counts: list[int], shown: list[Count]) -> None:
    """Each row as management sees it beside its exact counts."""
    assert hide_small(counts) == shown


@given(cells)
def test_nothing_small_can_be_worked_out(counts: list[int]) -> None:
    """No small cell is shown; what total less shown cells gives is never 1 to 4, unless the total itself is."""
    shown = hide_small(counts)
    assert len(shown) == len(counts)
    hidden = [count for count, cell in zip(counts, shown, strict=True) if cell is None]
    for count, cell in zip(counts, shown, strict=True):
        assert cell is None or (cell == count and cell >= SMALLEST)
    if sum(counts) >= SMALLEST:
        assert sum(hidden) == 0 or sum(hidden) >= SMALLEST
        assert len([count for count in hidden if count]) != 1


@given(cells)
def test_no_more_is_hidden_than_needed(counts: list[int]) -> None:
    """A row without small cells is shown whole; a shown cell is never smaller than one hidden for company."""
    shown = hide_small(counts)
    if all(count >= SMALLEST for count in counts):
        assert shown == counts
    company = [count for count, cell in zip(counts, shown, strict=True) if cell is None and count >= SMALLEST]
    assert all(cell is None or cell >= max(company, default=0) for cell in shown)


@given(days=st.integers(-5, 2000))
def test_periods_are_fixed(days: int) -> None:
    """Whatever is asked, one of the fixed periods comes, at least as long where there is one, ending today."""
    today = date(2026, 9, 21)
    found = period(days, today)
    assert len(found) in PERIODS
    assert len(found) >= min(days, PERIODS[-1])
    assert found == [today - timedelta(days=back) for back in range(len(found) - 1, -1, -1)]


@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.sampled_from(["klas-a", "klas-b", "klas-c"]), st.integers(0, 60)),
            st.dictionaries(st.sampled_from(["group:klas-a", "group:klas-d"]), st.integers(0, 12)),
        ),
        min_size=1,
        max_size=9,
    ),
    st.integers(0, 12),
    st.integers(0, 12),
)
def test_no_small_count_leaves_the_figures(
    days: list[tuple[dict[str, int], dict[str, int]]], late: int, soon: int
) -> None:
    """Over any input no number from 0 to 4 stands anywhere in what management gets."""
    counts = [
        DayCounts(date(2026, 9, 1) + timedelta(days=number), read, {**flagged, "flags": sum(flagged.values())})
        for number, (read, flagged) in enumerate(days)
    ]
    found = figures(counts, QueueCounts(late + soon, late, 1.0, late))
    numbers = [found.messages, found.flags, found.open, found.overdue, found.parked]
    for day in found.by_day:
        numbers += [day.messages, day.flags]
    for group in found.by_group:
        numbers += [group.messages, group.flags]
    for label in found.by_label:
        numbers += [label.flags, label.upheld, label.dismissed, label.escalated, label.undecided]
    outcomes = found.outcomes
    numbers += [outcomes.upheld, outcomes.dismissed, outcomes.escalated, outcomes.undecided]
    assert all(number is None or number >= SMALLEST for number in numbers)
    assert [day.day for day in found.by_day] == [day.day for day in counts]
    if found.open is not None and found.overdue is not None:
        assert found.open == found.overdue or found.open - found.overdue >= SMALLEST


async def test_figures_of_a_week(store: ReviewStore, redis: Redis, keyring: Keyring, clock: Clock) -> None:
    """Messages, flags and outcomes land on their day, group and label, each flag once; a revision moves its outcome."""
    flags = [make_flag(keyring, message_id=f"m{number}", labels=("pesten", "flamen")) for number in range(12)]
    await store.add_flags([*flags, *flags])
    await store.add_flags(
        [make_flag(keyring, group="klas-3a", labels=("bedreiging",), sent_at=MONDAY - DAY) for _ in range(6)]
    )
    await redis.hset(day_key(MONDAY), mapping={"klas-2b|accepted": 400, "klas-3a|accepted": 3, "|received": 999})
    await redis.hset(day_key(MONDAY - DAY), mapping={"klas-3a|accepted": 200, "klas-3a|refused": 7})
    [case_id] = [case.case_id for case in await store.queue(frozenset({"klas-2b"}))]
    ids = [flag.message_id for flag in flags]
    await store.decide(case_id, ids[:6], "vera", Outcome.UPHELD, "reden", allowed_groups=None)
    await store.decide(case_id, ids[6:], "vera", Outcome.DISMISSED, "reden", allowed_groups=None)
    await store.revise(case_id, ids[5:6], "vera", Outcome.DISMISSED, "toch niet", allowed_groups=None)

    found = await store.statistics(5)
    assert (found.until - found.since).days == PERIODS[0] - 1
    assert (found.messages, found.flags) == (603, 18)
    today, yesterday = found.by_day[-1], found.by_day[-2]
    assert (today.day.isoformat(), today.messages, today.flags) == ("2026-09-21", 403, 12)
    assert (yesterday.messages, yesterday.flags) == (200, 6)
    assert [(row.group, row.messages, row.flags) for row in found.by_group] == [
        ("klas-2b", 400, 12), ("klas-3a", 203, 6),
    ]  # fmt: skip
    assert tuple(row.label for row in found.by_label) == LABELS
    labels = {row.label: (row.flags, row.upheld, row.dismissed) for row in found.by_label}
    assert labels["pesten"] == labels["flamen"] == (12, 5, 7)
    assert labels["bedreiging"] == (6, None, None)
    assert labels["hacken"] == (None, None, None)
    assert (found.outcomes.upheld, found.outcomes.dismissed, found.outcomes.undecided) == (5, 7, 6)


async def test_open_and_overdue(store: ReviewStore, keyring: Keyring, clock: Clock) -> None:
    """Open, overdue and not judged are those of now, hidden while small."""
    for number in range(11):
        await store.add_flag(
            make_flag(keyring, group=f"klas-{number}", sent_at=MONDAY - (2 * DAY if number < 5 else 0))
        )
    for number in range(5):
        await store.park(make_failed(keyring, message_id=f"q{number}"))
    found = await store.statistics(7)
    assert (found.open, found.overdue, found.parked) == (11, 5, 5)
    clock.now = MONDAY + 1
    for number in range(2):
        await store.dismiss_parked(f"q{number}", "vera", "gezien", allowed_groups=None)
        await store.add_flag(make_flag(keyring, group=f"klas-x{number}", sent_at=MONDAY - 3 * DAY))
    found = await store.statistics(7)
    assert (found.open, found.overdue, found.parked) == (13, 7, None)


def test_a_quiet_period_has_every_day_and_label() -> None:
    """Without any message every day and label is there, hidden."""
    found = figures([DayCounts(date(2026, 9, 21), {}, {})], EMPTY_QUEUE)
    assert (len(found.by_day), len(found.by_label), found.by_group) == (1, len(LABELS), ())
    assert found.messages is None
