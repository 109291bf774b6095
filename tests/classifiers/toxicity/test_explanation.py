"""What carried a finding is found by taking it away."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from classifiers.findings import ScoringInput, Span, Utterance
from classifiers.toxicity.encoder import EncoderModel
from classifiers.toxicity.explanation import MOST_BEFORE, MOST_WORDS, WORD, explain
from tests.classifiers.toxicity.tiny import tiny_checkpoint

LABEL = 3


class Rules:
    """Adds log-odds for words of the message and of the conversation, and counts what it was asked."""

    def __init__(self, own: dict[str, float], earlier: dict[str, float] | None = None) -> None:
        self._own = own
        self._earlier = earlier or {}
        self.calls: list[Sequence[ScoringInput]] = []

    def __call__(self, inputs: Sequence[ScoringInput]) -> NDArray[np.float32]:
        self.calls.append(inputs)
        scores = np.full((len(inputs), 11), 0.5, dtype=np.float32)
        for row, one in enumerate(inputs):
            odds = -3.0 + sum(weight for word, weight in self._own.items() if word in one.message.text.lower())
            said = " ".join(before.text for before in one.before)
            odds += sum(weight for word, weight in self._earlier.items() if word in said)
            scores[row, LABEL] = 1 / (1 + np.exp(-odds))
        return scores


def said(text: str, *before: str) -> ScoringInput:
    return ScoringInput(
        Utterance(text, "a", 9.0), tuple(Utterance(one, "b", float(at)) for at, one in enumerate(before))
    )


def marked(one: ScoringInput, spans: Sequence[Span]) -> list[str]:
    assert all(span.type == WORD for span in spans)
    return [one.message.text[span.start : span.end] for span in spans]


def test_the_word_that_carried_it_is_marked() -> None:
    """Without the punctuation around it; words that carried little are not."""
    one = said("Wat ben jij een (Sukkel!!) zeg")
    found = explain(Rules({"sukkel": 5.0, "zeg": 1.2}), one, LABEL)
    assert marked(one, found.words) == ["Sukkel"]
    assert found.earlier is None


def test_a_word_said_twice_does_not_hide_itself() -> None:
    """Both places are taken away together and both are marked."""
    one = said("sukkel, echt een Sukkel 🤡")
    assert marked(one, explain(Rules({"sukkel": 4.0}), one, LABEL).words) == ["sukkel", "Sukkel"]


def test_neighbors_are_one_span() -> None:
    """Words that follow each other are marked as one stretch."""
    one = said("ga lekker dood jij")
    assert marked(one, explain(Rules({"lekker": 2.0, "dood": 3.0}), one, LABEL).words) == ["lekker dood"]


def test_the_earlier_message_that_carried_it_is_found() -> None:
    """A bare laugh is explained by what it answers; the other messages are not named."""
    one = said("haha", "hoi", "jij stinkt", "welke som", "ok")
    assert explain(Rules({}, {"stinkt": 4.0}), one, LABEL).earlier == 1


def test_two_earlier_insults_do_not_hide_each_other() -> None:
    """The one that carries more is named, though the other would have been enough."""
    one = said("haha", "jij stinkt", "ga weg", "ok")
    assert explain(Rules({}, {"stinkt": 2.0, "ga weg": 4.0}), one, LABEL).earlier == 1


def test_a_message_that_speaks_for_itself_has_no_earlier_one() -> None:
    """A conversation that changes little is no reason, and is not read again."""
    rules = Rules({"sukkel": 5.0}, {"hoi": 0.3})
    one = said("jij sukkel", "hoi", "dag")
    found = explain(rules, one, LABEL)
    assert found.earlier is None
    assert marked(one, found.words) == ["sukkel"]
    assert all(not asked.before for asked in rules.calls[-1])


def test_what_the_whole_conversation_carried_names_no_single_message() -> None:
    """Where only all messages together matter, none is singled out and words are weighed among them."""

    class Together(Rules):
        def __call__(self, inputs: Sequence[ScoringInput]) -> NDArray[np.float32]:
            scores = super().__call__(inputs)
            for row, one in enumerate(inputs):
                scores[row, LABEL] = 0.9 if len(one.before) > 1 else 0.1
            return scores

    found = explain(Together({}), said("haha", "een", "twee"), LABEL)
    assert (found.words, found.earlier) == ((), None)


def test_nothing_is_marked_where_nothing_carried() -> None:
    """A label that no word changes has no marks, and a message without words none either."""
    assert explain(Rules({}), said("een twee drie"), LABEL).words == ()
    assert explain(Rules({}), said("  "), LABEL).words == ()


def test_a_single_word_can_carry_it() -> None:
    """A message of one word is weighed against silence, not against nothing."""
    one = said("sukkel")
    rules = Rules({"sukkel": 5.0})
    assert marked(one, explain(rules, one, LABEL).words) == ["sukkel"]
    assert all(asked.message.text for call in rules.calls for asked in call)


def test_in_a_long_message_a_run_of_words_is_marked() -> None:
    """A hundred different words are left out in runs, so that the work stays bounded."""
    words = [f"w{number}x" for number in range(100)]
    one = said(" ".join(words))
    rules = Rules({"w57x": 5.0})
    (mark,) = marked(one, explain(rules, one, LABEL).words)
    assert "w57x" in mark.split()
    assert len(mark.split()) <= 3
    assert sum(map(len, rules.calls)) <= 1 + MOST_WORDS


@given(
    st.lists(st.text(alphabet=st.sampled_from("ab \n😂.!"), max_size=200), min_size=1, max_size=30),
    st.floats(0, 6),
    st.floats(0, 6),
)
def test_the_work_is_bounded_and_spans_lie_in_the_text(texts: list[str], own: float, earlier: float) -> None:
    """Three calls of a fixed size at most, whatever comes in; spans are ordered, apart and inside the message."""
    rules = Rules({"a": own}, {"b": earlier})
    one = said(*texts)
    found = explain(rules, one, LABEL)
    assert len(rules.calls) <= 3
    assert sum(len(call) for call in rules.calls) <= 2 + MOST_BEFORE + 1 + MOST_WORDS
    edges = [edge for span in found.words for edge in (span.start, span.end)]
    assert edges == sorted(edges)
    assert all(0 <= span.start < span.end <= len(one.message.text) for span in found.words)
    assert found.earlier is None or len(one.before) - MOST_BEFORE <= found.earlier < len(one.before)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> EncoderModel:
    return EncoderModel.load(tiny_checkpoint(tmp_path_factory.mktemp("checkpoint") / "model"))


def test_the_encoder_is_explained_by_its_own_scores(encoder: EncoderModel) -> None:
    """For the real network: leaving out the word that is marked lowers the label more than any other word does."""
    one = said("wie gaat er mee naar de stad", "hoi", "nee")
    words = one.message.text.split()

    def odds(text: str) -> NDArray[np.float64]:
        (row,) = encoder.score([said(text)]).astype(np.float64)
        found: NDArray[np.float64] = np.log(row / (1 - row))
        return found

    bare = ScoringInput(one.message)
    marks = 0
    for label in range(11):
        lost = [odds(one.message.text)[label] - odds(" ".join(words[:at] + words[at + 1 :]))[label] for at in range(7)]
        spans = explain(encoder.score, bare, label).words
        if max(lost) > 1.1:
            strongest = one.message.text.split()[int(np.argmax(lost))]
            assert any(strongest in mark for mark in marked(one, spans))
            marks += 1
        elif max(lost) < 0.9:
            assert not spans
    assert marks
