"""The names of the topics, what their keys are and how long each keeps text."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """One topic as every broker must hold it."""

    name: str
    retention_seconds: float
    """Records older than this are removed even when nobody consumed them."""


MESSAGES = TopicSpec("messages", 24 * 3600.0)
"""Accepted messages, keyed by group so that a group keeps its order; payload sealed with the group's own key."""
FLAGS = TopicSpec("flags", 14 * 24 * 3600.0)
"""Decisions that wait for a person, keyed by group."""
FAILED = TopicSpec("failed", 14 * 24 * 3600.0)
"""What could not be scored, keyed by group; shown to people as *niet beoordeeld*."""

TOPICS = (MESSAGES, FLAGS, FAILED)
PARTITIONS = 4
