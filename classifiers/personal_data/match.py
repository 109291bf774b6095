"""What a recognizer says, and the rule that settles overlaps between recognizers."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Match:
    """One stretch of a message that a recognizer takes for personal data."""

    start: int
    """First character, in code points of the message as typed."""
    end: int
    """One past the last character."""
    type: str
    """A span type of the corpus guide."""
    confidence: float
    """Chance, 0..1, that this is personal data; see the README beside this file for the steps."""
    why: str
    """Pattern, check and context words that made it a match; never the text itself."""
    recognizer: str = ""
    """Name of the recognizer, filled in by `find`."""


def settle(matches: Iterable[Match]) -> list[Match]:
    """Keep one match where several overlap.

    The rule: the surer one wins; of equally sure ones the longer; of equally long ones the earlier. What a winner
    leaves uncovered of a loser is dropped with it.

    Args:
        matches: Matches of one message, in any order.

    Returns:
        Matches that do not overlap, by place.
    """
    ordered = sorted(matches, key=lambda one: (-one.confidence, one.start - one.end, one.start, one.type))
    covered = bytearray(max((one.end for one in ordered), default=0))
    kept: list[Match] = []
    for match in ordered:
        if covered.find(1, match.start, match.end) < 0:
            kept.append(match)
            covered[match.start : match.end] = b"\x01" * (match.end - match.start)
    return sorted(kept, key=lambda one: one.start)
