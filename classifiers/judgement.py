"""The whole judgement of a batch, one for the pipeline and `vangnet score`: score, decide, explain the flags."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from classifiers.engine import Scorer
from classifiers.findings import Assessment, ScoringInput
from classifiers.labels import Label
from classifiers.protocol import Decision, Policy, decide


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the classifiers say about one message and what is done about it."""

    assessment: Assessment
    """For a flag, with the finding of what carried it."""
    decision: Decision


def judge(scorer: Scorer, policy: Policy, inputs: Sequence[ScoringInput]) -> list[Judgement]:
    """Judge a batch; the result has the same length and order.

    Only flagged messages are explained, for the label that weighs most. A flag that rests on recognized personal data
    alone is not: the recognizers name the place themselves.
    """
    judged = [Judgement(assessment, decide(assessment, policy)) for assessment in scorer.score(inputs)]
    asked = {at: label for at, one in enumerate(judged) if (label := _to_explain(one)) is not None}
    if asked:
        found = scorer.explain([inputs[at] for at in asked], list(asked.values()))
        for at, finding in zip(asked, found, strict=True):
            before = judged[at].assessment
            assessment = replace(before, findings=(*before.findings, finding))
            judged[at] = Judgement(assessment, decide(assessment, policy))
    return judged


def _to_explain(one: Judgement) -> Label | None:
    recognized = {finding.label for finding in one.assessment.findings}
    open_ = [label for label in one.decision.labels if label not in recognized]
    return max(open_, key=lambda label: one.assessment.scores[label], default=None)
