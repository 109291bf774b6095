"""What intake promises: the gate, the receipts, and figures that survive a kill at any step."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from pipeline.codec import decode
from pipeline.counters import Counters, Totals
from pipeline.errors import BatchError, CodecError, KeyDestroyedError, PublishError
from pipeline.events import ChatMessage, FailedMessage, IncomingMessage
from pipeline.groups import Group, GroupLedger, GroupOptIn
from pipeline.intake import LARGEST_BATCH, LONGEST_TEXT, Cursor, Intake, Receipt, ReceiptStatus, readable
from pipeline.privacy import Keyring
from pipeline.publisher import Publisher, open_publisher
from pipeline.scripts import as_text
from pipeline.settings import Settings
from pipeline.topics import FAILED, MESSAGES, TopicSpec
from tests.conftest import ValkeyServer
from tests.pipeline.moments import NOW

AddGroup = Callable[..., Awaitable[Group]]
Incoming = Callable[..., IncomingMessage]
MakeIntake = Callable[..., Intake]
OptIn = Callable[..., GroupOptIn]
Figures = Callable[[], Awaitable[Totals]]
Opened = Callable[[], Awaitable[list[ChatMessage]]]
OnTopic = Callable[[TopicSpec], Awaitable[list[bytes]]]


class KilledError(Exception):
    """Stands for kill -9 at a moment."""


class FragilePublisher:
    """Passes on to a real publisher and is killed before or after it writes."""

    def __init__(self, publisher: Publisher, *, before: bool = False, after: bool = False) -> None:
        self._publisher, self._before, self._after = publisher, before, after

    async def publish_many(self, topic: TopicSpec, records: Sequence[tuple[bytes, bytes]]) -> None:
        if self._before:
            raise KilledError
        await self._publisher.publish_many(topic, records)
        if self._after:
            raise KilledError


def statuses(receipts: Sequence[Receipt]) -> list[str]:
    return [f"{receipt.status}:{receipt.reason}".rstrip(":") for receipt in receipts]


@pytest.fixture
def totals(redis: Redis) -> Callable[[], Awaitable[Totals]]:
    return Counters(redis).totals


@pytest.fixture
def opened(ledger: GroupLedger, on_topic: OnTopic) -> Callable[[], Awaitable[list[ChatMessage]]]:
    """Every message on the topic, opened with its group's key."""

    async def read() -> list[ChatMessage]:
        ciphers = await ledger.ciphers([group.id for group in await ledger.list()])
        return [decode(raw, ChatMessage, ciphers) for raw in await on_topic(MESSAGES)]

    return read


async def test_a_message_of_an_opted_in_group_lies_on_the_topic_in_pseudonyms(
    add_group: AddGroup,
    make_intake: MakeIntake,
    incoming: Incoming,
    keyring: Keyring,
    opened: Opened,
    on_topic: OnTopic,
) -> None:
    """Text and time arrive as sent; ids do not, and the name opens under the identity key only."""
    group = await add_group()
    first = incoming(text="wie heeft het huiswerk?")
    answer = incoming(text="ik 😀", reply_to=first.platform_message, author_id="31600000002", author_name="Sem")
    receipts = await make_intake().accept([first, answer])
    assert statuses(receipts) == ["accepted", "accepted"]
    one, two = await opened()
    assert [one.text, two.text] == ["wie heeft het huiswerk?", "ik 😀"]
    assert (one.message_id, two.message_id) == (receipts[0].message_id, receipts[1].message_id)
    assert two.reply_to == one.message_id
    assert (one.group, one.sent_at, one.received_at) == (group.id, NOW - 1, NOW)
    assert one.author != two.author
    identity = keyring.open_identity(two.author_sealed)
    assert (identity.name, identity.author_id) == ("Sem", "31600000002")
    for raw in await on_topic(MESSAGES):
        assert not any(word in raw for word in (b"huiswerk", b"Fenna", b"3160000", first.platform_message.encode()))


async def snapshot(redis: Redis) -> dict[bytes | str, bytes | None]:
    return {key: await redis.dump(key) for key in await redis.keys("*")}


@pytest.mark.parametrize("state", ["unknown", "paused", "expired"])
async def test_a_message_of_another_group_leaves_nothing_but_a_counter(
    redis: Redis, ledger: GroupLedger, add_group: AddGroup, make_intake: MakeIntake, incoming: Incoming,
    totals: Figures, state: str,
) -> None:  # fmt: skip
    """Every key of the store is the same before and after, but for the figures; these hold no word of it."""
    if state != "unknown":
        group = await add_group(until=NOW + (1 if state == "expired" else 1000))
        if state == "paused":
            await ledger.pause(group.id)
    intake = make_intake(clock=lambda: NOW + 2)
    before = await snapshot(redis)
    receipts = await intake.accept([incoming(text="GEHEIMPJE"), incoming(text="nog een", reply_to="m1")])
    after = await snapshot(redis)
    assert statuses(receipts) == [f"refused:{state}"] * 2
    assert all(receipt.message_id is None for receipt in receipts)
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert changed
    assert all(as_text(key).startswith("vangnet:counters") for key in changed)
    assert not any(word in (after[key] or b"") for key in changed for word in (b"GEHEIM", b"Fenna", b"31600000001"))
    figures = await totals()
    assert (figures.received, figures.refused, figures.accepted) == (2, 2, 0)
    assert figures.refused_reasons == {state: 2}
    assert figures.disagreements() == []


async def test_a_pause_acts_on_the_next_batch(
    ledger: GroupLedger, add_group: AddGroup, make_intake: MakeIntake, incoming: Incoming
) -> None:
    """Nothing of a group is remembered between batches."""
    group, intake = await add_group(), make_intake()
    assert statuses(await intake.accept([incoming()])) == ["accepted"]
    await ledger.pause(group.id)
    assert statuses(await intake.accept([incoming()])) == ["refused:paused"]
    await ledger.resume(group.id)
    assert statuses(await intake.accept([incoming()])) == ["accepted"]


async def test_opting_out_makes_waiting_messages_unreadable_at_once(
    ledger: GroupLedger, add_group: AddGroup, make_intake: MakeIntake, incoming: Incoming, keyring: Keyring,
    on_topic: OnTopic,
) -> None:  # fmt: skip
    """The records still lie on the topic, and neither the ledger nor any key that is left opens them."""
    gone, stays = await add_group(), await add_group(platform_group="2c")
    await make_intake().accept([incoming(text="GEHEIM"), incoming(text="GEHEIM", platform_group="2c")])
    await ledger.remove(gone.id)
    again = await add_group()
    ciphers = await ledger.ciphers([gone.id, stays.id, again.id])
    raws = await on_topic(MESSAGES)
    assert len(raws) == 2
    readable_ones = 0
    for raw in raws:
        assert b"GEHEIM" not in raw
        try:
            readable_ones += decode(raw, ChatMessage, ciphers).group == stays.id
        except KeyDestroyedError:
            for cipher in (keyring.text, keyring.identity, ciphers(stays.id), ciphers(again.id)):
                with pytest.raises(CodecError):
                    decode(raw, ChatMessage, lambda _group, key=cipher: key)  # type: ignore[misc]
    assert readable_ones == 1


async def test_a_group_that_opts_in_anew_is_read_anew(
    ledger: GroupLedger, add_group: AddGroup, make_intake: MakeIntake, incoming: Incoming
) -> None:
    """What was purged with the old opt-in does not count as seen under the new one."""
    group, intake, message = await add_group(), make_intake(), incoming()
    first = await intake.accept([message])
    await ledger.remove(group.id)
    await add_group()
    second = await intake.accept([message])
    assert statuses(second) == ["accepted"]
    assert first[0].message_id != second[0].message_id


async def test_repeats_are_told_and_published_once(
    add_group: AddGroup, make_intake: MakeIntake, incoming: Incoming, opened: Opened, totals: Figures
) -> None:
    """The same platform id in one batch, a later batch or another process is one message."""
    await add_group()
    message, other = incoming(), incoming()
    assert statuses(await make_intake().accept([message, other, message])) == ["accepted", "accepted", "repeated"]
    assert statuses(await make_intake().accept([message])) == ["repeated"]
    assert len(await opened()) == 2
    figures = await totals()
    assert (figures.received, figures.accepted, figures.repeated) == (4, 2, 2)


async def test_two_processes_with_the_same_message_count_it_once(
    add_group: AddGroup, make_intake: MakeIntake, incoming: Incoming, totals: Figures
) -> None:
    """However their steps interleave, one accepts and the others repeat."""
    await add_group()
    messages = [incoming() for _ in range(20)]
    received = await asyncio.gather(*(make_intake().accept(messages) for _ in range(5)))
    told = [receipt.status for receipts in received for receipt in receipts]
    assert (told.count(ReceiptStatus.ACCEPTED), told.count(ReceiptStatus.REPEATED)) == (20, 80)
    figures = await totals()
    assert (figures.received, figures.accepted, figures.repeated) == (100, 20, 80)
    assert figures.disagreements() == []


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"text": ""}, "invalid:empty"),
        ({"text": " \t\r\n\u00a0"}, "invalid:empty"),
        ({"text": "\u200b\u200d\ufeff\u2060\u00ad\u3164\ufe0f"}, "invalid:empty"),
        ({"text": "\x00\x00"}, "invalid:empty"),
        ({"text": "\u202e\u202c\u200f"}, "invalid:empty"),
        ({"text": None}, "invalid:malformed"),
        ({"text": b"hoi"}, "invalid:malformed"),
        ({"sent_at": "gisteren"}, "invalid:malformed"),
        ({"sent_at": True}, "invalid:malformed"),
        ({"platform_message": ""}, "invalid:malformed"),
        ({"platform_message": 17}, "invalid:malformed"),
        ({"platform_message": "x" * 513}, "invalid:malformed"),
        ({"author_id": None}, "invalid:malformed"),
        ({"author_name": 3}, "invalid:malformed"),
        ({"role": None}, "invalid:malformed"),
        ({"reply_to": 5}, "invalid:malformed"),
        ({"platform": 5}, "invalid:malformed"),
        ({"platform_group": ["2b"]}, "invalid:malformed"),
        ({"platform_group": ""}, "invalid:malformed"),
        ({"text": "\u202eneklat\u202c"}, "accepted"),
        ({"text": "👍🏽"}, "accepted"),
        ({"text": "😶\u200d🌫️"}, "accepted"),
        ({"text": "a\x00b"}, "accepted"),
        ({"text": "\ud83d"}, "accepted"),
        ({"text": "x" * LONGEST_TEXT}, "accepted"),
        ({"text": "x" * (LONGEST_TEXT + 1)}, "parked:too_long"),
        ({"author_name": "F" * 10_000}, "accepted"),
        ({"author_name": "\udc00"}, "accepted"),
        ({"platform_message": "\ud800"}, "accepted"),
        ({"role": "conciërge"}, "accepted"),
    ],
)
async def test_every_odd_message_has_its_receipt(
    add_group: AddGroup, make_intake: MakeIntake, incoming: Incoming, totals: Figures, opened: Opened,
    fields: dict[str, Any], status: str,
) -> None:  # fmt: skip
    """An odd message is told for what it is, counted, and stops no other."""
    await add_group()
    receipts = await make_intake().accept([incoming(), incoming(**fields), incoming()])
    assert statuses(receipts) == ["accepted", status, "accepted"]
    figures = await totals()
    assert figures.disagreements() == []
    assert figures.received == 3
    assert len(await opened()) == figures.accepted - figures.parked == (3 if status == "accepted" else 2)


async def test_what_is_no_record_at_all_is_invalid(make_intake: MakeIntake, totals: Figures) -> None:
    """A connector's mistake does not stop intake."""
    things: Any = [None, {"text": "hoi"}, 5]
    assert statuses(await make_intake().accept(things)) == ["invalid:malformed"] * 3
    assert (await totals()).invalid_reasons == {"malformed": 3}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a\x00b", "a\ufffdb"),
        ("a\ud800b", "a\ufffdb"),
        ("\udc00", "\ufffd"),
        ("\ud83d\ude00", "😀"),
        ("gewoon \u200b\u202e", "gewoon \u200b\u202e"),
    ],
)
def test_text_is_changed_only_where_no_store_could_hold_it(text: str, kept: str) -> None:
    """NUL and lone surrogates become U+FFFD; a split pair becomes its character; all else stays."""
    assert readable(text) == kept


@pytest.mark.parametrize(
    ("sent_at", "kept"),
    [
        (NOW + 24 * 3600, NOW + 24 * 3600),
        (NOW + 24 * 3600 + 1, NOW),
        (NOW * 1000, NOW),
        (float("nan"), NOW),
        (float("inf"), NOW),
        (float("-inf"), NOW),
        (-1, NOW),
        (10**400, NOW),
        (0, 0.0),
        (int(NOW) - 5, NOW - 5),
    ],
)
async def test_an_impossible_time_becomes_the_time_of_receipt(
    add_group: AddGroup, make_intake: MakeIntake, incoming: Incoming, opened: Opened, totals: Figures, sent_at: float,
    kept: float,
) -> None:  # fmt: skip
    """A message with a wrong clock is judged all the same, and counted as clamped."""
    await add_group()
    assert statuses(await make_intake().accept([incoming(sent_at=sent_at)])) == ["accepted"]
    (message,) = await opened()
    assert message.sent_at == kept
    assert (await totals()).clamped == (kept == NOW)


async def test_a_text_too_long_is_parked_with_its_beginning(
    add_group: AddGroup,
    make_intake: MakeIntake,
    incoming: Incoming,
    keyring: Keyring,
    on_topic: OnTopic,
    totals: Figures,
) -> None:
    """It goes to topic `failed` under the text key, with 100,000 characters for a person to look at."""
    group = await add_group()
    (receipt,) = await make_intake().accept([incoming(text="ja" * LONGEST_TEXT)])
    assert await on_topic(MESSAGES) == []
    (raw,) = await on_topic(FAILED)
    record = decode(raw, FailedMessage, lambda _group: keyring.text)
    assert (record.message_id, record.group, record.reason) == (receipt.message_id, group.id, "too_long")
    assert record.message is not None
    assert record.message.text == "ja" * (LONGEST_TEXT // 2)
    figures = await totals()
    assert (figures.accepted, figures.parked, figures.waiting) == (1, 1, 0)
    assert figures.parked_reasons == {"too_long": 1}


async def test_figures_are_kept_per_group_and_day(
    redis: Redis, add_group: AddGroup, make_intake: MakeIntake, incoming: Incoming
) -> None:
    """Management can see each group's day; what belongs to no group of the ledger is counted apart."""
    group = await add_group()
    await make_intake().accept([incoming(), incoming(text=""), incoming(platform_group="9z")])
    day = date(2025, 11, 24)
    counted = {entry.group: entry.counts for entry in await Counters(redis).days(day, day)}
    assert counted[group.id] == {"accepted": 1, "invalid": 1, "invalid_reason:empty": 1}
    assert counted[""] == {"received": 3, "refused": 1, "refused_reason:unknown": 1}


async def run(intake: Intake, messages: Sequence[IncomingMessage], size: int = 3) -> None:
    """A connector that reads forward: goes on from its cursor, in batches."""
    start = int(await intake.cursor("demo") or 0)
    while start < len(messages):
        end = min(start + size, len(messages))
        await intake.accept(messages[start:end], Cursor("demo", str(end)))
        start = end


@pytest.mark.parametrize("moment", ["before publishing", "after publishing", "after recording"])
@pytest.mark.parametrize("batch", [0, 1, 2])
async def test_totals_after_a_kill_are_those_of_an_undisturbed_run(
    redis: Redis, settings: Settings, add_group: AddGroup, make_intake: MakeIntake, incoming: Incoming, totals: Figures,
    opened: Opened, moment: str, batch: int,
) -> None:  # fmt: skip
    """Killed before or after any step of any batch and started again: same figures, no message lost."""
    await add_group()
    messages = [incoming(), incoming(), incoming(platform_group="9z"), incoming(text=""), incoming(), incoming()]
    messages += [messages[0], incoming(text="x" * (LONGEST_TEXT + 1)), incoming()]
    real = open_publisher(settings, redis)
    await run(make_intake(), messages[: batch * 3])
    fragile = FragilePublisher(real, before=moment == "before publishing", after=moment == "after publishing")
    try:
        await make_intake(fragile).accept(messages[batch * 3 : batch * 3 + 3], Cursor("demo", str(batch * 3 + 3)))
    except KilledError:
        assert moment != "after recording"
    await run(make_intake(), messages)
    figures = await totals()
    assert (figures.received, figures.accepted, figures.refused, figures.invalid, figures.repeated) == (9, 6, 1, 1, 1)
    assert (figures.parked, figures.waiting) == (1, 5)
    assert figures.disagreements() == []
    assert len({message.message_id for message in await opened()}) == 5


async def test_a_batch_handed_in_again_after_its_cursor_was_stored_counts_nothing(
    add_group: AddGroup, make_intake: MakeIntake, incoming: Incoming, totals: Figures, opened: Opened
) -> None:
    """The answer was lost, the connector hands in the same batch with the same cursor: no figure moves."""
    await add_group()
    batch = [incoming(), incoming(platform_group="9z"), incoming(text="")]
    await make_intake().accept(batch, Cursor("demo", "3"))
    before = await totals()
    assert statuses(await make_intake().accept(batch, Cursor("demo", "3"))) == ["repeated"] * 3
    assert await totals() == before
    assert len(await opened()) == 1


async def test_a_record_step_whose_answer_was_lost_is_not_counted_twice(
    add_group: AddGroup, make_intake: MakeIntake, incoming: Incoming, totals: Figures
) -> None:
    """The script ran, the connection broke, the step is tried again: the figures move once, the receipts stay."""
    await add_group()
    intake = make_intake()
    record: Any = intake._record  # the moment between the script and its answer is inside
    calls = 0

    async def lossy(**arguments: Any) -> Any:  # noqa: ANN401
        nonlocal calls
        calls += 1
        answer = await record(**arguments)
        if calls == 1:
            raise ConnectionResetError
        return answer

    intake._record = lossy  # type: ignore[assignment]
    receipts = await intake.accept([incoming(), incoming(platform_group="9z")])
    assert calls == 2
    assert statuses(receipts) == ["accepted", "refused:unknown"]
    figures = await totals()
    assert (figures.received, figures.accepted, figures.refused, figures.repeated) == (2, 1, 1, 0)


async def test_a_server_that_restarts_is_waited_for(
    start_valkey: Callable[..., ValkeyServer], keyring: Keyring, settings: Settings, opt_in: OptIn, incoming: Incoming
) -> None:
    """Kill -9 of the server under a running intake: the batch waits, and scripts and figures are there again."""
    server = start_valkey()
    redis = Redis(unix_socket_path=str(server.socket))
    # With `everysec` a server whose disk is busy answers before it has written: what a kill then takes is not ours.
    await redis.config_set("appendfsync", "always")
    try:
        ledger = GroupLedger(redis, keyring)
        await ledger.add(opt_in(), NOW)
        intake = Intake(ledger, open_publisher(settings, redis), redis, keyring, settings, clock=lambda: NOW)
        await intake.accept([incoming()], Cursor("demo", "1"))
        server.kill()
        waiting = asyncio.create_task(intake.accept([incoming(), incoming()], Cursor("demo", "3")))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        await asyncio.to_thread(server.start)
        assert statuses(await waiting) == ["accepted", "accepted"]
        figures = await Counters(redis).totals()
        assert (figures.received, figures.accepted) == (3, 3)
        assert await intake.cursor("demo") == "3"
    finally:
        await redis.aclose()


async def test_nothing_is_counted_when_the_broker_refuses(
    add_group: AddGroup, make_intake: MakeIntake, incoming: Incoming, totals: Figures
) -> None:
    """The connector is told, the cursor stands, and the same batch goes in later."""

    class Away:
        async def publish_many(self, topic: TopicSpec, records: Sequence[tuple[bytes, bytes]]) -> None:
            raise PublishError(topic.name)

    await add_group()
    message = incoming()
    with pytest.raises(PublishError):
        await make_intake(Away()).accept([message], Cursor("demo", "1"))
    assert await totals() == Totals()
    assert await make_intake().cursor("demo") is None
    assert statuses(await make_intake().accept([message], Cursor("demo", "1"))) == ["accepted"]


async def test_cursors_are_read_and_forgotten(make_intake: MakeIntake) -> None:
    """A cursor may move without messages, and a connector may begin anew."""
    intake = make_intake()
    assert await intake.accept([], Cursor("import", "10")) == []
    assert await intake.cursor("import") == "10"
    await intake.forget_cursor("import")
    assert await intake.cursor("import") is None


async def test_a_batch_that_would_hold_up_the_server_is_refused(make_intake: MakeIntake, incoming: Incoming) -> None:
    """The limit is told, and nothing of the batch is taken."""
    with pytest.raises(BatchError, match=str(LARGEST_BATCH)):
        await make_intake().accept([incoming()] * (LARGEST_BATCH + 1))


anything = st.text(st.characters(exclude_categories=[]), max_size=30) | st.sampled_from(["2b", "9z", "m1", "demo"])
odd = anything | st.none() | st.integers() | st.binary(max_size=5) | st.floats()


@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    batch=st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "platform_group": odd, "platform_message": odd, "author_id": odd, "author_name": odd, "role": odd,
                "text": odd, "sent_at": odd, "reply_to": odd,
            },
        ),
        max_size=8,
    )
)  # fmt: skip
async def test_whatever_comes_has_one_receipt_and_the_sums_hold(
    redis: Redis, ledger: GroupLedger, opt_in: OptIn, make_intake: MakeIntake, opened: Opened,
    batch: list[dict[str, Any]],
) -> None:  # fmt: skip
    """Any fields of any type: a receipt each, in order; what is accepted can be read back; figures add up."""
    await redis.flushall()
    await ledger.add(opt_in(), NOW)
    defaults: dict[str, Any] = {
        "platform": "demo",
        "platform_group": "2b",
        "author_id": "a",
        "text": "hoi",
        "sent_at": NOW,
    }
    messages = [
        IncomingMessage(**({**defaults, "platform_message": f"m{number}"} | fields))
        for number, fields in enumerate(batch)
    ]
    receipts = await make_intake().accept(messages)
    assert len(receipts) == len(messages)
    told = [receipt.status for receipt in receipts]
    figures = await Counters(redis).totals()
    assert figures.disagreements() == []
    assert figures.received == len(messages)
    assert figures.accepted == told.count(ReceiptStatus.ACCEPTED)
    kept = {message.message_id: message.text for message in await opened()}
    for message, receipt in zip(messages, receipts, strict=True):
        if receipt.status is ReceiptStatus.ACCEPTED:
            assert receipt.message_id is not None
            assert kept[receipt.message_id] == readable(message.text)
    assert len(kept) == figures.accepted


async def test_a_groups_messages_keep_their_order(
    add_group: AddGroup, make_intake: MakeIntake, incoming: Incoming, opened: Opened
) -> None:
    """Batches of mixed groups: on the topic each group's messages lie in the order in which they came."""
    for name in ("2b", "2c", "2d"):
        await add_group(platform_group=name)
    order = random.Random(5)  # noqa: S311  # a shuffle, not a secret
    messages = [incoming(platform_group=order.choice(["2b", "2c", "2d"]), text=f"{number}") for number in range(60)]
    intake = make_intake()
    for start in range(0, 60, 7):
        await intake.accept(messages[start : start + 7])
    by_group: dict[str, list[int]] = {}
    for message in await opened():
        by_group.setdefault(message.group, []).append(int(message.text))
    assert sum(len(numbers) for numbers in by_group.values()) == 60
    assert all(numbers == sorted(numbers) for numbers in by_group.values())


async def test_a_receipt_can_be_told_to_a_platform(
    add_group: AddGroup, make_intake: MakeIntake, incoming: Incoming
) -> None:
    """A receipt is plain data, without text or platform ids."""
    await add_group()
    (receipt,) = await make_intake().accept([incoming(text="GEHEIM")])
    told = msgspec.json.encode(receipt)
    assert b"GEHEIM" not in told
    assert b"31600000001" not in told
