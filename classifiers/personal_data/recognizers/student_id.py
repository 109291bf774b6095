"""Pupil, student, candidate and education numbers; the last checked with python-stdnum (LGPL-2.1-or-later)."""

import re
from collections.abc import Iterator

from stdnum.nl import onderwijsnummer

from classifiers.personal_data.match import Match
from classifiers.personal_data.numbers import spelled
from classifiers.personal_data.public import PublicData
from classifiers.personal_data.text import PreparedText

_HOLDER = (
    r"(?:leerling\w{0,2}|student\w{0,2}|kandidaat|kandidaats|examen|stam|stamboek|onderwijs|deelnemers?|mediatheek|"
    r"bibliotheek|bieb|kantine|school|magister|toegangs|boeken|boekenfonds)"
)
_CONTEXT = re.compile(
    rf"\b(?:{_HOLDER}[- ]?(?:nummers?|nummertje|nrs?|nr's|id|code|pas|pasje|kaart)|leerlingen?pasnummer|"
    r"llnr|ll-?nr|lnr|"
    r"lln-? ?nr|bibpas|bieb ?pas|studentid|pasnummer|pasnr|kandidaat(?= \d))\b"
)
_GENERAL = re.compile(r"\bschool(?:nummer|nr|code)\b")
_SUBJECT = _CONTEXT
_NUMBER = re.compile(r"(?<![\w.,:/+-])(?:[sS]\d{5,9}|\d{3,14})(?![\w:/]|[.,-]\d)")
_PASS = re.compile(r"pas|kaart")
_EDUCATION = re.compile(r"\bonderwijs(?:-| )?(?:nummers?|nr)\b")
_LISTED = re.compile(r"(?<=[^\W\d_] )(?P<id>\d{5,7})(?= \d{1,2}[-/.]\d{1,2}[-/.](?:19|20)?\d{2}(?!\d))")
_INSIDE_SYSTEM = re.compile(r"\b(?:onder|als|onder nummer) (?P<id>s\d{6,8})\b")
_NOT_THIS = re.compile(
    r"^\s?(?:euro|eur\b|cent|km\b|uur|min\b|minuten|leerlingen|punten|%|keer|x\b|cijfers|tekens|dagen|jaar)"
)
_TEACHING = re.compile(r"\b(?:beginnen|begint|bestaat|bestaan) (?:met|uit|uit de)\b")
_REACH = 70


class StudentIdRecognizer:
    """Finds pupil and student numbers beside a word that says so."""

    name = "student_id"

    def wants(self, prepared: PreparedText) -> bool:
        """Three digits or number words; the words about it are asked next."""
        return prepared.digits >= 3 or bool(spelled(prepared))

    def find(self, prepared: PreparedText, public: PublicData) -> Iterator[Match]:
        """Give every number that a word before it, in this message or the last ones, calls a pupil's."""
        text = prepared.folded
        abouts = [found for found in _CONTEXT.finditer(text) if not _GENERAL.match(found[0])]
        for found in _INSIDE_SYSTEM.finditer(text):
            yield Match(*found.span("id"), "STUDENT_ID", 0.85, "shape of a student number in a system")
        for found in _LISTED.finditer(text):
            yield Match(*found.span("id"), "STUDENT_ID", 0.75, "number between a name and a date of birth")
        if abouts:
            yield from self._named(abouts, prepared)
        elif prepared.before and prepared.digits >= 5 and prepared.asked(_SUBJECT):
            for found in _NUMBER.finditer(prepared.plain):
                if 5 <= len(found[0]) <= 8:
                    yield Match(
                        *found.span(), "STUDENT_ID", 0.8, "five to eight digits; asked for in the messages before"
                    )

    def _named(self, abouts: "list[re.Match[str]]", prepared: PreparedText) -> Iterator[Match]:
        text = prepared.folded
        if _TEACHING.search(text):
            return
        first = abouts[0]
        education = bool(_EDUCATION.search(text))
        for found in _NUMBER.finditer(prepared.plain):
            digits = found[0].lstrip("sS")
            after = found.start() >= first.end() and found.start() - first.end() <= _REACH * len(abouts)
            before = first.start() >= found.end() and first.start() - found.end() <= 20
            if not (after or before) or _NOT_THIS.match(text[found.end() : found.end() + 12]):
                continue
            if len(digits) < 5 and not after:
                continue
            if education and len(digits) == 9:
                passes = onderwijsnummer.is_valid(digits)
                why = "education number; python-stdnum check " + ("passes" if passes else "fails") + "; context word"
                yield Match(*found.span(), "STUDENT_ID", 0.985 if passes else 0.9, why)
            elif len(digits) <= 8 or (len(digits) >= 10 and _PASS.search(first[0])):
                yield Match(*found.span(), "STUDENT_ID", 0.9, "number beside a word for a pupil's number")
        for run in spelled(prepared):
            if 5 <= len(run.digits) <= 8:
                yield Match(
                    run.starts[0], run.ends[-1], "STUDENT_ID", 0.8, "number in words beside a word for a pupil's number"
                )
