"""Score, decide and explain as one step."""

from collections.abc import Sequence

import pytest

from classifiers.findings import Assessment, Finding, ScoringInput, Span, Utterance
from classifiers.judgement import judge
from classifiers.labels import LABELS, Label
from classifiers.protocol import decide, load_policy

PHONE = Finding(Label.PERSONAL_DATA, 0.97, "personal_data.phone", "number of ten digits", (Span(0, 3, "PHONE"),))


class Script:
    """Gives assessments by the message's text; marks its first letter as the reason."""

    version = "proef:1"

    def __init__(self) -> None:
        self.asked: list[tuple[str, Label]] = []

    def score(self, inputs: Sequence[ScoringInput]) -> list[Assessment]:
        return [self._assess(one.message.text) for one in inputs]

    def _assess(self, text: str) -> Assessment:
        scores = dict.fromkeys(LABELS, 0.01)
        if "pest" in text:
            scores |= {Label.BULLYING: 0.99, Label.FLAMING: 0.8}
        findings = (PHONE,) if "bel" in text else ()
        if findings:
            scores[Label.PERSONAL_DATA] = PHONE.score
        return Assessment(max(scores.values()), scores, findings, self.version)

    def forget(self) -> None:
        """Nothing is kept."""

    def explain(self, inputs: Sequence[ScoringInput], labels: Sequence[Label]) -> list[Finding]:
        self.asked += [(one.message.text, label) for one, label in zip(inputs, labels, strict=True)]
        return [Finding(label, 0.9, "toxicity.explanation", "because", (Span(4, 5, "WORD"),)) for label in labels]


@pytest.fixture
def scorer() -> Script:
    return Script()


def texts(*texts: str) -> list[ScoringInput]:
    return [ScoringInput(Utterance(text)) for text in texts]


def test_only_flags_are_explained_for_the_label_that_weighs_most(scorer: Script) -> None:
    """The finding becomes part of the assessment and of the decision's evidence; the others stay as they were."""
    calm, flag, also_calm = judge(scorer, load_policy(), texts("hoi", "pest", "dag"))
    assert scorer.asked == [("pest", Label.BULLYING)]
    assert flag.decision.spans == (Span(4, 5, "WORD"),)
    assert "pesten: because (toxicity.explanation)" in flag.decision.why
    assert [len(one.assessment.findings) for one in (calm, flag, also_calm)] == [0, 1, 0]
    assert not calm.decision.flagged


def test_recognized_personal_data_explain_themselves(scorer: Script) -> None:
    """A phone number alone costs no explanation; beside an insult, the insult is explained."""
    alone, both = judge(scorer, load_policy(), texts("bel", "bel pest"))
    assert scorer.asked == [("bel pest", Label.BULLYING)]
    assert alone.decision.spans == PHONE.spans
    assert {span.type for span in both.decision.spans} == {"PHONE", "WORD"}


def test_an_explanation_changes_no_decision(scorer: Script) -> None:
    """Labels, clauses and severity are those of the assessment alone."""
    scored = scorer.score(texts("pest", "bel pest"))
    judged = judge(scorer, load_policy(), texts("pest", "bel pest"))
    for before, after in zip(scored, judged, strict=True):
        plain = decide(before, load_policy())
        assert (after.decision.labels, after.decision.clauses) == (plain.labels, plain.clauses)
        assert (after.decision.severity, after.decision.action) == (plain.severity, plain.action)
        assert after.assessment.scores == before.scores
        assert after.assessment.findings[: len(before.findings)] == before.findings


def test_an_empty_batch_asks_nothing(scorer: Script) -> None:
    """No messages, no judgements."""
    assert judge(scorer, load_policy(), []) == []
    assert scorer.asked == []
