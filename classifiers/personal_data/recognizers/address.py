"""Street addresses and postcodes of the Netherlands and Flanders.

A street is known by its ending; a street that is named after a bird or a flower only by what stands around it (a word
of living there, a postcode, a town, a question before it). Addresses of shops, halls and schools are public.
"""

import re
from collections.abc import Iterator

from classifiers.personal_data.match import Match
from classifiers.personal_data.numbers import NUMBER_WORDS, TRIGGERS
from classifiers.personal_data.public import PublicData
from classifiers.personal_data.streets import LETTER, lead, street_kind
from classifiers.personal_data.text import PreparedText
from classifiers.personal_data.words import WordPattern, load_words, word_set

_SUFFIX = (
    r"(?:[ -]?(?:bis|hs|rood|zwart|hoog|boven|beneden|huis|[ivx]{1,4}|"
    r"[1-4]e etage)(?![\w])|-?[a-h](?![\w'])| [a-f](?![\w'.])|[-/]\d{1,4}[a-z]?(?![\w]|"
    r"-\d))?"
    r"(?:,? (?:bus|bte|unit|app\.?|kamer|toren|plek) ?(?:\d{1,4}|[a-z])(?![\w]))?"
)
_STREET_WORD = rf"{LETTER}(?:{LETTER}|[-'.](?={LETTER})){{1,34}}"
_WITH_NUMBER = re.compile(
    rf"(?<![\w@#/.-])(?P<street>{_STREET_WORD})\.?(?:,? (?=n|huisn)| )(?:(?:huis)?(?:nr\.?|nummer) )?"
    rf"(?P<number>[1-9]\d{{0,3}}){_SUFFIX}",
    re.IGNORECASE,
)
_STREET_ONLY = re.compile(rf"(?<![\w@#/.-])(?P<street>{_STREET_WORD})(?![\w'])", re.IGNORECASE)
_ON_NUMBER = re.compile(r"^,? (?:op|bij|op nummer|op nr|nr\.?|nummer|bij nr) (?P<number>\d{1,4}[a-h]?)(?![\w:.,]\d|\w)")
_LIVES = WordPattern("address", "lives")
_ASKED = WordPattern("address", "asked")
_QUANTITY_AFTER = re.compile(
    r"^ ?(?:uur|u\b|min\b|minuten|minuut|euro|eur\b|ct\b|cent|km\b|"
    r"meter|m\b|cm\b|mm\b|kg\b|gr\b|gram|liter|%|°|x\b|keer|dagen|weken|"
    r"maanden|jaar|jr\b|jarig|punten|pt\b|man\b|mensen|"
    r"mensen|personen|leerlingen|plekken|stuks|stuk|gb\b|mb\b|fps|ms\b|seconden|sec\b|:\d\d|[.,:]\d|/\d{1,2}\b|\+|=|×)"
)
_CLASS = re.compile(r" [1-6][a-h]$", re.IGNORECASE)
_SCORE = re.compile(r" \d{1,2}-\d{1,2}$")
_LIVES_HERE = re.compile(
    r"\b(?:woont?|wonen|woonde|adres|huisadres|bij (?:mij|ons|hem|haar)|ophalen)(?: [^\W\d_]{1,8}){0,3}?[ :,]{1,3}$"
)
_PREPOSITION = re.compile(r"(?:^|\s)(?:op|aan|langs|naar)(?: de| het)? $")
_SPAN_AFTER = re.compile(r"^ ?(?:tegen\b|t/m|tm\b|tot\b|-?0\b|e\b|de\b|ste\b|st\b|v\b)")
_NUMBER_IS_DATE = re.compile(r"^ (?:jan|feb|mrt|maart|apr|april|mei|juni|juli|aug|sep|okt|nov|dec)")
_POSTCODE_LOWER = re.compile(r"(?<![\w.,/€$-])(?P<code>[1-9]\d{3} ?[a-z]{2})(?![\w-])", re.IGNORECASE)
_POSTCODE_WORD = re.compile(r"\b(?:postcode|pc|adres|huisnummer|huisnr|woon|woont)\b")
_HOUSE_AFTER = re.compile(
    rf"^(?:,? ?(?:op )?(?:huisnummer|huisnr\.?|hnr|nummer|nr\.?),? ?|,? )(?P<house>\d{{1,4}}{_SUFFIX})(?![\w:.,]\d|\w)",
    re.IGNORECASE,
)
GLUED_HOUSE = re.compile(
    r"^,? (?:nr\.? |nummer |huisnummer )?\d{1,3}(?:[a-h]|-\d{1,3}|-?hs)?(?![\w:.,/-]\d|\w| ?[x%€]| [a-z]{1,4}\b)"
)
"""What makes "1011ab 12" a postcode though it is typed small: a house number and no unit."""
_NUMBER_FIRST = re.compile(
    rf"(?<!\w)(?:nr|nummer|op|huisnummer) \d{{1,4}}[a-h]? (?:in|van|aan|op) (?:de |het |t )?(?P<street>{_STREET_WORD})",
    re.IGNORECASE,
)
_NUMBER_APART = re.compile(
    rf"(?<!\w)in (?:de|het|t) (?P<street>{_STREET_WORD}) op (?:nr |nummer )?\d{{1,4}}[a-h]?(?!\w|[:.,]\d)",
    re.IGNORECASE,
)
_LANE_OF = re.compile(
    rf"(?<![\w@#/.-])(?:(?:Laan|Plein|Weg|Hof|Pad|Kade|Park|Hoek) (?:van|der|den|op)(?: (?:de|den|der|het|'t))?|"
    r"Achter de|Achter het|Achter 't|"
    rf"Onder de|Aan de|Op de|Op den|In de|Bij de|Voor de)"
    rf"(?: [A-Z]{LETTER}{{2,20}}){{1,2}} \d{{1,4}}(?: ?[a-h])?(?![\w:,.-]\d|\w)"
)
_WORD_NUMBER = (
    r"(?:(?:een|twee|drie|vier|vijf|zes|zeven|acht|negen)?honderd\w{0,20}|"
    r"(?:\w{2,7}(?:en|ën))?(?:twintig|dertig|veertig|vijftig|zestig|zeventig|tachtig|negentig)|"
    r"(?:der|veer|vijf|zes|zeven|acht|negen)tien|twee|drie|vier|vijf|zes|zeven|acht|negen|tien|elf|twaalf|achttien)"
)
_NUMBER_IN_WORDS = re.compile(
    rf"(?<![\w@#/.-])(?P<street>{LETTER}{{3,30}}(?:straat|laan|steenweg|dreef|singel|gracht|kade|steeg|"
    rf"dwarsstraat|weg|plein|dijk|hof)) (?:nummer |nr\.? )?{_WORD_NUMBER}(?![\w])"
    r"(?! (?:uur|min|minuten|euro|keer|man|mensen|dagen|weken|jaar|km|meter))",
    re.IGNORECASE,
)
_NAME_IN_WORDS = re.compile(
    rf"(?<![\w@#/.-])(?P<street>[A-Z]{LETTER}{{5,30}}) (?:nummer |nr\.? )?{_WORD_NUMBER}(?![\w])"
    r"(?! (?:uur|min|minuten|euro|keer|man|mensen|dagen|weken|jaar|km|meter))"
)
_LEET_LETTERS = str.maketrans("0134578", "oieastb")
_LEET = re.compile(
    r"(?<!\w)(?P<street>(?=[^\W\d_]{0,20}\d)(?=\w{0,20}[^\W\d_]{2})[^\W_]{7,30}) "
    r"(?P<number>\d{1,4}|[^\W_]{3,16})(?!\w|[:.,]\d)"
)
_HOUSE_WORD = re.compile(r"(?<!\w)(?:nr|nummer) \d{1,4}[a-h]?(?![\w:.,]\d|\w)")
_HOUSE_TOLD = re.compile(
    r"(?<!\w)(?:huisnummer|huisnr)\.?(?: is| =|:)? (?P<house>[1-9]\d{0,3}(?:[a-h]|-\d{1,3})?)(?![\w:.,]\d|\w)"
)
_STREET_TALK = re.compile(r"\b(?:\w{3,20}(?:straat|laan|weg|plein|dreef|hof|kade|flat)|flat|adres|woon|woont)\b")
_BARE_HOUSE = re.compile(r"^\s?(?:nr\.? |nummer |huisnummer )?(?P<house>\d{1,4}(?:[a-h]|-\d{1,3})?)\s?$", re.IGNORECASE)
_CODE_AFTER = re.compile(r"^[,\n]? ?(?:in )?[1-9]\d{3} ?[A-Z]{2}\b")
_TOWN_AFTER = re.compile(rf"^(?:, [1-9]\d{{3}}(?![\w-])|,? [1-9]\d{{3}} {LETTER}[\w'-]{{2,24}}(?![\w-]))")
EXAMPLE = WordPattern("address", "example")


_ARTICLE = re.compile(
    r"(?:De|Het|'t|Oude|Nieuwe|Lange|Korte|Hoge|Lage|Grote|Kleine|Achter|Voor|Eerste|Tweede|Derde|Vierde) [A-Z]"
)
_VERB = re.compile(r"^ (?:is|was|heeft|keer)\b")
_LIVES_AFTER = re.compile(r"^,? ?(?:daar|waar|hier)? ?(?:woon|woont|wonen)")
_ANSWER = 45
"""An answer to a question begins within so many characters."""
_HIGH_NUMBER = 4


class AddressRecognizer:
    """Finds a street with its number, or a street where somebody lives."""

    name = "address"

    def wants(self, prepared: PreparedText) -> bool:
        """A digit, a number word, or a word of living somewhere."""
        return (
            prepared.digits >= 1
            or not prepared.words.isdisjoint(word_set("address", "triggers"))
            or not prepared.words.isdisjoint(TRIGGERS)
        )

    def find(self, prepared: PreparedText, public: PublicData) -> Iterator[Match]:
        """Give every private address."""
        if prepared.mentions(EXAMPLE):
            return
        if prepared.digits:
            for found in _WITH_NUMBER.finditer(prepared.plain):
                match = self._judged(found, prepared, public)
                if match is not None:
                    yield match
            yield from self._leet(prepared)
            yield from self._beside_postcode(prepared)
            yield from self._bare_number(prepared)
            yield from self._only_number(prepared)
            yield from self._turned(prepared, public)
        yield from self._of_words(prepared, public)
        if not prepared.words.isdisjoint(word_set("address", "triggers")):
            yield from self._without_number(prepared, public)

    def _judged(self, found: "re.Match[str]", prepared: PreparedText, public: PublicData) -> Match | None:
        start, end = found.span()
        after = prepared.folded[end : end + 12]
        if _QUANTITY_AFTER.match(after) or _NUMBER_IS_DATE.match(after) or after[:1].isalnum() or after[:1] == "_":
            return None
        street = found["street"]
        kind = street_kind(street)
        if kind != "strong" and (
            _SPAN_AFTER.match(after)
            or 1900 <= int(found["number"]) <= 2035
            or _SCORE.search(found[0])
            or "numm" in found[0].lower()
            or (_CLASS.search(found[0]) and not _LIVES_HERE.search(prepared.ahead(start, 30)))
        ):
            return None
        start = lead(prepared.plain, start)
        capital = prepared.plain[start].isupper()
        if public.address(prepared.plain[start:end]):
            return None
        why, confidence = self._grounds(kind, street, (start, end), capital, prepared)
        if confidence == 0 or public.beside(prepared, start, end) is not None:
            return None
        return Match(start, end, "ADDRESS", confidence, why)

    def _grounds(
        self, kind: str, street: str, span: tuple[int, int], capital: bool, prepared: PreparedText
    ) -> tuple[str, float]:
        """Tell why a word with a number is an address, and how sure; ("", 0.0) when it is none."""
        start, end = span
        plain = prepared.plain
        lives = _LIVES.search(prepared.near(start, end, 60)) is not None
        code = bool(_CODE_AFTER.match(plain[end : end + 14]) or _TOWN_AFTER.match(plain[end : end + 40]))
        strong, compound = kind == "strong", len(street) >= 7
        words = " " in plain[start:end].rsplit(" ", 1)[0]
        ending = (
            (strong and compound, "street ending and number", 0.93 if lives or capital else 0.86),
            (bool(kind) and code, "street ending, number and postcode", 0.93),
            (bool(kind) and lives and (capital or strong or compound), "street ending and number; living there", 0.88),
            (strong and capital and start > 0 and words, "street of several words and number", 0.85),
            (code and capital, "name with a capital, number and postcode", 0.9),
        )
        found = next(((why, confidence) for holds, why, confidence in ending if holds), None)
        if found is not None:
            return found
        if street.lower() in word_set("address", "never"):
            return "", 0.0
        return self._named(kind, street.lower(), span, lives, prepared)

    def _named(
        self, kind: str, street: str, span: tuple[int, int], lives: bool, prepared: PreparedText
    ) -> tuple[str, float]:
        """Judge a street without an ending of its own by what stands around it."""
        start, end = span
        plain = prepared.plain
        first_name = street in load_words("first_names")
        uncommon = street not in load_words("common_words")
        asked = prepared.asked(_ASKED) and start <= _ANSWER
        capital = (
            plain[start].isupper()
            and len(street) >= 3
            and not (start == 0 and _VERB.match(prepared.folded[end : end + 8]))
        )
        stands = _LIVES.search(prepared.ahead(start, 40)) or _LIVES_AFTER.match(prepared.folded[end : end + 14])
        number = re.search(r"\d{1,4}", plain[start:end])
        high = number is not None and int(number[0]) >= _HIGH_NUMBER
        placed = _PREPOSITION.search(prepared.ahead(start, 16)) is not None
        grounds = (
            (
                street in load_words("street_names") and (lives or (plain[start].isupper() and not first_name)),
                "street named after a bird, plant or tool, and number",
                0.84,
            ),
            (
                _ARTICLE.match(plain[start:end]) is not None and (lives or asked or plain[start] not in "DH'"),
                "street with an article or adjective and number",
                0.8,
            ),
            (
                uncommon and len(street) >= 4 and _LIVES_HERE.search(prepared.ahead(start, 30)) is not None,
                "uncommon word and number; word of living there",
                0.76,
            ),
            (capital and stands is not None, "name with a capital and number; word of living there", 0.8),
            (capital and asked, "name with a capital and number; asked for in the messages before", 0.75),
            (
                capital and uncommon and not first_name and placed and high,
                "uncommon name with a capital behind a preposition, and number",
                0.74,
            ),
            (capital and bool(kind), "weak street ending with a capital, and number", 0.75),
        )
        return next(((why, confidence) for holds, why, confidence in grounds if holds), ("", 0.0))

    def _without_number(self, prepared: PreparedText, public: PublicData) -> Iterator[Match]:
        for lives in re.finditer(r"\b(?:woon|woont|wonen|woonde)\b", prepared.folded):
            place = lives.end()
            for found in _STREET_ONLY.finditer(prepared.plain, place, place + 90):
                street = found["street"]
                number = _ON_NUMBER.match(prepared.folded[found.end() : found.end() + 24])
                if street_kind(street) != "strong" or len(street) < 7:
                    continue
                if re.match(r" \d", prepared.folded[found.end() : found.end() + 2]):
                    break
                start = lead(prepared.plain, found.start())
                if public.beside(prepared, start, found.end()) is None:
                    yield Match(start, found.end(), "ADDRESS", 0.8, "street ending; word of living there")
                    if number is not None:
                        offset = found.end()
                        yield Match(
                            offset + number.start("number"),
                            offset + number.end("number"),
                            "ADDRESS",
                            0.78,
                            "house number",
                        )
                break

    def _beside_postcode(self, prepared: PreparedText) -> Iterator[Match]:
        for found in _POSTCODE_LOWER.finditer(prepared.plain):
            glued = len(found["code"]) == 6 and GLUED_HOUSE.match(prepared.plain[found.end() : found.end() + 28])
            if not found["code"][-2:].isupper() and not glued and not prepared.mentions(_POSTCODE_WORD):
                continue
            if glued and found["code"][-2:].lower() in word_set("postcode", "not_letters"):
                continue
            house = _HOUSE_AFTER.match(prepared.plain[found.end() : found.end() + 30])
            if house is not None and not _QUANTITY_AFTER.match(prepared.folded[found.end() + house.end() :][:12]):
                yield Match(
                    found.end() + house.start("house"),
                    found.end() + house.end("house"),
                    "ADDRESS",
                    0.85,
                    "house number beside a postcode",
                )

    def _leet(self, prepared: PreparedText) -> Iterator[Match]:
        """A street typed with digits for letters ("K3rkstr44t tw44lf")."""
        for found in _LEET.finditer(prepared.folded):
            if street_kind(found["street"].translate(_LEET_LETTERS)) != "strong":
                continue
            if found["number"].isdigit() or found["number"].translate(_LEET_LETTERS) in NUMBER_WORDS:
                yield Match(*found.span(), "ADDRESS", 0.8, "street ending and number, digits typed for letters")

    def _of_words(self, prepared: PreparedText, public: PublicData) -> Iterator[Match]:
        """Streets of several words ("Laan van Moerwijk 22", "Achter de Hel 12") and numbers in words."""
        for pattern in (_LANE_OF, _NUMBER_IN_WORDS):
            for found in pattern.finditer(prepared.plain):
                after = prepared.folded[found.end() : found.end() + 12]
                if pattern is _NUMBER_IN_WORDS and street_kind(found["street"]) != "strong":
                    continue
                start = lead(prepared.plain, found.start())
                if _QUANTITY_AFTER.match(after) or public.beside(prepared, start, found.end()) is not None:
                    continue
                yield Match(start, found.end(), "ADDRESS", 0.94, "street of several words, or number in words")

        if not prepared.words.isdisjoint(TRIGGERS):
            for found in _NAME_IN_WORDS.finditer(prepared.plain):
                if street_kind(found["street"]) and _LIVES.search(prepared.near(*found.span(), 60)):
                    start = lead(prepared.plain, found.start())
                    if public.beside(prepared, start, found.end()) is None:
                        yield Match(
                            start, found.end(), "ADDRESS", 0.8, "street ending, number in words; word of living there"
                        )

    def _turned(self, prepared: PreparedText, public: PublicData) -> Iterator[Match]:
        """The number before or apart from the street: "op 12 in de Kerkstraat", "in de Notenboom op 12"."""
        if not prepared.mentions(_LIVES):
            return
        for found in _NUMBER_FIRST.finditer(prepared.plain):
            if street_kind(found["street"]) == "strong" and public.beside(prepared, *found.span()) is None:
                why = "street ending beside a house number; word of living there"
                yield Match(*found.span("street"), "ADDRESS", 0.8, why)
        for found in _NUMBER_APART.finditer(prepared.plain):
            street = found["street"].lower()
            known = (
                street_kind(street) or street in load_words("street_names") or street not in load_words("common_words")
            )
            if known and public.beside(prepared, *found.span()) is None:
                yield Match(*found.span(), "ADDRESS", 0.74, "street with its number apart; word of living there")

    def _only_number(self, prepared: PreparedText) -> Iterator[Match]:
        """A house number alone: somebody "woont op nr 26", or answers so when an address is asked."""
        if _POSTCODE_LOWER.search(prepared.plain):
            for found in _HOUSE_TOLD.finditer(prepared.folded):
                yield Match(*found.span("house"), "ADDRESS", 0.8, "house number told beside a postcode")
        for found in _HOUSE_WORD.finditer(prepared.folded):
            lives = re.search(
                r"\b(?:woon|woont|wonen|woonde)\b[^.\n]{0,25}$",
                prepared.folded[max(0, found.start() - 40) : found.start()],
            )
            asked = found.start() <= 3 and prepared.asked(_STREET_TALK)
            if lives or asked:
                yield Match(*found.span(), "ADDRESS", 0.72, "house number; word of living there")

    def _bare_number(self, prepared: PreparedText) -> Iterator[Match]:
        found = _BARE_HOUSE.match(prepared.plain)
        if found is None or not prepared.fragments:
            return
        last = prepared.fragments[-1].strip()
        if _POSTCODE_LOWER.fullmatch(last) or (
            street_kind(last.rpartition(" ")[2]) == "strong" and len(last) >= 7 and last.count(" ") <= 3
        ):
            yield Match(
                *found.span("house"), "ADDRESS", 0.8, "house number after a street or postcode in the message before"
            )
