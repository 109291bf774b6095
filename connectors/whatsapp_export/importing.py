"""Hands an export to the intake, batch by batch, and can be interrupted anywhere.

The cursor bears the fingerprint of the chat's text: the same file goes on where it was, another export of the same chat
is read whole and its known messages are told as repeats.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from connectors.door import Door
from connectors.errors import ImportRefusedError
from connectors.whatsapp_export.messages import MessageMaker
from connectors.whatsapp_export.parse import PROVENANCE, Export, Tally
from connectors.whatsapp_export.records import Message, Record
from pipeline.events import IncomingMessage
from pipeline.groups import Group, GroupState
from pipeline.intake import Cursor, ReceiptStatus

BATCH = 500
"""Messages handed in at once."""
_FINISHED = "finished"


@dataclass(slots=True)
class ImportSummary:
    """What became of an export; grows while it is read."""

    messages: int = 0
    """Of members, in the file: the sum of `earlier` and `receipts`."""
    earlier: int = 0
    """Taken in by a run of this file that was interrupted."""
    receipts: Counter[ReceiptStatus] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    """Why some were refused, invalid or parked."""
    events: Counter[str] = field(default_factory=Counter)
    """What WhatsApp wrote itself, by kind."""
    tally: Tally = field(default_factory=Tally)


async def find_open_group(door: Door, group: str, now: float | None = None) -> Group:
    """Look a group up and make sure that it takes messages.

    Raises:
        ImportRefusedError: It is not in the ledger, opted out, paused or expired; the text says what to do.
    """
    now = time.time() if now is None else now
    found = await door.ledger.get(group)
    state = found.state(now) if found is not None else await door.ledger.state(group, now)
    if found is not None and state in (GroupState.ACTIVE, GroupState.LESSON):
        return found
    if state is GroupState.PAUSED:
        raise ImportRefusedError(f"group {group} is paused; say `vangnet groups resume {group}` first")
    if state is GroupState.EXPIRED:
        raise ImportRefusedError(f"the consent of group {group} has ended; a teacher must opt it in anew")
    if state is GroupState.REMOVED:
        raise ImportRefusedError(f"group {group} opted out; nothing of it is read")
    raise ImportRefusedError(f"there is no group {group} in the ledger; `vangnet groups list` shows which there are")


async def import_export(
    export: Export, group: Group, door: Door, on_progress: Callable[[int], None] = lambda _: None, batch: int = BATCH
) -> ImportSummary:
    """Read a whole export into the intake.

    Args:
        export: An opened export.
        group: The group it is of; see `find_open_group`.
        door: The intake.
        on_progress: Called with the number of records read so far.
        batch: Messages handed in at once.

    Returns:
        What became of each message. A message is counted once, however often the import was interrupted.

    Raises:
        ExportError: The file cannot be read to its end; what was handed in stays.
    """
    name = f"import:{group.id}:{export.source.sha256}"
    done = await door.intake.cursor(name)
    if done == _FINISHED:
        # It was read whole before; a second time it is told as repeats, not as nothing.
        await door.intake.forget_cursor(name)
        done = None
    after = last = int(done) if done is not None else 0
    summary = ImportSummary()
    maker = MessageMaker(group.platform, group.platform_group)
    waiting: list[IncomingMessage] = []
    for line, message in _messages(export, maker, summary, on_progress):
        if line <= after:
            summary.earlier += 1
            continue
        if len(waiting) == batch:
            await _hand_in(door, waiting, Cursor(name, str(last)), summary)
            waiting = []
        waiting.append(message)
        last = line
    await _hand_in(door, waiting, Cursor(name, _FINISHED), summary)
    return summary


def count_export(export: Export, on_progress: Callable[[int], None] = lambda _: None) -> ImportSummary:
    """Read an export without handing anything in, to see what is in it."""
    summary = ImportSummary()
    for _ in _messages(export, MessageMaker("", ""), summary, on_progress):
        pass
    return summary


def _messages(
    export: Export, maker: MessageMaker, summary: ImportSummary, on_progress: Callable[[int], None]
) -> Iterator[tuple[int, IncomingMessage]]:
    """Give each member's message with its line; count the rest."""
    record: Record
    for number, record in enumerate(export.records(summary.tally), 1):
        if isinstance(record, Message):
            summary.messages += 1
            yield record.line, maker.make(record)
        else:
            summary.events[record.kind.value] += 1
        if number % 100 == 0:
            on_progress(number)


async def _hand_in(door: Door, messages: list[IncomingMessage], cursor: Cursor, summary: ImportSummary) -> None:
    for receipt in await door.intake.accept(messages, cursor):
        summary.receipts[receipt.status] += 1
        if receipt.reason:
            summary.reasons[receipt.reason] += 1


def describe(export: Export, summary: ImportSummary) -> dict[str, object]:
    """Make the figures of an import as plain values, for JSON and for the screen."""
    tally = summary.tally
    return {
        "messages": summary.messages,
        **{status.value: summary.receipts[status] for status in ReceiptStatus},
        "earlier": summary.earlier,
        "reasons": dict(sorted(summary.reasons.items())),
        "system_events": summary.events.total(),
        "events": dict(sorted(summary.events.items())),
        "phone": export.style.value,
        "date_order": export.order.value,
        "provenance": PROVENANCE,
        "notes": [*export.source.notes, *_oddities(tally)],
    }


def _oddities(tally: Tally) -> list[str]:
    told = (
        (tally.orphans, "lines before the first date belong to nobody and were left out"),
        (tally.lookalikes, "lines inside messages look like another phone's: pasted text, or the file was edited"),
        (tally.backwards, "times the clock runs back by more than a day: the file may have been edited"),
        (tally.cut, "messages were too long to keep whole"),
    )
    return [f"{number} {text}" for number, text in told if number]
