"""Conversations become rows of tokens in which a message sees itself and what came before."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from classifiers.findings import Utterance
from classifiers.toxicity.conversation import (
    BOS,
    EOS,
    MAX_MESSAGE_TOKENS,
    PAD,
    ConversationTokenizer,
    fill_rows,
    frame,
    head_slopes,
    pack,
)
from tests.classifiers.toxicity.tiny import tiny_tokenizer


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> ConversationTokenizer:
    path = tiny_tokenizer(tmp_path_factory.mktemp("tokenizer"))
    return ConversationTokenizer(Tokenizer.from_file(str(path)))


def test_pupils_get_letters_and_adults_their_role(tokenizer: ConversationTokenizer) -> None:
    """A speaker keeps the same mark, pupils by order of appearance."""
    said = [
        Utterance("hoi", "l7"),
        Utterance("hee", "l2"),
        Utterance("Goedemorgen", "d1", role="teacher"),
        Utterance("wat", "l7"),
        Utterance("dank", "o1", role="parent"),
    ]
    expected = [tokenizer.mark(mark) for mark in ("A", "B", "docent", "A", "ouder")]
    assert tokenizer.speaker_marks(said) == expected


def test_a_group_larger_than_the_alphabet_has_marks(tokenizer: ConversationTokenizer) -> None:
    """The twenty-seventh pupil shares a letter; nothing breaks."""
    marks = tokenizer.speaker_marks([Utterance("x", f"l{number}") for number in range(40)])
    assert marks[26] == marks[0]


def test_pack_places_stretches_side_by_side() -> None:
    """Positions start anew with every message, messages and stretches are told apart, padding belongs to nothing."""
    rows = pack([[[((0, 9, 2), False), ((0, 8, 7, 2), True)], [((0, 5, 2), True)]]], length=12)
    assert rows.ids.tolist() == [[0, 9, 2, 0, 8, 7, 2, 0, 5, 2, PAD, PAD]]
    assert rows.positions.tolist() == [[0, 1, 2, 0, 1, 2, 3, 0, 1, 2, 0, 0]]
    assert rows.message.tolist() == [[0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0]]
    assert rows.stretch.tolist() == [[0, 0, 0, 0, 0, 0, 0, 1, 1, 1, -1, -1]]
    assert rows.first.tolist() == [3, 7]
    assert rows.sizes().tolist() == [4, 3]


@given(st.lists(st.lists(st.integers(1, 6), min_size=1, max_size=4), min_size=1, max_size=5))
def test_sizes_are_those_that_were_packed(row: list[list[int]]) -> None:
    """Whatever the stretches, each judged message is found with its own length."""
    stretches = [[((BOS, *([9] * size), EOS), True) for size in stretch] for stretch in row]
    rows = pack([stretches], length=sum(size + 2 for stretch in row for size in stretch) + 3)
    assert rows.sizes().tolist() == [size + 2 for stretch in row for size in stretch]
    assert (rows.ids.ravel()[rows.first] == BOS).all()


@given(st.lists(st.integers(1, 50), max_size=60))
def test_fill_rows_loses_nothing_and_overfills_nothing(sizes: list[int]) -> None:
    """Every item is in exactly one row and no row holds more than its length."""
    rows = fill_rows(((size, (number, size)) for number, size in enumerate(sizes)), 50)
    assert sorted(number for row in rows for number, _ in row) == list(range(len(sizes)))
    assert all(sum(size for _, size in row) <= 50 for row in rows)


def test_fill_rows_refuses_what_cannot_fit() -> None:
    """An item longer than a row is the caller's mistake."""
    with pytest.raises(ValueError, match="does not fit"):
        fill_rows([(51, "x")], 50)


def test_frame_cuts_only_beyond_the_limit() -> None:
    """Longer messages are scored in windows by the engine; the frame itself is bounded."""
    assert frame([7, 8], None) == (BOS, 7, 8, EOS)
    assert frame([7], 30) == (BOS, 30, 7, EOS)
    assert len(frame([7] * 1000, 30)) == MAX_MESSAGE_TOKENS + 3


def test_heads_look_back_more_and_more_steeply() -> None:
    """The first head sees all messages alike, the last one only its own."""
    slopes = head_slopes(12)
    assert slopes[0] == 0
    assert np.all(np.diff(slopes) > 0)
    assert slopes[-1] >= 1e4
