"""Finds personal data in one message: a cheap look first, then the recognizers, then the rule that settles overlaps."""

import functools
import re
from collections.abc import Sequence

from classifiers.findings import Finding, Span, Utterance
from classifiers.labels import Label
from classifiers.personal_data.contextual import contextual
from classifiers.personal_data.joined import beginning, joined
from classifiers.personal_data.match import Match, settle
from classifiers.personal_data.numbers import TRIGGERS
from classifiers.personal_data.public import PublicData, shipped_public
from classifiers.personal_data.recognizers.address import AddressRecognizer
from classifiers.personal_data.recognizers.base import Recognizer
from classifiers.personal_data.recognizers.birth_date import BirthDateRecognizer
from classifiers.personal_data.recognizers.citizen_number import CitizenNumberRecognizer, citizen_number_beside
from classifiers.personal_data.recognizers.credential import CredentialRecognizer
from classifiers.personal_data.recognizers.document import DocumentRecognizer
from classifiers.personal_data.recognizers.email import EmailRecognizer
from classifiers.personal_data.recognizers.handle import HandleRecognizer
from classifiers.personal_data.recognizers.iban import IbanRecognizer
from classifiers.personal_data.recognizers.licence_plate import LicencePlateRecognizer
from classifiers.personal_data.recognizers.location import LocationRecognizer
from classifiers.personal_data.recognizers.name import names_beside
from classifiers.personal_data.recognizers.payment_link import PaymentLinkRecognizer
from classifiers.personal_data.recognizers.phone import PhoneRecognizer
from classifiers.personal_data.recognizers.postcode import PostcodeRecognizer
from classifiers.personal_data.recognizers.student_id import StudentIdRecognizer
from classifiers.personal_data.text import PreparedText, fold, prepare
from classifiers.personal_data.words import word_set

CONTEXTUAL_CUT = 0.5
"""The toxicity model's probability of `persoonsgegevens` from which health, family and marks are reported."""

_PHONE = PhoneRecognizer()
RECOGNIZERS: tuple[Recognizer, ...] = (
    _PHONE,
    EmailRecognizer(),
    AddressRecognizer(),
    PostcodeRecognizer(),
    CitizenNumberRecognizer(),
    IbanRecognizer(),
    PaymentLinkRecognizer(),
    BirthDateRecognizer(),
    LicencePlateRecognizer(),
    StudentIdRecognizer(),
    DocumentRecognizer(),
    CredentialRecognizer(),
    HandleRecognizer(),
    LocationRecognizer(),
)
"""Every recognizer; a new one is added here and nowhere else."""

_IN_PIECES: tuple[Recognizer, ...] = (_PHONE,)
_BARE_NAME = re.compile(r"\W?[^\W\d_][\w.]{6,31}$")
"""An answer of one word that can be an account name."""
_SIGN = re.compile(r"[0-9@#/\[🐒\u20e3\uff10-\uff19]")


@functools.cache
def _keywords() -> frozenset[str]:
    """Words without which a message that holds no digit, at sign or link cannot hold personal data."""
    tables = ("credential", "handle", "email", "address", "location")
    return TRIGGERS.union({"geboren", "verjaardag"}, *(word_set(table, "triggers") for table in tables))


def may_hold(text: str) -> bool:
    """Tell in a microsecond or two whether a message can hold any personal data at all.

    Args:
        text: The message as typed.

    Returns:
        False only when no recognizer can match.
    """
    if _SIGN.search(text) or (not text.isascii() and _SIGN.search(fold(text))):
        return True
    lowered = text.lower()
    return not _keywords().isdisjoint(_split(lowered)) or "nulz" in lowered or "tweeduizend" in lowered


_split = re.compile(r"[^\W\d_]+").findall


def find(
    text: str,
    before: Sequence[Utterance] = (),
    author: str = "",
    *,
    contextual_score: float | None = None,
    public: PublicData | None = None,
) -> list[Finding]:
    """Find the personal data in one message.

    Args:
        text: The message as typed.
        before: The conversation before it, oldest first. It tells what a bare answer is about and holds the first
            pieces of a number that the same author sends in several messages.
        author: Who wrote the message, as in `before`; empty when unknown, and then nothing is joined.
        contextual_score: The toxicity model's probability of `persoonsgegevens`. From 0.5 on, words about health,
            family, marks and absence of another person are reported too; without it they never are.
        public: What is no finding; the shipped list when None.

    Returns:
        One finding a stretch, by place; they do not overlap. Each has the label `persoonsgegevens`, the recognizer as
        classifier, the confidence as score and one span.
    """
    told = contextual_score is not None and contextual_score >= CONTEXTUAL_CUT
    if not told and not may_hold(text) and not (before and _BARE_NAME.match(text)):
        return []
    return [_finding(match) for match in matches_in(prepare(text, before, author), public or shipped_public(), told)]


def matches_in(prepared: PreparedText, public: PublicData, told: bool = False) -> list[Match]:
    """Run every recognizer over a prepared message and settle the overlaps.

    Args:
        prepared: The message.
        public: What is no finding.
        told: The toxicity model says that the message bears `persoonsgegevens`.

    Returns:
        Matches that do not overlap, by place.
    """
    found = [
        Match(match.start, match.end, match.type, match.confidence, match.why, recognizer.name)
        for recognizer in RECOGNIZERS
        if recognizer.wants(prepared)
        for match in recognizer.find(prepared, public)
    ]
    if not found and prepared.before and len(prepared.raw) <= 40:
        if prepared.author:
            found.extend(joined(prepared, _IN_PIECES, public))
        found.extend(beginning(prepared))
    if found and prepared.digits >= 9:
        found.extend(citizen_number_beside(prepared, found))
    if found and prepared.plain != prepared.folded:
        found.extend(names_beside(prepared, found))
    if told:
        found.extend(contextual(prepared))
    return settle(found) if len(found) > 1 else found


def _finding(match: Match) -> Finding:
    return Finding(
        label=Label.PERSONAL_DATA,
        score=match.confidence,
        classifier=f"personal_data.{match.recognizer}",
        why=match.why,
        spans=(Span(match.start, match.end, match.type),),
    )
