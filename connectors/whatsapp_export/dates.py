"""Decides by evidence whether the day or the month stands first in a file's dates; never by a guess.

`5/2/22` is February on a Dutch phone and May on an American one, and a wrong order moves messages by months.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from connectors.errors import AmbiguousDatesError, ContradictedDatesError
from connectors.whatsapp_export.headers import SCHOOL_TIME, DateOrder, Header

_ANDROID_NAME = re.compile(r"(?:IMG|VID|AUD|PTT|DOC|STK|GIF)-(20[0-9]{2})([0-9]{2})([0-9]{2})-WA[0-9]{4}")
_IOS_NAME = re.compile(r"[0-9]{8}-[A-Z]+-(20[0-9]{2})-([0-9]{2})-([0-9]{2})-[0-9]{2}-[0-9]{2}-[0-9]{2}\.")
_BOTH = (DateOrder.DAY_FIRST, DateOrder.MONTH_FIRST)
_OVERRULED = 20
"""Proofs for one order that outweigh one for the other: a pupil may have pasted one foreign header."""


@dataclass(slots=True)
class DateEvidence:
    """What a file's headers, read in order, tell about the order of day and month."""

    headers: int = 0
    year_first: bool = False
    separator: str = ""
    told_apart: int = 0
    """Headers that give two different days in the two orders."""
    proofs: Counter[DateOrder] = field(default_factory=Counter)
    """Parts over 12 and dates in the names of attachments."""
    first_proof: dict[DateOrder, int] = field(default_factory=dict)
    """Line number."""
    against: Counter[DateOrder] = field(default_factory=Counter)
    """Times that time would run back, or lie in the future."""
    _last: dict[DateOrder, datetime] = field(default_factory=dict)

    def add(self, number: int, header: Header, rest: str, now: datetime) -> None:
        """Weigh one header.

        Args:
            number: Line number.
            header: The header.
            rest: What follows it on the line.
            now: The time on the school's clock, without zone.
        """
        self.headers += 1
        self.separator = header.form.separator
        if header.form.year_first:
            self.year_first = True
            return
        moments = {order: moment for order in _BOTH if (moment := header.moment(order)) is not None}
        if len(moments) == 1:
            self._prove(next(iter(moments)), number)
        elif header.first != header.second:
            self.told_apart += 1
            named = _ANDROID_NAME.search(rest[:200]) or _IOS_NAME.search(rest[-200:])
            if named:
                dated = tuple(int(part) for part in named.groups())
                fits = [order for order, at in moments.items() if (at.year, at.month, at.day) == dated]
                if len(fits) == 1:
                    self._prove(fits[0], number)
        for order, moment in moments.items():
            last = self._last.get(order)
            # An iPhone lists what was sent offline a little out of order; a day back is something else.
            if moment > now + timedelta(days=1) or (last is not None and moment < last - timedelta(days=1)):
                self.against[order] += 1
            self._last[order] = moment

    def _prove(self, order: DateOrder, number: int) -> None:
        self.proofs[order] += 1
        self.first_proof.setdefault(order, number)

    def decide(self, asked: DateOrder | None) -> DateOrder:
        """Choose the order.

        Args:
            asked: What the user says it is, None to decide by evidence.

        Raises:
            AmbiguousDatesError: Nothing proves it.
            ContradictedDatesError: The lines prove both orders, or another than was asked for.
        """
        if self.year_first:
            return DateOrder.YEAR_FIRST
        proven = self._proven()
        if asked is not None:
            other = DateOrder.MONTH_FIRST if asked is DateOrder.DAY_FIRST else DateOrder.DAY_FIRST
            if proven is other:
                raise ContradictedDatesError(
                    f"line {self.first_proof[other]} has a date that cannot be {asked}; leave out --{asked}"
                )
            return asked
        if proven is not None:
            return proven
        if self.proofs:
            lines = " and ".join(str(number) for number in sorted(self.first_proof.values()))
            raise ContradictedDatesError(
                f"the dates contradict each other (see lines {lines}); say --day-first or --month-first"
            )
        day, month = (self.against[order] for order in _BOTH)
        if day != month and max(day, month) >= 3 * min(day, month) + 1:
            return DateOrder.DAY_FIRST if day < month else DateOrder.MONTH_FIRST
        # Only phones that write the day first put hyphens or points in a date, as Dutch ones do; and where both parts
        # are the same number there is nothing to choose.
        if self.separator in "-." or not self.told_apart:
            return DateOrder.DAY_FIRST
        raise AmbiguousDatesError(
            f"none of the {self.headers} dates shows whether the day or the month stands first; "
            "say --day-first (as Dutch phones write) or --month-first (as American phones write)"
        )

    def _proven(self) -> DateOrder | None:
        day, month = (self.proofs[order] for order in _BOTH)
        if day > _OVERRULED * month:
            return DateOrder.DAY_FIRST
        if month > _OVERRULED * day:
            return DateOrder.MONTH_FIRST
        return None


def school_now() -> datetime:
    """The time now on the school's clock, without zone, as an export writes it."""
    return datetime.now(UTC).astimezone(SCHOOL_TIME).replace(tzinfo=None)
