"""Postcodes that tell where somebody lives; Dutch ones in the shape that python-stdnum (LGPL-2.1-or-later) accepts."""

import re
from collections.abc import Iterator

from stdnum.nl import postcode

from classifiers.personal_data.match import Match
from classifiers.personal_data.numbers import TRIGGERS
from classifiers.personal_data.public import PublicData
from classifiers.personal_data.recognizers.address import EXAMPLE, GLUED_HOUSE
from classifiers.personal_data.streets import street_kind
from classifiers.personal_data.text import PreparedText
from classifiers.personal_data.words import load_words, word_set

_DUTCH = re.compile(r"(?<![\w.,/€$-])(?P<code>[1-9]\d{3}[ .-]?[a-z]{2})(?![\w-])", re.IGNORECASE)
_WORD = re.compile(r"\b(?:postcode|huisnummer|huisnr|adres|huisadres|postcodes)\b")
_HOUSE_AFTER = re.compile(
    r"^,? ?(?:op )?(?:huisnummer |huisnr |nummer |nr\.? ?)?\d{1,4}(?:[a-h]|-\d{1,3}| ?hs| ?bis)?(?![\w:.,]\d|\w)",
    re.IGNORECASE,
)
_HOUSE_BEFORE = re.compile(
    r"(?:^|[^\W\d_][ ,]{1,2})(?:nr\.? |nummer |bus )?\d{1,4}(?:[ -]?[a-z]{1,4}|"
    r"-\d{1,4})?(?: (?:bus|unit) ?\w{1,4})?[,\n]{0,1} ?$",
    re.IGNORECASE,
)
_HOUSE_NAMED_AFTER = re.compile(
    r"^,? ?(?:op )?(?:huisnummer|huisnr|hnr|nummer|nr)\.? ?\d{1,4}(?![\w:.,]\d)", re.IGNORECASE
)
_TOWN = re.compile(r"^,? (?P<town>[A-Z][^\W\d_][\w'-]{1,24})")
_DIGIT = r"(?:nul|een|twee|drie|vier|vijf|zes|zeven|acht|negen|\d)"
_SPREAD = re.compile(rf"(?<!\w)(?P<code>{_DIGIT}(?: {_DIGIT}){{3}} (?:en )?[a-z] [a-z])(?!\w)(?! \w(?!\w))")
_BELGIAN = re.compile(
    r"(?P<code>(?<![\w.,/€$-])[1-9]\d{3})(?! ?[A-Za-z]{2}\b)(?:,? (?P<town>[^\W\d_][\w'-]{2,24}))?(?![\w-]|[.,:]\d)"
)
_STREET_BEFORE = re.compile(r"(?P<street>[^\W\d_][\w'-]{3,34}) \d{1,4}[a-z]?(?: bus \w{1,4})?,? $", re.IGNORECASE)
_UNITS = frozenset(
    (
        "en",
        "of",
        "tm",
        "op",
        "in",
        "de",
        "je",
        "gb",
        "mb",
        "kb",
        "km",
        "cm",
        "mm",
        "kg",
        "pk",
        "eu",
        "ek",
        "wk",
        "kw",
        "wh",
        "xp",
    )
)


class PostcodeRecognizer:
    """Finds postcodes beside a house number, a street or a word about an address."""

    name = "postcode"

    def wants(self, prepared: PreparedText) -> bool:
        """Four digits, or words for them."""
        return prepared.digits >= 4 or len(prepared.words & TRIGGERS) >= 2

    def find(self, prepared: PreparedText, public: PublicData) -> Iterator[Match]:
        """Give every postcode of a private address."""
        if prepared.mentions(EXAMPLE):
            return
        for found in _DUTCH.finditer(prepared.plain):
            match = self._dutch(found, prepared)
            if match is None or public.address(found["code"]):
                continue
            if public.beside(prepared, *found.span("code")) is None:
                yield match
        for found in _SPREAD.finditer(prepared.folded):
            yield Match(*found.span("code"), "POSTCODE", 0.75, "postcode spelled out, digit by digit")
        for found in _BELGIAN.finditer(prepared.plain):
            yield from self._belgian(found, prepared, public)

    def _dutch(self, found: "re.Match[str]", prepared: PreparedText) -> Match | None:
        start, end = found.span("code")
        letters = found["code"][-2:]
        if not postcode.is_valid(found["code"].upper()):
            return None
        alone = (len(prepared.plain) < 16 and prepared.plain.strip() == found["code"]) or prepared.plain[
            max(0, start - 4) : start
        ].rstrip().endswith(":")
        never = word_set("postcode", "not_letters") if found["code"].startswith(("19", "20")) else _UNITS
        if (
            letters.lower() in never
            and not prepared.mentions(_WORD)
            and not (self._house_before(prepared, start) or (alone and letters.lower() not in _UNITS))
            and not (letters.isupper() and _HOUSE_NAMED_AFTER.match(prepared.plain[end : end + 28]))
        ):
            return None
        ahead, behind = prepared.plain[max(0, start - 40) : start], prepared.plain[end : end + 28]
        house, capitals = self._house_before(prepared, start), letters.isupper()
        worded = prepared.mentions(_WORD)
        grounds = (
            (capitals and (house or bool(_HOUSE_AFTER.match(behind))), "postcode with a house number", 0.94),
            (
                capitals and (worded or prepared.asked(_WORD) or bool(_TOWN.match(behind))),
                "postcode with a word about an address or a town",
                0.88,
            ),
            (capitals and alone, "postcode alone", 0.8),
            (
                letters.islower() and end - start == 6 and bool(GLUED_HOUSE.match(behind)),
                "postcode in small letters, glued, with a house number",
                0.8,
            ),
            (
                letters.islower() and (worded or (house and _street_before(ahead))),
                "postcode in small letters; word about an address",
                0.86,
            ),
        )
        found_ground = next(((why, sure) for holds, why, sure in grounds if holds), None)
        if found_ground is None:
            return None
        return Match(start, end, "POSTCODE", found_ground[1], found_ground[0] + "; python-stdnum shape")

    def _house_before(self, prepared: PreparedText, start: int) -> bool:
        return bool(_HOUSE_BEFORE.search(prepared.plain[max(0, start - 30) : start])) and prepared.digits != 4

    def _belgian(self, found: "re.Match[str]", prepared: PreparedText, public: PublicData) -> Iterator[Match]:
        start, end = found.span("code")
        ahead = prepared.plain[max(0, start - 60) : start]
        town = (found["town"] or "").lower()
        street = _STREET_BEFORE.search(ahead)
        known = town in load_words("belgian_towns")
        if street is not None and street_kind(street["street"]) and (known or not town or not found["town"].islower()):
            if public.beside(prepared, start, end) is None:
                yield Match(
                    start,
                    end,
                    "POSTCODE",
                    0.86,
                    "four digits behind a street and number" + ("; Belgian town" if known else ""),
                )
        elif known and found["town"][0].isupper() and prepared.mentions(_WORD):
            yield Match(start, end, "POSTCODE", 0.8, "four digits before a Belgian town; word about an address")


def _street_before(ahead: str) -> bool:
    found = _STREET_BEFORE.search(ahead)
    return found is not None and bool(street_kind(found["street"]))
