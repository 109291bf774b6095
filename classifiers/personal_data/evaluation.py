"""Measures the recognizers on the corpus lines that carry spans, on everyday lines, and apart on the third held out.

A line is held out by its thread, its pair or its own text, so that no conversation and no pair stands on both sides.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from classifiers.findings import Span, Utterance
from classifiers.personal_data.find import find
from classifiers.personal_data.text import fold

SPAN_PARTS = ("persoonsgegevens", "gesprekken_persoonsgegevens")
"""Corpus parts whose lines carry spans."""
SECOND_HAND_PARTS = ("persoonsgegevens_b", "persoonsgegevens_c", "persoonsgegevens_d")
"""Corpus parts with spans by another hand, each measured once unseen; see the README for those figures."""
EVERYDAY_PARTS = ("alledaags", "alledaags_breed", "neutraal", "gesprekken_gewoon")
"""Corpus parts whose unlabelled lines stand for everyday Dutch."""
STRUCTURED = ("PHONE", "EMAIL", "BSN", "IBAN", "POSTCODE", "LICENCE_PLATE", "DATE_OF_BIRTH")
"""Kinds with a shape of their own."""
CONTEXTUAL = ("HEALTH", "FAMILY", "MARKS", "OTHER")
"""Kinds that only the toxicity model can judge; not counted with the others."""
_CONTEXT_MESSAGES = 10
_ONES = r"(?:nul|zero|een|één|twee|drie|vier|vijf|zes|zeven|acht|negen)"
_TENS = r"(?:twintig|dertig|veertig|vijftig|zestig|zeventig|tachtig|negentig)"
_TWO_DIGITS = re.compile(rf"{_ONES}(?:en|ën){_TENS}|{_TENS}|\w{{3,5}}tien|tien|elf|twaalf")
_ONE_DIGIT = re.compile(_ONES)
_WORKED_OUT = re.compile(r"\b(?:keer|\dx)\b")
_AT_SIGN = re.compile(r"@|🐒|apen?staart|aapje|\bat\b|[(\[]at?[)\]]")
_LEAST_DIGITS = {"PHONE": 9, "BSN": 8, "IBAN": 11, "POSTCODE": 4, "DATE_OF_BIRTH": 4, "LICENCE_PLATE": 2}


@dataclass(frozen=True, slots=True)
class Line:
    """One corpus line with the conversation before it."""

    text: str
    part: str
    place: int
    """Line number in its part, from 0."""
    labels: tuple[str, ...]
    spans: tuple[Span, ...]
    before: tuple[Utterance, ...]
    author: str
    held_out: bool


def is_held_out(part: str, line: dict[str, Any]) -> bool:
    """Tell whether a corpus line is in the third that is not looked at while developing."""
    if line.get("thread"):
        key = f"{part}|thread|{line['thread']}"
    elif line["kind"].startswith("pair:"):
        key = f"{part}|{line['kind']}"
    else:
        key = f"{part}|text|{line['text']}"
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") % 3 == 0


def lines(part: str) -> Iterator[Line]:
    """Read a corpus part with each line's conversation.

    Args:
        part: File name in the corpus' parts, without `.jsonl`.

    Yields:
        The lines in order.
    """
    text = files("classifiers.corpus").joinpath("parts", f"{part}.jsonl").read_text(encoding="utf-8")
    thread, said = None, list[Utterance]()
    for place, raw in enumerate(text.splitlines()):
        line = json.loads(raw)
        if line.get("thread") is None or line["thread"] != thread:
            thread, said = line.get("thread"), []
        spans = tuple(Span(*span) for span in line.get("spans", ()))
        author = line.get("who") or ""
        before = tuple(said[-_CONTEXT_MESSAGES:]) if thread is not None else ()
        yield Line(line["text"], part, place, tuple(line["labels"]), spans, before, author, is_held_out(part, line))
        said.append(Utterance(line["text"], author))


def is_written(text: str, span: Span) -> bool:
    """Tell whether a span of a structured kind holds the value, and not a riddle about it or only a part.

    "eindigt op 9" and "precies 1 hoger dan die van mij" are marked as PHONE in the corpus, but hold no phone number.
    The count is made apart from the recognizers: digits after folding, and each number word as one or two. "3 keer de
    4" has to be worked out and is a riddle too.
    """
    least = _LEAST_DIGITS.get(span.type)
    if least is None:
        return span.type != "EMAIL" or bool(_AT_SIGN.search(fold(text[span.start : span.end]).lower()))
    value = fold(text[span.start : span.end]).lower()
    if _WORKED_OUT.search(value):
        return False
    digits = sum(map(str.isdigit, value))
    letters = sum(value.count(letter) for letter in "olz") if digits >= 4 else 0
    rest, pairs = _TWO_DIGITS.subn(" ", value)
    words = 2 * pairs + len(_ONE_DIGIT.findall(rest))
    if span.type == "DATE_OF_BIRTH" and words >= 2:
        return True
    return digits + max(letters, words) >= least


@dataclass(slots=True)
class Score:
    """Counts for one kind, or for several together."""

    hits: int = 0
    """Marked spans that a found span of the same kind overlaps."""
    exact: int = 0
    """Those of `hits` with the same first and last character."""
    misses: int = 0
    extras: int = 0
    """Found spans that no marked span of the same kind overlaps."""

    @property
    def recall(self) -> float:
        """Share of the marked spans that are found."""
        return self.hits / max(1, self.hits + self.misses)

    @property
    def precision(self) -> float:
        """Share of the found spans that are marked."""
        return self.hits / max(1, self.hits + self.extras)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.precision * self.recall / max(1e-9, self.precision + self.recall)

    @property
    def exactness(self) -> float:
        """Share of the hits that match to the character."""
        return self.exact / max(1, self.hits)

    def add(self, other: "Score") -> None:
        """Count another kind in."""
        self.hits += other.hits
        self.exact += other.exact
        self.misses += other.misses
        self.extras += other.extras


@dataclass(slots=True)
class Report:
    """Scores by kind and what was wrong."""

    kinds: dict[str, Score] = field(default_factory=dict)
    set_aside: Counter[str] = field(default_factory=Counter)
    """Marked spans of structured kinds that hold no value, by kind; neither a hit nor a miss."""
    wrong: list[tuple[str, Line, Span]] = field(default_factory=list)
    """("missed" or "extra" or "edge", line, span)."""

    def together(self, kinds: Iterable[str]) -> Score:
        """Give one score for several kinds."""
        total = Score()
        for kind in kinds:
            total.add(self.kinds.get(kind, Score()))
        return total


def _overlaps(one: Span, other: Span) -> bool:
    return one.type == other.type and one.start < other.end and other.start < one.end


def evaluate(chosen: Iterable[Line], *, whole_only: bool = True) -> Report:
    """Compare what is found with what is marked.

    Args:
        chosen: Corpus lines with spans.
        whole_only: Set spans of structured kinds aside that hold no whole value, see `is_written`.

    Returns:
        The report; contextual kinds are left out of it.
    """
    report = Report()
    for line in chosen:
        found = [finding.spans[0] for finding in find(line.text, line.before, line.author)]
        marked = [span for span in line.spans if span.type not in CONTEXTUAL]
        for span in marked:
            score = report.kinds.setdefault(span.type, Score())
            same = [other for other in found if _overlaps(span, other)]
            if same:
                score.hits += 1
                exact = any((other.start, other.end) == (span.start, span.end) for other in same)
                score.exact += exact
                if not exact:
                    report.wrong.append(("edge", line, span))
            elif whole_only and span.type in STRUCTURED and not is_written(line.text, span):
                report.set_aside[span.type] += 1
            else:
                score.misses += 1
                report.wrong.append(("missed", line, span))
        for span in found:
            if not any(_overlaps(span, other) for other in marked):
                report.kinds.setdefault(span.type, Score()).extras += 1
                report.wrong.append(("extra", line, span))
    return report


def span_lines(*, held_out: bool) -> list[Line]:
    """Give the lines of the parts with spans, of one side of the split."""
    return [line for part in SPAN_PARTS for line in lines(part) if line.held_out == held_out]


def everyday_hits(parts: Sequence[str] = EVERYDAY_PARTS) -> tuple[int, list[tuple[Line, Span]]]:
    """Count findings in lines that break nothing.

    Returns:
        The number of unlabelled lines read, and every finding in them.
    """
    read, hits = 0, list[tuple[Line, Span]]()
    for part in parts:
        for line in lines(part):
            if line.labels:
                continue
            read += 1
            hits += [(line, finding.spans[0]) for finding in find(line.text, line.before, line.author)]
    return read, hits
