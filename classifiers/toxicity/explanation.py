"""Which words, and which earlier message, carried a label: what the model's own score loses when they are taken away.

Occlusion asks only for the model's scores, so it explains every model behind the engine alike, with or without torch.
It costs tens of judgements a message and is meant for flags alone; three things keep it cheap. Whether the conversation
mattered at all is asked first, and where it did not, everything after is asked of the bare message. Which earlier
message mattered is asked with that one alone before the message, not with all the others: shorter to read, and two
earlier insults do not hide each other. And words are left out beside that one message only.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from classifiers.findings import ScoringInput, Span, Utterance

WORD = "WORD"
MOST_WORDS = 40
"""So many different words are left out one by one; in a longer message, so many runs of words."""
MOST_BEFORE = 10
"""So many earlier messages are tried."""
CARRIES = 0.5
"""Least change of the log-odds by which an earlier message counts: the odds fall by two fifths."""
WORD_CARRIES = 1.0
"""The same for a word. Below it stood mostly small words (`moet`, `ze`) among the flags that were read."""
SHARE = 0.5
"""A word is shown when it carried at least this share of what the strongest word carried."""
NOTHING_LEFT = "..."
"""Stands for a message whose every word was left out."""

Score = Callable[[Sequence[ScoringInput]], NDArray[np.float32]]
"""Messages in, probabilities of shape (messages, labels) out."""

_WORDS = re.compile(r"\S+")
_EDGES = " .,:;!?\"'()[]…-*_"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What carried one label of one message."""

    words: tuple[Span, ...] = ()
    """Spans of type WORD, in order; neighbors are joined."""
    earlier: int | None = None
    """Index in `before` of the message that carried most; None when the message speaks for itself."""


def explain(score: Score, one: ScoringInput, label: int) -> Explanation:
    """Find what carried a label.

    Args:
        score: The model's own; called three times at most.
        one: The message, short enough to be read whole.
        label: Column of the scores.
    """
    bare = ScoringInput(one.message)
    before: tuple[Utterance, ...] = ()
    earlier = None
    if one.before:
        whole, alone = _log_odds(score, [one, bare], label)
        if whole - alone >= CARRIES:
            earlier = _strongest(score, one, label, alone)
            # Where no single message carries it, all of them together do: words are then weighed among them.
            before = one.before if earlier is None else (one.before[earlier],)
    return Explanation(_words(score, ScoringInput(one.message, before), label), earlier)


def _strongest(score: Score, one: ScoringInput, label: int, alone: float) -> int | None:
    first = max(0, len(one.before) - MOST_BEFORE)
    pairs = [ScoringInput(one.message, (said,)) for said in one.before[first:]]
    gains = _log_odds(score, pairs, label) - alone
    best = int(gains.argmax())
    return first + best if gains[best] >= CARRIES else None


def _words(score: Score, one: ScoringInput, label: int) -> tuple[Span, ...]:
    text = one.message.text
    places = [found.span() for found in _WORDS.finditer(text)]
    units = _units([text[start:end] for start, end in places])
    if not units:
        return ()
    without = [replace(one.message, text=_without(text, places, unit)) for unit in units]
    scores = _log_odds(score, [one, *(ScoringInput(message, one.before) for message in without)], label)
    carried = scores[0] - scores[1:]
    least = max(WORD_CARRIES, SHARE * float(carried.max()))
    chosen = sorted(at for unit, weight in zip(units, carried, strict=True) if weight >= least for at in unit)
    return tuple(_joined(text, places, chosen))


def _units(words: Sequence[str]) -> list[list[int]]:
    """Places of the words that are left out together: a word said twice, or a run of a long message."""
    same: dict[str, list[int]] = {}
    for at, word in enumerate(words):
        same.setdefault(word.casefold().strip(_EDGES) or word, []).append(at)
    if len(same) <= MOST_WORDS:
        return list(same.values())
    size = -(-len(words) // MOST_WORDS)
    return [list(range(at, min(len(words), at + size))) for at in range(0, len(words), size)]


def _without(text: str, places: Sequence[tuple[int, int]], unit: Sequence[int]) -> str:
    gone = set(unit)
    return " ".join(text[start:end] for at, (start, end) in enumerate(places) if at not in gone) or NOTHING_LEFT


def _joined(text: str, places: Sequence[tuple[int, int]], chosen: Sequence[int]) -> list[Span]:
    """Spans of the chosen words without the punctuation around them; words that follow each other are one span."""
    spans: list[Span] = []
    last = None
    for at in chosen:
        start, end = places[at]
        word = text[start:end]
        if word.strip(_EDGES):
            start += len(word) - len(word.lstrip(_EDGES))
            end -= len(word) - len(word.rstrip(_EDGES))
        if last is not None and at == last + 1:
            start = spans.pop().start
        spans.append(Span(start, end, WORD))
        last = at
    return spans


def _log_odds(score: Score, inputs: Sequence[ScoringInput], label: int) -> NDArray[np.float64]:
    probabilities = score(inputs)[:, label].astype(np.float64).clip(1e-6, 1 - 1e-6)
    found: NDArray[np.float64] = np.log(probabilities / (1 - probabilities))
    return found
