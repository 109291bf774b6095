"""The rule that settles overlaps: the surer, then the longer, then the earlier."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from classifiers.personal_data.match import Match, settle


def test_the_surer_match_wins_over_the_longer() -> None:
    """A checked number inside a longer guess keeps its place."""
    sure, long = Match(4, 8, "BSN", 0.98, "check"), Match(0, 12, "PHONE", 0.8, "shape")
    assert settle([long, sure]) == [sure]


def test_the_longer_wins_of_equally_sure_ones() -> None:
    """Of two equal guesses the one that covers more stays."""
    short, long = Match(0, 4, "PHONE", 0.9, "a"), Match(0, 9, "PHONE", 0.9, "b")
    assert settle([short, long]) == [long]


def test_neighbors_both_stay() -> None:
    """Matches that only touch do not overlap."""
    one, other = Match(0, 4, "ADDRESS", 0.9, "a"), Match(4, 8, "POSTCODE", 0.8, "b")
    assert settle([other, one]) == [one, other]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 10), st.sampled_from((0.5, 0.7, 0.9))), max_size=12))
def test_what_is_left_never_overlaps_and_misses_nothing(drawn: list[tuple[int, int, float]]) -> None:
    """Every match is kept or overlaps one that is at least as sure."""
    matches = [Match(start, start + length, "PHONE", sure, "w") for start, length, sure in drawn]
    kept = settle(matches)
    assert all(one.end <= other.start for one, other in pairwise(kept))
    for match in matches:
        over = [one for one in kept if one.start < match.end and match.start < one.end]
        assert any(one.confidence >= match.confidence for one in over)
