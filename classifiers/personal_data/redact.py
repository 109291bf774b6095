"""Cuts personal data out of a message and puts a numbered Dutch tag in its place."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from classifiers.findings import Finding
from classifiers.personal_data.public import national_digits
from classifiers.personal_data.text import fold

TAGS = {
    "PHONE": "TELEFOONNUMMER",
    "EMAIL": "E-MAILADRES",
    "ADDRESS": "ADRES",
    "POSTCODE": "POSTCODE",
    "BSN": "BSN",
    "IBAN": "REKENINGNUMMER",
    "PAYMENT_LINK": "BETAALVERZOEK",
    "DATE_OF_BIRTH": "GEBOORTEDATUM",
    "LICENCE_PLATE": "KENTEKEN",
    "STUDENT_ID": "LEERLINGNUMMER",
    "DOCUMENT": "DOCUMENTNUMMER",
    "CREDENTIAL": "INLOGGEGEVEN",
    "HANDLE": "ACCOUNT",
    "LOCATION": "LOCATIE",
    "NAME": "NAAM",
    "HEALTH": "GEZONDHEID",
    "FAMILY": "FAMILIEZAKEN",
    "MARKS": "CIJFER",
    "OTHER": "GEGEVEN",
}
"""What a mentor reads for each span type."""

_NUMBERS = frozenset(("PHONE", "BSN", "STUDENT_ID", "DATE_OF_BIRTH"))
_NOT_WORD = re.compile(r"[^\w@]+")
_TAG = re.compile(r"\[([A-Z-]+)-(\d+)\]")


@dataclass(frozen=True, slots=True)
class Redacted:
    """A message without its personal data."""

    text: str
    """The message with tags in place of the findings' spans."""
    tags: Mapping[tuple[str, str], str]
    """Tag by (span type, normalized value), those of the conversation so far included: hand it to the next call.
    It holds the values themselves, so it belongs in memory only."""


def redact(text: str, findings: Sequence[Finding], known: Mapping[tuple[str, str], str] | None = None) -> Redacted:
    """Replace every personal-data span by a tag such as `[TELEFOONNUMMER-1]`.

    Args:
        text: The message as typed, the one that the findings are about.
        findings: Findings of any classifier; only spans of the personal-data types are cut. Where spans overlap, the
            first and longest gives the tag and everything under any of them is cut.
        known: `tags` of the call before, so that a value keeps its number through a conversation.

    Returns:
        The text with tags, and the tags of the conversation so far.
    """
    tags = dict(known or {})
    counts: dict[str, int] = {}
    for tag in tags.values():
        parts = _TAG.fullmatch(tag)
        if parts is not None:
            counts[parts[1]] = max(counts.get(parts[1], 0), int(parts[2]))
    pieces: list[str] = []
    place = 0
    spans = sorted(
        {(span.start, -span.end, span.type) for finding in findings for span in finding.spans if span.type in TAGS}
    )
    for start, minus_end, kind in spans:
        first, end = max(start, 0), min(-minus_end, len(text))
        if end <= place or end <= first:
            continue
        if first < place:
            place = end
            continue
        key = (kind, normalized(text[first:end], kind))
        if key not in tags:
            counts[TAGS[kind]] = counts.get(TAGS[kind], 0) + 1
            tags[key] = f"[{TAGS[kind]}-{counts[TAGS[kind]]}]"
        pieces += [text[place:first], tags[key]]
        place = end
    return Redacted("".join([*pieces, text[place:]]), tags)


def normalized(value: str, kind: str) -> str:
    """Bring a value to one form, so that "06-12 34 56 78" and "+31612345678" are the same number.

    Args:
        value: The words of a span.
        kind: Its span type.

    Returns:
        A form in which the spellings of one value are equal.
    """
    plain = fold(value).lower()
    if kind == "PHONE" and sum(map(str.isdigit, plain)) >= 7:
        return national_digits(plain)
    if kind in _NUMBERS:
        digits = "".join(filter(str.isdigit, plain))
        if len(digits) >= 4:
            return digits
    return _NOT_WORD.sub("", plain)
