"""The review store: every flag from its arrival to a mentor's decision, on Redis or Valkey (one server, no cluster).

Each change is one Lua script, so that a process killed anywhere leaves either all of it or nothing, and a repeated
delivery changes nothing. Texts, contexts, reasons and scores are sealed under the text key before they leave this
process; in clear stands only what sorting and joining need: times, severities, labels, group ids and tags.
"""

import time
from collections.abc import AsyncIterator, Callable, Sequence

from redis.asyncio import Redis

from pipeline.events import FailedMessage, Flag
from pipeline.review.cases import CaseRules
from pipeline.review.records import (
    AuditEntry,
    Case,
    CaseSummary,
    ErasureReceipt,
    Outcome,
    ParkedMessage,
    QueueCounts,
    Statistics,
)

CLAIM_SECONDS = 15 * 60.0
"""How long a claim holds without a sign of life from its mentor."""
REASON_LENGTH = 2_000
"""Longest reason, in characters."""


class ReviewStore:
    """Cases, claims, decisions, audit and figures.

    Every method a person stands behind takes `allowed_groups`: the ids of the groups this person may see (None: all
    groups, for the worker, metrics and a mentor whom no group shuts out). A case of any other group is absent: not
    listed, not counted, `CaseNotFoundError`.

    Args:
        redis: Client with bytes as answers (`decode_responses=False`).
        keyring: The text key and the identity key.
        rules: How flags join cases; the shipped cases.toml when left out.
        overdue_hours: A case that waits longer counts as overdue (`Settings.overdue_hours`).
        clock: Gives the time; replaced in tests.
    """

    def __init__(
        self,
        redis: Redis,
        keyring: "Keyring",
        *,
        rules: CaseRules | None = None,
        overdue_hours: float = 24.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        raise NotImplementedError

    # what the worker does

    async def add_flag(self, flag: Flag) -> bool:
        """Put a flag into the case it belongs to, or a new one.

        Returns:
            True when it is new; False when this message was flagged before or its group was erased.
        """

    async def add_flags(self, flags: Sequence[Flag]) -> list[bool]:
        """`add_flag` for a batch in one round trip, in order; each flag is atomic by itself."""

    async def park(self, failed: FailedMessage) -> bool:
        """Put a message that could not be judged on the *niet beoordeeld* list.

        Returns:
            True when it is new; False when it is or was there, or its group was erased.
        """

    # what a mentor sees

    async def queue(self, allowed_groups: frozenset[str] | None, *, limit: int = 50) -> list[CaseSummary]:
        """Open cases, the most severe first and of these the longest waiting first."""

    async def closed(self, allowed_groups: frozenset[str] | None, *, limit: int = 50) -> list[CaseSummary]:
        """Closed cases, the last closed first, until the retention removes them."""

    async def counts(self, allowed_groups: frozenset[str] | None = None) -> QueueCounts:
        """How full the queue is."""

    async def case(self, case_id: str, allowed_groups: frozenset[str] | None) -> Case | None:
        """A case with its messages opened; None when it is absent or not allowed."""

    async def parked(self, allowed_groups: frozenset[str] | None, *, limit: int = 50) -> list[ParkedMessage]:
        """Messages that could not be judged, the oldest failure first."""

    async def audit(self, case_id: str, allowed_groups: frozenset[str] | None) -> list[AuditEntry]:
        """Everything that happened to a case, oldest first, with reasons; empty when absent or not allowed."""

    async def audit_trail(self, *, limit: int = 100) -> list[AuditEntry]:
        """The last acts over all cases, newest first, without reasons (for the privacy officer)."""

    def changes(self) -> AsyncIterator[int]:
        """The queue's revision now, and again whenever it changes; survives a lost connection.

        Revisions only grow; some may be skipped when changes come fast. A claim that merely ends gives none.
        Close the iterator (`aclose`) when the page goes.
        """

    async def revision(self) -> int:
        """The queue's revision now."""

    # what a mentor does

    async def claim(self, case_id: str, mentor: str, allowed_groups: frozenset[str] | None) -> float:
        """Take an open or closed case for `CLAIM_SECONDS`; the same mentor's claim is prolonged.

        Returns:
            When the claim ends.

        Raises:
            CaseNotFoundError: Absent or not allowed.
            ClaimedByOtherError: Another mentor's claim runs.
        """

    async def release(self, case_id: str, mentor: str, allowed_groups: frozenset[str] | None) -> None:
        """Give a claim back; nothing happens when this mentor holds none.

        Raises:
            CaseNotFoundError: Absent or not allowed.
        """

    async def decide(
        self,
        case_id: str,
        message_ids: Sequence[str],
        mentor: str,
        outcome: Outcome,
        reason: str,
        allowed_groups: frozenset[str] | None,
    ) -> None:
        """Give messages of a case their outcome, all or none; the case closes with its last one.

        A claim that ended is taken again, unless another mentor took it.

        Raises:
            ReasonError: The reason is empty or longer than `REASON_LENGTH`.
            CaseNotFoundError: Absent or not allowed.
            ClaimedByOtherError: Another mentor's claim runs.
            CaseClosedError: Every message has its outcome already.
            MessageNotFoundError: No messages given, or one is not in this case.
            AlreadyDecidedError: One has its outcome already.
        """

    async def revise(
        self,
        case_id: str,
        message_ids: Sequence[str],
        mentor: str,
        outcome: Outcome,
        reason: str,
        allowed_groups: frozenset[str] | None,
    ) -> None:
        """Replace the outcome of decided messages, with a new reason; the audit trail keeps the earlier one.

        Raises:
            NotDecidedError: One of them has no outcome yet.
            Others: As `decide`, but a closed case is fine and stays closed.
        """

    async def reveal_author(
        self, case_id: str, message_id: str, mentor: str, reason: str, allowed_groups: frozenset[str] | None
    ) -> "Identity":
        """Open the author's real name and number; the audit trail has it before it is opened.

        Raises:
            ReasonError: The reason is empty or longer than `REASON_LENGTH`.
            CaseNotFoundError: Absent or not allowed.
            NotClaimedError: This mentor holds no running claim on the case.
            MessageNotFoundError: It is not in this case.
        """

    async def dismiss_parked(
        self, message_id: str, mentor: str, reason: str, allowed_groups: frozenset[str] | None
    ) -> None:
        """Take a message off the *niet beoordeeld* list; its text is erased, that it was there is kept.

        Raises:
            ReasonError: The reason is empty or longer than `REASON_LENGTH`.
            MessageNotFoundError: It is not on the list, or not allowed.
        """

    # management and retention

    async def statistics(self, days: int) -> Statistics:
        """Figures of the last days, today included, with small counts hidden.

        Args:
            days: Rounded up to the next of `statistics.PERIODS`: freely chosen periods would give a single day's
                figure away by subtraction.
        """

    async def erase_group(self, group: str) -> ErasureReceipt:
        """Remove everything of a group: cases, flags, parked messages, their audit. What still arrives is refused."""

    async def expire(self, now: float, review_days: float) -> ErasureReceipt:
        """Remove closed cases and dismissed parked messages `review_days` after their end, all others after a year."""
