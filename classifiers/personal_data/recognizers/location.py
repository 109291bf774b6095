"""Live locations, map links and coordinates that tell where a person is or lives."""

import re
from collections.abc import Iterator

from classifiers.personal_data.match import Match
from classifiers.personal_data.public import PublicData
from classifiers.personal_data.text import PreparedText
from classifiers.personal_data.words import WordPattern, word_set

_LIVE = re.compile(
    r"(?:live ?locatie|actuele locatie|huidige locatie|locatie gedeeld)(?: (?:gedeeld|"
    r"delen))?(?: (?:van|door|met) [^\W\d_]{2,20})?(?:,? ?\d{1,2} (?:uur|"
    r"min\w{0,5})| ?\([^)\n]{1,40}\))?"
)
_LIVE_SHARED = re.compile(r"gedeeld|📍|\(|nog \d|\d (?:uur|min)")
_MAP = re.compile(
    r"(?<![\w.@/-])(?:https?://)?(?:www\.)?(?:maps\.app\.goo\.gl/\w{3,40}|"
    r"goo\.gl/maps/\w{3,40}|(?:maps\.)?google\.(?:com|nl|be)/maps[\w/@.,?=&%+-]{0,200}|"
    r"maps\.google\.(?:com|nl|be)/[\w/@.,?=&%+-]{0,200}|"
    r"maps\.apple\.com/[\w/@.,?=&%+-]{0,200}|map\.snapchat\.com/[\w/@.,?=&%+-]{0,200}|"
    r"glympse\.(?:com|example)/[\w-]{3,40}|what3words\.com/[\w.]{5,80}|"
    r"w3w\.co/[\w.]{5,80}|"
    r"waze\.com/ul[\w/@.,?=&%+-]{0,200}|openstreetmap\.org/[\w/@.,?=&%#+-]{3,200}|"
    r"life360\.com/[\w/-]{3,80}|strava\.com/(?:beacon|live)/[\w-]{3,60}|"
    r"find\.apple\.com/[\w/-]{0,60}|bing\.com/maps[\w/@.,?=&%+~-]{0,200})",
    re.IGNORECASE,
)
_WORDS3 = re.compile(r"(?<![\w/:])///[^\W\d_]{3,20}\.[^\W\d_]{3,20}\.[^\W\d_]{3,20}(?!\w)")
_COORDINATES = re.compile(r"(?<![\w.,-])(?:4[89]|5[0-4])[.]\d{4,8},? {0,2}[2-7][.]\d{4,8}(?![\w])")
_TRACKED = WordPattern("location", "tracked")
_WHERE = re.compile(
    r"(?<!\w)(?:hij|zij|ze|die|uur) (?:is |zit |staat |ligt )?(?:nu )?(?P<place>(?:bij|"
    r"in|achter|naast|tegenover|op dezelfde plek in) (?:[^\s,.!?\n]{1,20} ?){1,6}?)"
    r"(?=,|[.!?\n]|$| zit\b| is\b| terwijl\b| en\b| dus\b| met\b| staat\b|"
    r" gaan\b)"
)
_PERSON = WordPattern("location", "person")
_TASK = WordPattern("location", "task")
_PUBLIC_SPOT = re.compile(r"\b(?:parkeren|parkeer|pretpark|verzamelen|ingang|station|museum|excursie|hotel|camping)\b")


class LocationRecognizer:
    """Finds live locations, map links and coordinates of a person."""

    name = "location"

    def wants(self, prepared: PreparedText) -> bool:
        """A link, the word for a location, or enough digits for coordinates."""
        return (
            "/" in prepared.plain
            or not prepared.words.isdisjoint(word_set("location", "triggers"))
            or (prepared.digits >= 8 and "." in prepared.plain)
        )

    def find(self, prepared: PreparedText, public: PublicData) -> Iterator[Match]:
        """Give every place of a person; a map of a hall or shop is public."""
        text = prepared.folded
        for found in _LIVE.finditer(text):
            if _LIVE_SHARED.search(text[max(0, found.start() - 3) : found.end()]):
                start = found.start()
                yield Match(start, found.start() + len(found[0].rstrip(" ,")), "LOCATION", 0.9, "shared live location")
        for found in _MAP.finditer(prepared.plain):
            end = found.start() + len(found[0].rstrip(".,?"))
            if self._is_public(prepared, found.start(), end, public):
                continue
            yield Match(found.start(), end, "LOCATION", 0.9, "link to a map or a live location")
        for found in _WORDS3.finditer(prepared.plain):
            yield Match(*found.span(), "LOCATION", 0.88, "three words of a place")
        if prepared.mentions(_TRACKED):
            for found in _WHERE.finditer(text):
                start = found.start("place")
                yield Match(
                    start,
                    start + len(found["place"].rstrip()),
                    "LOCATION",
                    0.65,
                    "place beside a word about tracking somebody",
                )
        for found in _COORDINATES.finditer(prepared.plain):
            near = prepared.near(*found.span(), 60)
            if _PERSON.search(near) and not _TASK.search(near):
                yield Match(*found.span(), "LOCATION", 0.85, "coordinates beside a person")

    def _is_public(self, prepared: PreparedText, start: int, end: int, public: PublicData) -> bool:
        near = prepared.near(start, end, 60)
        if _PUBLIC_SPOT.search(near):
            return True
        lives = re.search(r"\b(?:woont|woon|huis|thuis|live|ze is|hij is|zij)\b", near)
        words = re.findall(r"[^\W\d_]{3,}", near)
        return lives is None and any(word in public.places for word in words)
