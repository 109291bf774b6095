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
    kept: list[Match] = []
    for match in sorted(matches, key=lambda one: (-one.confidence, one.start - one.end, one.start, one.type)):
        if all(match.end <= other.start or other.end <= match.start for other in kept):
            kept.append(match)
    return sorted(kept, key=lambda one: one.start)
