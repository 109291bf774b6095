from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.findings import Assessment, Finding, Span
from classifiers.labels import LABELS, Label
from classifiers.protocol import Action, Decision, Policy, Severity, Thresholds, decide, load_clauses

PROTOCOL = load_clauses()
POLICY = Policy(
    operating_point="rustig",
    protocol=PROTOCOL,
    models={
        "proef": Thresholds(date="2026-01-01", run="test", any=0.6, labels=dict.fromkeys(LABELS, 0.5)),
        "streng": Thresholds(date="2026-01-01", run="test", any=0.95, labels=dict.fromkeys(LABELS, 0.5)),
    },
    default="proef",
    personal_data=0.6,
)


def assessment(
    score: float,
    scores: Mapping[Label, float] | None = None,
    findings: tuple[Finding, ...] = (),
    model: str = "proef:1",
) -> Assessment:
    return Assessment(score, dict.fromkeys(LABELS, 0.01) | dict(scores or {}), findings, model)


def phone(score: float = 0.99, classifier: str = "personal_data.phone") -> Finding:
    return Finding(Label.PERSONAL_DATA, score, classifier, "tien cijfers na 06", (Span(4, 14, "PHONE"),))


def test_a_message_below_the_threshold_leaves_nothing() -> None:
    """No action means no label, no clause, no span, even where a label alone scores high."""
    assert decide(assessment(0.59, {Label.BULLYING: 0.9}), POLICY) == Decision(Action.NONE)


def test_a_score_on_the_threshold_flags() -> None:
    """The threshold itself is on the flagging side, as it was when it was chosen."""
    assert decide(assessment(0.6, {Label.BULLYING: 0.5}), POLICY).labels == (Label.BULLYING,)


def test_a_flag_shows_every_label_above_its_own_threshold() -> None:
    """Labels come in the fixed order, with their clauses in the document's."""
    decision = decide(assessment(0.8, {Label.THREAT: 0.7, Label.FLAMING: 0.5, Label.BULLYING: 0.49}), POLICY)
    assert decision.action is Action.FLAG
    assert decision.labels == (Label.FLAMING, Label.THREAT)
    assert decision.clauses == ("5.1.h.V", "5.1.i", "7.c")
    assert decision.severity is Severity.HIGH
    assert decision.why == ("flamen 0.50 (proef:1)", "bedreiging 0.70 (proef:1)")


def test_a_flag_without_a_sure_label_shows_the_strongest() -> None:
    """A flag always rests on a clause."""
    decision = decide(assessment(0.8, {Label.FAKE_MESSAGE: 0.3}), POLICY)
    assert decision.labels == (Label.FAKE_MESSAGE,)
    assert decision.clauses == ("5.1.h.IV",)
    assert decision.severity is Severity.LOW


def test_a_certain_threat_is_urgent() -> None:
    """The mentor is asked to look now."""
    decision = decide(assessment(0.99, {Label.THREAT: 0.95}), POLICY)
    assert decision.action is Action.URGENT
    assert decision.severity is Severity.URGENT


def test_found_personal_data_flag_by_themselves() -> None:
    """A phone number is flagged with its place, whatever the model thinks of the message."""
    decision = decide(assessment(0.02, findings=(phone(),)), POLICY)
    assert decision.flagged
    assert decision.labels == (Label.PERSONAL_DATA,)
    assert decision.clauses == ("5.1.c", "5.1.h.III")
    assert decision.spans == (Span(4, 14, "PHONE"),)
    assert "persoonsgegevens: tien cijfers na 06 (personal_data.phone)" in decision.why


@pytest.mark.parametrize(
    "finding",
    [phone(0.59), phone(classifier="toxicity.ngram"), phone(classifier="personal_data.contextual")],
)
def test_unsure_personal_data_or_a_models_opinion_do_not_flag_alone(finding: Finding) -> None:
    """Only a recognizer that is sure enough and does not lean on the model flags by itself."""
    assert decide(assessment(0.02, findings=(finding,)), POLICY).action is Action.NONE


def test_a_model_is_measured_by_its_own_thresholds() -> None:
    """The same score flags under one model and not under another; an unknown model takes the default's."""
    scores = {Label.FLAMING: 0.9}
    assert decide(assessment(0.9, scores, model="proef:2"), POLICY).flagged
    assert decide(assessment(0.9, scores, model="onbekend"), POLICY).flagged
    assert not decide(assessment(0.9, scores, model="streng:2"), POLICY).flagged


def test_evidence_of_labels_that_are_not_shown_is_left_out() -> None:
    """Spans and reasons point only at what the flag names."""
    word = Finding(Label.HACKING, 0.2, "toxicity.ngram", "een woord", (Span(0, 3, "WORD"),))
    decision = decide(assessment(0.8, {Label.FLAMING: 0.9}, (word,)), POLICY)
    assert decision.spans == ()
    assert not any("hacken" in line for line in decision.why)


probabilities = st.floats(0, 1)


@given(probabilities, st.lists(probabilities, min_size=10, max_size=10), st.booleans())
def test_a_flag_always_names_label_clause_and_severity(score: float, each: list[float], found: bool) -> None:
    """For every input: flagged means complete, not flagged means empty."""
    decision = decide(assessment(score, dict(zip(LABELS, each, strict=True)), (phone(),) if found else ()), POLICY)
    assert decision.flagged == (score >= 0.6 or found)
    assert bool(decision.labels) == bool(decision.clauses) == bool(decision.why) == decision.flagged
    assert (decision.severity > Severity.NONE) == decision.flagged
    assert (decision.action is Action.URGENT) == (decision.severity is Severity.URGENT)


@given(probabilities, st.lists(probabilities, min_size=10, max_size=10), st.floats(0, 0.5))
def test_more_certainty_never_lowers_a_decision(score: float, each: list[float], more: float) -> None:
    """Raising every score keeps a flag a flag, of at least the same severity."""
    less = decide(assessment(score, dict(zip(LABELS, each, strict=True))), POLICY)
    raised = [min(1.0, one + more) for one in each]
    higher = decide(assessment(min(1.0, score + more), dict(zip(LABELS, raised, strict=True))), POLICY)
    if all(label in higher.labels for label in less.labels):
        assert higher.severity >= less.severity
    assert higher.flagged >= less.flagged
