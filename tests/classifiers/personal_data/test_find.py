"""What `find` promises to every caller: places that fit, reasons without text, joined numbers, and the judge's say."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.nl import bsn

from classifiers.findings import Finding, Utterance
from classifiers.labels import Label
from classifiers.personal_data import find
from classifiers.personal_data.find import RECOGNIZERS, matches_in, may_hold
from classifiers.personal_data.public import shipped_public
from classifiers.personal_data.text import prepare

_PIECES = (
    "06 12 89 33 47",
    "jan@gmail.com",
    "Eikenlaan 4",
    "2613 AB",
    "bsn 312966210",
    "NL96 INGB 0129 9972 07",
    "H-381-KV",
    "ww: Hond12",
    "@x.y.z1",
    "geboren 4 mei 2010",
    "hoi",
    "🍕",
    "\u0130",
    "\ufe0f",
    "ß",
    "\n",
    "nul zes",
    "S. Aydin",
    "é",
    "…",
    "\u202e",
)
_TEXTS = st.lists(st.one_of(st.sampled_from(_PIECES), st.text(max_size=12)), max_size=8).map(" ".join)


def _words(text: str, findings: list[Finding]) -> list[str]:
    return [text[span.start : span.end] for finding in findings for span in finding.spans]


@settings(max_examples=300, deadline=None)
@given(_TEXTS, st.lists(_TEXTS, max_size=3))
def test_spans_fit_the_message_and_never_overlap(text: str, before: list[str]) -> None:
    """Whatever is typed, spans lie inside the message in order, apart from one another, one to a finding."""
    findings = find(text, [Utterance(one, "a") for one in before], "a")
    spans = [finding.spans[0] for finding in findings]
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(one.end <= other.start for one, other in pairwise(spans))
    assert all(finding.label is Label.PERSONAL_DATA and len(finding.spans) == 1 for finding in findings)
    assert all(0 < finding.score <= 1 and finding.classifier.startswith("personal_data.") for finding in findings)


@settings(max_examples=200, deadline=None)
@given(_TEXTS)
def test_the_cheap_look_never_hides_a_finding(text: str) -> None:
    """A message that the cheap look waves through holds nothing that a recognizer on its own would find."""
    if not may_hold(text):
        assert matches_in(prepare(text), shipped_public()) == []


@pytest.mark.parametrize("piece", [one for one in _PIECES if any(map(str.isdigit, one)) or "@" in one])
def test_a_reason_never_holds_the_value(piece: str) -> None:
    """The reason tells pattern, check and context, and no part of what was found."""
    for finding in find(f"mijn nummer of adres {piece}"):
        words = _words(f"mijn nummer of adres {piece}", [finding])
        assert finding.why
        assert all(word.lower() not in finding.why.lower() for word in words)


@given(st.integers(100_000_000, 399_999_999), st.integers(0, 8), st.integers(1, 9))
def test_one_wrong_digit_never_passes_the_bsn_check(number: int, place: int, step: int) -> None:
    """A BSN with one digit changed is at most reported as one that fails the eleven test."""
    digits = str(number)
    if not bsn.is_valid(digits):
        return
    wrong = digits[:place] + str((int(digits[place]) + step) % 10) + digits[place + 1 :]
    assert all("eleven test passes" not in finding.why for finding in find(f"mijn bsn is {wrong}"))


@given(st.integers(10, 99), st.integers(1_000_000, 9_999_999), st.sampled_from((" ", "-", ".", "/", "")))
def test_a_mobile_number_is_found_whatever_stands_between_its_digits(head: int, tail: int, gap: str) -> None:
    """06 numbers in use are found with any of the usual separators, to the character."""
    digits = f"06{head}{tail}"[:10]
    if digits[2] not in "12345" or digits == "0612345678":
        return
    value = gap.join((digits[:2], digits[2:6], digits[6:]))
    assert _words(f"bel {value} maar", find(f"bel {value} maar")) == [value]


def test_a_number_in_pieces_is_joined_for_one_author_only() -> None:
    """The last piece completes the number when the same author sent the first, not when somebody else did."""
    before = [Utterance("0612 89", "a"), Utterance("ga door", "b")]
    assert _words("33 47", find("33 47", before, "a")) == ["33 47"]
    assert find("33 47", before, "b") == []
    assert find("33 47", before) == []


def test_a_bingo_is_no_phone_number() -> None:
    """Plain numbers called one by one over many messages are not joined."""
    before = [Utterance(number, "a") for number in ("06", "12", "34", "50")]
    assert find("71", before, "a") == []


def test_digits_in_words_are_joined_over_many_messages() -> None:
    """A number typed word by word is complete with its last word."""
    before = [Utterance(word, "a") for word in ("nul", "zes", "een", "twee", "acht", "negen", "drie", "drie", "vier")]
    assert _words("zeven", find("zeven", before, "a")) == ["zeven"]


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [
        ("deel 1: nul zes een twee", "deel 2: acht negen drie drie vier zeven", []),
        ("deel 1: nul zes een twee acht", "deel 2: negen drie drie vier zeven", ["negen drie drie vier zeven"]),
        ("06 12 wacht", "89 33 47 klaar", ["89 33 47"]),
        ("06 12 doelpunten tegen nul deze keer", "89 33 47", []),
    ],
)
def test_announced_pieces_are_joined(first: str, last: str, found: list[str]) -> None:
    """A word before or behind a piece does not break the number; a sentence or six words a piece do."""
    assert _words(last, find(last, [Utterance(first, "a")], "a")) == found


def test_a_name_of_common_words_is_found_by_its_prefix() -> None:
    """A first name that the corpus uses often still makes a full name with "el" or "van" behind it."""
    text = "Dounia el Mansouri 11 07 2010"
    assert "Dounia el Mansouri" in _words(text, find(text))


@pytest.mark.parametrize(("score", "found"), [(None, []), (0.49, []), (0.5, ["heeft epilepsie"])])
def test_health_needs_the_judge(score: float | None, found: list[str]) -> None:
    """Words about health are reported only when the toxicity model says persoonsgegevens."""
    text = "Noor heeft epilepsie hoorde ik"
    assert _words(text, find(text, contextual_score=score)) == found


def test_own_health_is_never_reported() -> None:
    """What somebody tells about himself is none of the mentor's business."""
    assert find("ik heb epilepsie", contextual_score=0.9) == []


def test_every_recognizer_has_a_test_table_and_its_own_name() -> None:
    """A recognizer added to the list without a table of its own is noticed here."""
    names = [recognizer.name for recognizer in RECOGNIZERS]
    assert len(names) == len(set(names))
    tables = {path.stem.removeprefix("test_") for path in (Path(__file__).parent / "recognizers").glob("test_*.py")}
    assert tables == set(names)
