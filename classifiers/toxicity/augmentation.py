"""Typing noise that keeps a message's labels: what thumbs, autocorrect and evasion do to a text.

Used in training only, on a small share of the messages, so that the model does not hang on one spelling.
"""

import random
import re
from collections.abc import Callable

_LEET = str.maketrans({"a": "4", "e": "3", "i": "1", "o": "0", "s": "5"})
_WORD = re.compile(r"[^\W\d_]{4,}")
_NEIGHBORS = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk",
    "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "r": "et", "s": "ad", "t": "ry", "u": "yi",
    "v": "cb", "w": "qe", "y": "tu", "z": "x",
}  # fmt: skip
"""Letters beside each other on a qwerty keyboard."""


def _on_a_word(change: Callable[[str, random.Random], str]) -> Callable[[str, random.Random], str]:
    """Apply a change to one word of at least four letters."""

    def apply(text: str, rng: random.Random) -> str:
        words = list(_WORD.finditer(text))
        if not words:
            return text
        word = rng.choice(words)
        return text[: word.start()] + change(word.group(), rng) + text[word.end() :]

    return apply


def _drop(word: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(word))
    return word[:at] + word[at + 1 :]


def _swap(word: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(word) - 1)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _slip(word: str, rng: random.Random) -> str:
    at = rng.randrange(len(word))
    near = _NEIGHBORS.get(word[at].lower())
    return word if near is None else word[:at] + rng.choice(near) + word[at + 1 :]


def _stretch(word: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(word))
    return word[:at] + word[at] * rng.randint(1, 3) + word[at:]


def _space(word: str, rng: random.Random) -> str:
    return rng.choice([" ", ".", "-"]).join(word)


def _leet(word: str, _rng: random.Random) -> str:
    return word.translate(_LEET)


def _star(word: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(word) - 1)
    return word[:at] + "*" + word[at + 1 :]


def _join(text: str, rng: random.Random) -> str:
    gaps = [at for at, char in enumerate(text) if char == " "]
    if not gaps:
        return text
    at = rng.choice(gaps)
    return text[:at] + text[at + 1 :]


_CHANGES: tuple[tuple[int, Callable[[str, random.Random], str]], ...] = (
    (4, lambda text, _rng: text.lower()),
    (1, lambda text, _rng: text.upper()),
    (3, lambda text, _rng: text[:1].upper() + text[1:]),
    (2, lambda text, _rng: text.rstrip(".!? ") or text),
    (3, _on_a_word(_drop)),
    (2, _on_a_word(_swap)),
    (3, _on_a_word(_slip)),
    (2, _on_a_word(_stretch)),
    (1, _on_a_word(_space)),
    (1, _on_a_word(_leet)),
    (1, _on_a_word(_star)),
    (2, _join),
)
"""How often each change is chosen, and the change."""


def augment(text: str, rng: random.Random) -> str:
    """Return the text with one or two changes; never empty where the text was not."""
    weights, changes = zip(*_CHANGES, strict=True)
    for change in rng.choices(changes, weights, k=rng.randint(1, 2)):
        text = change(text, rng)
    return text
