"""The records that travel between processes: frozen, versioned, and never logged.

`IncomingMessage` carries real names and numbers and lives in memory only; everything after intake is pseudonymous.
"""

import msgspec


class IncomingMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message as a connector received it, with the platform's own ids. Never stored, never published."""

    platform: str
    """Connector name: `whatsapp_export`, `replay`, ..."""
    platform_group: str
    """The platform's id of the group."""
    platform_message: str
    """The platform's id of the message; repeats are recognized by it."""
    author_id: str
    """The platform's id of the author (number, user id)."""
    author_name: str = ""
    role: str = "pupil"
    """`pupil`, `teacher` or `parent` where the connector knows it."""
    text: str
    sent_at: float
    """Unix time in seconds."""
    reply_to: str | None = None
    """Platform id of the message this one answers."""


class ChatMessage(msgspec.Struct, frozen=True, kw_only=True):
    """An accepted message on topic `messages`."""

    version: int = 1
    message_id: str
    """Keyed pseudonym of platform and platform message id."""
    group: str
    """The group's id in the ledger (random, says nothing)."""
    author: str
    """Keyed pseudonym of the author."""
    author_sealed: bytes
    """Name and number under the identity key; opened only on a mentor's reasoned request."""
    role: str = "pupil"
    text: str
    sent_at: float
    received_at: float
    reply_to: str | None = None
    """`message_id` of the message answered."""


class ContextMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the window before another."""

    message_id: str
    author: str
    role: str = "pupil"
    text: str
    sent_at: float


class Flag(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that waits for a person, on topic `flags`."""

    version: int = 1
    message_id: str
    group: str
    author: str
    author_sealed: bytes
    role: str = "pupil"
    text: str
    sent_at: float
    received_at: float
    scored_at: float
    reply_to: str | None = None
    before: tuple[ContextMessage, ...] = ()
    """The few messages before it, oldest first."""
    score: float
    labels: tuple[str, ...]
    scores: dict[str, float]
    clauses: tuple[str, ...]
    severity: int
    """1 low, 2 medium, 3 high, 4 urgent (classifiers.protocol.Severity)."""
    spans: tuple[tuple[int, int, str], ...] = ()
    why: tuple[str, ...] = ()
    model: str = ""


class FailedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that could not be judged, on topic `failed`; shown as *niet beoordeeld*."""

    version: int = 1
    message_id: str
    group: str
    reason: str
    """A stable code: `scoring_error`, `undecodable`, `too_long`, ..."""
    attempts: int
    failed_at: float
    message: ChatMessage | None = None
    """The message itself where it could be read, so that a person can still look."""
