"""Plausible flags, context and parked messages with invented Dutch texts; every field has a sensible default."""

import itertools
from collections.abc import Sequence

from pipeline.events import ChatMessage, ContextMessage, FailedMessage, Flag
from pipeline.privacy import Keyring

MONDAY = 1_789_999_200.0
"""Monday 21 September 2026, 16:00 in the Netherlands."""

_numbers = itertools.count(1)


def make_context(
    *,
    message_id: str | None = None,
    author: str = "noor",
    text: str = "wie heeft de samenvatting",
    sent_at: float = MONDAY,
) -> ContextMessage:
    """One message that stood before a flagged one."""
    return ContextMessage(message_id=message_id or f"c{next(_numbers)}", author=author, text=text, sent_at=sent_at)


def make_flag(
    keyring: Keyring,
    *,
    message_id: str | None = None,
    group: str = "klas-2b",
    author: str = "sem",
    text: str = "niemand wil jou hier, ga uit de app",
    sent_at: float = MONDAY,
    reply_to: str | None = None,
    before: Sequence[ContextMessage] = (),
    labels: tuple[str, ...] = ("pesten",),
    clauses: tuple[str, ...] = ("5.1.i",),
    severity: int = 2,
    scored_at: float | None = None,
) -> Flag:
    """A flag as the scoring agent sends it, scored two seconds after it was sent."""
    return Flag(
        message_id=message_id or f"m{next(_numbers)}",
        group=group,
        author=author,
        author_sealed=keyring.seal_identity(author.capitalize(), f"+31600000{len(author):03}"),
        text=text,
        sent_at=sent_at,
        received_at=sent_at + 1,
        scored_at=sent_at + 2 if scored_at is None else scored_at,
        reply_to=reply_to,
        before=tuple(before),
        score=0.93,
        labels=labels,
        scores=dict.fromkeys(labels, 0.91),
        clauses=clauses,
        severity=severity,
        spans=((0, len(text.split(maxsplit=1)[0]), "WORD"),),
        why=("toxicity.ngram",),
        model="test-1",
    )


def make_failed(
    keyring: Keyring,
    *,
    message_id: str | None = None,
    group: str = "klas-2b",
    text: str | None = "dit kon niet gelezen worden",
    reason: str = "scoring_error",
    failed_at: float = MONDAY,
) -> FailedMessage:
    """A message that could not be judged; `text=None` is one that could not even be read."""
    message_id = message_id or f"p{next(_numbers)}"
    message = None
    if text is not None:
        message = ChatMessage(
            message_id=message_id,
            group=group,
            author="sem",
            author_sealed=keyring.seal_identity("Sem", "+31600000001"),
            text=text,
            sent_at=failed_at - 5,
            received_at=failed_at - 4,
        )
    return FailedMessage(
        message_id=message_id, group=group, reason=reason, attempts=3, failed_at=failed_at, message=message
    )
