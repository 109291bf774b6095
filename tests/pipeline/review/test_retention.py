from redis.asyncio import Redis

from pipeline.privacy import Keyring
from pipeline.retention import sweep
from pipeline.review.records import AuditAction, Outcome
from pipeline.review.retention import REVIEW_TERM
from pipeline.review.store import ReviewStore
from pipeline.settings import Settings
from tests.conftest import ValkeyServer
from tests.pipeline.review.conftest import Clock
from tests.pipeline.review.factories import MONDAY, make_context, make_failed, make_flag

DAY = 24 * 3600.0


def keys_naming(server: ValkeyServer, *names: bytes) -> set[bytes]:
    """Keys, but the global trail and the mark of erasure, whose name or content names one of these."""
    with server.client() as client:
        return {
            key
            for key in client.scan_iter()
            if not key.startswith((b"vangnet:review:audit", b"vangnet:review:erased:", b"vangnet:review:day:"))
            for name in names
            if name in key or name in (client.dump(key) or b"")
        }


async def test_erasing_a_group_leaves_nothing_of_it(
    store: ReviewStore, keyring: Keyring, valkey_server: ValkeyServer
) -> None:
    """Open, half judged and closed cases, parked and dismissed messages go; the receipt counts them; others stay."""
    for group in ("klas-2b", "klas-3a"):
        line = make_context(message_id=f"{group}-x")
        for number in range(3):
            await store.add_flag(
                make_flag(
                    keyring, message_id=f"{group}-m{number}", group=group, author=f"a{number}", before=[line],
                    sent_at=MONDAY + number * DAY,
                )
            )  # fmt: skip
        for number in range(2):
            await store.park(make_failed(keyring, message_id=f"{group}-p{number}", group=group))
        await store.dismiss_parked(f"{group}-p0", "vera", "gezien", allowed_groups=None)
        first = (await store.queue(frozenset({group})))[0].case_id
        await store.decide(first, [f"{group}-m0"], "vera", Outcome.UPHELD, "reden", allowed_groups=None)
    assert keys_naming(valkey_server, b"klas-2b")

    receipt = await store.erase_group("klas-2b")
    assert (receipt.group, receipt.cases, receipt.flags, receipt.parked) == ("klas-2b", 3, 3, 2)
    assert keys_naming(valkey_server, b"klas-2b") == set()
    assert {case.group for case in [*await store.queue(None), *await store.closed(None)]} == {"klas-3a"}
    assert (await store.counts()).open == 2
    [entry] = await store.audit_trail(limit=1)
    assert (entry.action, entry.detail) == (
        AuditAction.GROUP_ERASED, "group klas-2b: 3 cases, 3 flags, 2 parked",
    )  # fmt: skip
    again = await store.erase_group("klas-2b")
    assert (again.cases, again.flags, again.parked) == (0, 0, 0)


async def test_what_was_on_its_way_does_not_come_back(store: ReviewStore, keyring: Keyring) -> None:
    """A flag or failure of an erased group that is delivered later is refused."""
    await store.erase_group("klas-2b")
    assert not await store.add_flag(make_flag(keyring))
    assert not await store.park(make_failed(keyring))
    assert await store.add_flag(make_flag(keyring, group="klas-3a"))
    assert (await store.counts()).open == 1


async def test_judged_cases_go_after_their_term_and_open_ones_after_a_year(
    store: ReviewStore, keyring: Keyring, clock: Clock, redis: Redis
) -> None:
    """Ninety days after closing a case goes with its trail; what nobody judged stays until a year is over."""
    await store.add_flags([make_flag(keyring, message_id=name, group=f"klas-{name}") for name in "ab"])
    await store.park(make_failed(keyring, message_id="p"))
    await store.park(make_failed(keyring, message_id="q"))
    clock.now = MONDAY + DAY
    await store.dismiss_parked("p", "vera", "gezien", allowed_groups=None)
    [closed] = [case.case_id for case in await store.queue(frozenset({"klas-a"}))]
    await store.decide(closed, ["a"], "vera", Outcome.UPHELD, "reden", allowed_groups=None)

    receipt = await store.expire(MONDAY + 91 * DAY, 90)
    assert (receipt.cases, receipt.flags, receipt.parked) == (0, 0, 0)
    assert await store.case(closed, None) is not None
    receipt = await store.expire(MONDAY + 91 * DAY + 60, 90)
    assert (receipt.group, receipt.cases, receipt.flags, receipt.parked) == (None, 1, 1, 1)
    assert await store.case(closed, None) is None
    assert await store.audit(closed, None) == []
    assert not await redis.exists("vangnet:review:flag:a", f"vangnet:review:case:{closed}:audit")
    expired = [entry for entry in await store.audit_trail() if entry.action is AuditAction.EXPIRED]
    assert [entry.case_id for entry in expired] == [closed]

    assert (await store.counts()).open == 1
    receipt = await store.expire(MONDAY + 366 * DAY + 60, 90)
    assert (receipt.cases, receipt.flags, receipt.parked) == (1, 1, 1)
    assert (await store.counts()).parked == 0
    assert await store.queue(None) == []


async def test_many_at_once(store: ReviewStore, keyring: Keyring) -> None:
    """Retention comes to its end also when more is due than one step takes."""
    await store.add_flags([make_flag(keyring, group=f"klas-{number}") for number in range(450)])
    receipt = await store.expire(MONDAY + 400 * DAY, 90)
    assert (receipt.cases, receipt.flags) == (450, 450)


async def test_a_late_revision_does_not_bring_a_days_figures_back(
    store: ReviewStore, keyring: Keyring, redis: Redis
) -> None:
    """Figures whose own term ended are not made anew, without an end, by a decision on an old flag."""
    await store.add_flag(make_flag(keyring, message_id="a"))
    await redis.delete("vangnet:review:day:2026-09-21")
    [case] = await store.queue(None)
    await store.decide(case.case_id, ["a"], "vera", Outcome.UPHELD, "reden", allowed_groups=None)
    assert not await redis.exists("vangnet:review:day:2026-09-21")


async def test_the_sweep_takes_the_schools_term(
    store: ReviewStore, keyring: Keyring, clock: Clock, redis: Redis, settings: Settings
) -> None:
    """The sweep removes judged cases after the days that the school set, and counts them."""
    await store.add_flag(make_flag(keyring, message_id="a"))
    [case] = await store.queue(None)
    await store.decide(case.case_id, ["a"], "vera", Outcome.UPHELD, "reden", allowed_groups=None)
    await store.park(make_failed(keyring, message_id="p"))
    await store.dismiss_parked("p", "vera", "gezien", allowed_groups=None)
    term = clock.now + settings.review_days * DAY
    assert (await sweep(redis, settings, term, more=(REVIEW_TERM,)))["review"] == 0
    assert (await sweep(redis, settings, term + 1, more=(REVIEW_TERM,)))["review"] == 2


async def test_a_days_figures_end(store: ReviewStore, keyring: Keyring, redis: Redis) -> None:
    """Figures of a day are kept a school year and a bit, not for ever."""
    await store.add_flag(make_flag(keyring))
    assert 366 * DAY < await redis.ttl("vangnet:review:day:2026-09-21") < 500 * DAY


async def test_the_global_trail_is_kept_a_year(store: ReviewStore, keyring: Keyring, redis: Redis) -> None:
    """Entries older than a year go, younger ones stay."""
    await store.add_flag(make_flag(keyring))
    seconds, _ = await redis.time()
    await store.expire(seconds + 365 * DAY, 90)
    assert AuditAction.OPENED in {entry.action for entry in await store.audit_trail()}
    await store.expire(seconds + 367 * DAY, 90)
    assert AuditAction.OPENED not in {entry.action for entry in await store.audit_trail()}
