import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.findings import ScoringInput, Utterance
from classifiers.toxicity.ngram_features import BUCKETS, features, normalize


def said(text: str, *before: str) -> ScoringInput:
    return ScoringInput(Utterance(text, "l1"), tuple(Utterance(one, "l2") for one in before))


@pytest.mark.parametrize(
    ("typed", "clear"),
    [
        ("Wat een DOMKOP", "wat een domkop"),
        ("hahahahaaaaa", "hahahahaa"),
        ("kаnkеr", "kanker"),  # Cyrillic letters
        ("ｄｏｍ", "dom"),  # full-width letters
        ("do\u200bm", "dom"),  # a space of no width
        ("één", "een"),
        ("bel 0612345678", "bel 0000000000"),
        ("om 8.15", "om 0 . 00"),
        ("", ""),
        ("\u200b\u200d", ""),
        ("😂😂😂😂", "😂😂"),
    ],
)
def test_a_text_is_read_the_way_a_person_reads_it(typed: str, clear: str) -> None:
    """Case, accents, look-alike letters, stretched letters and numbers do not hide a word."""
    assert normalize(typed) == clear


@pytest.mark.parametrize(
    ("typed", "word"), [("d.o.m", "dom"), ("d e b i e l", "debiel"), ("k4nker", "kanker"), ("k*nker", "knker")]
)
def test_a_hidden_word_is_added_in_the_clear(typed: str, word: str) -> None:
    """Spelling out, leet and asterisks keep what was typed and add what was meant."""
    assert word in normalize(f"wat een {typed} is dat").split()


def test_the_same_text_gives_the_same_row_alone_and_in_a_batch() -> None:
    """A score does not depend on what else is scored at the time."""
    batch = [said("wat ben jij dom"), said(""), said("ok", "haha"), said("🤡", "kijk die daan", "lol")]
    together = features(batch).toarray()
    for row, one in zip(together, batch, strict=True):
        assert np.array_equal(row, features([one]).toarray()[0])


def test_a_word_said_and_a_word_answered_are_not_the_same() -> None:
    """The message before has buckets of its own."""
    alone, answered = features([said("ja"), said("ja", "dom")]).toarray()
    assert not np.array_equal(alone, answered)
    spoken = set(np.flatnonzero(features([said("dom")]).toarray()[0]))
    context = set(np.flatnonzero(answered)) - set(np.flatnonzero(alone))
    assert not spoken & context


def test_long_messages_do_not_outweigh_short_ones() -> None:
    """Every row has about the same length, so one threshold fits all."""
    short, long = features([said("wat een dag vandaag"), said("wat een dag vandaag " * 200)])
    assert np.sqrt((short.toarray() ** 2).sum()) == pytest.approx(np.sqrt((long.toarray() ** 2).sum()), rel=0.3)


def test_an_empty_batch_is_an_empty_matrix() -> None:
    """Nothing in, nothing out."""
    assert features([]).shape == (0, BUCKETS)


@given(st.text(max_size=200), st.text(max_size=50))
def test_any_text_can_be_counted(text: str, before: str) -> None:
    """Whatever Unicode holds, lone surrogates included, gives a finite row."""
    row = features([said(text, before)])
    assert row.shape == (1, BUCKETS)
    assert np.isfinite(row.data).all()


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=100))
def test_composed_and_decomposed_letters_are_the_same(text: str) -> None:
    """Two keyboards that write é differently write the same message."""
    assert normalize(unicodedata.normalize("NFC", text)) == normalize(unicodedata.normalize("NFD", text))
