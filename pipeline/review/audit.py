"""Who did what, when: reads the append-only trails that the scripts write.

A case's own trail holds the reasons, sealed, and goes with the case; the global trail holds none and stays a year.
Nothing here writes: an entry exists only as part of the act it tells of.
"""

import json
from typing import cast

from redis.asyncio import Redis

from pipeline.review.layout import key
from pipeline.review.reading import Hash
from pipeline.review.records import AuditAction, AuditEntry, Outcome
from pipeline.review.sealing import Sealing

Stream = list[tuple[bytes, Hash]]


async def case_trail(redis: Redis, sealing: Sealing, case_id: str) -> list[AuditEntry]:
    """Read a case's trail, oldest first, reasons opened."""
    found = cast("Stream", await redis.xrange(key("case", case_id, "audit")))
    return [_entry(fields, sealing) for _, fields in found]


async def global_trail(redis: Redis, limit: int) -> list[AuditEntry]:
    """Read the last acts over all cases, newest first."""
    found = cast("Stream", await redis.xrevrange(key("audit"), count=limit))
    return [_entry(fields, None) for _, fields in found]


async def trim_global_trail(redis: Redis, before: float) -> None:
    """Remove entries written before a time; their own ids bear the server's time."""
    await redis.xtrim(key("audit"), minid=f"{max(0, int(before * 1000))}-0", approximate=False)


def _entry(fields: Hash, sealing: Sealing | None) -> AuditEntry:
    case_id = fields[b"case"].decode()
    reason = fields.get(b"reason", b"")
    detail = sealing.open_reason(case_id, reason) if sealing and reason else fields[b"note"].decode()
    return AuditEntry(
        at=float(fields[b"at"]),
        actor=fields[b"actor"].decode(),
        action=AuditAction(fields[b"action"].decode()),
        case_id=case_id or None,
        message_ids=tuple(json.loads(fields[b"messages"])),
        outcome=Outcome(fields[b"outcome"].decode()) if fields[b"outcome"] else None,
        detail=detail,
    )
