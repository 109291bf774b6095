"""Stored hashes back to records: cases, their messages in order with the same author under the same number."""

import json
from collections.abc import Mapping, Sequence

from pipeline.events import Flag
from pipeline.review.records import Case, CaseMessage, CaseSummary, ContextLine, Outcome, ParkedMessage, Review
from pipeline.review.sealing import Sealing

Hash = Mapping[bytes, bytes]


def summary_of(case_id: str, stored: Hash, now: float) -> CaseSummary:
    """Read a case's summary; a claim that ended is left out."""
    claimed_until = _optional_time(stored, b"claimed_until")
    claimed = claimed_until is not None and claimed_until > now
    return CaseSummary(
        case_id=case_id,
        group=stored[b"group"].decode(),
        severity=int(stored[b"severity"]),
        raised_by=tuple(stored[b"raised"].decode().split()),
        labels=_most_frequent_first(stored[b"labels"]),
        clauses=_most_frequent_first(stored[b"clauses"]),
        messages=int(stored[b"messages"]),
        undecided=int(stored[b"undecided"]),
        authors=int(stored[b"authors"]),
        first_at=float(stored[b"first_at"]),
        last_at=float(stored[b"last_at"]),
        waiting_since=float(stored[b"waiting_since"]),
        closed_at=_optional_time(stored, b"closed_at"),
        claimed_by=stored[b"claimed_by"].decode() if claimed else None,
        claimed_until=claimed_until if claimed else None,
        follows=stored[b"follows"].decode() if b"follows" in stored else None,
    )


def case_of(summary: CaseSummary, stored: Mapping[str, Hash], sealing: Sealing) -> Case:
    """Open a case's messages.

    Args:
        summary: The case's summary.
        stored: Message id to the flag's hash.
        sealing: Opens them.

    Raises:
        StoredRecordError: One of them does not open.
    """
    flags = [sealing.open_flag(message_id, fields[b"body"]) for message_id, fields in stored.items()]
    flags.sort(key=lambda flag: (flag.sent_at, flag.message_id))
    speakers = _speakers(flags)
    messages = []
    for flag in flags:
        review = _review_of(summary.case_id, stored[flag.message_id], sealing)
        messages.append(
            CaseMessage(
                message_id=flag.message_id,
                speaker=speakers[flag.author],
                author=flag.author,
                role=flag.role,
                text=flag.text,
                sent_at=flag.sent_at,
                received_at=flag.received_at,
                scored_at=flag.scored_at,
                reply_to=flag.reply_to,
                before=tuple(
                    ContextLine(line.message_id, speakers[line.author], line.role, line.text, line.sent_at)
                    for line in flag.before
                ),
                labels=flag.labels,
                clauses=flag.clauses,
                severity=flag.severity,
                spans=flag.spans,
                why=flag.why,
                model=flag.model,
                review=review,
                score=flag.score if review else None,
                scores=dict(flag.scores) if review else {},
            )
        )
    return Case(summary, tuple(messages))


def parked_of(message_id: str, stored: Hash, sealing: Sealing) -> ParkedMessage:
    """Read a message of the *niet beoordeeld* list."""
    body = stored[b"body"]
    message = sealing.open_parked(message_id, body) if body else None
    return ParkedMessage(
        message_id=message_id,
        group=stored[b"group"].decode(),
        reason=stored[b"reason"].decode(),
        attempts=int(stored[b"attempts"]),
        failed_at=float(stored[b"failed_at"]),
        text=message.text if message else None,
        role=message.role if message else None,
        sent_at=message.sent_at if message else None,
    )


def _review_of(case_id: str, stored: Hash, sealing: Sealing) -> Review | None:
    if b"outcome" not in stored:
        return None
    return Review(
        outcome=Outcome(stored[b"outcome"].decode()),
        reason=sealing.open_reason(case_id, stored[b"reason"]),
        mentor=stored[b"mentor"].decode(),
        decided_at=float(stored[b"decided_at"]),
        revisions=int(stored.get(b"revisions", b"0")),
    )


def _speakers(flags: Sequence[Flag]) -> dict[str, int]:
    """Number the authors in the order in which they first speak, those of the context too."""
    said = [(line.sent_at, line.message_id, line.author) for flag in flags for line in flag.before]
    said += [(flag.sent_at, flag.message_id, flag.author) for flag in flags]
    numbers: dict[str, int] = {}
    for _, _, author in sorted(said):
        numbers.setdefault(author, len(numbers))
    return numbers


def _most_frequent_first(counts: bytes) -> tuple[str, ...]:
    found: dict[str, int] = json.loads(counts)
    return tuple(sorted(found, key=lambda name: (-found[name], name)))


def _optional_time(stored: Hash, name: bytes) -> float | None:
    return float(stored[name]) if name in stored else None
