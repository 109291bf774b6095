"""The figures that the README states hold: on corpus lines, on drawn vectors and on everyday Dutch."""

from collections.abc import Iterable
from itertools import pairwise

import pytest

from classifiers.findings import Span
from classifiers.personal_data import find
from classifiers.personal_data.evaluation import (
    SECOND_HAND_PARTS,
    SPAN_PARTS,
    STRUCTURED,
    evaluate,
    everyday_hits,
    is_written,
    lines,
    span_lines,
)
from tests.classifiers.personal_data.vectors import Vector, vectors


@pytest.mark.parametrize("held_out", [False, True])
def test_floors_on_the_corpus(held_out: bool) -> None:
    """Structured kinds and all kinds together stay above their floors on both sides of the split."""
    report = evaluate(span_lines(held_out=held_out))
    structured, every = report.together(STRUCTURED), report.together(report.kinds)
    assert structured.recall >= 0.98
    assert structured.precision >= 0.99
    assert structured.exactness >= 0.98
    assert every.f1 >= 0.94


@pytest.mark.parametrize("part", SECOND_HAND_PARTS)
def test_floors_on_the_lines_of_another_hand(part: str) -> None:
    """What the lines of another hand taught stays learned; at first sight their recall was 0.90 to 0.97."""
    report = evaluate(lines(part))
    structured, every = report.together(STRUCTURED), report.together(report.kinds)
    assert structured.recall >= 0.97
    assert structured.precision >= 0.97
    assert every.f1 >= 0.95


def test_a_third_is_held_out_and_no_conversation_is_cut() -> None:
    """Between 30 and 37 in a hundred lines are held out, whole threads at a time."""
    for part in SPAN_PARTS:
        read = list(lines(part))
        assert 0.30 < sum(line.held_out for line in read) / len(read) < 0.37
        for line, following in pairwise(read):
            if following.before:
                assert line.held_out == following.held_out


def test_everyday_lines_give_at_most_one_finding_in_two_thousand() -> None:
    """Unlabelled everyday Dutch is left in peace."""
    read, hits = everyday_hits()
    assert read > 8000
    assert len(hits) <= read // 2000


def _counts(drawn: Iterable[Vector]) -> tuple[int, int, int, int]:
    found, exact, missed, extra = 0, 0, 0, 0
    for vector in drawn:
        spans = [finding.spans[0] for finding in find(vector.text)]
        same = [span for span in spans if span.type == vector.span.type]
        found, exact, missed = found + bool(same), exact + (vector.span in same), missed + (not same)
        extra += sum(span.type in STRUCTURED and span.type != vector.span.type for span in spans) + max(
            len(same) - 1, 0
        )
    return found, exact, missed, extra


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_drawn_vectors(seed: int) -> None:
    """Recall and precision are at least 0.98 and spans exact in at least 0.95, for values and spellings drawn anew."""
    found, exact, missed, extra = _counts(vectors(seed, 100))
    assert found / (found + missed) >= 0.98
    assert found / (found + extra) >= 0.98
    assert exact / found >= 0.95


@pytest.mark.parametrize(
    ("text", "kind", "written"),
    [
        ("06 12 89 33 47", "PHONE", True),
        ("nul zes een twee acht negen drie drie vier zeven", "PHONE", True),
        ("eindigt op 9", "PHONE", False),
        ("die van mij is precies 1 hoger", "PHONE", False),
        ("jan punt jansen apestaart gmail", "EMAIL", True),
        ("zijn voornaam punt achternaam", "EMAIL", False),
    ],
)
def test_riddles_are_told_from_values(text: str, kind: str, written: bool) -> None:
    """A span that only tells about a number is set aside, one that holds it counts."""
    assert is_written(text, Span(0, len(text), kind)) is written
