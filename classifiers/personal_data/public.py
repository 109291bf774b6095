"""Knows what is public or general: the school's own numbers and addresses, service numbers, shops, examples."""

import functools
import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from classifiers.personal_data.errors import PublicListError
from classifiers.personal_data.text import PreparedText
from classifiers.personal_data.words import load_words, word_set

_KEYS = ("phones", "phone_prefixes", "mailboxes", "domains", "addresses", "accounts", "handles", "handle_parts")
_NOT_DIGIT = re.compile(r"\D")
_NOT_WORD = re.compile(r"[^\w]")
_BESIDE = frozenset(("boven", "naast", "tegenover", "achter"))
"""Words that name a place only to tell which house is meant ("boven de kapper")."""
_WORD = re.compile(r"[^\W\d_]++(?:'[^\W\d_]++)?")
_WORDS_AHEAD = 10
_WORDS_BEHIND = 5
_PASSING = frozenset(
    ("school", "bank", "hal", "zaal", "kamp", "bios", "taxi", "kerk", "station", "mac", "action", "lidl", "jumbo")
)
"""Places that people pass or come from ("na school"): only right before the span do they own it."""
_PASSING_WORDS = 3
_FROM = frozenset(("na", "van", "uit", "naar", "vanaf", "voor", "langs", "tot"))
_CLAUSE = re.compile(r"[.!?\n;](?:\s|$)")
"""A word that makes a number or address beside a public place a person's own again."""


_TITLES = frozenset(("familie", "fam", "meneer", "mevrouw", "mevr", "mw", "dhr", "juf", "meester"))
"""Behind these "bakker" or "slager" is somebody's name."""


@dataclass(frozen=True)
class PublicData:
    """What may stand in a group without being anybody's personal data."""

    phones: frozenset[str]
    """National digits."""
    phone_prefixes: tuple[str, ...]
    mailboxes: frozenset[str]
    domains: tuple[str, ...]
    addresses: frozenset[str]
    """Streets with their number, and postcodes; lower case, letters and digits only."""
    accounts: frozenset[str]
    """IBANs; upper case, letters and digits only."""
    handles: frozenset[str]
    handle_parts: tuple[str, ...]
    places: frozenset[str]

    def phone(self, national: str) -> bool:
        """Tell whether a number in national digits is public."""
        return national in self.phones or (
            national.startswith(self.phone_prefixes) and not (national.startswith("14") and len(national) > 5)
        )

    def domain(self, name: str) -> bool:
        """Tell whether a host name belongs to a public domain."""
        lowered = name.lower().rstrip(".")
        return any(lowered == one or lowered.endswith("." + one) for one in self.domains)

    def address(self, text: str) -> bool:
        """Tell whether a street with its number, or a postcode, is a public one."""
        return _NOT_WORD.sub("", text.lower()) in self.addresses

    def account(self, text: str) -> bool:
        """Tell whether an IBAN is a public one."""
        return _NOT_WORD.sub("", text.upper()) in self.accounts

    def handle(self, name: str) -> bool:
        """Tell whether an account name belongs to everybody or to an organisation."""
        lowered = name.lower()
        imitated = lowered[-1:].isdigit()
        return lowered in self.handles or (not imitated and any(part in lowered for part in self.handle_parts))

    def beside(self, prepared: PreparedText, start: int, end: int, *, far: bool = False) -> str | None:
        """Find a public place that the words [start, end) belong to, within the same sentence.

        The nearest word decides, those before the span first: a place makes it public, a word of a person does not.

        Args:
            prepared: The message.
            start: First character of the number or address.
            end: One past its last character.
            far: Also count places that people pass, wherever they stand in the sentence.

        Returns:
            The place word, or None when there is none or when a word of a person stands nearer.
        """
        ahead = _CLAUSE.split(prepared.folded[max(0, start - 60) : start])[-1]
        behind = _CLAUSE.split(prepared.folded[end : end + 30])[0]
        before: list[str] = _WORD.findall(ahead)[: -_WORDS_AHEAD - 1 : -1]
        after: list[str] = _WORD.findall(behind)[:_WORDS_BEHIND]
        for distance, word in enumerate((*before, *after)):
            if word in word_set("public", "personal") or word in _BESIDE:
                return None
            passing = word in _PASSING and not far and (distance > _PASSING_WORDS or _came_from(before, distance))
            named = distance + 1 < len(before) and before[distance + 1] in _TITLES
            if self._is_place(word) and not passing and not named:
                return word
        return None

    def _is_place(self, word: str) -> bool:
        if word in self.places:
            return True
        return any(word[-length:] in self.places for length in range(5, min(len(word), 16)))


def _came_from(before: list[str], distance: int) -> bool:
    """Tell whether the word ahead of a place says that people come from it or go past it."""
    return distance + 1 < len(before) and before[distance + 1] in _FROM


def load_public(path: Path | None = None) -> PublicData:
    """Read what is public, from the shipped list and one of the school's own.

    Args:
        path: A TOML file of the same shape as the shipped `public.toml`; its entries come on top.

    Returns:
        The public data.

    Raises:
        PublicListError: The school's file cannot be read or holds something else than lists of texts.
    """
    shipped = files("classifiers.personal_data").joinpath("public.toml").read_text(encoding="utf-8")
    lists: dict[str, list[str]] = {key: list(values) for key, values in tomllib.loads(shipped).items()}
    if path is not None:
        for key, values in _read_own(path).items():
            lists[key] = lists.get(key, []) + values
    return PublicData(
        phones=frozenset(national_digits(one) for one in lists["phones"]),
        phone_prefixes=tuple(_NOT_DIGIT.sub("", one) for one in lists["phone_prefixes"]),
        mailboxes=frozenset(one.lower() for one in lists["mailboxes"]),
        domains=tuple(one.lower().lstrip("@.") for one in lists["domains"]),
        addresses=frozenset(_NOT_WORD.sub("", one.lower()) for one in lists["addresses"]),
        accounts=frozenset(_NOT_WORD.sub("", one.upper()) for one in lists["accounts"]),
        handles=frozenset(one.lower() for one in lists["handles"]),
        handle_parts=tuple(one.lower() for one in lists["handle_parts"]),
        places=load_words("places"),
    )


def _read_own(path: Path) -> dict[str, list[str]]:
    try:
        own = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PublicListError(f"{path}: cannot be read as TOML; compare it with personal_data/public.toml") from error
    for key, values in own.items():
        if key not in _KEYS:
            raise PublicListError(f"{path}: unknown list {key!r}; known are {', '.join(_KEYS)}")
        if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
            raise PublicListError(f"{path}: {key} must be a list of texts in quotes")
    return own


@functools.cache
def shipped_public() -> PublicData:
    """Give the shipped list, read once."""
    return load_public()


def national_digits(number: str) -> str:
    """Bring a Dutch or Belgian number to its national digits, so that one number has one form."""
    digits = _NOT_DIGIT.sub("", number)
    for country in ("0031", "0032", "31", "32"):
        if digits.startswith(country) and (number.strip().startswith("+") or country.startswith("00")):
            return "0" + digits[len(country) :].lstrip("0")
    return digits
