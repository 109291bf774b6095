"""The names of the review store's keys and the order of its queue; `lua/` builds the same names from the same prefix.

| key (after the prefix) | holds |
|---|---|
| `flag:<message>` | hash: case, day, sealed body; once judged: outcome, mentor, decided_at, sealed reason, revisions |
| `case:<case>` | hash: the case's summary, all in clear and none of it text |
| `case:<case>:members` | hash: message id to its facts (`cases.FlagFacts`) |
| `case:<case>:outcomes` | hash: message id to outcome |
| `case:<case>:ties` | set: what a new flag may be tied by (flagged, context and answered ids, author and target tags) |
| `case:<case>:audit`, `audit` | streams: the case's trail with sealed reasons, the global trail without |
| `queue`, `queue:<group>` | sorted sets of open cases by `queue_score` |
| `cases:<group>` | sorted set of a group's cases, open and closed, by the last message's time |
| `opened`, `closed`, `closed:<group>` | sorted sets of cases by the time of arrival and of closing |
| `parked-item:<message>` | hash: reason, attempts, sealed body; kept without body after dismissal |
| `parked`, `parked:<group>` | sorted sets of the *niet beoordeeld* list by time of failure |
| `parked-all`, `parked-all:<group>`, `parked-done` | the same with the dismissed ones, and these alone, for retention |
| `day:<date>` | hash: counts of flags, per group, per label, per outcome, of flags raised that day |
| `erased:<group>` | mark of an erased group, kept as long as a flag of it can still arrive |
| `revision`, `changes` | number of the queue's last change; channel that announces it |
"""

from datetime import date, datetime

from pipeline.groups import SCHOOL_ZONE
from pipeline.scripts import PREFIX as PIPELINE_PREFIX

PREFIX = f"{PIPELINE_PREFIX}:review:"

_SEVERITY_STEP = 1e11
"""More than any Unix time, so that severity comes first; small enough that microseconds survive in a double."""
_HIGHEST = 4


def key(*parts: str) -> str:
    """Name of a key, e.g. `key("queue", group)`."""
    return PREFIX + ":".join(parts)


def queue_score(severity: int, waiting_since: float) -> float:
    """Place in the queue: ascending is the most severe first and of these the longest waiting first."""
    return (_HIGHEST - severity) * _SEVERITY_STEP + waiting_since


def waiting_since(score: float) -> float:
    """Unix time back from a place in the queue."""
    return score % _SEVERITY_STEP


def overdue_ranges(before: float) -> list[tuple[float, float]]:
    """Ranges of queue scores, one per severity, of cases that wait since before a time."""
    return [(queue_score(severity, 0.0), queue_score(severity, before)) for severity in range(_HIGHEST, -1, -1)]


def school_day(at: float) -> date:
    """Calendar day in the Netherlands."""
    return datetime.fromtimestamp(at, SCHOOL_ZONE).date()
