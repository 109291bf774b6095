"""Stand-in classifiers that say what a test wants; the real ones are tested in tests/classifiers."""

import threading
from collections.abc import Sequence

from classifiers.findings import Assessment, Finding, ScoringInput, Span
from classifiers.labels import LABELS, Label

TROUBLE = "zwam"
"""A message with this word is bullying."""
BREAKS = "KAPOT"
"""A message with this word makes the scorer fail."""


class WordScorer:
    """Flags one word, fails at another, and remembers what it was asked."""

    version = "words:1"

    def __init__(self) -> None:
        self.asked: list[ScoringInput] = []
        self.threads: set[int] = set()
        self.forgotten = 0

    def score(self, inputs: Sequence[ScoringInput]) -> list[Assessment]:
        if any(BREAKS in one.message.text for one in inputs):
            raise RuntimeError("the scorer broke on: " + " ".join(one.message.text for one in inputs))
        self.asked += inputs
        self.threads.add(threading.get_ident())
        return [self._assess(TROUBLE in one.message.text) for one in inputs]

    def forget(self) -> None:
        self.forgotten += 1

    def explain(self, inputs: Sequence[ScoringInput], labels: Sequence[Label]) -> list[Finding]:
        """The word is where the trouble is."""
        places = [one.message.text.index(TROUBLE) for one in inputs]
        return [
            Finding(label, 0.99, "words", "the word", (Span(at, at + len(TROUBLE), "WORD"),))
            for at, label in zip(places, labels, strict=True)
        ]

    def _assess(self, bad: bool) -> Assessment:
        scores = dict.fromkeys(LABELS, 0.01)
        if bad:
            scores[Label.BULLYING] = 0.99
        return Assessment(score=0.99 if bad else 0.01, scores=scores, model=self.version)
