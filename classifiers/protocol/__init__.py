"""From findings to a decision: `clauses_nl.toml` the agreement, `policy.py` the cuts, `decide.py` the rule."""

from classifiers.protocol.clauses import Clause, Protocol, Severity, load_clauses
from classifiers.protocol.decide import Action, Decision, decide
from classifiers.protocol.policy import OPERATING_POINTS, Policy, Thresholds, load_policy

__all__ = [
    "OPERATING_POINTS",
    "Action",
    "Clause",
    "Decision",
    "Policy",
    "Protocol",
    "Severity",
    "Thresholds",
    "decide",
    "load_clauses",
    "load_policy",
]
