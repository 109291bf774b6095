"""What stands in an export, typed: messages with their author, and the events that WhatsApp wrote itself."""

from dataclasses import dataclass
from enum import StrEnum


class EventKind(StrEnum):
    """What a line that WhatsApp wrote tells; exclusion shows in REMOVED, so none is thrown away."""

    ENCRYPTION = "encryption"
    CREATED = "created"
    ADDED = "added"
    REMOVED = "removed"
    LEFT = "left"
    JOINED_BY_LINK = "joined_by_link"
    SUBJECT = "subject"
    DESCRIPTION = "description"
    ICON = "icon"
    ADMIN = "admin"
    SETTINGS = "settings"
    NUMBER = "number"
    SECURITY_CODE = "security_code"
    DISAPPEARING = "disappearing"
    PINNED = "pinned"
    CALL = "call"
    OTHER = "other"
    """Written by WhatsApp in words that `wording.toml` does not know."""


class AttachmentKind(StrEnum):
    """What was attached; the value is the marker the corpus and thus the classifier uses."""

    PHOTO = "foto"
    VIDEO = "video"
    AUDIO = "audio"
    STICKER = "sticker"
    GIF = "gif"
    DOCUMENT = "bestand"
    CONTACT = "contact"
    MEDIA = "media"
    """Left out of the export without telling what it was."""


EXPORTER = "(exporteur)"
"""Stands in an event for the member who made the export, whom WhatsApp calls "u" or "you"."""

DELETED_MARKER = "[bericht verwijderd]"
"""How the corpus writes a message that was deleted."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a message, as the exporter's phone names him."""

    author_id: str
    """The number in digits where the phone shows one, else the name."""
    name: str
    unknown_contact: bool = False
    """Named by himself (`~ Name`), not by the exporter's contacts."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """The marker of an attachment; the file itself is never opened."""

    kind: AttachmentKind
    name: str | None = None
    """File name, None where the export left it out."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a member."""

    line: int
    """Line of the file on which it begins, from 1."""
    wall_clock: str
    """Date and time as the export gives them, ISO without zone; the same in every export of this phone."""
    sent_at: float
    """Unix time in seconds."""
    author: Author
    text: str
    """The member's own words, letter for letter: caption, title or message."""
    attachment: Attachment | None = None
    edited: bool = False
    deleted: bool = False
    """A tombstone: the words are gone."""
    cut: bool = False
    """Longer than any message may be; the text holds its beginning."""

    @property
    def spoken(self) -> str:
        """The message as it reads in the conversation, with markers for what is not words."""
        if self.deleted:
            return DELETED_MARKER
        if self.attachment is None:
            return self.text
        marker = f"[{self.attachment.kind}]"
        return f"{marker} {self.text}" if self.text else marker


@dataclass(frozen=True, slots=True)
class SystemEvent:
    """One line that WhatsApp wrote."""

    line: int
    wall_clock: str
    sent_at: float
    kind: EventKind
    actor: str = ""
    """Who did it, EXPORTER for the exporter, empty where the line does not say."""
    targets: tuple[str, ...] = ()
    """To whom."""
    subject: str = ""
    """The group's name, for CREATED and SUBJECT."""
    text: str = ""
    """The line itself."""


Record = Message | SystemEvent
