"""Licence plates: every Dutch series since 1951 and the Belgian ones.

Series: RDW, overview of "sidecodes" (https://nl.wikipedia.org/wiki/Nederlands_kenteken), and DIV for Belgium. Letters
that a series never uses (vowels in most Dutch ones) keep ordinary codes out.
"""

import re
from collections.abc import Iterator

from classifiers.personal_data.match import Match
from classifiers.personal_data.public import PublicData
from classifiers.personal_data.text import PreparedText
from classifiers.personal_data.words import WordPattern

_L = "[A-Z]"
_SHAPES = (
    "LL-99-99", "99-99-LL", "99-LL-99", "LL-99-LL", "LL-LL-99", "99-LL-LL", "99-LLL-9", "9-LLL-99", "LL-999-L",
    "L-999-LL", "LLL-99-L", "L-99-LLL", "9-LL-999", "999-LL-9", "9-LLL-999", "L-LLL-999",
)  # fmt: skip


def _pattern(shape: str, gap: str) -> str:
    return gap.join(part.replace("L", _L).replace("9", r"\d") for part in shape.split("-"))


_DASHED = re.compile(r"(?<![\w/.,-])(?:" + "|".join(_pattern(shape, "-") for shape in _SHAPES) + r")(?![\w/]|-\w)")
_LOOSE = re.compile(
    r"(?<![\w/.,-])(?:"
    + "|".join(_pattern(shape, gap) for shape in _SHAPES for gap in ("", " ", "-", r"\."))
    + r")(?![\w/]|[-]\w)",
    re.IGNORECASE,
)
_SPACED = re.compile(r"(?<![\w/.,-])(?:" + "|".join(_pattern(shape, " ") for shape in _SHAPES) + r")(?![\w/]|[-]\w)")
_DASHED_SMALL = re.compile(
    r"(?<![\w/.,-])(?:"
    + "|".join(_pattern(shape, "-").replace("[A-Z]", "[a-z]") for shape in _SHAPES if shape[0] == "L")
    + r")(?![\w/]|-\w)"
)
_SPACED_SMALL = re.compile(
    r"(?<![\w/.,-])(?:"
    + "|".join(
        _pattern(shape, " ").replace("[A-Z]", "[bdfghjklnprstvxz]")
        for shape in _SHAPES
        if "LLL" in shape or shape in ("LL-999-L", "L-999-LL")
    )
    + r")(?<!km)(?<!kg)(?<!pk)(?![\w/]|[-]\w)"
)
_SPREAD = re.compile(
    r"(?<![\w-])(?:"
    + "|".join(
        " ?- ?".join(" ".join(_L if one == "L" else r"\d" for one in part) for part in shape.split("-"))
        for shape in _SHAPES
    )
    + r")(?![\w-])"
)
_EXPLAINED = re.compile(r"\bsidecodes?\b")
_GLUED = re.compile(
    r"(?<![\w/.,-])(?:" + "|".join(_pattern(shape, "") for shape in _SHAPES if shape != "L-LLL-999") + r")(?![\w/]|-\w)"
)
_ABROAD = re.compile(r"(?<![\w/.,-])(?:[A-ZÄÖÜ]{1,3}-[A-Z]{1,2} ?\d{2,4}|[A-Z]{2}-\d{3}-[A-Z]{2})(?![\w/]|-\w)")
_POLISH = re.compile(r"(?<![\w/.,-])[A-Z]{2,3} ?(?=[0-9A-Z]{0,4}\d)[0-9A-Z]{4,5}(?![\w/]|-\w)")
_BELGIAN = re.compile(r"[1-9SMQTO]-[A-Z]{3}-\d{3}")
_OLD_BELGIAN = re.compile(r"(?<![\w/.,-])[A-Z]{3}[- ]?\d{3}(?![\w/]|-\w)")
_DECORATED = re.compile(r"(?<![\w-])[A-Z](?:[^\w\n]{1,4}\d){3}(?:[^\w\n]{1,4}[A-Z]){2}(?![\w-])")
_CONTEXT = WordPattern("licence_plate", "context")
_PLATE_WORD = re.compile(r"\b(?:kentekens?|kentekenplaat|nummerplaat|nummerplaten|nrplaat)\b")
_QUESTION = re.compile(r"\b(?:vraag|opgave|opg|som) \d+")
_NOT_PLATE = WordPattern("licence_plate", "not_plate")


_ALWAYS, _ABOUT, _NAMED = "always", "a word about a vehicle", "a word for a plate"
_WAYS = (
    (_ALWAYS, _DASHED, 0.9, "series of a licence plate"),
    (_ALWAYS, _SPREAD, 0.82, "series of a licence plate, letter by letter"),
    (_ABOUT, _SPACED, 0.81, "series of a licence plate with spaces; word about a vehicle"),
    (_ABOUT, _DASHED_SMALL, 0.8, "series of a licence plate in small letters; word about a vehicle"),
    (_ABOUT, _SPACED_SMALL, 0.78, "series of a licence plate in small letters with spaces; word about a vehicle"),
    (_ABOUT, _GLUED, 0.78, "series of a licence plate without dashes; word about a vehicle"),
    (_ABOUT, _ABROAD, 0.77, "shape of a German, French or Italian plate; word about a vehicle"),
    (_ABOUT, _DECORATED, 0.77, "series of a licence plate, spread; word about a vehicle"),
    (_NAMED, _LOOSE, 0.82, "series of a licence plate, loosely written; word for a plate"),
    (_NAMED, _OLD_BELGIAN, 0.79, "older Belgian series; word for a plate"),
    (_NAMED, _POLISH, 0.72, "shape of a foreign plate; word for a plate"),
)
"""What a message must hold besides, the pattern, how sure it is without a word about a vehicle, and why."""


class LicencePlateRecognizer:
    """Finds licence plates."""

    name = "licence_plate"

    def wants(self, prepared: PreparedText) -> bool:
        """A plate has two digits and two letters at the least."""
        return prepared.digits >= 2 and (
            "-" in prepared.plain or bool(prepared.before) or "🚗" in prepared.plain or prepared.mentions(_CONTEXT)
        )

    def find(self, prepared: PreparedText, public: PublicData) -> Iterator[Match]:
        """Give every plate: with dashes by its shape, otherwise with a word about a vehicle."""
        named = prepared.mentions(_PLATE_WORD) or prepared.asked(_PLATE_WORD)
        about = named or prepared.mentions(_CONTEXT) or "🚗" in prepared.plain or "🚙" in prepared.plain
        if (
            prepared.mentions(_QUESTION)
            or prepared.mentions(_EXPLAINED)
            or (not about and prepared.mentions(_NOT_PLATE))
        ):
            return
        for needs, pattern, confidence, why in _WAYS:
            if (needs == _NAMED and not named) or (needs == _ABOUT and not about):
                continue
            for found in pattern.finditer(prepared.plain):
                if _is_likely(found[0], about):
                    yield Match(*found.span(), "LICENCE_PLATE", confidence + (0.05 if about else 0), why)


def _is_likely(plate: str, about: bool) -> bool:
    """Without a word about a vehicle the letters must be ones that the series use."""
    letters = [character for character in plate if character.isalpha()]
    return (
        about
        or _BELGIAN.fullmatch(plate) is not None
        or not any(letter in "AEIOUQCM" for letter in letters)
        or (plate.count("-") == 2 and len(plate) >= 8 and len(letters) <= 3)
    )
