from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from classifiers.engine import (
    EARLIER,
    EXPLANATION,
    NOTHING,
    WINDOW_CHARACTERS,
    ModelScorer,
    Scorer,
    in_windows,
    open_scorer,
    readable,
    window_bounds,
)
from classifiers.errors import ModelError
from classifiers.findings import ScoringInput, Utterance
from classifiers.labels import LABELS, Label


class WordModel:
    """Says 0.9 flamen where "sukkel" stands, and remembers what it was given."""

    version = "proef:1"

    def __init__(self) -> None:
        self.given: list[ScoringInput] = []

    def score(self, inputs: Sequence[ScoringInput]) -> NDArray[np.float32]:
        self.given += inputs
        scores = np.full((len(inputs), len(LABELS) + 1), 0.05, dtype=np.float32)
        for row, one in enumerate(inputs):
            if "sukkel" in one.message.text:
                scores[row, [LABELS.index(Label.FLAMING), -1]] = 0.9
        return scores


def said(text: str, *before: str) -> ScoringInput:
    return ScoringInput(Utterance(text, "l1", 10.0), tuple(Utterance(one, "l2", 20.0) for one in before))


@pytest.fixture(scope="module")
def shipped() -> Scorer:
    return open_scorer("ngram")


@pytest.fixture
def scorer() -> Callable[..., ModelScorer]:
    return lambda **options: ModelScorer(WordModel(), **options)


def test_the_result_has_the_length_and_order_of_the_input(scorer: Callable[..., ModelScorer]) -> None:
    """Whatever is between, every message gets its own assessment with every label."""
    found = scorer().score([said("hoi"), said(""), said("sukkel"), said("😂"), said("sukkel " + "x " * 3000)])
    assert [round(one.score, 2) for one in found] == [0.05, 0.0, 0.9, 0.05, 0.9]
    assert all(list(one.scores) == list(LABELS) for one in found)
    assert scorer().score([]) == []


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\u200b\u200d\ufeff", "\u00ad" * 5000])
def test_what_nobody_can_see_scores_nothing(scorer: Callable[..., ModelScorer], text: str) -> None:
    """Empty, white space and invisible characters: score 0, no label, a model name that says so."""
    (found,) = scorer().score([said(text, "sukkel")])
    assert found.score == 0
    assert set(found.scores.values()) == {0.0}
    assert found.model == NOTHING
    assert not readable(text)


def test_an_emoji_is_a_message(scorer: Callable[..., ModelScorer]) -> None:
    """A laugh may be the worst of a conversation: it goes to the model."""
    (found,) = scorer().score([said("🤡", "kijk die")])
    assert found.model == "proef:1"


@pytest.mark.parametrize("place", [0, 5_000, 9_990, 99_990])
def test_nothing_of_a_long_message_is_cut_off(scorer: Callable[..., ModelScorer], place: int) -> None:
    """One word anywhere in a hundred thousand characters is found."""
    text = "a " * (place // 2) + "sukkel" + " b" * ((100_000 - place) // 2)
    (found,) = scorer().score([said(text)])
    assert found.score == pytest.approx(0.9)


def test_a_long_text_without_spaces_is_judged_too(scorer: Callable[..., ModelScorer]) -> None:
    """Ten thousand letters in a row are windows like any other."""
    (found,) = scorer().score([said("x" * 10_000)])
    assert found.score == pytest.approx(0.05)


def test_a_word_on_the_border_of_two_windows_is_whole_in_one_of_them() -> None:
    """Windows overlap, so no word is lost by being cut in two, with spaces or without."""
    for filler in ("x", "x y "):
        text = (filler * 700)[: WINDOW_CHARACTERS - 3] + "sukkel" + (filler * 700)
        assert any("sukkel" in one.message.text for one in in_windows(said(text)))
    words = [f"w{n}" for n in range(3000)]
    seen = {word for one in in_windows(said(" ".join(words))) for word in one.message.text.split()}
    assert seen >= set(words)


@pytest.mark.parametrize("ahead", ["", "🙂 "])
def test_the_words_of_a_finding_are_found_wherever_they_stand(scorer: Callable[..., ModelScorer], ahead: str) -> None:
    """In a short message and deep in a long one, the span lies on the word, counted in code points of the whole."""
    for text in (ahead + "jij sukkel!", ahead + "a " * 900 + "jij sukkel " + "b " * 900):
        (found,) = scorer().explain([said(text, "hoi")], [Label.FLAMING])
        assert [text[span.start : span.end] for span in found.spans] == ["sukkel"]
        assert (found.label, found.classifier, found.why) == (Label.FLAMING, EXPLANATION, "")


def test_the_earlier_message_of_a_finding_is_counted_backwards() -> None:
    """1 is the message right before; each message of a batch gets its own finding."""

    class Echo(WordModel):
        def score(self, inputs: Sequence[ScoringInput]) -> NDArray[np.float32]:
            return super().score([ScoringInput(Utterance(" ".join(b.text for b in one.before))) for one in inputs])

    batch = [said("haha", "sukkel", "ok"), said("haha", "ok", "sukkel"), said("haha", "ok"), said(" ", "sukkel")]
    found = ModelScorer(Echo()).explain(batch, [Label.FLAMING] * 4)
    assert [one.why for one in found] == [EARLIER.format(back=2), EARLIER.format(back=1), "", ""]
    assert not any(one.spans for one in found)


@given(st.text(alphabet=st.sampled_from("ab \n😂"), min_size=1, max_size=5000))
def test_windows_cover_the_text_and_overlap(text: str) -> None:
    """Together the windows hold every character, none is too long, and their number is bounded by the length."""
    parts = [one.message.text for one in in_windows(said(text, "voor"))]
    assert parts == [text[start:end] for start, end in window_bounds(text)]
    assert all(0 < len(part) <= WINDOW_CHARACTERS for part in parts)
    assert len(parts) <= 1 + 5 * len(text) // WINDOW_CHARACTERS
    at = 0
    for part in parts:
        found = text.find(part, max(0, at - WINDOW_CHARACTERS))
        assert 0 <= found <= at
        at = max(at, found + len(part))
    assert at == len(text)


def test_every_window_keeps_the_conversation_before() -> None:
    """The end of a long message is judged in the same conversation as its beginning."""
    model = WordModel()
    ModelScorer(model).score([said("woord " * 400, "kijk die")])
    assert len(model.given) > 1
    assert all(one.before[0].text == "kijk die" for one in model.given)


def test_times_that_run_backwards_change_nothing(scorer: Callable[..., ModelScorer]) -> None:
    """The order of the list is the order of the conversation, whatever the clocks say."""
    now, then = Utterance("sukkel", "l1", 5.0), (Utterance("een", "l2", 99.0), Utterance("twee", "l2", 1.0))
    (found,) = scorer().score([ScoringInput(now, then)])
    assert found.score == pytest.approx(0.9)


def test_found_personal_data_raise_label_and_score_with_their_place(scorer: Callable[..., ModelScorer]) -> None:
    """A phone number is found whatever the model thinks; without recognizers it is the model's opinion alone."""
    message = said("mijn nieuwe nummer is 06-28471935")
    (found,) = scorer().score([message])
    assert found.scores[Label.PERSONAL_DATA] > 0.6
    assert found.score > 0.6
    assert found.findings[0].spans[0].type == "PHONE"
    assert found.extra["model"] == pytest.approx(0.05)
    (alone,) = scorer(personal_data=False).score([message])
    assert alone.score == pytest.approx(0.05)
    assert not alone.findings


def test_an_unknown_model_is_refused_with_the_choices() -> None:
    """A misspelled setting is a sentence."""
    with pytest.raises(ModelError, match="bestaat-niet"):
        open_scorer("bestaat-niet")


@pytest.mark.weights
@pytest.mark.parametrize(
    "text",
    [
        "See you tomorrow at school",
        "أراك غداً في المدرسة",
        "yarın okulda görüşürüz",
        "jutro w szkole",
        "ok",
        "👍",
        "[foto]",
    ],
)
def test_harmless_words_of_any_language_are_not_flagged(shipped: Scorer, text: str) -> None:
    """A language the model does not know is no reason for a flag."""
    (found,) = shipped.score([said(text)])
    assert found.score < 0.7


@pytest.mark.weights
def test_look_alike_letters_hide_nothing(shipped: Scorer) -> None:
    """The same insult in Latin and in mixed letters scores alike."""
    plain, hidden = shipped.score([said("vieze kankerhond"), said("viеzе kаnkеrhоnd")])
    assert hidden.score == pytest.approx(plain.score, abs=0.02)


@pytest.mark.weights
@given(st.lists(st.text(max_size=80), max_size=4))
def test_any_text_is_judged(shipped: Scorer, texts: list[str]) -> None:
    """Whatever Unicode holds gives a probability, with or without a conversation."""
    found = shipped.score([said(text, *texts) for text in texts])
    assert len(found) == len(texts)
    for one in found:
        assert 0 <= one.score <= 1
        assert all(0 <= score <= 1 for score in one.scores.values())
