"""Passport, identity-card, licence and residence numbers; python-stdnum (LGPL-2.1-or-later) checks where it can."""

import re
from collections.abc import Iterator

from stdnum.be import eid
from stdnum.nl import identiteitskaartnummer

from classifiers.personal_data.match import Match
from classifiers.personal_data.public import PublicData
from classifiers.personal_data.text import PreparedText
from classifiers.personal_data.words import WordPattern

_CONTEXT = WordPattern("document", "context")
_NOT_DOCUMENT = WordPattern("document", "not_document")
# Two letters, six letters or digits, one digit; the Dutch series has no letter O.
_DUTCH = re.compile(r"(?<![\w/-])[A-NP-Z]{2}[A-NP-Z0-9]{6}\d(?![\w-])")
_DUTCH_LOWER = re.compile(r"(?<![\w/-])[a-np-z]{2}[a-np-z0-9]{6}\d(?![\w-])")
_MIXED = re.compile(r"(?<![\w/-])[A-Z]{1,3}[A-Z0-9]{6,8}(?![\w-])")
_ABROAD = re.compile(r"(?<![\w/-])[A-Z]{1,3} ?\d{6,8}(?![\w-])")
_BELGIAN_CARD = re.compile(r"(?<![\w-])\d{3}[- ]?\d{7}[- ]?\d{2}(?![\w-])")
_BELGIAN_FOREIGNER = re.compile(r"(?<![\w-])B ?(?:\d ?){8,10}\d(?![\w-])")
_NUMBER = re.compile(r"(?<![\w,.:/+-])(?:\d{9,10}|\d{3} \d{3} \d{4}|\d{5}(?: \d{2,5}){2,4})(?![\w:/-])")
_NUMBER_CONTEXT = WordPattern("document", "number_context")


_SHAPES = (
    (_BELGIAN_FOREIGNER, 0.85, "shape of a Belgian foreigner's card"),
    (_ABROAD, 0.88, "letters and six to eight digits"),
    (_MIXED, 0.82, "letters and digits of a document's length"),
    (_DUTCH_LOWER, 0.85, "shape of a Dutch document number in small letters"),
)


class DocumentRecognizer:
    """Finds numbers of papers that prove who somebody is."""

    name = "document"

    def wants(self, prepared: PreparedText) -> bool:
        """Such a number is never without digits."""
        return prepared.digits >= 2

    def find(self, prepared: PreparedText, public: PublicData) -> Iterator[Match]:
        """Give every document number."""
        about = prepared.mentions(_CONTEXT) or prepared.asked(_CONTEXT)
        other = prepared.mentions(_NOT_DOCUMENT)
        for found in _DUTCH.finditer(prepared.plain):
            yield from self._dutch(found, about, other)
        if not about:
            return
        for pattern, confidence, why in _SHAPES if not other else _SHAPES[:1]:
            for found in pattern.finditer(prepared.plain):
                if sum(map(str.isdigit, found[0])) >= 3:
                    yield Match(*found.span(), "DOCUMENT", confidence, why + "; context word")
        for found in _BELGIAN_CARD.finditer(prepared.plain):
            passes = eid.is_valid(found[0])
            if passes or found[0].count("-") == 2:
                why = f"Belgian identity card; python-stdnum check {'passes' if passes else 'fails'}; context word"
                yield Match(*found.span(), "DOCUMENT", 0.97 if passes else 0.85, why)
        if prepared.mentions(_NUMBER_CONTEXT):
            for found in _NUMBER.finditer(prepared.plain):
                yield Match(*found.span(), "DOCUMENT", 0.9, "number beside a word for a licence, permit or health card")

    def _dutch(self, found: "re.Match[str]", about: bool, other: bool) -> Iterator[Match]:
        written = found[0]
        if not identiteitskaartnummer.is_valid(written):
            return
        digits = sum(map(str.isdigit, written))
        if about:
            yield Match(*found.span(), "DOCUMENT", 0.96, "Dutch document number; python-stdnum shape; context word")
        elif not other and digits >= 2 and len(written) - digits >= 3 and not written[3:].isdigit():
            yield Match(*found.span(), "DOCUMENT", 0.85, "Dutch document number; python-stdnum shape")
