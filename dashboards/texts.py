"""Every Dutch sentence of the pages lives in `texts_nl.toml`; this module hands them out and says times in words.

A missing text is an error, not an empty place on the page; a test compares the file with every template and module.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from dashboards.errors import TextMissingError

SCHOOL_TIME = ZoneInfo("Europe/Amsterdam")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts by dotted name; call it to get one: `texts("queue.title")`."""

    by_name: Mapping[str, str]

    def __call__(self, name: str, /, **values: object) -> str:
        """One text with its `{places}` filled in.

        Raises:
            TextMissingError: There is no such text, or a place has no value.
        """
        try:
            return self.by_name[name].format(**values)
        except KeyError as error:
            msg = f"The text {name} is missing, or its place {error}; add it to dashboards/texts_nl.toml."
            raise TextMissingError(msg) from None

    def number(self, name: str, count: int) -> str:
        """A text for one or for several: `<name>.one` or `<name>.many`, with `{n}`."""
        return self(f"{name}.{'one' if count == 1 else 'many'}", n=whole(count))

    def known(self, name: str, value: str) -> str:
        """The text of a stored value (`<name>.<value>`), or the value itself when a newer part of Vangnet made it."""
        return self.by_name.get(f"{name}.{value}", value)

    def age(self, seconds: float) -> str:
        """How long something waits: *zojuist*, *12 minuten*, *3 uur*, *2 dagen*."""
        for size, name in ((_DAY, "age.days"), (_HOUR, "age.hours"), (_MINUTE, "age.minutes")):
            if seconds >= size:
                return self.number(name, int(seconds // size))
        return self("age.now")

    def moment(self, at: float) -> str:
        """A time in the Netherlands: *do 26 nov 14:05*."""
        local = datetime.fromtimestamp(at, SCHOOL_TIME)
        return f"{self.day(local.date())} {local:%H:%M}"

    def clock(self, at: float) -> str:
        """The time of day in the Netherlands: *14:05*."""
        return f"{datetime.fromtimestamp(at, SCHOOL_TIME):%H:%M}"

    def day(self, day: date) -> str:
        """A day: *do 26 nov*."""
        return f"{self(f'weekday.{day.isoweekday()}')} {day.day} {self(f'month.{day.month}')}"

    def full_day(self, at: float) -> str:
        """A day with its year, in the Netherlands: *31 jul 2027*."""
        local = datetime.fromtimestamp(at, SCHOOL_TIME)
        return f"{local.day} {self(f'month.{local.month}')} {local.year}"


def whole(count: int) -> str:
    """A count as the Dutch write it: 12.345."""
    return f"{count:,}".replace(",", ".")


def decimal(value: float, places: int = 2) -> str:
    """A number with a decimal comma: 0,91."""
    return f"{value:.{places}f}".replace(".", ",")


def load_texts() -> Texts:
    """Read the packaged texts."""
    with (files("dashboards") / "texts_nl.toml").open("rb") as file:
        return Texts(dict(_flat(tomllib.load(file))))


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
