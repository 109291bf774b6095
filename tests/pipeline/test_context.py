"""What the context windows and outcomes promise: the same conversation after every crash, each figure once."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from pipeline.context import LONGEST_CONTEXT_TEXT, ContextWindows, Outcome, outcome_key
from pipeline.counters import Counters
from pipeline.events import ChatMessage, ContextMessage
from pipeline.groups import Group, GroupCiphers, GroupLedger, GroupOptIn, context_key
from pipeline.privacy import Keyring
from pipeline.settings import Settings, load_settings
from tests.pipeline.moments import NOW

AddGroup = Callable[..., Awaitable[Group]]
Said = Callable[..., ChatMessage]


@pytest.fixture
def windows(redis: Redis, keyring: Keyring, settings: Settings) -> ContextWindows:
    return ContextWindows(redis, keyring, settings)


@pytest.fixture
def said() -> Said:
    """A message of a group, numbered; give what should differ."""
    made = 0

    def make(group: str, **fields: object) -> ChatMessage:
        nonlocal made
        made += 1
        defaults: dict[str, object] = {
            "message_id": f"m{made}",
            "author": "fenna",
            "author_sealed": b"",
            "text": f"bericht {made}",
            "sent_at": NOW + made,
            "received_at": NOW + made,
        }
        return ChatMessage(group=group, **(defaults | fields))  # type: ignore[arg-type]

    return make


def texts(window: Sequence[ContextMessage]) -> list[str]:
    return [message.text for message in window]


async def test_a_window_holds_the_last_messages_in_order(
    add_group: AddGroup, windows: ContextWindows, said: Said
) -> None:
    """After any number of messages the last ten are there, oldest first; a group without any has an empty window."""
    first, second = await add_group(), await add_group(platform_group="2c")
    messages = [said(first.id) for _ in range(13)]
    await windows.commit([Outcome.scored(message) for message in messages[:4]], NOW)
    await windows.commit([Outcome.flagged(message, ["pesten"], ["5.1.i"]) for message in messages[4:]], NOW)
    found = await windows.read([first.id, second.id], NOW)
    assert texts(found[first.id]) == [message.text for message in messages[3:]]
    assert found[second.id] == []
    assert found[first.id][-1].message_id == messages[-1].message_id


async def test_a_window_is_sealed_with_its_groups_key(
    redis: Redis, ledger: GroupLedger, add_group: AddGroup, windows: ContextWindows, said: Said
) -> None:
    """No text lies in the store, one group's window does not open as another's, and opting out erases it."""
    first, second = await add_group(), await add_group(platform_group="2c")
    await windows.commit([Outcome.scored(said(first.id, text="GEHEIM"))], NOW)
    assert b"GEHEIM" not in (await redis.dump(context_key(first.id)) or b"")
    await redis.copy(context_key(first.id), context_key(second.id))
    assert (await windows.read([second.id], NOW))[second.id] == []
    await ledger.remove(first.id)
    assert not await redis.exists(context_key(first.id))


async def test_a_group_that_opts_out_while_it_is_scored_keeps_no_window(
    redis: Redis, ledger: GroupLedger, add_group: AddGroup, windows: ContextWindows, said: Said
) -> None:
    """The outcome is recorded, the text is not."""
    group = await add_group()
    message = said(group.id)
    await ledger.remove(group.id)
    assert await windows.commit([Outcome.scored(message)], NOW) == {message.message_id}
    assert not await redis.exists(context_key(group.id))


async def test_opting_out_between_sealing_and_recording_keeps_no_window(
    redis: Redis, ledger: GroupLedger, add_group: AddGroup, windows: ContextWindows, said: Said,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The last moment counts: an entry sealed just before the key was destroyed is not stored any more."""
    group = await add_group()

    async def ciphers_then_opted_out(groups: Sequence[str]) -> GroupCiphers:
        found = await ledger.ciphers(groups)
        await ledger.remove(group.id)
        return found

    monkeypatch.setattr(windows._ledger, "ciphers", ciphers_then_opted_out)  # the moment lies inside
    message = said(group.id)
    assert await windows.commit([Outcome.scored(message)], NOW) == {message.message_id}
    assert not await redis.exists(context_key(group.id))


async def test_an_entry_is_held_for_an_hour_at_most(
    redis: Redis, add_group: AddGroup, windows: ContextWindows, said: Said
) -> None:
    """Each entry ends for itself, however lively the group; and the whole window ends when the group falls silent."""
    group = await add_group()
    await windows.commit([Outcome.scored(said(group.id, text="oud"))], NOW)
    await windows.commit([Outcome.scored(said(group.id, text="nieuw"))], NOW + 3000)
    assert texts((await windows.read([group.id], NOW + 3599))[group.id]) == ["oud", "nieuw"]
    assert texts((await windows.read([group.id], NOW + 3600))[group.id]) == ["nieuw"]
    assert 0 < await redis.pttl(context_key(group.id)) <= 3_600_000


async def test_no_context_is_kept_where_the_school_wants_none(
    redis: Redis, keyring: Keyring, add_group: AddGroup, said: Said
) -> None:
    """With `context_messages` 0 nothing is held and nothing stands before a message."""
    group = await add_group()
    none = ContextWindows(redis, keyring, load_settings(context_messages=0))
    messages = [said(group.id), said(group.id)]
    assert none.conversations(messages, await none.read([group.id])) == [(), ()]
    await none.commit([Outcome.scored(message) for message in messages], NOW)
    assert not await redis.exists(context_key(group.id))


async def test_a_damaged_entry_costs_context_only(
    redis: Redis, add_group: AddGroup, windows: ContextWindows, said: Said
) -> None:
    """The other messages of the window are still read."""
    group = await add_group()
    await windows.commit([Outcome.scored(said(group.id, text="heel"))], NOW)
    await redis.rpush(context_key(group.id), b"9999999999999" + b"\x01" * 40)
    assert texts((await windows.read([group.id], NOW))[group.id]) == ["heel"]


async def test_an_outcome_is_recorded_once(
    redis: Redis, add_group: AddGroup, windows: ContextWindows, said: Said
) -> None:
    """Repeating a commit, whole or mixed with new messages, moves no figure and repeats no entry."""
    group = await add_group()
    one, two = said(group.id), said(group.id)
    flagged = Outcome.flagged(one, ["pesten", "flamen"], ["5.1.i"])
    assert await windows.commit([flagged, flagged], NOW) == {one.message_id}
    assert await windows.commit([flagged, Outcome.scored(two)], NOW) == {two.message_id}
    assert await windows.commit([Outcome.parked(one.message_id, group.id, "scoring_error")], NOW) == set()
    assert await windows.already([one.message_id, two.message_id, "m9"]) == {one.message_id, two.message_id}
    figures = await Counters(redis).totals()
    assert (figures.scored, figures.flagged, figures.parked) == (2, 1, 0)
    assert figures.flagged_labels == {"flamen": 1, "pesten": 1}
    assert figures.flagged_clauses == {"5.1.i": 1}
    assert texts((await windows.read([group.id], NOW))[group.id]) == [one.text, two.text]
    assert 0 < await redis.ttl(outcome_key(one.message_id)) <= 6 * 24 * 3600


async def test_each_status_moves_its_own_figures_and_only_judged_messages_are_remembered(
    redis: Redis, add_group: AddGroup, windows: ContextWindows, said: Said
) -> None:
    """Parked, purged and lesson messages leave no text in the window."""
    group = await add_group()
    await windows.commit(
        [
            Outcome.parked("p", group.id, "scoring_error"),
            Outcome.purged("q", "f" * 32),
            Outcome.lesson(said(group.id)),
            Outcome.scored(said(group.id, text="gewoon")),
        ],
        NOW,
    )
    figures = await Counters(redis).totals()
    assert (figures.parked, figures.purged, figures.lesson, figures.scored) == (1, 1, 1, 1)
    assert figures.parked_reasons == {"scoring_error": 1}
    assert texts((await windows.read([group.id], NOW))[group.id]) == ["gewoon"]


async def test_nothing_to_do_asks_nothing(windows: ContextWindows) -> None:
    """Empty batches are allowed everywhere."""
    assert await windows.commit([]) == set()
    assert await windows.already([]) == set()
    assert await windows.read([]) == {}
    assert windows.conversations([], {}) == []


async def test_purging_erases_a_window(redis: Redis, add_group: AddGroup, windows: ContextWindows, said: Said) -> None:
    """A person can wipe a group's window without opting it out."""
    group = await add_group()
    await windows.commit([Outcome.scored(said(group.id))], NOW)
    await windows.purge(group.id)
    assert not await redis.exists(context_key(group.id))


def test_a_conversation_ends_where_a_long_silence_began(windows: ContextWindows, said: Said) -> None:
    """What was sent more than an hour before a message does not stand before it."""
    messages = [said("g", sent_at=NOW), said("g", sent_at=NOW + 3000), said("g", sent_at=NOW + 4000)]
    found = windows.conversations(messages, {})
    assert [texts(context) for context in found] == [[], [messages[0].text], [messages[1].text]]


def test_groups_are_never_mixed(windows: ContextWindows, said: Said) -> None:
    """In a batch of several groups each message has its own group's conversation before it."""
    messages = [said("a"), said("b"), said("a"), said("b")]
    found = windows.conversations(messages, {})
    assert [texts(context) for context in found] == [[], [], [messages[0].text], [messages[1].text]]


def test_only_the_beginning_of_a_long_text_stands_before_the_next(windows: ContextWindows, said: Said) -> None:
    """A window stays small whatever is sent."""
    found = windows.conversations([said("g", text="x" * 100_000), said("g")], {})
    assert [len(message.text) for message in found[1]] == [LONGEST_CONTEXT_TEXT]


@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
async def test_however_the_stream_is_cut_and_redelivered_the_conversation_is_the_same(
    redis: Redis, ledger: GroupLedger, opt_in: Callable[..., GroupOptIn], windows: ContextWindows, said: Said,
    data: st.DataObject,
) -> None:  # fmt: skip
    """Any cut into batches, with crashes before or after any commit: each message sees what it saw undisturbed."""
    await redis.flushall()
    groups = [(await ledger.add(opt_in(platform_group=name), NOW)).id for name in ("2b", "2c")]
    stream = [said(data.draw(st.sampled_from(groups))) for _ in range(data.draw(st.integers(1, 30)))]
    undisturbed = dict(zip([m.message_id for m in stream], windows.conversations(stream, {}), strict=True))
    seen: dict[str, Any] = {}
    position = 0
    while position < len(stream):
        batch = stream[position : position + data.draw(st.integers(1, 8))]
        crash = data.draw(st.sampled_from(["none", "before commit", "after commit"]))
        done = await windows.already([message.message_id for message in batch])
        fresh = [message for message in batch if message.message_id not in done]
        held = await windows.read({message.group for message in fresh}, NOW)
        for message, context in zip(fresh, windows.conversations(fresh, held), strict=True):
            assert context == undisturbed[message.message_id]
            seen[message.message_id] = context
        if crash == "before commit":
            continue
        await windows.commit([Outcome.scored(message) for message in fresh], NOW)
        if crash == "none":
            position += len(batch)
    assert seen == undisturbed
    assert (await Counters(redis).totals()).scored == len(stream)
