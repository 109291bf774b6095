"""Finds series of digits in a message, however they are written: spaced, dotted, in words, with letters for digits.

Phone numbers, citizen numbers and student numbers are all read from these series: one spelling is taught once.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from classifiers.personal_data.text import FILLER, PreparedText

_ONES = {
    "nul": "0", "null": "0", "zero": "0", "noppes": "0", "een": "1", "één": "1", "eén": "1", "twee": "2", "drie": "3",
    "vier": "4", "vijf": "5", "zes": "6", "zeven": "7", "zeuven": "7", "acht": "8", "negen": "9",
}  # fmt: skip
_TEENS = {
    "tien": "10", "elf": "11", "twaalf": "12", "dertien": "13", "veertien": "14", "vijftien": "15", "zestien": "16",
    "zeventien": "17", "achttien": "18", "negentien": "19",
}  # fmt: skip
_TENS = {
    "twintig": "2", "dertig": "3", "veertig": "4", "vijftig": "5", "zestig": "6", "zeventig": "7", "tachtig": "8",
    "negentig": "9",
}  # fmt: skip
_ENGLISH = {
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
    "ten": "10",
}  # fmt: skip
_DIALECT = {"twie": "2", "dree": "3", "veer": "4", "vief": "5", "zeuve": "7", "ach": "8", "neuge": "9", "neege": "9"}


def _number_words() -> dict[str, str]:
    words = _ONES | _TEENS | {word: digit + "0" for word, digit in _TENS.items()}
    for one, unit in _ONES.items():
        if unit == "0":
            continue
        for ten, digit in _TENS.items():
            for link in ("en", "ën", "n"):
                words[f"{one}{link}{ten}"] = digit + unit
    return words | _ENGLISH | _DIALECT


NUMBER_WORDS = _number_words()
"""Dutch number words from 0 to 99, and the English ones that pupils mix in, each with its digits."""

TRIGGERS = frozenset(_ONES) | frozenset(_TEENS) | frozenset(_TENS) | frozenset(_ENGLISH) | {"nulzes", "dubbel"}
"""Words of which a message must hold at least one before number words are looked for."""

_ALIKE_DIGIT = {"o": "0", "ø": "0", "l": "1", "i": "1", "|": "1", "z": "2", "s": "5", "g": "6", "b": "8"}
_LONGEST_SERIES = 60
"""Pieces of a spelled run; no number is longer, and without an end the work would grow with the square of the text."""
_DIGITS_OR_ALIKE = re.compile(r"[0-9oøil|zsgb]{1,14}")
_HAS_DIGIT = re.compile(r"[0-9]")
_ALIKE_ALONE = re.compile(r"[oøil|]{1,2}")
"""Letters that may stand for digits in a token without any digit; "is" and "zo" are words."""
_FILLERS = frozenset(
    (
        "en",
        "dan",
        "nog",
        "daarna",
        "streepje",
        "spatie",
        "punt",
        "eerst",
        "vervolgens",
        "erachter",
        "gevolgd",
        "door",
        "komma",
    )
)
_LINKS = frozenset(("dan", "daarna", "vervolgens", "erachter", "streepje", "spatie", "gevolgd"))
_TIMES = re.compile(r"([2-4])(?:x|keer)")

# Up to four characters that are no letter, digit or new line may stand between two digits; a comma only with a space.
_GAP = rf"(?:[ .\-/~_()*+:;\\{FILLER}]|[^\w\s,.!?'\"€$%&=<>@#]){{0,4}}+"
_PLAIN_RUN = re.compile(rf"(?:\+|\(\+?)?\d(?:{_GAP}\d){{2,40}}+")
_TOKEN = re.compile(r"[^\W_]{1,60}+|\|{1,2}+")
_CHUNK = re.compile("|".join(sorted(map(re.escape, NUMBER_WORDS), key=len, reverse=True)) + r"|\d")
_WORD_GAP = re.compile(rf"[ .,\-/~_()*+:\n{FILLER}]{{0,5}}+")


@dataclass(frozen=True, slots=True)
class DigitRun:
    """A series of digits and where each of them stands."""

    digits: str
    starts: tuple[int, ...]
    """First character of what stands for each digit."""
    ends: tuple[int, ...]
    """One past its last character."""
    plus: bool = False
    """A plus sign stands before it."""
    spelled: bool = False
    """Some digits are words or look-alike letters."""
    start: int = 0
    """First character of the run, plus sign and bracket included."""

    def groups(self) -> list[int]:
        """Give the places in `digits` where a new group begins; the last item is the length."""
        cuts = [0]
        cuts += [at for at in range(1, len(self.digits)) if self.starts[at] > self.ends[at - 1]]
        return [*cuts, len(self.digits)]


def plain_runs(text: str) -> Iterator[DigitRun]:
    """Find series of three or more digits with only separators between them.

    Args:
        text: Folded text.

    Yields:
        Runs by place; each spans at most 41 digits.
    """
    for found in _PLAIN_RUN.finditer(text):
        places = tuple(at for at in range(found.start(), found.end()) if text[at].isdigit() and text[at].isascii())
        if not places:
            continue
        ends = tuple(at + 1 for at in places)
        head = text[found.start() : places[0]]
        yield DigitRun("".join(text[at] for at in places), places, ends, "+" in head, start=found.start())


_Piece = tuple[str, int, int]
"""Digits, and the first and last place of what stands for them."""


def _words_as_digits(token: str, at: int) -> list[_Piece] | None:
    """Read glued number words and digits ("nulzes", "vijf5"); None when letters are left over."""
    pieces: list[_Piece] = []
    place = 0
    while place < len(token):
        found = _CHUNK.match(token, place)
        if found is None:
            return None
        pieces.append((NUMBER_WORDS.get(found[0], found[0]), at + place, at + found.end()))
        place = found.end()
    return pieces


def _pieces(token: str, at: int) -> list[_Piece] | None:
    """Read one token as digits; None when it is a word."""
    if _DIGITS_OR_ALIKE.fullmatch(token) and (_HAS_DIGIT.search(token) or _ALIKE_ALONE.fullmatch(token)):
        return [(_ALIKE_DIGIT.get(one, one), at + index, at + index + 1) for index, one in enumerate(token)]
    if (word := NUMBER_WORDS.get(token)) is not None:
        return [(word, at, at + len(token))]
    return _words_as_digits(token, at)


class _Reader:
    """Reads a text token by token and grows a spelled run."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._series: list[_Piece] = []
        self._plus = False
        self._spelled = False
        self._double = False
        self._last_end = 0

    def take(self, token: str, start: int, end: int) -> DigitRun | None:
        """Add a token; give the run that it ends, if it ends one."""
        near = bool(self._series) and _is_gap(self._text, self._last_end, start)
        pieces = _pieces(token, start)
        if pieces is None:
            return self._word(token, end, near)
        closed = None
        if not near or len(self._series) > _LONGEST_SERIES:
            closed = self.close()
            self._plus = start > 0 and self._text[start - 1] == "+"
        if self._double:
            pieces, self._double = [*pieces[:1], *pieces], False
        self._series.extend(pieces)
        self._spelled = self._spelled or not token.isdigit()
        self._last_end = end
        return closed

    def _word(self, token: str, end: int, near: bool) -> DigitRun | None:
        if near and token in _FILLERS:
            self._spelled = self._spelled or token in _LINKS
            self._last_end = end + (4 if token == "nog" and self._text.startswith(" een", end) else 0)  # noqa: S105
            return None
        if token == "dubbel" and (near or not self._series):  # noqa: S105 - a word, no secret
            self._double, self._last_end = True, end
            return None
        return self.close()

    def close(self) -> DigitRun | None:
        """End the run; None when it is short or holds only plain digits."""
        pieces, spelled, plus = self._series, self._spelled, self._plus
        self._series, self._spelled, self._plus = [], False, False
        placed = [(digit, start, end) for digits, start, end in pieces for digit in digits]
        if len(placed) < 3 or not spelled:
            return None
        digits, starts, ends = zip(*placed, strict=True)
        return DigitRun("".join(digits), starts, ends, plus, True, starts[0])


def spelled_runs(text: str) -> Iterator[DigitRun]:
    """Find series of digits in which some are words ("nul zes") or look-alike letters ("o6 l2").

    Args:
        text: Folded text in lower case.

    Yields:
        Runs of three or more digits with at least one word or letter among them, by place.
    """
    reader = _Reader(text)
    for found in _TOKEN.finditer(text):
        if found[0] == "een" and text[max(0, found.start() - 4) : found.start()] == "nog ":
            continue
        run = reader.take(found[0], found.start(), found.end())
        if run is not None:
            yield run
    run = reader.close()
    if run is not None:
        yield run


def _is_gap(text: str, start: int, end: int) -> bool:
    if end - start > 6:
        return False
    return all(not character.isalnum() and character not in "!?€%=<>@#" for character in text[start:end])


_LOOK_ALIKE = re.compile(r"(?<![^\W_])(?:[oøil|zsgb]{1,3}\d|\d{1,6}+[oøil|zsgb])[\doøil|zsgb]{0,12}+(?![^\W_])")
_LETTER_O = frozenset(("o", "oo"))


def runs(prepared: PreparedText) -> list[DigitRun]:
    """Give every series of digits in a message, plain ones first.

    Args:
        prepared: The message.

    Returns:
        Plain runs, then spelled runs when the message has words or letters that can stand for digits.
    """
    return [*(plain_runs(prepared.plain) if prepared.digits >= 3 else ()), *spelled(prepared)]


def spelled(prepared: PreparedText) -> tuple[DigitRun, ...]:
    """Give the spelled runs of a message; read once, however many recognizers ask."""
    known = prepared.memo.get("spelled")
    if known is None:
        known = tuple(spelled_runs(prepared.folded)) if _may_be_spelled(prepared) else ()
        prepared.memo["spelled"] = known
    return cast("tuple[DigitRun, ...]", known)


def _may_be_spelled(prepared: PreparedText) -> bool:
    """Tell cheaply whether number words or look-alike letters can be in the message."""
    triggers = prepared.words & TRIGGERS
    if len(triggers) >= 2 or (triggers and prepared.digits >= 3) or "nulz" in prepared.folded:
        return True
    if prepared.digits >= 8 and not _LINKS.isdisjoint(prepared.words):
        return True
    return prepared.digits >= 4 and (
        _LOOK_ALIKE.search(prepared.folded) is not None or not _LETTER_O.isdisjoint(prepared.words)
    )
