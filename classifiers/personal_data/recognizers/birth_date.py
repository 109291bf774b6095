"""Dates of birth: a full date beside a person or a word about being born; school dates and history are none."""

import datetime
import re
from collections.abc import Iterator

from classifiers.personal_data.match import Match
from classifiers.personal_data.public import PublicData
from classifiers.personal_data.text import PreparedText
from classifiers.personal_data.words import WordPattern, load_words, word_set

_MONTHS = {
    name: month
    for month, names in enumerate(
        (
            "januari jan", "februari feb febr", "maart mrt maa", "april apr", "mei", "juni jun", "juli jul",
            "augustus aug",
            "september sept sep", "oktober okt oct", "november nov", "december dec",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
NUMERIC = re.compile(
    r"(?<![\w.,:/-])(?P<day>\d{1,2})(?P<mark> ?[-/.] ?| )(?P<month>\d{1,2})(?P=mark)"
    r"(?P<year>\d{4}|'?\d{2})(?![\w]|[-/.:,]\d)"
)
_ISO = re.compile(
    r"(?<![\w.,:/-])(?P<year>(?:19|20)\d{2})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})(?![\w]|[-/.:]\d)"
)
_NAMED = re.compile(
    rf"(?<![\w.,:/-])(?P<day>\d{{1,2}})(?:e|ste|de)?[ -](?P<month>{_MONTH})\b\.?[ -](?P<year>\d{{4}}|"
    rf"'?\d{{2}})(?![\w]|[-/.:,]\d)"
)
_SQUEEZED = re.compile(r"(?<![\w.,:/-])(?P<day>\d{2})(?P<month>\d{2})(?P<year>(?:19|20)?\d{2})(?![\w]|[-/.:,]\d)")
_NO_YEAR = re.compile(
    rf"\b(?:geboren|geboortedatum|geb\.?)(?: [^\W\d_]{{1,12}}){{0,3}}?[ :=]{{1,3}}(?:op )?"
    rf"(?P<date>\d{{1,2}}(?: (?:{_MONTH})\b|[-/]\d{{1,2}}(?![-/\d])))(?! \d{{4}}| '?\d\d\b)"
)
_IN_WORDS = re.compile(
    rf"(?<!\w)(?:[a-zë]{{0,5}}(?:een|twee|drie|vier|vijf|zes|zeven|acht|"
    rf"negen)(?:en|ën)(?:twintig|dertig)|(?:een|twee|drie|vier|vijf|"
    rf"zes|zeven|acht|negen|tien|elf|twaalf|\w{{3,5}}tien|twintig|dertig))"
    rf" (?:{_MONTH}) (?:(?:tweeduizend|negentien)(?: ?en )? ?(?:een|twee|drie|vier|vijf|zes|zeven|acht|negen|tien|elf|"
    rf"twaalf|honderd|twintig|dertig|veertig|vijftig|zestig|zeventig|tachtig|negentig|dertien|veertien|vijftien|"
    rf"zestien|zeventien|achttien|negentien)[a-zëé]{{0,20}}|(?P<year>(?:19|20)\d\d))(?!\w)"
)
_BORN = WordPattern("birth_date", "born")
_IS_OF = re.compile(
    r"(?:\b(?:ik|hij|zij|ze|jij|je|die|\w{2,15})\s(?:ben|is|bent|komt)\s(?:dus\s|"
    r"echt\s|ook\s|gwn\s|gewoon\s)?(?:geboren\s)?(?:van|op)\s(?:de\s)?|"
    r"\bzelf\svan\s)$"
)
_NEW_DATE = WordPattern("birth_date", "new_date")
_ASKED = WordPattern("birth_date", "asked")
_WORD = re.compile(r"[^\W\d_]++(?:'[^\W\d_]++)?")
_NAME_JUST_BEFORE = re.compile(r"(?P<name>[^\W\d_]+)(?: (?:is|=|van|ook|dan|en))?[\s:(=,*]{1,3}$")
_GRAVE = re.compile(r"[+†]\s?$")
_BORN_AT_ONCE = re.compile(r"\b(?:geb|geboortedatum|geboren)\W{1,4}(?:op |is )?$")
_TITLE = re.compile(r"\b(?:dhr|mevr|mevrouw|meneer|mw|mr|juf)\b[^\n]{0,40}$")
_FIRST_YEAR = 1925
_LATEST_AGE = 4
_HISTORY = 1935
"""Who was born before it is a person of the history book, unless the message speaks of somebody's own ("mijn opa")."""


class BirthDateRecognizer:
    """Finds dates of birth."""

    name = "birth_date"

    def wants(self, prepared: PreparedText) -> bool:
        """A full date has at least four digits; one in words has a word about being born."""
        return prepared.digits >= 3 or not prepared.words.isdisjoint(("geboren", "verjaardag", "van"))

    def find(self, prepared: PreparedText, public: PublicData) -> Iterator[Match]:
        """Give every full date that is a person's, or the part that a word about birth makes one."""
        full = list(self._full(prepared)) if prepared.digits >= 3 else []
        yield from full or self._in_part(prepared)
        if prepared.digits <= 4 and not prepared.words.isdisjoint(_MONTHS) and not prepared.mentions(_NEW_DATE):
            for found in _IN_WORDS.finditer(prepared.folded):
                if found["year"] and not (prepared.mentions(_BORN) or _IS_OF.search(prepared.ahead(found.start()))):
                    continue
                yield Match(*found.span(), "DATE_OF_BIRTH", 0.8, "full date in words")

    def _full(self, prepared: PreparedText) -> Iterator[Match]:
        for pattern in (NUMERIC, _ISO, _NAMED):
            for found in pattern.finditer(prepared.folded):
                grounds = self._grounds(found, prepared) if is_birth_date(found) else None
                if grounds is not None:
                    yield Match(*found.span(), "DATE_OF_BIRTH", grounds[1], "full date; " + grounds[0])

    def _in_part(self, prepared: PreparedText) -> Iterator[Match]:
        if not prepared.mentions(_BORN):
            return
        for found in _NO_YEAR.finditer(prepared.folded):
            yield Match(*found.span("date"), "DATE_OF_BIRTH", 0.75, "day and month behind a word about birth")
        if "geboorte" in prepared.folded:
            for found in _SQUEEZED.finditer(prepared.folded):
                if is_birth_date(found):
                    yield Match(*found.span(), "DATE_OF_BIRTH", 0.9, "digits that make a date; word about birth")

    def _grounds(self, found: "re.Match[str]", prepared: PreparedText) -> tuple[str, float] | None:
        """Tell why a date is a person's birthday, and how sure; None when it is another date."""
        start, end = found.span()
        line, rest = prepared.ahead(start, 60), prepared.folded[end : end + 60].partition("\n")[0]
        if _GRAVE.search(line) or (_NEW_DATE.search(f"{line} {rest}") and not _BORN_AT_ONCE.search(line)):
            return None
        if _is_old(found["year"], _HISTORY) and word_set("birth_date", "person_word").isdisjoint(prepared.words):
            return None
        if _BORN.search(f"{line} {rest}"):
            return "word about birth", 0.95
        if _IS_OF.search(line):
            return '"is van"', 0.9
        titled = _TITLE.search(line) is not None
        if _is_old(found["year"]) and not titled:
            return None
        ahead, behind = _WORD.findall(line), _WORD.findall(rest[:20])
        names, persons = load_words("first_names"), word_set("birth_date", "person_word")
        grounds = (
            (not names.isdisjoint((*ahead[-3:], *behind[:1])), "first name beside it", 0.88),
            (prepared.asked(_ASKED) and start <= 60, "asked for in the messages before", 0.85),
            (titled or not persons.isdisjoint((*ahead[-2:], *behind[:2])), "word for a person beside it", 0.8),
            (_named_before(prepared.plain[max(0, start - 70) : start]), "name before it", 0.8),
            (_is_pupils(found["year"]) and not prepared.mentions(_NEW_DATE), "year in which pupils were born", 0.7),
        )
        return next(((why, confidence) for holds, why, confidence in grounds if holds), None)


def _is_pupils(year: str) -> bool:
    """Years in which today's pupils of 10 to 19 were born, written in full."""
    this_year = datetime.datetime.now(tz=datetime.UTC).date().year
    return len(year) == 4 and this_year - 19 <= int(year) <= this_year - 10


def _is_old(year: str, limit: int = 1955) -> bool:
    """Dates before 1955 are history unless a word says that somebody was born then."""
    return len(year) == 4 and int(year) < limit


def _named_before(head: str) -> bool:
    """Two words with a capital right before a date are a name ("Romy Vos 19-06-2010")."""
    return bool(
        re.search(
            r"(?:^|[\s(:])[A-Z][^\W\d_]{1,20} (?:(?:van|de|der|den|het|el|ten|"
            r"ter) ){0,2}[A-Z][^\W\d_]{1,20}(?:-[A-Z][^\W\d_]{1,20})?[ ,:(]{1,2}$",
            head,
        )
    )


def is_birth_date(found: "re.Match[str]", today: datetime.date | None = None) -> bool:
    """Tell whether a date exists and can be the birthday of a living person who is old enough to be written about."""
    year_text = found["year"].lstrip("'")
    year = int(year_text)
    this_year = (today or datetime.datetime.now(tz=datetime.UTC).date()).year
    if len(year_text) == 2:
        year += 2000 if year <= (this_year - _LATEST_AGE) % 100 else 1900
    month = _MONTHS.get(found["month"]) or (int(found["month"]) if found["month"].isdigit() else 0)
    if not _FIRST_YEAR <= year <= this_year - _LATEST_AGE:
        return False
    try:
        datetime.date(year, month, int(found["day"]))
    except ValueError:
        return False
    return True
