"""What goes into the scoring step and what comes out: plain frozen records without ids, Faust or web.

A list of `ScoringInput` goes in, a list of `Assessment` of the same length and order comes out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from classifiers.labels import Label


@dataclass(frozen=True, slots=True)
class Utterance:
    """One message of a conversation as a classifier sees it."""

    text: str
    """As typed, Unicode."""
    author: str = ""
    """Distinguishes the speakers of one conversation (any stable string); empty when unknown.
    A leading `d` + digits is a teacher and `o` + digits a parent only in the corpus, see `role`."""
    sent: float | None = None
    """Seconds on any clock shared by the conversation; None when unknown."""
    role: str = "pupil"
    """`pupil`, `teacher` or `parent`."""


@dataclass(frozen=True, slots=True)
class ScoringInput:
    """One message to be judged, with the conversation before it."""

    message: Utterance
    before: tuple[Utterance, ...] = ()
    """Oldest first; the caller decides how many and how far back."""


@dataclass(frozen=True, slots=True)
class Span:
    """Characters [start, end) of the message (Unicode code points) and what they are."""

    start: int
    end: int
    type: str
    """A personal-data type of the corpus guide (PHONE, ADDRESS, ...) or WORD (words that carried a label)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing seen in one message."""

    label: Label
    score: float
    """Calibrated probability, 0..1."""
    classifier: str
    """Which part of the code found it, e.g. `toxicity.ngram` or `personal_data.phone`."""
    why: str = ""
    """A reason a person can check (pattern, check digit, context word); never the text itself."""
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessment:
    """Everything the classifiers say about one message."""

    score: float
    """Probability, 0..1, that a mentor would want to see the message at all."""
    scores: Mapping[Label, float]
    """Probability per label; every label is present."""
    findings: tuple[Finding, ...] = ()
    """The evidence behind it."""
    model: str = ""
    """Version of the model that judged, for the record kept with a flag."""
    extra: Mapping[str, float] = field(default_factory=dict)
    """Further figures by name for inspection; never text."""
