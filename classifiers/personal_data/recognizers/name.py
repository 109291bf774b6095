"""Full names beside another datum: a name alone is no finding, a name with a number, an address or a date is."""

import re
from collections.abc import Iterator, Sequence

from classifiers.personal_data.match import Match
from classifiers.personal_data.text import PreparedText
from classifiers.personal_data.words import load_words

_PREFIX = r"(?:(?:van|de|den|der|ter|ten|het|'t|el|al|op|in|ibn|von|da|dos) ){0,3}"
_SURNAME = r"[A-Z][^\W\d_]{1,20}(?:[-'’][A-Z]?[^\W\d_]{1,20}){0,2}(?:-[a-z]{2,4} [A-Z][^\W\d_]{1,20})?"
_FULL = re.compile(
    rf"(?<![\w@/.-])(?P<first>[A-Z][^\W\d_]{{1,15}}(?:-[A-Z][^\W\d_]{{1,15}})?)"
    rf"(?P<middle>(?: [A-Z][^\W\d_]{{1,15}}){{0,2}}) (?P<prefix>{_PREFIX})(?P<last>{_SURNAME})"
    rf"(?![\w@-])"
)
_INITIALS = re.compile(rf"(?<![\w@/.-])(?:[A-Z]\.[ ]?){{1,4}}{_PREFIX}{_SURNAME}(?![\w@-])")
_INSTITUTION = re.compile(
    r"(?:Huis|School|College|Lyceum|Museum|Stichting|Straat|Plein|Park|Kerk|Ziekenhuis|Basisschool|Gymnasium|Centrum)$"
)
_PLACE_WORD = re.compile(
    r"^(?:Van|De|Den|Het|Dr|Mevr|Meneer|Mevrouw|Dhr|Beste|Hallo|Lieve|"
    r"Groet|Familie|Fam|Camping|Sint|Huize|Burg|Zwembad|Sporthal|School|"
    r"Groetjes|Mvg)$"
)


def names_beside(prepared: PreparedText, matches: Sequence[Match]) -> Iterator[Match]:
    """Give the full names in a message that holds other personal data.

    Args:
        prepared: The message.
        matches: What the recognizers found in it.

    Yields:
        A name for every first name with a surname, or initials with a surname, outside the other matches.
    """
    if not any(match.type not in ("PAYMENT_LINK", "HANDLE") for match in matches):
        return
    firsts, lasts = load_words("first_names"), load_words("surnames")
    for found in _INITIALS.finditer(prepared.plain):
        yield Match(*found.span(), "NAME", 0.8, "initials and surname beside another datum", "name")
    for found in _FULL.finditer(prepared.plain):
        first, last = found["first"], found["last"].lower()
        if _PLACE_WORD.match(first) or _INSTITUTION.match(found["last"]):
            continue
        known = first.lower() in firsts
        common = load_words("common_words")
        rare_first = first.lower() not in common or bool(found["prefix"])
        unusual = rare_first and last not in common and not found["middle"] and found["last"].isalpha()
        if known or (last in lasts and not found["middle"]) or unusual:
            why = "first name and surname" if known else "surname of the list behind a word with a capital"
            yield Match(*found.span(), "NAME", 0.85 if known else 0.7, why + " beside another datum", "name")
