"""What retention promises: what is over its term is gone, and nothing else."""

from collections.abc import Awaitable, Callable

import pytest
from redis.asyncio import Redis

from pipeline import retention
from pipeline.context import ContextWindows, Outcome
from pipeline.counters import Counters
from pipeline.events import ChatMessage, IncomingMessage
from pipeline.groups import Group, GroupLedger, context_key
from pipeline.intake import Intake
from pipeline.privacy import Keyring
from pipeline.retention import GRACE_SECONDS, REMOVED_SECONDS, Term, sweep
from pipeline.settings import Settings, load_settings
from pipeline.topics import FLAGS, MESSAGES, TopicSpec
from tests.pipeline.moments import NOW

AddGroup = Callable[..., Awaitable[Group]]


async def test_entries_of_a_silent_group_go_when_their_time_is_over(
    redis: Redis, keyring: Keyring, settings: Settings, add_group: AddGroup
) -> None:
    """Each entry for itself, without anyone reading or writing the window."""
    group = await add_group()
    windows = ContextWindows(redis, keyring, settings)
    for number, at in enumerate((NOW, NOW + 1000)):
        message = ChatMessage(
            message_id=f"m{number}", group=group.id, author="a", author_sealed=b"", text="x", sent_at=at, received_at=at
        )
        await windows.commit([Outcome.scored(message)], at)
    assert (await sweep(redis, settings, NOW + 3599))["context"] == 0
    assert (await sweep(redis, settings, NOW + 3600))["context"] == 1
    assert await redis.llen(context_key(group.id)) == 1
    assert (await sweep(redis, settings, NOW + 9000))["context"] == 1


async def test_messages_that_nobody_read_go_at_the_end_of_their_term_and_are_counted(
    redis: Redis, settings: Settings, add_group: AddGroup, make_intake: Callable[..., Intake],
    incoming: Callable[..., IncomingMessage], on_topic: Callable[[TopicSpec], Awaitable[list[bytes]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """They are told as expired: no longer waiting, not silently lost."""
    await add_group()
    await make_intake().accept([incoming(), incoming()])
    assert (await sweep(redis, settings))["topics"] == 0
    past = [TopicSpec(MESSAGES.name, -1.0), TopicSpec(FLAGS.name, -1.0)]
    monkeypatch.setattr(retention, "TOPICS", past)
    monkeypatch.setattr(retention, "MESSAGES", past[0])
    assert (await sweep(redis, settings))["topics"] == 2
    assert await on_topic(MESSAGES) == []
    figures = await Counters(redis).totals()
    assert (figures.accepted, figures.expired, figures.waiting) == (2, 2, 0)


async def test_kafkas_topics_are_left_to_kafka(redis: Redis) -> None:
    """With another broker the store's streams are not touched."""
    settings = load_settings(broker="kafka://127.0.0.1:1")
    assert await retention.sweep_topics(redis, settings, NOW) == 0


async def test_a_group_whose_consent_ended_leaves_the_ledger_after_a_grace(
    redis: Redis, settings: Settings, ledger: GroupLedger, add_group: AddGroup
) -> None:
    """Until then a teacher can extend it; afterwards its key is destroyed and the dated record stays for a year."""
    group, other = await add_group(until=NOW + 10), await add_group(platform_group="2c", until=NOW + GRACE_SECONDS)
    assert (await sweep(redis, settings, NOW + 9 + GRACE_SECONDS))["groups"] == 0
    gone = NOW + 11 + GRACE_SECONDS
    assert (await sweep(redis, settings, gone))["groups"] == 1
    assert await ledger.list() == [other]
    assert group.id not in await ledger.ciphers([group.id])
    (record,) = await ledger.removed()
    assert (record.id, record.platform, record.opted_in_at, record.removed_at) == (group.id, "demo", NOW, gone)
    assert (await sweep(redis, settings, gone + REMOVED_SECONDS - 1))["removed_groups"] == 0
    assert (await sweep(redis, settings, gone + REMOVED_SECONDS))["removed_groups"] == 1


async def test_other_parts_add_their_own_terms(redis: Redis, settings: Settings) -> None:
    """A sweep runs what it is given beside its own."""
    asked: list[float] = []

    async def cases(_redis: Redis, _settings: Settings, now: float) -> int:
        asked.append(now)
        return 7

    assert (await sweep(redis, settings, NOW, more=[Term("cases", cases)]))["cases"] == 7
    assert asked == [NOW]
