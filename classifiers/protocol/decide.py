"""Weighs what the classifiers saw against the school's clauses; the same input always gives the same decision."""

from dataclasses import dataclass
from enum import StrEnum

from classifiers.findings import Assessment, Finding, Span
from classifiers.labels import LABELS, Label
from classifiers.protocol.clauses import Severity
from classifiers.protocol.policy import Policy

RECOGNIZERS = "personal_data."
"""How the recognizers sign their findings; a model's own opinion goes through its thresholds instead."""
CONTEXTUAL = "personal_data.contextual"
"""Looks only where the model already sees personal data, so it explains a flag and never makes one."""


class Action(StrEnum):
    """What happens with the message."""

    NONE = "NONE"
    """A counter moves; the text is forgotten."""
    FLAG = "FLAG"
    """A mentor sees it in the queue."""
    URGENT = "URGENT"
    """A mentor is asked to look now."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done about one message, and on what it rests."""

    action: Action
    labels: tuple[Label, ...] = ()
    """In the fixed order of `LABELS`; at least one when flagged."""
    clauses: tuple[str, ...] = ()
    """Ids in the protocol's order; at least one when flagged."""
    severity: Severity = Severity.NONE
    spans: tuple[Span, ...] = ()
    """Where in the text the evidence stands, in order."""
    why: tuple[str, ...] = ()
    """One sentence per label or finding: what, how sure, who says so; never the text."""

    @property
    def flagged(self) -> bool:
        """True when a person must look."""
        return self.action is not Action.NONE


def decide(assessment: Assessment, policy: Policy) -> Decision:
    """Decide about one message.

    A message is flagged when the score for "a mentor would want to see this" reaches the threshold, or when a
    recognizer found personal data with enough certainty. A flagged message shows every label above its own threshold,
    and the strongest one in any case, so that a flag always rests on a clause.
    """
    cuts = policy.thresholds(assessment.model)
    found = _personal_data(assessment, policy.personal_data)
    if assessment.score < cuts.any and not found:
        return Decision(Action.NONE)
    scores = {label: assessment.scores[label] for label in LABELS}
    if found:
        scores[Label.PERSONAL_DATA] = max(scores[Label.PERSONAL_DATA], *(finding.score for finding in found))
    shown = {label for label in LABELS if scores[label] >= cuts.labels[label]}
    if found:
        shown.add(Label.PERSONAL_DATA)
    if not shown:
        shown.add(max(LABELS, key=lambda label: scores[label]))
    labels = tuple(label for label in LABELS if label in shown)
    severity = max(policy.protocol.severity(label, scores[label]) for label in labels)
    evidence = [finding for finding in assessment.findings if finding.label in shown]
    return Decision(
        action=Action.URGENT if severity is Severity.URGENT else Action.FLAG,
        labels=labels,
        clauses=policy.protocol.clauses_for(labels),
        severity=severity,
        spans=_spans(evidence),
        why=_why(labels, scores, evidence, assessment.model),
    )


def _personal_data(assessment: Assessment, threshold: float) -> list[Finding]:
    return [
        finding
        for finding in assessment.findings
        if finding.label is Label.PERSONAL_DATA
        and finding.score >= threshold
        and finding.classifier.startswith(RECOGNIZERS)
        and finding.classifier != CONTEXTUAL
    ]


def _spans(evidence: list[Finding]) -> tuple[Span, ...]:
    spans = {span for finding in evidence for span in finding.spans}
    return tuple(sorted(spans, key=lambda span: (span.start, span.end, span.type)))


def _why(labels: tuple[Label, ...], scores: dict[Label, float], evidence: list[Finding], model: str) -> tuple[str, ...]:
    lines = [f"{label} {scores[label]:.2f} ({model or 'classifier'})" for label in labels]
    lines += [f"{finding.label}: {finding.why} ({finding.classifier})" for finding in evidence if finding.why]
    return tuple(dict.fromkeys(lines))
