import dataclasses
from collections.abc import Awaitable, Callable

import pytest
from redis.asyncio import Redis

from pipeline.privacy import Keyring
from pipeline.review.census import Census, take_census
from pipeline.review.errors import (
    AlreadyDecidedError,
    CaseClosedError,
    CaseNotFoundError,
    ClaimedByOtherError,
    MessageNotFoundError,
    NotClaimedError,
    NotDecidedError,
    ReasonError,
    ReviewError,
    StoredRecordError,
)
from pipeline.review.records import AuditAction, Outcome
from pipeline.review.store import CLAIM_SECONDS, REASON_LENGTH, ReviewStore
from tests.conftest import ValkeyServer
from tests.pipeline.review.conftest import Clock
from tests.pipeline.review.factories import MONDAY, make_context, make_failed, make_flag

HOUR = 3600.0
Opened = Callable[..., Awaitable[str]]


async def actions(store: ReviewStore, case_id: str) -> list[tuple[str, str]]:
    return [(entry.actor, entry.action.value) for entry in await store.audit(case_id, None)]


# arriving


async def test_a_flag_comes_once(store: ReviewStore, keyring: Keyring) -> None:
    """A repeated delivery, with other bytes or another place in the batch, changes nothing at all."""
    flag = make_flag(keyring, message_id="a")
    assert await store.add_flags([flag, flag]) == [True, False]
    before = (await store.queue(None), await store.revision(), await store.audit_trail())
    assert not await store.add_flag(make_flag(keyring, message_id="a", text="andere tekst", severity=4))
    assert (await store.queue(None), await store.revision(), await store.audit_trail()) == before


async def test_a_case_shows_what_the_flag_brought(store: ReviewStore, keyring: Keyring, opened: Opened) -> None:
    """Text, context, labels, clauses, spans and why come back as they went in; score and scores stay hidden."""
    line = make_context(message_id="x", author="noor", text="morgen gym 🙂", sent_at=MONDAY - 30)
    flag = make_flag(keyring, message_id="a", author="sem", before=[line], text="noor stinkt 🤮")
    await store.add_flag(flag)
    case = await store.case(await opened_id(store), None)
    assert case is not None
    [message] = case.messages
    for name in (
        "text",
        "sent_at",
        "received_at",
        "scored_at",
        "labels",
        "clauses",
        "severity",
        "spans",
        "why",
        "role",
    ):
        assert getattr(message, name) == getattr(flag, name)
    assert [(shown.message_id, shown.text, shown.sent_at) for shown in message.before] == [
        ("x", "morgen gym 🙂", MONDAY - 30)
    ]
    assert (message.before[0].speaker, message.speaker) == (0, 1)
    assert (message.score, message.scores, message.review) == (None, {}, None)


async def opened_id(store: ReviewStore) -> str:
    [case] = await store.queue(None)
    return case.case_id


async def test_the_score_shows_after_the_first_judgement(store: ReviewStore, opened: Opened) -> None:
    """A mentor sees the number only once an own judgement stands, message by message."""
    case_id = await opened("a", "b")
    await store.decide(case_id, ["a"], "vera", Outcome.UPHELD, "Dit is pesten.", allowed_groups=None)
    case = await store.case(case_id, None)
    assert case is not None
    assert {message.message_id: message.score for message in case.messages} == {"a": 0.93, "b": None}


async def test_messages_stand_in_order_with_what_was_said_between(store: ReviewStore, keyring: Keyring) -> None:
    """The conversation of a case holds every line once, by time, and marks the flagged ones."""
    x = make_context(message_id="x", author="noor", text="hoi", sent_at=MONDAY)
    a = make_context(message_id="a", author="sem", text="stinkerd", sent_at=MONDAY + 1)
    y = make_context(message_id="y", author="noor", text="doe normaal", sent_at=MONDAY + 2)
    flag_b = make_flag(keyring, message_id="b", author="daan", before=[x, a, y], sent_at=MONDAY + 3)
    flag_a = make_flag(keyring, message_id="a", author="sem", text="stinkerd", before=[x], sent_at=MONDAY + 1)
    await store.add_flags([flag_b, flag_a])
    case = await store.case(await opened_id(store), None)
    assert case is not None
    lines = [(line.message_id, line.speaker, line.flagged is not None) for line in case.conversation()]
    assert lines == [("x", 0, False), ("a", 1, True), ("y", 0, False), ("b", 2, True)]
    assert [message.message_id for message in case.messages] == ["a", "b"]


async def test_nothing_readable_is_stored(valkey_server: ValkeyServer, store: ReviewStore, keyring: Keyring) -> None:
    """No text, context, name, number, pseudonym or reason stands in clear in any key or value."""
    line = make_context(author="pseudoniem-noor", text="geheime context")
    await store.add_flag(
        make_flag(keyring, message_id="a", author="pseudoniem-sem", text="geheim bericht", before=[line])
    )
    await store.park(make_failed(keyring, message_id="p", text="geheim geparkeerd"))
    case_id = await opened_id(store)
    await store.claim(case_id, "vera", allowed_groups=None)
    await store.reveal_author(case_id, "a", "vera", "geheime reden een", allowed_groups=None)
    await store.decide(case_id, ["a"], "vera", Outcome.UPHELD, "geheime reden twee", allowed_groups=None)
    await store.dismiss_parked("p", "vera", "geheime reden drie", allowed_groups=None)
    with valkey_server.client() as client:
        stored = b"".join(key + (client.dump(key) or b"") for key in client.scan_iter())
    assert b"klas-2b" in stored
    for secret in (b"geheim", b"pseudoniem", b"Pseudoniem", b"+316"):
        assert secret not in stored


async def test_a_text_moved_to_another_message_does_not_open(
    store: ReviewStore, keyring: Keyring, redis: Redis, opened: Opened
) -> None:
    """Sealed bytes are bound to their message; the error names the message and says what to do, not the text."""
    case_id = await opened("a", "b")
    await redis.hset("vangnet:review:flag:a", "body", await redis.hget("vangnet:review:flag:b", "body"))
    with pytest.raises(StoredRecordError, match=r"flag a cannot be opened.*vangnet doctor"):
        await store.case(case_id, None)


# the queue


async def test_queue_is_by_severity_then_by_waiting(store: ReviewStore, keyring: Keyring) -> None:
    """The gravest first; of equals the one that waits longest, whatever the time the message was sent."""
    waits = {"a": (2, 10), "b": (4, 30), "c": (2, 5), "d": (4, 20), "e": (1, 1), "f": (3, 40)}
    for name, (severity, scored) in waits.items():
        flag = make_flag(
            keyring, group=f"klas-{name}", severity=severity, sent_at=MONDAY - scored, scored_at=MONDAY + scored
        )
        await store.add_flag(flag)
    assert [case.group[-1] for case in await store.queue(None)] == ["d", "b", "f", "c", "a", "e"]
    assert [case.group[-1] for case in await store.queue(None, limit=2)] == ["d", "b"]
    some = frozenset({"klas-e", "klas-a", "klas-b", "klas-onbekend"})
    assert [case.group[-1] for case in await store.queue(some)] == ["b", "a", "e"]
    assert [case.group[-1] for case in await store.queue(some, limit=1)] == ["b"]


async def test_what_is_not_allowed_looks_absent(store: ReviewStore, keyring: Keyring, opened: Opened) -> None:
    """A mentor of another group finds no case, no count, no trail, no parked message, and can do nothing."""
    case_id = await opened("a")
    await store.park(make_failed(keyring, message_id="p"))
    for other in (frozenset({"klas-9z"}), frozenset[str]()):
        assert await store.queue(other) == []
        assert await store.closed(other) == []
        assert await store.parked(other) == []
        assert await store.case(case_id, other) is None
        assert await store.audit(case_id, other) == []
        counts = await store.counts(other)
        assert (counts.open, counts.overdue, counts.oldest_seconds, counts.parked) == (0, 0, 0.0, 0)
        for refused in (
            store.claim(case_id, "vera", allowed_groups=other),
            store.release(case_id, "vera", allowed_groups=other),
            store.decide(case_id, ["a"], "vera", Outcome.UPHELD, "reden", allowed_groups=other),
            store.revise(case_id, ["a"], "vera", Outcome.UPHELD, "reden", allowed_groups=other),
            store.reveal_author(case_id, "a", "vera", "reden", allowed_groups=other),
        ):
            with pytest.raises(CaseNotFoundError):
                await refused
        with pytest.raises(MessageNotFoundError):
            await store.dismiss_parked("p", "vera", "reden", allowed_groups=other)
    assert await actions(store, case_id) == [("vangnet", "opened")]


async def test_absent_and_forbidden_give_the_same_words(store: ReviewStore, opened: Opened) -> None:
    """The refusal of a case that is not allowed cannot be told from that of one that never was."""
    texts = []
    for case_id, allowed in ((await opened("a"), frozenset[str]()), ("bestaatniet", None)):
        with pytest.raises(CaseNotFoundError) as caught:
            await store.claim(case_id, "vera", allowed_groups=allowed)
        texts.append(str(caught.value).replace(case_id, "…"))
    assert texts[0] == texts[1]


async def test_counts(store: ReviewStore, keyring: Keyring, clock: Clock) -> None:
    """Open, overdue after a day of waiting, the longest wait, and what could not be judged."""
    for number, severity in enumerate((1, 3, 4)):
        await store.add_flag(
            make_flag(keyring, group=f"klas-{number}", severity=severity, scored_at=MONDAY + number * HOUR)
        )
    await store.park(make_failed(keyring, group="klas-1"))
    clock.now = MONDAY + 25.5 * HOUR
    counts = await store.counts()
    assert (counts.open, counts.overdue, counts.oldest_seconds, counts.parked) == (3, 2, 25.5 * HOUR, 1)
    counts = await store.counts(frozenset({"klas-1", "klas-2"}))
    assert (counts.open, counts.overdue, counts.oldest_seconds, counts.parked) == (2, 1, 24.5 * HOUR, 1)


# claims


async def test_a_claim_keeps_others_away_until_it_ends(store: ReviewStore, opened: Opened, clock: Clock) -> None:
    """Of two mentors the first has the case for fifteen minutes, longer when prolonged; then it is free."""
    case_id = await opened("a")
    start = clock.now
    assert await store.claim(case_id, "vera", allowed_groups=None) == start + CLAIM_SECONDS
    with pytest.raises(ClaimedByOtherError):
        await store.claim(case_id, "joost", allowed_groups=None)
    with pytest.raises(ClaimedByOtherError):
        await store.decide(case_id, ["a"], "joost", Outcome.UPHELD, "reden", allowed_groups=None)
    clock.now = start + 600
    await store.claim(case_id, "vera", allowed_groups=None)
    clock.now = start + CLAIM_SECONDS + 1
    assert (await store.queue(None))[0].claimed_by == "vera"
    clock.now = start + 600 + CLAIM_SECONDS
    assert (await store.queue(None))[0].claimed_by is None
    await store.claim(case_id, "joost", allowed_groups=None)
    assert await actions(store, case_id) == [("vangnet", "opened"), ("vera", "claimed"), ("joost", "claimed")]


async def test_release(store: ReviewStore, opened: Opened) -> None:
    """A claim given back is free at once; another mentor's claim cannot be given back."""
    case_id = await opened("a")
    await store.claim(case_id, "vera", allowed_groups=None)
    await store.release(case_id, "joost", allowed_groups=None)
    assert (await store.queue(None))[0].claimed_by == "vera"
    await store.release(case_id, "vera", allowed_groups=None)
    await store.claim(case_id, "joost", allowed_groups=None)
    assert (await actions(store, case_id))[1:] == [("vera", "claimed"), ("vera", "released"), ("joost", "claimed")]


# judging


async def test_each_message_has_its_own_outcome_and_the_last_closes(store: ReviewStore, opened: Opened) -> None:
    """A case stays in the queue until its last message is decided, then moves to the closed ones."""
    case_id = await opened("a", "b", "c")
    await store.claim(case_id, "vera", allowed_groups=None)
    await store.decide(case_id, ["a", "a"], "vera", Outcome.UPHELD, " Dit is pesten. ", allowed_groups=None)
    [summary] = await store.queue(None)
    assert (summary.undecided, summary.open, summary.claimed_by) == (2, True, "vera")
    await store.decide(case_id, ["b", "c"], "vera", Outcome.DISMISSED, "Grapje onderling.", allowed_groups=None)
    assert await store.queue(None) == []
    case = await store.case(case_id, None)
    assert case is not None
    assert [message.review and (message.review.outcome, message.review.reason) for message in case.messages] == [
        (Outcome.UPHELD, "Dit is pesten."),
        (Outcome.DISMISSED, "Grapje onderling."),
        (Outcome.DISMISSED, "Grapje onderling."),
    ]
    for allowed in (None, frozenset({"klas-2b"})):
        assert (await store.counts(allowed)).open == 0
    [closed] = await store.closed(None)
    assert closed == case.summary
    assert (closed.open, closed.undecided, closed.claimed_by) == (False, 0, None)
    assert await actions(store, case_id) == [
        ("vangnet", "opened"), ("vangnet", "joined"), ("vangnet", "joined"),
        ("vera", "claimed"), ("vera", "decided"), ("vera", "decided"), ("vera", "closed"),
    ]  # fmt: skip


@pytest.mark.parametrize("reason", ["", "  \n\t", "x" * (REASON_LENGTH + 1)])
async def test_a_reason_is_needed(store: ReviewStore, opened: Opened, keyring: Keyring, reason: str) -> None:
    """Nothing is decided, revised, revealed or put aside without a reason of a sensible length."""
    case_id = await opened("a")
    await store.park(make_failed(keyring, message_id="p"))
    await store.claim(case_id, "vera", allowed_groups=None)
    for refused in (
        store.decide(case_id, ["a"], "vera", Outcome.UPHELD, reason, allowed_groups=None),
        store.revise(case_id, ["a"], "vera", Outcome.UPHELD, reason, allowed_groups=None),
        store.reveal_author(case_id, "a", "vera", reason, allowed_groups=None),
        store.dismiss_parked("p", "vera", reason, allowed_groups=None),
    ):
        with pytest.raises(ReasonError):
            await refused
    assert (await store.counts()).open == 1
    assert len(await store.parked(None)) == 1


async def test_a_reason_may_hold_anything_typed(store: ReviewStore, opened: Opened) -> None:
    """Emoji, accents and a lone surrogate from a broken paste are kept or replaced, never a crash."""
    case_id = await opened("a")
    await store.decide(case_id, ["a"], "vera", Outcome.UPHELD, "één 😀 \ud83d einde", allowed_groups=None)
    assert (await store.audit(case_id, None))[-2].detail == "één 😀 \ufffd einde"


async def test_deciding_twice_is_refused_whole(store: ReviewStore, opened: Opened) -> None:
    """One decided or foreign message among those named, and none of them changes; a closed case says so."""
    case_id = await opened("a", "b")
    await store.decide(case_id, ["a"], "vera", Outcome.UPHELD, "reden", allowed_groups=None)
    refusals: list[tuple[list[str], type[ReviewError]]] = [
        (["b", "a"], AlreadyDecidedError),
        (["b", "vreemd"], MessageNotFoundError),
        ([], MessageNotFoundError),
    ]
    for ids, error in refusals:
        with pytest.raises(error):
            await store.decide(case_id, ids, "vera", Outcome.DISMISSED, "reden", allowed_groups=None)
    assert (await store.queue(None))[0].undecided == 1
    await store.decide(case_id, ["b"], "vera", Outcome.ESCALATED, "reden", allowed_groups=None)
    with pytest.raises(CaseClosedError):
        await store.decide(case_id, ["b"], "vera", Outcome.UPHELD, "reden", allowed_groups=None)


async def test_an_outcome_is_revised_with_a_new_reason(store: ReviewStore, opened: Opened, clock: Clock) -> None:
    """A revision replaces outcome and reason, keeps both in the trail, and leaves the case closed."""
    case_id = await opened("a", "b")
    with pytest.raises(NotDecidedError):
        await store.revise(case_id, ["a"], "vera", Outcome.UPHELD, "reden", allowed_groups=None)
    await store.decide(case_id, ["a", "b"], "vera", Outcome.UPHELD, "eerst gegrond", allowed_groups=None)
    closed_at = (await store.closed(None))[0].closed_at
    clock.now += HOUR
    await store.revise(case_id, ["b"], "joost", Outcome.DISMISSED, "na gesprek toch niet", allowed_groups=None)
    case = await store.case(case_id, None)
    assert case is not None
    review = {message.message_id: message.review for message in case.messages}["b"]
    assert review is not None
    assert dataclasses.astuple(review) == (Outcome.DISMISSED, "na gesprek toch niet", "joost", clock.now, 1)
    assert case.summary.closed_at == closed_at
    told = [(entry.action, entry.outcome, entry.detail) for entry in await store.audit(case_id, None) if entry.outcome]
    assert told == [
        (AuditAction.DECIDED, Outcome.UPHELD, "eerst gegrond"),
        (AuditAction.REVISED, Outcome.DISMISSED, "na gesprek toch niet"),
    ]


async def test_deciding_moves_the_wait_to_what_is_left(store: ReviewStore, keyring: Keyring) -> None:
    """A case waits since its longest waiting undecided message, not since one that is done."""
    await store.add_flags(
        [make_flag(keyring, message_id=name, scored_at=MONDAY + wait) for name, wait in (("a", 1), ("b", 60))]
    )
    [case] = await store.queue(None)
    assert case.waiting_since == MONDAY + 1
    await store.decide(case.case_id, ["a"], "vera", Outcome.UPHELD, "reden", allowed_groups=None)
    assert (await store.queue(None))[0].waiting_since == MONDAY + 60


# names


async def test_a_name_opens_only_for_the_claiming_mentor(store: ReviewStore, opened: Opened, clock: Clock) -> None:
    """Real name and number need the own running claim and a reason; the trail has both who and why."""
    case_id = await opened("a")
    await store.claim(case_id, "vera", allowed_groups=None)
    for mentor, later in (("joost", 0.0), ("vera", CLAIM_SECONDS + 1)):
        clock.now += later
        with pytest.raises(NotClaimedError):
            await store.reveal_author(case_id, "a", mentor, "gesprek met ouders", allowed_groups=None)
    assert "revealed" not in {action for _, action in await actions(store, case_id)}
    await store.claim(case_id, "vera", allowed_groups=None)
    with pytest.raises(MessageNotFoundError):
        await store.reveal_author(case_id, "vreemd", "vera", "gesprek met ouders", allowed_groups=None)
    identity = await store.reveal_author(case_id, "a", "vera", "gesprek met ouders", allowed_groups=None)
    assert (identity.name, identity.author_id) == ("Sem", "+31600000003")
    last = (await store.audit(case_id, None))[-1]
    assert (last.actor, last.action, last.message_ids, last.detail) == (
        "vera", AuditAction.REVEALED, ("a",), "gesprek met ouders",
    )  # fmt: skip


async def test_looking_at_a_message_as_typed_is_recorded(store: ReviewStore, opened: Opened) -> None:
    """The trail tells who opened which message as typed; one elsewhere or not allowed is refused."""
    case_id = await opened("a")
    await store.show_original(case_id, "a", "vera", allowed_groups=None)
    with pytest.raises(MessageNotFoundError):
        await store.show_original(case_id, "vreemd", "vera", allowed_groups=None)
    with pytest.raises(CaseNotFoundError):
        await store.show_original(case_id, "a", "vera", allowed_groups=frozenset())
    told = [(entry.actor, entry.action.value, entry.message_ids) for entry in await store.audit(case_id, None)]
    assert told == [("vangnet", "opened", ("a",)), ("vera", "shown", ("a",))]


async def test_the_census_counts_what_is_there(store: ReviewStore, keyring: Keyring, redis: Redis) -> None:
    """Flags open and closed, unjudged messages listed and put aside; all of them until they are erased."""
    await store.add_flags([make_flag(keyring, message_id=name, group=f"klas-{name}") for name in "aab"])
    for name in "pq":
        await store.park(make_failed(keyring, message_id=name, group="klas-a"))
    await store.dismiss_parked("p", "vera", "gezien", allowed_groups=None)
    [case] = await store.queue(frozenset({"klas-b"}))
    await store.decide(case.case_id, ["b"], "vera", Outcome.UPHELD, "reden", allowed_groups=None)
    assert await take_census(redis) == Census(flags=2, parked=2)
    await store.erase_group("klas-a")
    assert await take_census(redis) == Census(flags=1, parked=0)


async def test_the_global_trail_names_acts_without_reasons(store: ReviewStore, opened: Opened) -> None:
    """The trail over all cases tells who did what to which message, newest first, and no reason."""
    case_id = await opened("a")
    await store.claim(case_id, "vera", allowed_groups=None)
    await store.reveal_author(case_id, "a", "vera", "gesprek met ouders", allowed_groups=None)
    trail = await store.audit_trail()
    assert [(entry.actor, entry.action.value, entry.case_id, entry.detail) for entry in trail] == [
        ("vera", "revealed", case_id, ""), ("vera", "claimed", case_id, ""), ("vangnet", "opened", case_id, ""),
    ]  # fmt: skip
    assert len(await store.audit_trail(limit=1)) == 1


# what could not be judged


async def test_parked_messages_come_once_and_go_for_good(store: ReviewStore, keyring: Keyring, redis: Redis) -> None:
    """A message that could not be judged is listed once, readable where it can be, and not again after dismissal."""
    readable = make_failed(keyring, message_id="p", text="lange lap tekst", failed_at=MONDAY + 5)
    unreadable = make_failed(keyring, message_id="q", text=None, reason="undecodable", failed_at=MONDAY)
    assert [await store.park(failed) for failed in (readable, readable, unreadable)] == [True, False, True]
    listed = [(item.message_id, item.reason, item.text, item.attempts) for item in await store.parked(None)]
    assert listed == [("q", "undecodable", None, 3), ("p", "scoring_error", "lange lap tekst", 3)]
    assert [item.message_id for item in await store.parked(frozenset({"klas-2b"}), limit=1)] == ["q"]

    await store.dismiss_parked("p", "vera", "zelf gelezen, niets aan de hand", allowed_groups=frozenset({"klas-2b"}))
    assert [item.message_id for item in await store.parked(None)] == ["q"]
    assert not await store.park(readable)
    assert (await store.counts()).parked == 1
    assert not await redis.hexists("vangnet:review:parked-item:p", "body")
    entry = (await store.audit_trail(limit=1))[0]
    assert (entry.actor, entry.action, entry.message_ids) == ("vera", AuditAction.PARKED_DISMISSED, ("p",))
    with pytest.raises(MessageNotFoundError):
        await store.dismiss_parked("p", "vera", "nog eens", allowed_groups=None)


async def test_what_names_no_group_is_shown_to_every_mentor(store: ReviewStore, keyring: Keyring) -> None:
    """A record that could not be read at all has no group; no mentor's groups may hide it, anyone may put it aside."""
    await store.park(make_failed(keyring, message_id="raw-1", group="", text=None, reason="undecodable"))
    for allowed in (None, frozenset({"klas-9z"}), frozenset[str]()):
        assert [item.message_id for item in await store.parked(allowed)] == ["raw-1"]
        assert (await store.counts(allowed)).parked == 1
    await store.dismiss_parked("raw-1", "vera", "gemeld bij beheer", allowed_groups=frozenset({"klas-9z"}))
    assert await store.parked(None) == []
