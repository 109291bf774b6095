"""One message prepared once for every recognizer: folded without moving a character, counted and cut into words.

Every fold keeps the length, so that an offset in a folded form is an offset in the message as typed.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from classifiers.findings import Utterance


class Searchable(Protocol):
    """A compiled pattern or a word list."""

    def search(self, text: str, /) -> object:
        """Find the first match in a text."""
        ...


FILLER = "\x1f"
"""Stands for a character that only decorates the one before it (the frame of a keycap, a zero-width joiner)."""

_DECORATION = frozenset("\ufe0f\ufe0e\u20e3\u200b\u200c\u200d\u2060\ufeff\u00ad")
_ALIKE = {
    "’": "'",
    "‘": "'",
    "`": "'",
    "´": "'",
    "–": "-",
    "—": "-",
    "‑": "-",
    "−": "-",
    "‐": "-",
    "\u00a0": " ",
    "\u202f": " ",
}
_WORD = re.compile(r"[^\W\d_]+")
_SUBJECT_MESSAGES = 8
"""How many earlier messages tell what a bare answer is about ("wat is je bsn?")."""
_SUBJECT_LENGTH = 300
_FRAGMENT_LENGTH = 40
"""A message longer than this is no part of a number sent in pieces."""
_FRAGMENTS = 10
_LOOK_BACK = 24


def _fold_character(character: str) -> str:
    if character in _DECORATION:
        return FILLER
    if character in _ALIKE:
        return _ALIKE[character]
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    plain = unicodedata.normalize("NFKC", character)
    return plain if len(plain) == 1 else character


def _lower(text: str) -> str:
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(low if len(low := character.lower()) == 1 else character for character in text)


def fold(text: str) -> str:
    """Replace look-alikes (full-width digits, typographic dashes and quotes, keycaps) by plain characters.

    Args:
        text: Any Unicode text.

    Returns:
        A text of exactly the same length, case kept.
    """
    return text if text.isascii() else "".join(map(_fold_character, text))


@dataclass(frozen=True)
class PreparedText:
    """A message as the recognizers see it."""

    raw: str
    """As typed."""
    plain: str
    """Folded, case kept, same length."""
    folded: str
    """Folded and in lower case, same length."""
    words: frozenset[str]
    """Every run of letters, in lower case."""
    digits: int
    """Number of digits 0-9 after folding."""
    before: Sequence[Utterance] = ()
    author: str = ""

    @cached_property
    def subject(self) -> str:
        """The last few messages in lower case: what a bare answer is about."""
        return "\n".join(_lower(fold(one.text[:_SUBJECT_LENGTH])) for one in self.before[-_SUBJECT_MESSAGES:])

    @cached_property
    def subject_words(self) -> frozenset[str]:
        """The words of `subject`."""
        return frozenset(_WORD.findall(self.subject))

    @cached_property
    def fragments(self) -> tuple[str, ...]:
        """The author's own short messages just before this one, oldest first, folded, case kept."""
        if not self.author:
            return ()
        found: list[str] = []
        for one in reversed(self.before[-_LOOK_BACK:]):
            if one.author != self.author:
                continue
            if len(one.text) > _FRAGMENT_LENGTH or len(found) == _FRAGMENTS:
                break
            found.append(fold(one.text))
        return tuple(reversed(found))

    @cached_property
    def memo(self) -> dict[str, object]:
        """What a reader of the message keeps for the next one; gone with the message."""
        return {}

    @cached_property
    def _answers(self) -> dict[tuple[Searchable, bool], bool]:
        return {}

    def mentions(self, pattern: Searchable) -> bool:
        """Tell whether a pattern matches anywhere in the message (lower case); asked once, however many matches ask."""
        key = (pattern, False)
        if key not in self._answers:
            self._answers[key] = pattern.search(self.folded) is not None
        return self._answers[key]

    def asked(self, pattern: Searchable) -> bool:
        """Tell whether a pattern matches in the messages before (lower case)."""
        if not self.before:
            return False
        key = (pattern, True)
        if key not in self._answers:
            self._answers[key] = pattern.search(self.subject) is not None
        return self._answers[key]

    def near(self, start: int, end: int, width: int = 45) -> str:
        """Give the lower-case text around [start, end), at most `width` characters either side, the span left out."""
        return f"{self.folded[max(0, start - width) : start]}\n{self.folded[end : end + width]}"

    def ahead(self, start: int, width: int = 45) -> str:
        """Give the lower-case text before `start` on the same line, at most `width` characters."""
        return self.folded[max(0, start - width) : start].rpartition("\n")[2]


def prepare(text: str, before: Sequence[Utterance] = (), author: str = "") -> PreparedText:
    """Fold a message and count what the recognizers ask first.

    Args:
        text: The message as typed.
        before: The conversation before it, oldest first.
        author: Who wrote the message; empty when unknown.

    Returns:
        The prepared message.
    """
    plain = fold(text)
    folded = _lower(plain)
    digits = sum(map(plain.count, "0123456789"))
    return PreparedText(text, plain, folded, frozenset(_WORD.findall(folded)), digits, before, author)
