"""An export reaches the topic whole, once, however often it is interrupted or exported again."""

import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from redis.asyncio import Redis

from connectors.door import Door
from connectors.errors import ImportRefusedError
from connectors.whatsapp_export import Export, open_export
from connectors.whatsapp_export.importing import count_export, describe, find_open_group, import_export
from pipeline.counters import Counters
from pipeline.events import IncomingMessage
from pipeline.groups import Group
from pipeline.intake import Cursor, Intake, Receipt, ReceiptStatus

Write = Callable[..., Path]
OptIn = Callable[..., Awaitable[Group]]

CHAT = "02-05-2022 16:08 - {L}Fenna heeft de groep Klas 2B gemaakt\n" + "".join(
    f"02-05-2022 16:{minute:02d} - {name}: bericht {minute % 5}\n"
    for minute, name in enumerate(["Sem", "Noor", "Daan", "Sem"] * 10, 9)
)
MESSAGES = 40


class KilledError(Exception):
    """Stands for a kill -9 in the middle of an import."""


class KilledIntake(Intake):
    """An intake whose process dies after some batches."""

    batches = 2

    async def accept(self, messages: Sequence[IncomingMessage], cursor: Cursor | None = None) -> list[Receipt]:
        if self.batches == 0:
            raise KilledError
        self.batches -= 1
        return await super().accept(messages, cursor)


@pytest.fixture
def export(write_export: Write) -> Export:
    """A chat of forty messages and an event."""
    return open_export(write_export(CHAT))


async def test_every_message_is_accepted_once(door: Door, opt_in: OptIn, export: Export) -> None:
    """Forty messages in the file are forty accepted messages; the event is counted apart."""
    group = await find_open_group(door, (await opt_in()).id)
    summary = await import_export(export, group, door, batch=7)
    assert summary.receipts == {ReceiptStatus.ACCEPTED: MESSAGES}
    assert (summary.messages, dict(summary.events)) == (MESSAGES, {"created": 1})


async def test_a_second_export_brings_only_what_is_new(
    door: Door, opt_in: OptIn, export: Export, write_export: Write
) -> None:
    """A later, longer export of the same chat is read whole: the known messages are told as repeats."""
    group = await opt_in()
    await import_export(export, group, door)
    later = open_export(write_export(CHAT + "03-05-2022 08:00 - Sem: nieuw\n", "later.txt"))
    summary = await import_export(later, group, door, batch=7)
    assert summary.receipts == {ReceiptStatus.REPEATED: MESSAGES, ReceiptStatus.ACCEPTED: 1}


async def test_the_same_file_again_is_told_as_repeats(door: Door, opt_in: OptIn, export: Export, redis: Redis) -> None:
    """Importing a file twice changes nothing and says so, also in the store's own figures."""
    group = await opt_in()
    await import_export(export, group, door)
    assert (await import_export(export, group, door)).receipts == {ReceiptStatus.REPEATED: MESSAGES}
    assert (await Counters(redis).totals()).repeated == MESSAGES


async def test_an_interrupted_import_goes_on_where_it_was(
    door: Door, opt_in: OptIn, export: Export, redis: Redis
) -> None:
    """Killed after two batches, the next run skips what was taken in; each message is counted once in all."""
    group = await opt_in()
    dying = KilledIntake.__new__(KilledIntake)
    dying.__dict__.update(door.intake.__dict__)
    with pytest.raises(KilledError):
        await import_export(export, group, dataclasses.replace(door, intake=dying), batch=7)
    summary = await import_export(export, group, door, batch=7)
    assert (summary.earlier, summary.receipts) == (14, {ReceiptStatus.ACCEPTED: MESSAGES - 14})
    totals = await Counters(redis).totals()
    assert (totals.received, totals.accepted, totals.repeated) == (MESSAGES, MESSAGES, 0)


async def test_the_same_words_in_one_minute_are_all_let_in(door: Door, opt_in: OptIn, write_export: Write) -> None:
    """Three times "ok" in one minute are three messages at the door."""
    export = open_export(write_export("02-05-2022 16:08 - Sem: ok\n" * 3))
    summary = await import_export(export, await opt_in(), door)
    assert summary.receipts == {ReceiptStatus.ACCEPTED: 3}


async def test_what_cannot_be_judged_is_counted_with_its_reason(door: Door, opt_in: OptIn, write_export: Write) -> None:
    """An empty message is invalid and an endless one parked; both are told, neither stops the import."""
    text = f"02-05-2022 16:08 - Sem: {{L}} \n02-05-2022 16:09 - Sem: {'a' * 250_000}\n02-05-2022 16:10 - Sem: [foto]\n"
    export = open_export(write_export(text))
    summary = await import_export(export, await opt_in(), door)
    assert summary.receipts == {ReceiptStatus.INVALID: 1, ReceiptStatus.PARKED: 1, ReceiptStatus.ACCEPTED: 1}
    told = describe(export, summary)
    assert told["reasons"] == {"empty": 1, "too_long": 1}
    assert told["notes"] == ["1 messages were too long to keep whole"]


async def test_only_an_open_group_is_imported_into(door: Door, opt_in: OptIn) -> None:
    """Unknown, paused, expired or opted out: each has its own sentence."""
    with pytest.raises(ImportRefusedError, match="no group nergens"):
        await find_open_group(door, "nergens")
    group = await opt_in()
    with pytest.raises(ImportRefusedError, match=r"consent .* has ended"):
        await find_open_group(door, group.id, now=group.until + 1)
    await door.ledger.pause(group.id)
    with pytest.raises(ImportRefusedError, match="paused; say `vangnet groups resume"):
        await find_open_group(door, group.id)
    await door.ledger.resume(group.id)
    assert (await find_open_group(door, group.id)).id == group.id
    await door.ledger.remove(group.id)
    with pytest.raises(ImportRefusedError, match="opted out"):
        await find_open_group(door, group.id)


async def test_a_group_that_is_paused_meanwhile_refuses_the_rest(door: Door, opt_in: OptIn, export: Export) -> None:
    """The gate is the intake's: a pause acts on the next batch and nothing of the rest is kept."""
    group = await opt_in()
    await door.ledger.pause(group.id)
    summary = await import_export(export, group, door)
    assert summary.receipts == {ReceiptStatus.REFUSED: MESSAGES}
    assert summary.reasons == {"paused": MESSAGES}


def test_a_dry_run_counts_without_a_store(export: Export) -> None:
    """What is in a file can be seen without handing it in."""
    summary = count_export(export)
    assert (summary.messages, summary.receipts.total()) == (MESSAGES, 0)
