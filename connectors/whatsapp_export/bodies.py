"""Tells a member's words from what WhatsApp wrote.

U+200E straight after `name: ` marks WhatsApp's own text, but a pupil can paste that character too. So only what fits
WhatsApp's words exactly is taken out of a message, and a line that may be either is given as both: one harmless
message too many is better than one hidden.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from connectors.whatsapp_export.records import (
    Attachment,
    AttachmentKind,
    Author,
    EventKind,
    Message,
    Record,
    SystemEvent,
)
from connectors.whatsapp_export.wording import EventMatch, Wording, visible

MARK = "\u200e"
_LONGEST_NAME = 120
_PHONE = re.compile(r"\+?[0-9][0-9 ()\-./]{5,24}")
# Names that WhatsApp gives itself: no pupil's words in them.
_GIVEN_NAME = re.compile(
    r"(?:(?:IMG|VID|AUD|PTT|DOC|STK|GIF)-[0-9]{8}-WA[0-9]{4}"
    r"|[0-9]{8}-[A-Z]{3,12}-[0-9]{4}(?:-[0-9]{2}){5})\.[A-Za-z0-9]{0,5}"
)
_NUMBERED = re.compile(r"[0-9]{8}-")
_KIND_BY_ENDING = {
    **dict.fromkeys(("jpg", "jpeg", "png", "heic"), AttachmentKind.PHOTO),
    **dict.fromkeys(("mp4", "mov", "3gp"), AttachmentKind.VIDEO),
    **dict.fromkeys(("opus", "m4a", "mp3", "aac", "ogg", "amr"), AttachmentKind.AUDIO),
    **dict.fromkeys(("webp", "was"), AttachmentKind.STICKER),
    "gif": AttachmentKind.GIF,
    "vcf": AttachmentKind.CONTACT,
}


@dataclass(slots=True)
class ChatName:
    """The group's name, which an iPhone puts before what WhatsApp wrote; known from the notice that opens the file."""

    name: str | None = None
    settled: bool = False
    """After the first message nothing can claim to be the group."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where and when a record begins."""

    line: int
    wall_clock: str
    sent_at: float


def read_body(start: Start, body: str, chat: ChatName, wording: Wording, *, cut: bool = False) -> Iterator[Record]:
    """Read what follows a header, up to the next.

    Args:
        start: The header's place and time.
        body: Name and text, or an event; lines joined by newlines.
        chat: What is known of the group's name; learns from the notice that opens the file.
        wording: WhatsApp's own words.
        cut: The body is only the beginning of a longer one.

    Yields:
        One message or one event; both for a line that may be either.
    """
    name, text = _split_name(body)
    if name is None:
        yield _event(start, wording.event(body), body)
        return
    if (event := _event_with_colon(body, wording)) is not None:
        yield _event(start, event, body)
    elif text.startswith(MARK) and (event := wording.event(text)) is not None and not wording.deleted.fullmatch(text):
        yield _event(start, event, text)
        if event.kind is EventKind.ENCRYPTION:
            if not chat.settled:
                chat.name = name
            return
        if name == chat.name:
            return
    chat.settled = True
    yield _message(start, name, text, wording, cut=cut)


def _split_name(body: str) -> tuple[str | None, str]:
    first = body.partition("\n")[0]
    at = first.find(": ", 0, _LONGEST_NAME + 2)
    if at <= 0 and first.endswith(":") and len(first) <= _LONGEST_NAME + 1:
        # An empty message whose trailing space was lost.
        at = len(first) - 1
    if at <= 0:
        return None, body
    name = body[:at]
    return (name, body[at + 2 :]) if body[at : at + 2] == ": " else (name, body[at + 1 :])


def _event_with_colon(body: str, wording: Wording) -> EventMatch | None:
    """Find an event whose group name holds a colon, so that it looks like a message."""
    if len(body) > 400 or not ("“" in body or '"' in body):
        return None
    event = wording.event(body)
    return event if event is not None and ": " in event.subject else None


def _event(start: Start, event: EventMatch | None, text: str) -> SystemEvent:
    place = (start.line, start.wall_clock, start.sent_at)
    if event is None:
        return SystemEvent(*place, EventKind.OTHER, text=text)
    return SystemEvent(*place, event.kind, event.actor, event.targets, event.subject, text)


def _message(start: Start, name: str, text: str, wording: Wording, *, cut: bool) -> Message:
    attachment: Attachment | None = None
    deleted = wording.deleted.fullmatch(text) is not None
    edited = False
    if deleted:
        text = ""
    else:
        if match := wording.edited.search(text, max(0, len(text) - 60)):
            text, edited = text[: match.start()], True
        text, attachment = _attachment(text, wording)
    return Message(
        line=start.line,
        wall_clock=start.wall_clock,
        sent_at=start.sent_at,
        author=read_author(name),
        text=text,
        attachment=attachment,
        edited=edited,
        deleted=deleted,
        cut=cut,
    )


def read_author(name: str) -> Author:
    """Make one identity of the ways in which an export writes a member."""
    clean = visible(name)
    unknown = clean.startswith("~")
    clean = clean.removeprefix("~").strip()
    if _PHONE.fullmatch(clean):
        return Author("".join(character for character in clean if character in "+0123456789"), clean, unknown)
    return Author(clean, clean, unknown)


def _attachment(text: str, wording: Wording) -> tuple[str, Attachment | None]:
    """Take the marker of an attachment out of a text; the member's caption and own file name stay."""
    first, newline, rest = text.partition("\n")
    if wording.media_omitted.fullmatch(first):
        return rest, Attachment(AttachmentKind.MEDIA)
    if match := wording.attached_after.fullmatch(first):
        return _named(match["name"], rest if newline else "")
    if match := _last(wording, text):
        # iPhone: a caption or title stands before the marker.
        before, after = text[: match.start()], text[match.end() :]
        return _named(match["name"], wording.pages.sub("", before.rstrip(" ")).removeprefix(MARK) + after)
    tail = text[-80:]
    for kind, pattern in wording.omitted:
        if match := pattern.search(tail):
            before = text[: len(text) - len(tail) + match.start()]
            return wording.pages.sub("", before.rstrip(" ")).removeprefix(MARK), Attachment(kind)
    return text, None


def _last(wording: Wording, text: str) -> re.Match[str] | None:
    """Find an iPhone's marker: at the beginning or the end of a text, and marked or named as WhatsApp does."""
    for match in wording.attached_before.finditer(text):
        at_border = match.start() == 0 or match.end() == len(text)
        if at_border and (match["mark"] or _GIVEN_NAME.fullmatch(match["name"])):
            return match
    return None


def _named(name: str, words: str) -> tuple[str, Attachment]:
    """Keep a file name that the member chose among his words: an insult can stand there too."""
    ending = name.rpartition(".")[2].lower()
    attachment = Attachment(_KIND_BY_ENDING.get(ending, AttachmentKind.DOCUMENT), name)
    if _GIVEN_NAME.fullmatch(name):
        return words, attachment
    own = _NUMBERED.sub("", name, count=1)
    if own in words:
        return words, attachment
    return (f"{own}\n{words}" if words else own), attachment
