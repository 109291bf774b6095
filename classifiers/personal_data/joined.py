"""Reads a number that one author sends in pieces over consecutive messages."""

import re
from collections.abc import Iterator

from classifiers.personal_data.match import Match
from classifiers.personal_data.numbers import NUMBER_WORDS
from classifiers.personal_data.public import PublicData
from classifiers.personal_data.recognizers.base import Recognizer
from classifiers.personal_data.text import PreparedText, prepare

_PIECE = re.compile(
    r"^\W{0,3}(?:[^\W\d_]{1,12}[:,]? ){0,5}?(?P<number>[\d+(](?:[\d .\-/()]{0,24}[\d])?)"
    r"(?:,? [^\W\d_]{1,9}){0,2}\W{0,4}$"
)
_ANNOUNCED = re.compile(
    r"\s{0,9}(?:(?:het |t )?(?:\w{1,8} )?(?:deel|stuk|stukje|part|helft)(?: ?\d)? ?[:.=-]? ?|"
    r"(?:(?:en|dan|daarna|vervolgens|eerst|begint met|laatste|tot slot):? ){1,3})?",
    re.IGNORECASE,
)
"""Words before a piece: "deel 2:", "en dan"."""
_BEGINNING = re.compile(r"^\W{0,2}(?P<number>0\s?6(?:[ .-]?\d){3,6})\W{0,2}$")
_PLAIN_PIECES = 2
"""Earlier messages that are joined; more only when digits are typed as words: plain ones may be a bingo or a score."""
_ASKED = re.compile(r"\b(?:nr|nummer|nummertje|06|telefoonnummer|tel|zet m|bel)\b")


def _piece(text: str) -> tuple[int, int] | None:
    """Give the place of the number when a message is little else; None when it is a sentence."""
    announced = _ANNOUNCED.match(text)
    at = announced.end() if announced else 0
    lowered = text[at:].lower().rstrip()
    words = lowered.split(" ")
    if len(words) <= 5 and all(word in NUMBER_WORDS or word == "dubbel" or word.isdigit() for word in words):
        return at, at + len(lowered)
    found = _PIECE.match(text)
    return None if found is None else found.span("number")


def joined(prepared: PreparedText, recognizers: tuple[Recognizer, ...], public: PublicData) -> Iterator[Match]:
    """Find numbers that run from the author's earlier messages into this one.

    Args:
        prepared: The message, with the conversation before it.
        recognizers: Those whose kind can be sent in pieces.
        public: What is no finding.

    Yields:
        Matches clipped to this message; each needs a piece in an earlier one.
    """
    own = _piece(prepared.plain)
    if own is None:
        return
    pieces: list[str] = []
    for fragment in reversed(prepared.fragments):
        place = _piece(fragment)
        if place is None:
            break
        piece = fragment[place[0] : place[1]]
        if len(pieces) == _PLAIN_PIECES and not any(
            word in NUMBER_WORDS for one in (piece, *pieces) for word in one.lower().split()
        ):
            break
        pieces.insert(0, piece)
    start, end = own
    for first in range(len(pieces)):
        head = " ".join(pieces[first:]) + " "
        whole = prepare(head + prepared.plain[start:end])
        for recognizer in recognizers:
            for match in recognizer.find(whole, public) if recognizer.wants(whole) else ():
                if match.start == 0 and match.end > len(head):
                    place = (start, start + match.end - len(head))
                    yield Match(
                        *place,
                        match.type,
                        match.confidence - 0.04,
                        f"{match.why}; joined over {len(pieces) - first + 1} messages",
                        recognizer.name,
                    )
                    return


def beginning(prepared: PreparedText) -> Iterator[Match]:
    """Find a message that holds only the beginning of a mobile number, after talk about a number.

    Args:
        prepared: The message, with the conversation before it.

    Yields:
        At most one match.
    """
    found = _BEGINNING.match(prepared.plain) if 4 <= prepared.digits <= 8 and len(prepared.raw) <= 20 else None
    if found is not None and prepared.asked(_ASKED):
        yield Match(
            *found.span("number"),
            "PHONE",
            0.7,
            "only the beginning of a mobile number; numbers are talked about",
            "phone",
        )
