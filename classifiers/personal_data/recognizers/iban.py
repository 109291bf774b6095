"""Bank account numbers, checked with python-stdnum (LGPL-2.1-or-later)."""

import re
from collections.abc import Iterator

from stdnum import iban

from classifiers.personal_data.match import Match
from classifiers.personal_data.public import PublicData
from classifiers.personal_data.text import FILLER, PreparedText
from classifiers.personal_data.words import word_set

_SEPARATOR = rf"[ .\-/{FILLER}]{{0,3}}+"
_SHAPE = re.compile(
    rf"(?<![^\W_])[a-z]{{2}}{_SEPARATOR}\d{_SEPARATOR}\d(?:{_SEPARATOR}[a-z0-9]){{11,30}}+(?![^\W_])", re.IGNORECASE
)
_DUTCH = re.compile(
    rf"(?<![^\W_])n ?l{_SEPARATOR}(?:\d{_SEPARATOR}){{2}}(?:[a-z]{_SEPARATOR}){{4}}"
    rf"[\doil](?:{_SEPARATOR}[\doil]){{8,10}}(?![^\W_])",
    re.IGNORECASE,
)
_BELGIAN = re.compile(rf"(?<![^\W_])be(?:{_SEPARATOR}\d){{14}}(?![^\W_])", re.IGNORECASE)
_CONTEXT = re.compile(
    r"\b(?:iban|rekening|rekeningnummer|reknr|rek|tnv|t\.n\.v|overmaken|maak over|stort|storten|betaal)"
)


_ORGANISATION = re.compile(
    r"^[ ,]{0,2}(?:t\.?n\.?v\.?|ten name van|op naam van|van)? ?(?:de )?"
    r"(?:stichting|vereniging|school|gemeente|ouderraad)"
)


class IbanRecognizer:
    """Finds IBANs of persons."""

    name = "iban"

    def wants(self, prepared: PreparedText) -> bool:
        """Twelve digits are the fewest an IBAN of these countries has."""
        return prepared.digits >= 11

    def find(self, prepared: PreparedText, public: PublicData) -> Iterator[Match]:
        """Give every account number; one with a wrong check digit only in the exact Dutch or Belgian shape."""
        text = prepared.plain
        for found in _DUTCH.finditer(text):
            yield from self._weighed(found, _squeeze(found[0])[4:8] in word_set("iban", "banks"), prepared, public)
        for found in _BELGIAN.finditer(text):
            yield from self._weighed(found, prepared.mentions(_CONTEXT), prepared, public)
        for found in _SHAPE.finditer(text):
            start, end = found.span()
            while end - start > 14 and not iban.is_valid(_squeeze(text[start:end]), check_country=False):
                end = max(text.rfind(" ", start, end), start)
            near = text[start : start + 2] in ("NL", "BE")  # judged already
            if (
                end - start > 14
                and text[start : start + 2].isupper()
                and not near
                and not public.account(text[start:end])
            ):
                yield Match(start, end, "IBAN", 0.98, "IBAN; python-stdnum check digits pass")

    def _weighed(
        self, found: "re.Match[str]", known: bool, prepared: PreparedText, public: PublicData
    ) -> Iterator[Match]:
        if _ORGANISATION.search(prepared.folded[found.end() : found.end() + 40]) or public.account(found[0]):
            return
        if iban.is_valid(_squeeze(found[0]), check_country=False):
            yield Match(found.start(), found.end(), "IBAN", 0.99, "IBAN; python-stdnum check digits pass")
        elif _squeeze(found[0])[2:4] in ("00", "01", "99"):
            return
        elif known or _CONTEXT.search(prepared.near(found.start(), found.end())):
            yield Match(
                found.start(),
                found.end(),
                "IBAN",
                0.96,
                "shape of an IBAN with a known bank or context word; check digits fail",
            )


def _squeeze(text: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", text.upper())
