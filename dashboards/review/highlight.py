"""Cuts a message into pieces for the page: plain text, the words that carried a label, and personal data to hide."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

WORD = "WORD"
"""Span type of words that carried a label; every other type is personal data (classifiers.findings.Span)."""

TypedSpan = tuple[int, int, str]
"""`[start, end)` in code points and the type."""


class Kind(StrEnum):
    """How a piece is shown."""

    PLAIN = "plain"
    MARK = "mark"
    """A reason for the flag."""
    HIDDEN = "hidden"
    """Personal data; the piece's text is what stands in its place."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of the message that is shown in one way."""

    text: str
    kind: Kind = Kind.PLAIN


def cut(text: str, spans: Iterable[TypedSpan], tag: Callable[[str, str], str] | None) -> tuple[Piece, ...]:
    """Cut a message at its spans.

    Args:
        text: The message as typed.
        spans: In any order; they may overlap or lie (partly) outside the text.
        tag: Gives what to write in the place of personal data, from the span's type and its words; None shows the
            data, marked.

    Returns:
        Pieces in order. Where `tag` is None their texts together are the message; otherwise no character inside a
        personal-data span is in any piece.
    """
    inside = [(max(0, start), min(len(text), end), kind) for start, end, kind in spans]
    inside = [(start, end, kind) for start, end, kind in inside if start < end]
    hidden = _joined([span for span in inside if span[2] != WORD]) if tag is not None else []
    marked = [span for span in inside if tag is None or span[2] == WORD]
    pieces: list[Piece] = []
    at = 0
    for start, end, kind in hidden:
        pieces += _marks(text, at, start, marked)
        pieces.append(Piece(tag(kind, text[start:end]) if tag is not None else "", Kind.HIDDEN))
        at = end
    pieces += _marks(text, at, len(text), marked)
    return tuple(pieces)


def has_personal_data(spans: Iterable[TypedSpan]) -> bool:
    """Whether anything would be hidden."""
    return any(kind != WORD for _, _, kind in spans)


def _joined(spans: Sequence[TypedSpan]) -> list[TypedSpan]:
    """Overlapping spans as one, under the type of the longest."""
    result: list[TypedSpan] = []
    longest = 0
    for start, end, kind in sorted(spans):
        if result and start < result[-1][1]:
            first, last, shown = result[-1]
            shown = kind if end - start > longest else shown
            longest = max(longest, end - start)
            result[-1] = (first, max(last, end), shown)
        else:
            longest = end - start
            result.append((start, end, kind))
    return result


def _marks(text: str, start: int, end: int, spans: Iterable[TypedSpan]) -> list[Piece]:
    """The pieces of `text[start:end]`."""
    pieces: list[Piece] = []
    at = start
    for first, last, _ in _joined([span for span in spans if span[0] < end and span[1] > start]):
        first, last = max(first, start), min(last, end)  # noqa: PLW2901  # the part of the span that is in this run
        if at < first:
            pieces.append(Piece(text[at:first]))
        pieces.append(Piece(text[first:last], Kind.MARK))
        at = last
    if at < end:
        pieces.append(Piece(text[at:end]))
    return pieces
