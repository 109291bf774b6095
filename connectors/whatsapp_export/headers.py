"""Recognizes where a line begins a message or an event, in the one form that this file has.

A phone writes all of an export in one form. Another form inside a message is text that a pupil pasted, not a message.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

SCHOOL_TIME = ZoneInfo("Europe/Amsterdam")
"""An export tells no zone; the phones are the pupils'."""
FIRST_YEAR = 2009
"""WhatsApp's first; an earlier date is not a header."""
LAST_YEAR = 2099

_DATE = r"(?P<a>[0-9]{1,4})(?P<separator>[-/.])(?P<b>[0-9]{1,2})(?P=separator)(?P<c>[0-9]{1,4}),?"
_TIME = (
    r"(?P<hour>[0-9]{1,2})(?P<colon>[:.])(?P<minute>[0-9]{2})(?:(?P=colon)(?P<second>[0-9]{2}))?"
    r"(?:[ \u00a0\u202f]?(?P<half>[AaPp])\.?[ \u00a0\u202f]?[Mm]\.?)?"
)
_ANDROID = re.compile(rf"[\u200e\ufeff]?{_DATE}[ \u00a0\u202f]{_TIME} [-–] ")
_IOS = re.compile(rf"[\u200e\ufeff]?\[{_DATE}[ \u00a0\u202f]{_TIME}\] ")
_QUICK = re.compile(r"[\u200e\ufeff]?\[?[0-9]")


class Style(StrEnum):
    """Which phone wrote the export."""

    ANDROID = "android"
    IOS = "ios"


class Form(NamedTuple):
    """What stays the same in every header of one export; a comma after the date does not."""

    style: Style
    separator: str
    """Between the parts of the date."""
    seconds: bool
    twelve_hours: bool
    year_first: bool
    year_digits: int


class DateOrder(StrEnum):
    """How the three parts of a date follow each other."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"
    YEAR_FIRST = "year-first"


@dataclass(frozen=True, slots=True)
class Header:
    """The beginning of a line: date and time, still without knowing which part is the day."""

    form: Form
    first: int
    second: int
    """The two parts that are not the year, in the order they stand in."""
    year: int
    hour: int
    """0..23."""
    minute: int
    second_of_minute: int
    length: int
    """Characters of the line before the name or the event."""

    def moment(self, order: DateOrder) -> datetime | None:
        """The time on the phone's clock, None where that is no date in this order."""
        day, month = (self.first, self.second) if order is DateOrder.DAY_FIRST else (self.second, self.first)
        try:
            # Deliberately without zone: the export has none; `to_unix` adds the school's.
            return datetime(self.year, month, day, self.hour, self.minute, self.second_of_minute)  # noqa: DTZ001
        except ValueError:
            return None


def read_header(line: str) -> Header | None:
    """Recognize the header of a line in any form, None where it has none."""
    if not _QUICK.match(line):
        return None
    style = Style.ANDROID
    match = _ANDROID.match(line)
    if match is None:
        style = Style.IOS
        # A line that lost its trailing space is still the header of an empty message.
        match = _IOS.match(line) or _IOS.match(line + " ")
    if match is None:
        return None
    a, b, c = match["a"], match["b"], match["c"]
    year_first = len(a) == 4
    year, first, second = (a, b, c) if year_first else (c, a, b)
    if len(year) not in (2, 4) or len(first) > 2 or len(second) > 2:
        return None
    full_year = int(year) + 2000 * (len(year) == 2)
    hour = int(match["hour"])
    half = match["half"]
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (half in "Pp")
    minute, second_of_minute = int(match["minute"]), int(match["second"] or 0)
    if not (FIRST_YEAR <= full_year <= LAST_YEAR and hour < 24 and minute < 60 and second_of_minute < 60):
        return None
    form = Form(style, match["separator"], bool(match["second"]), bool(half), year_first, len(year))
    length = min(match.end(), len(line))
    return Header(form, int(first), int(second), full_year, hour, minute, second_of_minute, length)


def to_unix(moment: datetime, previous: float | None) -> float:
    """Turn a phone's clock into Unix time.

    Args:
        moment: Without zone, as the export gives it.
        previous: Unix time of the line before, by which the hour that comes twice in October is told apart.

    Returns:
        Seconds since 1970.
    """
    early = moment.replace(tzinfo=SCHOOL_TIME).timestamp()
    late = moment.replace(tzinfo=SCHOOL_TIME, fold=1).timestamp()
    twice = late > early
    return late if twice and previous is not None and early < previous <= late + timedelta(hours=1).seconds else early
