"""Series of digits are read in every spelling, each digit with its place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.personal_data.numbers import plain_runs, runs, spelled_runs
from classifiers.personal_data.text import prepare


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("nul zes twaalf", "0612"),
        ("nulzesacht", "068"),
        ("vijf5 twee2", "5522"),
        ("o6 l2", "0612"),
        ("zevenenveertig nul een", "4701"),
        ("06 dan 12 dan 34", "061234"),
        ("zero six nog een 24", "0624"),
        ("dubbel 3 zes", "336"),
        ("drieëntachtig 1", "831"),
    ],
)
def test_words_and_letters_are_read_as_digits(text: str, digits: str) -> None:
    """Dutch number words, glued or apart, look-alike letters and link words make one series."""
    assert [run.digits for run in spelled_runs(text)] == [digits]


@pytest.mark.parametrize("text", ["is zo lol", "een mooie dag", "ik ben twaalf", "12 34 56"])
def test_ordinary_words_are_no_series(text: str) -> None:
    """A number word or two in a sentence, and plain digits, are not read as a spelled series."""
    assert list(spelled_runs(text)) == []


@given(st.text(alphabet="0123456789 .-/onul zest🍕\n", max_size=60))
def test_each_digit_knows_its_place(text: str) -> None:
    """Places lie inside the text, in order, one pair a digit."""
    for run in runs(prepare(text)):
        assert len(run.digits) == len(run.starts) == len(run.ends)
        assert list(run.starts) == sorted(run.starts)
        assert all(0 <= start < end <= len(text) for start, end in zip(run.starts, run.ends, strict=True))


def test_a_plain_run_reads_the_digits_that_stand_there() -> None:
    """Digits of a plain run are the characters at its places."""
    text = "bel +31 (0)6-12.34"
    (run,) = plain_runs(text)
    assert run.plus
    assert "".join(text[at] for at in run.starts) == run.digits == "3106" + "1234"
