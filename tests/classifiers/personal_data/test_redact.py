"""Redaction: no value stays, one value has one tag through a conversation, and the rest is as typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.findings import Finding, Span
from classifiers.labels import Label
from classifiers.personal_data import find, redact
from classifiers.personal_data.evaluation import CONTEXTUAL, STRUCTURED
from classifiers.personal_data.redact import TAGS, normalized


def _finding(start: int, end: int, kind: str = "PHONE") -> Finding:
    return Finding(Label.PERSONAL_DATA, 0.9, "personal_data.test", "test", (Span(start, end, kind),))


def test_a_number_becomes_a_numbered_tag() -> None:
    """The mentor reads what kind of thing stood there."""
    text = "bel 0612893347 of mail roos.vis@gmail.com"
    assert redact(text, find(text)).text == "bel [TELEFOONNUMMER-1] of mail [E-MAILADRES-1]"


def test_the_same_value_keeps_its_number_through_a_conversation() -> None:
    """Another spelling of a number that was seen gets the tag it had; a new number gets the next."""
    told = "0612893347 en 06-38829014"
    first = redact(told, find(told))
    text = "is +31 6 38829014 hetzelfde als 06-11930275?"
    second = redact(text, find(text), first.tags)
    assert second.text == "is [TELEFOONNUMMER-2] hetzelfde als [TELEFOONNUMMER-3]?"


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        ("06-12 34 56 79", "+31612345679", "PHONE"),
        ("NL96 INGB 0129 9972 07", "nl96ingb0129997207", "IBAN"),
        ("2613 AB", "2613ab", "POSTCODE"),
        ("312.966.210", "312966210", "BSN"),
    ],
)
def test_spellings_of_one_value_are_equal(one: str, other: str, kind: str) -> None:
    """Separators, case and country code make no other value."""
    assert normalized(one, kind) == normalized(other, kind)


def test_overlapping_spans_are_cut_once_and_whole() -> None:
    """Nothing under any span stays, also where spans of two classifiers overlap."""
    assert redact("abcdefghij", [_finding(2, 6), _finding(4, 8, "BSN")]).text == "ab[TELEFOONNUMMER-1]ij"


def test_other_spans_are_left_alone() -> None:
    """Words that carried another label are for the mentor to read."""
    assert redact("vieze rat", [_finding(6, 9, "WORD")]).text == "vieze rat"


def test_every_type_of_the_corpus_guide_has_a_tag() -> None:
    """A type without a Dutch tag would stay readable."""
    named = {"ADDRESS", "PAYMENT_LINK", "STUDENT_ID", "DOCUMENT", "CREDENTIAL", "HANDLE", "LOCATION", "NAME"}
    assert set(TAGS) == {*STRUCTURED, *CONTEXTUAL, *named}


@given(st.text(max_size=30), st.lists(st.tuples(st.integers(-2, 32), st.integers(-2, 32)), max_size=5))
def test_everything_outside_the_spans_stays(text: str, places: list[tuple[int, int]]) -> None:
    """Whatever the spans, the characters outside them come through in order and no others."""
    findings = [_finding(start, end) for start, end in places if start < end]
    covered = {at for start, end in places if start < end for at in range(max(start, 0), min(end, len(text)))}
    outside = "".join(character for at, character in enumerate(text) if at not in covered)
    redacted = redact(text, findings)
    left = redacted.text
    for tag in redacted.tags.values():
        left = left.replace(tag, "\x00")
    assert left.replace("\x00", "") == outside.replace("\x00", "")
