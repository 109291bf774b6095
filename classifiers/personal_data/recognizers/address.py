"""Street addresses and postcodes of the Netherlands and Flanders.

A street is known by its ending; a street that is named after a bird or a flower only by what stands around it (a word of
living there, a postcode, a town, a question before it). Addresses of shops, halls and schools are public.
"""

import functools
import re
from collections.abc import Iterator

from classifiers.personal_data.match import Match
from classifiers.personal_data.numbers import NUMBER_WORDS, TRIGGERS
from classifiers.personal_data.public import PublicData
from classifiers.personal_data.text import PreparedText
from classifiers.personal_data.words import WordPattern, load_words, word_set

_LETTER = r"[^\W\d_]"
_SUFFIX = (
    r"(?:[ -]?(?:bis|hs|rood|zwart|hoog|boven|beneden|huis|[ivx]{1,4}|"
    r"[1-4]e etage)(?![\w])|-?[a-h](?![\w'])| [a-f](?![\w'.])|[-/]\d{1,4}[a-z]?(?![\w]|"
    r"-\d))?"
    r"(?:,? (?:bus|bte|unit|app\.?|kamer|toren|plek) ?(?:\d{1,4}|[a-z])(?![\w]))?"
)
_LEAD = (
    r"(?:(?:van|de|den|der|het|'t|ten|ter|op|aan|in|oude|nieuwe|lange|"
    r"korte|grote|kleine|groot|klein|hoge|lage|eerste|tweede|derde|"
    r"vierde|"
    r"1e|2e|3e|4e|burgemeester|burg\.?|dr\.?|prof\.?|professor|mr\.?|"
    r"ds\.?|pastoor|kapelaan|wethouder|prins|prinses|koningin|koning|"
    r"graaf|"
    r"generaal|gen\.?|admiraal|jan|sint|st\.?|pater|deken|meester|jhr\.?|"
    r"jonkheer|president|minister|jacob|willem|johan|anna|maria) )"
)
_STREET_WORD = rf"{_LETTER}(?:{_LETTER}|[-'.](?={_LETTER})){{1,34}}"
_CAPITAL_LEAD = rf"(?:[A-Z]{_LETTER}{{0,20}}\.? )"
_WITH_NUMBER = re.compile(
    rf"(?<![\w@#/.-])(?P<street>{_STREET_WORD})\.?(?:,? (?=n|huisn)| )(?:(?:huis)?(?:nr\.?|nummer) )?(?P<number>\d{{1,4}}){_SUFFIX}",
    re.IGNORECASE,
)
_STREET_ONLY = re.compile(rf"(?<![\w@#/.-])(?P<street>{_STREET_WORD})(?![\w'])", re.IGNORECASE)
_ON_NUMBER = re.compile(
    rf"^,? (?:op|bij|op nummer|op nr|nr\.?|nummer|bij nr) (?P<number>\d{{1,4}}[a-h]?)(?![\w:.,]\d|\w)"
)
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
_NUMBER_FIRST = re.compile(
    rf"(?<!\w)(?:nr|nummer|op|huisnummer) \d{{1,4}}[a-h]? (?:in|van|aan|op) (?:de |het |t )?(?P<street>{_STREET_WORD})",
    re.IGNORECASE,
)
_NUMBER_APART = re.compile(
    rf"(?<!\w)in (?:de|het|t) (?P<street>{_STREET_WORD}) op (?:nr |nummer )?\d{{1,4}}[a-h]?(?!\w|[:.,]\d)",
    re.IGNORECASE,
)
_LANE_OF = re.compile(
    rf"(?<![\w@#/.-])(?:(?:Laan|Plein|Weg|Hof|Pad|Kade|Park|Hoek) (?:van|der|den|op)(?: (?:de|den|der|het|'t))?|Achter de|Achter het|Achter 't|"
    rf"Onder de|Aan de|Op de|Op den|In de|Bij de|Voor de)(?: [A-Z]{_LETTER}{{2,20}}){{1,2}} \d{{1,4}}(?: ?[a-h])?(?![\w:,.-]\d|\w)"
)
_WORD_NUMBER = (
    r"(?:(?:een|twee|drie|vier|vijf|zes|zeven|acht|negen)?honderd\w{0,20}|(?:\w{2,7}(?:en|ën))?(?:twintig|dertig|veertig|vijftig|zestig|zeventig|tachtig|negentig)|"
    r"(?:der|veer|vijf|zes|zeven|acht|negen)tien|twee|drie|vier|vijf|zes|zeven|acht|negen|tien|elf|twaalf|achttien)"
)
_NUMBER_IN_WORDS = re.compile(
    rf"(?<![\w@#/.-])(?P<street>{_LETTER}{{3,30}}(?:straat|laan|steenweg|dreef|singel|gracht|kade|steeg|dwarsstraat|weg|plein|dijk|hof)) (?:nummer |nr\.? )?{_WORD_NUMBER}(?![\w])"
    r"(?! (?:uur|min|minuten|euro|keer|man|mensen|dagen|weken|jaar|km|meter))",
    re.IGNORECASE,
)
_LEET_LETTERS = str.maketrans("0134578", "oieastb")
_LEET = re.compile(
    r"(?<!\w)(?P<street>(?=[^\W\d_]{0,20}\d)(?=\w{0,20}[^\W\d_]{2})[^\W_]{7,30}) (?P<number>\d{1,4}|[^\W_]{3,16})(?!\w|[:.,]\d)"
)
_HOUSE_WORD = re.compile(r"(?<!\w)(?:nr|nummer) \d{1,4}[a-h]?(?![\w:.,]\d|\w)")
_STREET_TALK = re.compile(r"\b(?:\w{3,20}(?:straat|laan|weg|plein|dreef|hof|kade|flat)|flat|adres|woon|woont)\b")
_BARE_HOUSE = re.compile(r"^\s?(?:nr\.? |nummer |huisnummer )?(?P<house>\d{1,4}(?:[a-h]|-\d{1,3})?)\s?$", re.IGNORECASE)
_CODE_AFTER = re.compile(r"^[,\n]? ?(?:in )?[1-9]\d{3} ?[A-Z]{2}\b")
_TOWN_AFTER = re.compile(rf"^(?:, [1-9]\d{{3}}(?![\w-])|,? [1-9]\d{{3}} {_LETTER}[\w'-]{{2,24}}(?![\w-]))")
EXAMPLE = WordPattern("address", "example")


@functools.cache
def _endings() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    strong, weak = set(), set()
    for line in load_words("street_endings"):
        ending, _, kind = line.partition(" ")
        (weak if kind else strong).add(ending)
    return frozenset(strong), frozenset(weak), load_words("street_exceptions")


def street_kind(word: str) -> str:
    """Tell by its ending whether a word is a street: "strong", "weak" or ""."""
    strong, weak, exceptions = _endings()
    lowered = word.lower()
    if lowered in exceptions:
        return ""
    for length in range(min(12, len(lowered)), 2, -1):
        ending = lowered[-length:]
        stem = len(lowered) - length
        if ending in strong:
            return ("strong" if stem >= 3 else "weak") if stem >= 2 or stem == 0 else ""
        if ending in weak and stem >= 3:
            return "weak"
    return ""


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
        start = _lead(prepared.plain, start)
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
        start, end = span
        lives = bool(_LIVES.search(prepared.near(start, end, 60)))
        code = bool(
            _CODE_AFTER.match(prepared.plain[end : end + 14]) or _TOWN_AFTER.match(prepared.plain[end : end + 40])
        )
        compound = len(street) >= 7
        if kind == "strong" and compound:
            return "street ending and number", 0.93 if lives or capital else 0.86
        if kind and code:
            return "street ending, number and postcode", 0.93
        if kind and lives and (capital or kind == "strong" or compound):
            return "street ending and number; word of living there", 0.88
        if kind == "strong" and capital and start > 0 and " " in prepared.plain[start:end].rsplit(" ", 1)[0]:
            return "street of several words and number", 0.85
        if code and capital:
            return "name with a capital, number and postcode", 0.9
        lowered = street.lower()
        if lowered in _never_streets():
            return "", 0.0
        if lowered in load_words("street_names") and (lives or (capital and lowered not in load_words("first_names"))):
            return "street named after a bird, plant or tool, and number", 0.84
        article = bool(
            re.match(
                r"(?:De|Het|'t|Oude|Nieuwe|Lange|Korte|Hoge|Lage|Grote|Kleine|Achter|"
                r"Voor|Eerste|Tweede|Derde|Vierde) [A-Z]",
                prepared.plain[start:end],
            )
        )
        if article and (lives or (prepared.asked(_ASKED)) or prepared.plain[start] not in "DH'"):
            return "street with an article or adjective and number", 0.8
        if (
            lowered not in load_words("common_words")
            and len(street) >= 4
            and _LIVES_HERE.search(prepared.ahead(start, 30))
        ):
            return "uncommon word and number; word of living there", 0.76
        if capital and len(street) >= 3 and not self._is_ordinary(prepared, start, end):
            if _LIVES.search(prepared.ahead(start, 40)) or re.match(
                r"^,? ?(?:daar|waar|hier)? ?(?:woon|woont|wonen)", prepared.folded[end : end + 14]
            ):
                return "name with a capital and number; word of living there", 0.8
            if prepared.asked(_ASKED) and start <= 45:
                return "name with a capital and number; asked for in the messages before", 0.75
            if lowered not in load_words("common_words") and lowered not in load_words("first_names"):
                if (
                    _PREPOSITION.search(prepared.ahead(start, 16))
                    and int(re.search(r"\d+", prepared.plain[start:end])[0]) >= 4
                ):  # type: ignore[index]
                    return "uncommon name with a capital behind a preposition, and number", 0.74
            if kind and capital:
                return "weak street ending with a capital, and number", 0.75
        return "", 0.0

    def _is_ordinary(self, prepared: PreparedText, start: int, end: int) -> bool:
        return bool(re.match(r"^ (?:is|was|heeft|keer)\b", prepared.folded[end : end + 8]) and start == 0)

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
                start = _lead(prepared.plain, found.start())
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
            if not found["code"][-2:].isupper() and not prepared.mentions(_POSTCODE_WORD):
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
                start = _lead(prepared.plain, found.start())
                if _QUANTITY_AFTER.match(after) or public.beside(prepared, start, found.end()) is not None:
                    continue
                yield Match(start, found.end(), "ADDRESS", 0.94, "street of several words, or number in words")

    def _turned(self, prepared: PreparedText, public: PublicData) -> Iterator[Match]:
        """The number before or apart from the street: "op 12 in de Kerkstraat", "in de Notenboom op 12"."""
        for found in _NUMBER_FIRST.finditer(prepared.plain):
            if street_kind(found["street"]) == "strong" and prepared.mentions(_LIVES):
                if public.beside(prepared, *found.span()) is None:
                    yield Match(
                        *found.span("street"),
                        "ADDRESS",
                        0.8,
                        "street ending beside a house number; word of living there",
                    )
        for found in _NUMBER_APART.finditer(prepared.plain):
            street = found["street"].lower()
            known = (
                street_kind(street) or street in load_words("street_names") or street not in load_words("common_words")
            )
            if known and prepared.mentions(_LIVES) and public.beside(prepared, *found.span()) is None:
                yield Match(*found.span(), "ADDRESS", 0.74, "street with its number apart; word of living there")

    def _only_number(self, prepared: PreparedText) -> Iterator[Match]:
        """A house number alone: somebody "woont op nr 26", or answers so when an address is asked."""
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


@functools.cache
def _never_streets() -> frozenset[str]:
    return frozenset(
        "lokaal kamer klas groep blz bladzijde pagina pag par paragraaf hoofdstuk opdracht opdr opgave opg som vraag nummer nr lijn bus trein tram spoor "
        "gate zaal rij stoel plek plaats veld baan tafel kluisje kluis locker box vak punt level lvl ronde set kwart minuut over om tot vanaf rond "
        "na voor van op in bij de het een en of is was ik je jij hij zij ze we wij jullie mijn me mn die dat dit deze maat maar nog nu dus ook met "
        "januari februari maart april mei juni juli augustus september oktober november december jan feb mrt apr jun jul aug sep sept okt nov dec "
        "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag ma di wo do vr za zo uur week dag jaar deel les toets versie iphone samsung galaxy "
        "windows ps playstation xbox fifa fc fortnite kahoot verdieping etage afslag snelweg artikel art bijlage tabel figuur bron havo vwo mavo vmbo "
        "mbo team spel game bladzijdes samen totaal ong ongeveer max min minimaal maximaal code pin team finale stand score max wedstrijd h hfst module "
        "periode blok cijfer gemiddeld gem euro haal neem heb had krijg geef pak drie twee vier vijf zes zeven acht negen tien tussen boven onder ca "
        "circa zijn waren heeft hebben wordt kan om te naar uit tegen door per al pas ruim bijna alle nee ja ok oke ff even van tikkie stap optie "
        "regel alinea vers psalm formule sinds achter vertrek aankomst".split()
    )


def _lead(text: str, start: int) -> int:
    """Move the start back over the words that belong to the street name ("van de", "Burgemeester", "Jan")."""
    for _ in range(4):
        head = text[max(0, start - 26) : start]
        found = _LEAD_END.search(head) or _CAPITAL_END.search(head)
        if found is not None and found.re is _CAPITAL_END and _named_after_nature(text, start):
            break
        if found is not None and found.re is _CAPITAL_END and found[0].strip().lower() in load_words("first_names"):
            break
        if found is None or (found[0].strip().lower() in _PREPOSITIONS and not _keeps(text, found, start)):
            break
        start -= len(found[0])
    return _trim(text, start)


_PREPOSITIONS = frozenset(("op", "in", "aan", "van", "de", "het", "der", "den", "'t", "ten", "ter"))
_LEAD_END = re.compile(rf"(?<![\w@.-]){_LEAD}$", re.IGNORECASE)
_CAPITAL_END = re.compile(rf"(?<![\w@.,:-]){_CAPITAL_LEAD}$")


_NAME_BEFORE = re.compile(r"(?:^|[\s:,])([A-Z][^\W\d_]{2,14}) $")


def _keeps(text: str, found: "re.Match[str]", start: int) -> bool:
    """A lower-case preposition belongs to the name only before another such word or behind a title."""
    word = found[0].strip()
    if word[0].isupper():
        return True
    head = text[max(0, start - len(found[0]) - 16) : start - len(found[0])]
    named = _NAME_BEFORE.search(head)
    if (
        named is not None
        and word in ("van", "ter", "ten")
        and named[1].lower() not in word_set("address", "sentence_word")
    ):
        return True
    return bool(
        re.search(
            r"(?:burgemeester|burg\.?|dr\.?|prof\.?|mr\.?|wethouder|jan|jacob|"
            r"willem|pater|sint|pastoor|generaal|graaf) $",
            head,
            re.IGNORECASE,
        )
    ) or bool(
        re.search(
            r"(?:burgemeester|burg\.?|dr\.?|jan|wethouder|jacob) (?:van|de|der|den|op|ter|ten) $", head, re.IGNORECASE
        )
    )


def _named_after_nature(text: str, start: int) -> bool:
    """Before "Meidoorn 7" a word with a capital is somebody's name."""
    word = re.match(rf"{_LETTER}+", text[start : start + 20])
    return word is not None and word[0].lower() in load_words("street_names")


def _trim(text: str, start: int) -> int:
    """Drop a capital word that begins a sentence and is no part of a street name."""
    while True:
        word = re.match(rf"({_LETTER}+)\.? ", text[start : start + 24])
        if (
            word is None
            or word[1].lower() not in word_set("address", "sentence_word")
            or (word[1][0].isupper() and word[1].lower() in ("de", "het"))
        ):
            return start
        start += word.end()
