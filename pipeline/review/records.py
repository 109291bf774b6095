"""What the review store gives its callers: cases, their messages, outcomes, the audit trail and figures.

Everything is frozen and already opened (no sealed bytes but the author's identity, which only `reveal_author` opens).
Times are Unix seconds; a person's name appears only as the user name of the mentor or manager who acted.
"""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

Count = int | None
"""A count as management may see it; None is "fewer than 5", or hidden because it would give another one away."""


class Outcome(StrEnum):
    """What a mentor decided about one message; on screen *gegrond*, *ongegrond*, *doorgezet*."""

    UPHELD = "upheld"
    """The message breaks the protocol."""
    DISMISSED = "dismissed"
    """It does not; the flag was a false alarm."""
    ESCALATED = "escalated"
    """It goes on to the school's safety officer or the board."""


class AuditAction(StrEnum):
    """Everything the audit trail can say."""

    OPENED = "opened"
    """A flag opened the case (actor `vangnet`)."""
    JOINED = "joined"
    """A flag joined the case (actor `vangnet`; detail: the joining rule)."""
    CLAIMED = "claimed"
    RELEASED = "released"
    DECIDED = "decided"
    REVISED = "revised"
    CLOSED = "closed"
    """The last open message got its outcome."""
    SHOWN = "shown"
    """A message was opened as typed, with the personal data that the page hides."""
    REVEALED = "revealed"
    """An author's real name and number were opened."""
    PARKED_DISMISSED = "parked_dismissed"
    """A mentor put a message that could not be judged aside."""
    GROUP_ERASED = "group_erased"
    EXPIRED = "expired"
    """Retention removed the case."""


@dataclass(frozen=True, slots=True)
class CaseSummary:
    """One line of the queue: everything about a case but its texts."""

    case_id: str
    """Random, says nothing; fit for a URL."""
    group: str
    """The group's id in the ledger."""
    severity: int
    """1 low, 2 medium, 3 high, 4 urgent: the highest of its messages, raised by pile-on or repetition."""
    raised_by: tuple[str, ...]
    """Names of the rules (cases.toml) that raised the severity above that of the messages."""
    labels: tuple[str, ...]
    """Labels of all its messages, most frequent first."""
    clauses: tuple[str, ...]
    """Clause ids of all its messages, most frequent first."""
    messages: int
    """Flagged messages in the case."""
    undecided: int
    """How many of them still wait for an outcome."""
    authors: int
    """How many different authors wrote them."""
    first_at: float
    """When the first of the messages was sent."""
    last_at: float
    """When the last of them was sent."""
    waiting_since: float
    """When the longest waiting undecided message reached the queue (the last decided one, in a closed case)."""
    closed_at: float | None = None
    """When the last message got its outcome; None while open."""
    claimed_by: str | None = None
    """User name of the mentor who is judging it now; None when nobody is or the claim ended."""
    claimed_until: float | None = None
    follows: str | None = None
    """An already closed case of the same trouble, if there is one."""

    @property
    def open(self) -> bool:
        """True while a message waits for its outcome."""
        return self.closed_at is None


@dataclass(frozen=True, slots=True)
class Review:
    """One mentor's judgement of one message, the latest one."""

    outcome: Outcome
    reason: str
    mentor: str
    """User name."""
    decided_at: float
    revisions: int = 0
    """How often it was revised; the audit trail holds each earlier one."""


@dataclass(frozen=True, slots=True)
class ContextLine:
    """A message that stood before a flagged one and is kept with it."""

    message_id: str
    speaker: int
    """0, 1, 2 ... within this case: the same number is the same author. Show as a letter."""
    role: str
    text: str
    sent_at: float


@dataclass(frozen=True, slots=True)
class CaseMessage:
    """One flagged message of a case."""

    message_id: str
    speaker: int
    """0, 1, 2 ... within this case: the same number is the same author. Show as a letter."""
    author: str
    """Keyed pseudonym."""
    role: str
    """`pupil`, `teacher` or `parent`."""
    text: str
    sent_at: float
    received_at: float
    scored_at: float
    """When the flag was raised."""
    reply_to: str | None
    """`message_id` of the message it answers."""
    before: tuple[ContextLine, ...]
    """The few messages before it, oldest first."""
    labels: tuple[str, ...]
    clauses: tuple[str, ...]
    severity: int
    """Of this message alone, 1..4."""
    spans: tuple[tuple[int, int, str], ...]
    """`(start, end, type)` in code points of `text`, end exclusive."""
    why: tuple[str, ...]
    model: str
    review: Review | None = None
    """The latest judgement; None while it waits."""
    score: float | None = None
    """The model's probability; None until the first judgement, so that the number cannot lead it."""
    scores: dict[str, float] = field(default_factory=dict)
    """Per label; empty until the first judgement."""


@dataclass(frozen=True, slots=True)
class ConversationLine:
    """One line of the whole conversation of a case: a flagged message or one of the few around it."""

    message_id: str
    speaker: int
    role: str
    text: str
    sent_at: float
    flagged: CaseMessage | None = None
    """The flagged message, None for a line that is only context."""


@dataclass(frozen=True, slots=True)
class Case:
    """A case opened: its summary, its flagged messages in order and what stood around them."""

    summary: CaseSummary
    messages: tuple[CaseMessage, ...]
    """By the time they were sent, oldest first."""

    def conversation(self) -> tuple[ConversationLine, ...]:
        """Every message of the case once, flagged and context together, oldest first."""
        lines: dict[str, ConversationLine] = {}
        for message in self.messages:
            for line in message.before:
                lines.setdefault(
                    line.message_id,
                    ConversationLine(line.message_id, line.speaker, line.role, line.text, line.sent_at),
                )
        for message in self.messages:
            lines[message.message_id] = ConversationLine(
                message.message_id, message.speaker, message.role, message.text, message.sent_at, message
            )
        return tuple(sorted(lines.values(), key=lambda line: (line.sent_at, line.message_id)))


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what, when. Never a message's text."""

    at: float
    actor: str
    """User name, or `vangnet` for what the system did."""
    action: AuditAction
    case_id: str | None
    """None for acts outside a case (a parked message, an erased group)."""
    message_ids: tuple[str, ...] = ()
    outcome: Outcome | None = None
    """For DECIDED and REVISED."""
    detail: str = ""
    """The person's reason, or the rule or count behind a system's act; always empty in the global trail."""


@dataclass(frozen=True, slots=True)
class ParkedMessage:
    """A message that could not be judged: *niet beoordeeld*."""

    message_id: str
    group: str
    reason: str
    """A stable code: `scoring_error`, `undecodable`, `too_long`, ..."""
    attempts: int
    failed_at: float
    text: str | None = None
    """None when it could not even be read."""
    role: str | None = None
    sent_at: float | None = None


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """How full the queue is, in cases; exact, for mentors and metrics (not for management)."""

    open: int
    overdue: int
    """Open cases that wait longer than the school set (`overdue_hours`)."""
    oldest_seconds: float
    """How long the longest waiting open case has waited; 0 when none is open."""
    parked: int
    """Messages in the *niet beoordeeld* list."""


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One calendar day in the Netherlands."""

    day: date
    messages: Count
    """Messages read in opted-in groups."""
    flags: Count


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """One group over the whole period."""

    group: str
    messages: Count
    flags: Count


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """One label over the whole period; a message with two labels counts in both."""

    label: str
    flags: Count
    upheld: Count
    dismissed: Count
    escalated: Count
    undecided: Count


@dataclass(frozen=True, slots=True)
class OutcomeFigures:
    """What became of all flags raised in the period."""

    upheld: Count
    dismissed: Count
    escalated: Count
    undecided: Count


@dataclass(frozen=True, slots=True)
class Statistics:
    """Figures for management: no names, no small counts."""

    since: date
    until: date
    """Both days included."""
    messages: Count
    flags: Count
    by_day: tuple[DayFigures, ...]
    """Every day of the period, oldest first."""
    by_group: tuple[GroupFigures, ...]
    """By group id."""
    by_label: tuple[LabelFigures, ...]
    """Every label, in the order of `LABELS`."""
    outcomes: OutcomeFigures
    open: Count
    """Open cases now."""
    overdue: Count
    """Open cases that wait too long, now."""
    parked: Count
    """Messages not judged, now."""


@dataclass(frozen=True, slots=True)
class ErasureReceipt:
    """What an erasure or the retention removed; kept as proof, names nobody."""

    at: float
    group: str | None
    """None when the retention ran over all groups."""
    cases: int
    flags: int
    parked: int
