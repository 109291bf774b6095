"""Citizen numbers (BSN and the Belgian national register number), checked with python-stdnum (LGPL-2.1-or-later).

One nine-digit number in eleven passes the BSN check by chance, so a check without a word about it is not enough; with
such a word a number that fails the check is still somebody's number with a slip in it.
"""

import re
from collections.abc import Iterator, Sequence

from stdnum.be import bis, nn
from stdnum.nl import bsn

from classifiers.personal_data.match import Match
from classifiers.personal_data.numbers import DigitRun, runs, spelled
from classifiers.personal_data.public import PublicData
from classifiers.personal_data.text import PreparedText
from classifiers.personal_data.words import WordPattern

_CONTEXT = WordPattern("citizen_number", "context")
_BELGIAN = re.compile(r"\b(?:rijksregister|rijksregisternummer|rrn|insz|bisnummer)\b")
_BELGIAN_SHAPE = re.compile(r"(?<!\d)\d{2}\.\d{2}\.\d{2}[- ]\d{3}[.\-]\d{2}(?!\d)")
_OTHER = WordPattern("citizen_number", "other")
_DATE = re.compile(r"(?<!\d)\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)\d{2}(?!\d)")
_LONGEST_RUN = 24
"""Digits; a longer row is a table or a game, and holds no citizen number of its own."""
_NINE = re.compile(r"(?<![\w.,/+-])[1-9]\d{8}(?![\w/-]|[.,]\d)")
_PART = re.compile(r"\b(?:begint met|eindigt op|laatste \w{2,6} cijfers) (?P<part>\d{3,8})(?!\d)")


class CitizenNumberRecognizer:
    """Finds BSNs and Belgian national register numbers."""

    name = "citizen_number"

    def wants(self, prepared: PreparedText) -> bool:
        """Eight digits, number words, or fewer digits with a word about a BSN."""
        return prepared.digits >= 8 or bool(spelled(prepared)) or (prepared.digits >= 3 and prepared.mentions(_CONTEXT))

    def find(self, prepared: PreparedText, public: PublicData) -> Iterator[Match]:
        """Give every citizen number."""
        for found in _BELGIAN_SHAPE.finditer(prepared.plain):
            passes = nn.is_valid(found[0]) or bis.is_valid(found[0])
            why = "Belgian national register number; python-stdnum check " + ("passes" if passes else "fails")
            yield Match(found.start(), found.end(), "BSN", 0.98 if passes else 0.9, why)
        about = self._about(prepared)
        if about is None:
            yield from self._in_words(prepared)
            return
        yield from self._parts(prepared)
        shaped = [found.span() for found in _BELGIAN_SHAPE.finditer(prepared.plain)]
        for run in runs(prepared):
            if not any(start <= run.starts[0] < end for start, end in shaped):
                yield from self._in_run(run, prepared, about)

    def _parts(self, prepared: PreparedText) -> Iterator[Match]:
        for found in _PART.finditer(prepared.folded):
            yield Match(*found.span("part"), "BSN", 0.7, "part of a citizen number that is told as such; context word")

    def _in_words(self, prepared: PreparedText) -> Iterator[Match]:
        """Nobody spells out nine digits that happen to pass the eleven test."""
        for run in spelled(prepared):
            words = len(set(run.starts))
            if len(run.digits) == words == 9 and prepared.digits == 0 and bsn.is_valid(run.digits):
                yield Match(
                    run.starts[0], run.ends[-1], "BSN", 0.75, "nine digits in words; python-stdnum eleven test passes"
                )

    def _about(self, prepared: PreparedText) -> str | None:
        if prepared.mentions(_CONTEXT) or prepared.mentions(_BELGIAN):
            return "context word"
        asked = prepared.before and (prepared.asked(_CONTEXT) or prepared.asked(_BELGIAN))
        return "asked for in the messages before" if asked else None

    def _in_run(self, run: DigitRun, prepared: PreparedText, about: str) -> Iterator[Match]:
        cuts = run.groups()
        if len(run.digits) > _LONGEST_RUN or _DATE.search(prepared.plain[run.starts[0] : run.ends[-1]]):
            return
        ends = frozenset(cuts)
        for first in cuts[:-1]:
            for last in (first + length for length in (8, 9, 11) if first + length in ends):
                start, end = run.starts[first], run.ends[last - 1]
                if _glued(prepared.plain, start, end) or _OTHER.search(prepared.near(start, end, 60)):
                    continue
                match = self._judged(run.digits[first:last], (start, end), about)
                if match is not None:
                    yield match

    def _judged(self, digits: str, span: tuple[int, int], about: str) -> Match | None:
        if len(digits) == 11:
            if nn.is_valid(digits) or bis.is_valid(digits):
                return Match(
                    *span, "BSN", 0.97, f"Belgian national register number; python-stdnum check passes; {about}"
                )
            return None
        if len(digits) == 8 and about != "context word":
            return None
        if bsn.is_valid(digits):
            return Match(*span, "BSN", 0.98, f"BSN; python-stdnum eleven test passes; {about}")
        if digits.startswith("06") or (digits.startswith("0") and about != "context word"):
            return None
        return Match(*span, "BSN", 0.88, f"eight or nine digits, eleven test fails; {about}")


def _glued(text: str, start: int, end: int) -> bool:
    return (start > 0 and text[start - 1].isalnum()) or text[end : end + 1].isalnum()


def citizen_number_beside(prepared: PreparedText, matches: Sequence[Match]) -> Iterator[Match]:
    """Give nine-digit numbers that pass the eleven test in a message that gives a birth date or an address as well.

    Args:
        prepared: The message.
        matches: What the recognizers found in it.

    Yields:
        Matches outside those given.
    """
    kinds = {match.type for match in matches}
    if "BSN" in kinds or kinds.isdisjoint(("DATE_OF_BIRTH", "ADDRESS", "DOCUMENT")):
        return
    for found in _NINE.finditer(prepared.plain):
        if bsn.is_valid(found[0]):
            yield Match(
                *found.span(),
                "BSN",
                0.75,
                "nine digits beside a birth date or address; python-stdnum eleven test passes",
                "citizen_number",
            )
