"""Compiles `wording.toml`: the words WhatsApp itself writes, in every language we read.

All languages are tried on every file: a phone's language may change, and a wrong guess would cost words.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from re import Pattern

from connectors.whatsapp_export.records import EXPORTER, AttachmentKind, EventKind

# Bounded, so that no text can make a pattern run long.
_PLACES = {
    "{actor}": r"(?P<actor>[^:\n]{1,80}?)",
    "{targets}": r"(?P<targets>[^:\n]{1,600}?)",
    "{subject}": r"(?P<subject>[^\n]{1,200}?)",
}
LONGEST_EVENT = 1_000
"""Characters; a longer text is not tried as an event."""
_QUOTES = "“”\"'"
_INVISIBLE = dict.fromkeys(map(ord, "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"))
_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2011": "-"})


@dataclass(frozen=True, slots=True)
class EventMatch:
    """An event as its words tell it."""

    kind: EventKind
    actor: str
    targets: tuple[str, ...]
    subject: str


@dataclass(frozen=True, slots=True)
class Wording:
    """WhatsApp's own words as patterns."""

    deleted: Pattern[str]
    edited: Pattern[str]
    """At the end of a text."""
    media_omitted: Pattern[str]
    attached_after: Pattern[str]
    """A whole first line; group `name`."""
    attached_before: Pattern[str]
    """Anywhere; group `name`."""
    omitted: tuple[tuple[AttachmentKind, Pattern[str]], ...]
    """At the end of a text."""
    pages: Pattern[str]
    """At the end of a title."""
    encryption: Pattern[str]
    events: tuple[tuple[EventKind, Pattern[str]], ...]
    exporter: frozenset[str]
    joiners: Pattern[str]

    def event(self, text: str) -> EventMatch | None:
        """Read a whole text as an event, None where it is none that we know."""
        if len(text) > LONGEST_EVENT:
            return None
        clean = visible(text)
        if self.encryption.fullmatch(clean):
            return EventMatch(EventKind.ENCRYPTION, "", (), "")
        for kind, pattern in self.events:
            if match := pattern.fullmatch(clean):
                found = match.groupdict()
                targets = self.joiners.split(found.get("targets") or "")
                return EventMatch(
                    kind,
                    self._member(found.get("actor") or ""),
                    tuple(self._member(target) for target in targets if target),
                    (found.get("subject") or "").strip(_QUOTES),
                )
        return None

    def _member(self, name: str) -> str:
        return EXPORTER if name in self.exporter else name.removeprefix("~").strip()


def visible(text: str) -> str:
    """Take out direction marks and make every space a plain one, as names and events are compared."""
    return text.translate(_INVISIBLE).translate(_SPACES).strip()


@cache
def load_wording() -> Wording:
    """Read and compile the packaged words once."""
    raw = tomllib.loads(files(__package__).joinpath("wording.toml").read_text("utf-8"))

    def either(section: str) -> str:
        return "(?:" + "|".join(word for language in raw[section].values() for word in language) + ")"

    events = [
        (EventKind(event["kind"]), re.compile(_placed(pattern)))
        for event in raw["events"]
        for pattern in event["patterns"]
    ]
    return Wording(
        deleted=re.compile(rf"\u200e?{either('deleted')}"),
        edited=re.compile(rf"[ \u200e]*{either('edited')}\u200e?\Z"),
        media_omitted=re.compile(rf"\u200e?{either('media_omitted')}"),
        attached_after=re.compile(rf"(?P<mark>\u200e?)(?P<name>[^\n]{{1,255}}) \({either('attached_after')}\)"),
        attached_before=re.compile(rf"(?P<mark>\u200e?)<{either('attached_before')}: (?P<name>[^<>\n]{{1,255}})>"),
        omitted=tuple(
            (AttachmentKind(kind), re.compile(rf"\u200e(?:{'|'.join(words)})\Z"))
            for kind, words in raw["omitted"].items()
        ),
        pages=re.compile(rf" • \u200e?[0-9]{{1,6}} {either('pages')}\Z"),
        encryption=re.compile(either("encryption")),
        events=tuple(events),
        exporter=frozenset(word for language in raw["exporter"].values() for word in language),
        # The longest first: ", and " is one joiner, not ", " and a member named "and ...".
        joiners=re.compile("|".join(sorted((word for words in raw["list"].values() for word in words), key=len)[::-1])),
    )


def _placed(pattern: str) -> str:
    for place, expression in _PLACES.items():
        pattern = pattern.replace(place, expression)
    return rf"{pattern}\.?"
