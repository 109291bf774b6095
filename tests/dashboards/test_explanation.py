"""Why a message was flagged, in Dutch."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.engine import EARLIER, EXPLANATION
from classifiers.findings import Assessment, Finding
from classifiers.labels import LABELS, Label
from classifiers.protocol import decide, load_policy
from dashboards.review.explanation import explain
from dashboards.texts import load_texts

TEXTS = load_texts()


def why_of(score: float) -> tuple[str, ...]:
    """What the real decision leaves for a message of bullying with an address in it."""
    finding = Finding(Label.PERSONAL_DATA, 0.97, "personal_data.address", why="street ending and number")
    scores = {label: score if label is Label.BULLYING else 0.01 for label in LABELS}
    return decide(Assessment(0.99, scores, (finding,), model="proef-1"), load_policy("rustig")).why


def test_the_decision_s_own_lines_are_understood() -> None:
    """Every kind of line that `decide` writes becomes a Dutch sentence."""
    why = why_of(0.98)
    sentences = explain(why, TEXTS, with_score=True)
    assert len(sentences) == len(why)
    assert "pesten: zekerheid 0,98" in sentences
    assert "persoonsgegevens: een adres herkend" in sentences


@pytest.mark.parametrize(
    ("back", "sentence"),
    [(1, "pesten: het bericht ervoor woog mee"), (4, "pesten: een bericht ervoor (4 terug) woog mee")],
)
def test_the_earlier_message_that_mattered_is_told(back: int, sentence: str) -> None:
    """What the engine says of the conversation reaches the page, through the real decision."""
    scores = {label: 0.98 if label is Label.BULLYING else 0.01 for label in LABELS}
    finding = Finding(Label.BULLYING, 0.98, EXPLANATION, why=EARLIER.format(back=back))
    why = decide(Assessment(0.99, scores, (finding,), model="proef-1"), load_policy("rustig")).why
    assert sentence in explain(why, TEXTS, with_score=False)


@given(st.floats(0.5, 1.0))
def test_before_the_judgement_no_figure_is_shown(score: float) -> None:
    """Neither a score nor the name of a model that could hold one."""
    sentences = explain(why_of(score), TEXTS, with_score=False)
    assert sentences
    assert not any(character.isdigit() for sentence in sentences for character in sentence)


def test_a_line_of_an_unknown_form_is_left_out() -> None:
    """What is not understood might hold a figure, so it is not shown."""
    assert explain(("zeker 0.99!", ""), TEXTS, with_score=False) == []
