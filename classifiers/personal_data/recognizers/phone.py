"""Phone numbers of the Netherlands, Belgium and abroad in every spelling, checked with phonenumbers (Apache-2.0).

Pupils write a number with letters for digits, in words, backwards or over several messages to get it past a filter.
"""

import itertools
import re
from collections.abc import Iterator

import phonenumbers

from classifiers.personal_data.match import Match
from classifiers.personal_data.numbers import NUMBER_WORDS, DigitRun, plain_runs, spelled, spelled_runs
from classifiers.personal_data.public import PublicData, national_digits
from classifiers.personal_data.text import FILLER, PreparedText
from classifiers.personal_data.words import WordPattern

_CONTEXT = WordPattern("phone", "context")
_OTHER_NUMBER = re.compile(
    r"\b(?:isbn|ean|barcode|serienummer|serienr|sn|s/n|track|trace|"
    r"track-and-trace|pakket|bestelnr|bestelnummer|bestelling|order|"
    r"ordernr|ordernummer|factuur|factuurnummer|factuurnr|artikelnr|"
    r"artikelnummer|chipnr|chipnummer|modelnummer|map|code|kahoot|pin|"
    r"kenteken|"
    r"bsn|burgerservicenummer|leerlingnummer|leerlingnr|highscore|score|"
    r"seed|coords|dossiernummer|klantnummer|lidnummer|kluisje|kluis|"
    r"blz|"
    r"bladzijde|pagina|pag|opgave|opg|opdr|paragraaf|par|getal|binair|"
    r"parketnummer|zaaknummer|kenmerk|dossier|iban|rekening|rekeningnummer|"
    r"advertentienummer|bonnummer|lotnummer|"
    r"onderwijsnummer|paspoort|paspoortnummer|rijbewijs|rijbewijsnummer|"
    r"zorgpas|polis|polisnummer)\W{0,3}(?:(?:is|was|van|nr|nummer|v?d|"
    r"de|het|mn|zn)\W{1,3}){0,3}$"
)
_ARITHMETIC = re.compile(
    r"^\s{0,2}(?:gedeeld|keer|plus|min|maal|\+ ?\d|x ?\d|\* ?\d|= ?\d|/ ?\d|:\s?\d|€|euro|eur\b|%|km\b|punten|stuks)"
)
_SCHEME = re.compile(r"(?:https?://|www\.)\S{0,200}$")
_CHAT_LINK = re.compile(r"(?:wa\.me/|api\.whatsapp\.com/send\?phone=|tel:)\+?$")
_GLUED_BEFORE = re.compile(r"(?:nr|tel|nummer|op|is|naar|bel|app|mobiel|gsm|telefoon|met)$")
_SCATTERED = re.compile(r"(?<!\d)0[^\w]{0,4}6(?:[^\w€$%]{0,4}\d){8}(?!\d)")
_DECIMALS = re.compile(r"\d,\d\d\d|=|\d[+*]\d")
_NUMBER_WORD = re.compile(r"\b(?:nummer|nr|mobiel|gsm|telefoonnummer|telnr|tel|06)\b")
_LEGEND = re.compile(r"(?<!\w)([a-zø]) ?(?:=|is|wordt) ?(nul|een|twee|drie|vier|vijf|zes|zeven|acht|negen|\d)(?!\w)")
_BACKWARDS = re.compile(r"\b(?:achterstevoren|andersom|omgekeerd|omgedraaid|van achter naar voren)\b")
_PART = re.compile(
    r"\b(?:nummer|nr|telnr)\b[^.\n]{0,40}?\b(?:eindigt op|eindigd op|"
    r"eindigt met)\s{0,2}(?P<tail>\d(?:[ .-]?\d){1,7})(?!\d)"
    r"|\b(?:begint|begin|beginnen|start)\b(?: [^\W\d]{1,12}){0,5}[ ,:]{1,3}(?P<head>0[46]\d?(?:[ .-]?\d){1,6})(?!\d)"
)
_PERSON = WordPattern("phone", "person")
_SCHOOL_MOBILE = re.compile(r"\b(?:schoolnummer|schooltelefoon|schoolmobiel|kamptelefoon)\b")
_IBAN_HEAD = re.compile(r"[A-Z]{2} ?\d{2} ?[A-Z]{4} ?$")
_SHAPES = (
    (re.compile(r"06\d{8}"), "shape of a Dutch mobile number, series not in use", 0.86),
    (re.compile(r"04\d{8}"), "shape of a Belgian mobile number, series not in use", 0.8),
    (re.compile(r"0[123457]\d{8}"), "shape of a Dutch landline number, area not in use", 0.7),
)
"""Shapes that pupils know as a phone number though phonenumbers does not pass them, why, and how sure."""
_TIED_BEFORE = re.compile(r"[A-Za-z0-9][-.]$")
_TIED_AFTER = re.compile(r"\d|_|[-./]\d|-[^\W\d_](?![^\W\d_])")
"""What makes a number part of something longer: an id such as "06-5518-2204-B", a decimal, a date."""
_NL_MOBILE = re.compile(r"06\d{8}")


class PhoneRecognizer:
    """Finds phone numbers."""

    name = "phone"

    def wants(self, prepared: PreparedText) -> bool:
        """A number has at least nine digits, or number words stand for them; parts of one need their own words."""
        return prepared.digits >= 7 or bool(spelled(prepared)) or (prepared.digits >= 2 and self._tells_part(prepared))

    def _tells_part(self, prepared: PreparedText) -> bool:
        return not prepared.words.isdisjoint(("begint", "begin", "beginnen", "eindigt"))

    def find(self, prepared: PreparedText, public: PublicData) -> Iterator[Match]:
        """Give every phone number that is somebody's own."""
        if prepared.digits >= 7:
            for run in plain_runs(prepared.plain):
                yield from self._in_run(run, prepared, public)
            yield from self._backwards(prepared)
            yield from self._scattered(prepared, public)
            yield from self._without_zero(prepared, public)
        for run in spelled(prepared):
            yield from self._in_spelled(run, prepared, public)
        legend = _LEGEND.findall(prepared.folded)
        if legend and prepared.digits >= 5:
            told = str.maketrans({letter: NUMBER_WORDS.get(digit, digit) for letter, digit in legend})
            read = prepared.folded.translate(told)
            for run in (*plain_runs(read), *spelled_runs(read)):
                yield from self._in_spelled(run, prepared, public)
        if self._tells_part(prepared):
            for found in _PART.finditer(prepared.folded):
                yield Match(
                    *found.span("tail" if found["tail"] else "head"),
                    "PHONE",
                    0.7,
                    "part of a number that is told as such",
                )

    def _in_run(self, run: DigitRun, prepared: PreparedText, public: PublicData) -> Iterator[Match]:
        cuts = run.groups()
        taken = 0
        for first in cuts[:-1]:
            if first < taken or not self._may_begin(run, first, prepared):
                continue
            for last in reversed(cuts):
                if last - first > 15:
                    continue
                if last - first < 9:
                    break
                match = self._checked(run, first, last, prepared, public)
                if match is not None:
                    taken = last
                    yield match
                    break
                if first == taken and last == cuts[-1] and self._is_taken_by_public(run, first, last, public):
                    break

    def _is_taken_by_public(self, run: DigitRun, first: int, last: int, public: PublicData) -> bool:
        return public.phone(national_digits(run.digits[first:last]))

    def _may_begin(self, run: DigitRun, first: int, prepared: PreparedText) -> bool:
        if first == 0 and run.plus:
            return True
        if run.digits[first] == "0":
            return True
        if run.digits.startswith(("316", "324"), first):
            return bool(_CHAT_LINK.search(prepared.ahead(run.starts[first]))) or bool(
                _CONTEXT.search(prepared.ahead(run.starts[first]))
            )
        return False

    def _checked(
        self, run: DigitRun, first: int, last: int, prepared: PreparedText, public: PublicData
    ) -> Match | None:
        start, end = (run.start if first == 0 and run.plus else run.starts[first]), run.ends[last - 1]
        digits = run.digits[first:last]
        plus = run.plus and first == 0
        start, end = _with_bracket(prepared.plain, start, _with_frame(prepared.plain, end))
        if not self._stands_free(prepared, start, end):
            return None
        checked = check(("+" if plus or digits.startswith(("316", "324")) else "") + digits, strict_abroad=not plus)
        if checked is None:
            return None
        national = checked[0]
        if public.phone(national):
            return None
        if _is_table(prepared.plain[start:end]):
            return None
        if (
            last < len(run.digits)
            and not _NL_MOBILE.fullmatch(national)
            and not plus
            and not prepared.mentions(_CONTEXT)
        ):
            return None  # the first numbers of a row, such as a lottery's
        return self._weighed(prepared, public, (start, end), checked)

    def _weighed(
        self,
        prepared: PreparedText,
        public: PublicData,
        span: tuple[int, int],
        checked: tuple[str, str, float],
    ) -> Match | None:
        (start, end), (national, why, confidence) = span, checked
        ahead = prepared.ahead(start)
        if _OTHER_NUMBER.search(ahead) or _ARITHMETIC.match(prepared.folded[end : end + 12]):
            return None
        mobile = bool(_NL_MOBILE.fullmatch(national))
        if (not mobile or _SCHOOL_MOBILE.search(ahead)) and public.beside(
            prepared, start, end, far=_ends_round(national)
        ):
            return None
        near = prepared.near(start, end)
        if _CONTEXT.search(near):
            return Match(start, end, "PHONE", min(0.99, confidence + 0.04), why + "; context word")
        if not mobile and (_ends_round(national) or (confidence < 0.85 and not _PERSON.search(near))):
            return None
        return Match(start, end, "PHONE", confidence, why)

    def _stands_free(self, prepared: PreparedText, start: int, end: int) -> bool:
        text = prepared.plain
        if _IBAN_HEAD.search(text[max(0, start - 12) : start]):
            return False
        if start and (text[start - 1].isalnum() or text[start - 1] == "_"):
            letters = re.search(r"[^\W\d_]{1,20}$", prepared.folded[max(0, start - 20) : start])
            if letters is None or not _GLUED_BEFORE.search(letters[0]):
                return False
        if _TIED_BEFORE.search(text[max(0, start - 2) : start]) or _TIED_AFTER.match(text[end : end + 3]):
            return False
        head = prepared.folded[max(0, start - 200) : start]
        return not _SCHEME.search(head) or bool(_CHAT_LINK.search(head))

    def _in_spelled(self, run: DigitRun, prepared: PreparedText, public: PublicData) -> Iterator[Match]:
        digits = run.digits
        if digits[0] == "6" and len(digits) >= 9 and ("nul" in prepared.words or prepared.mentions(_NUMBER_WORD)):
            apart = len(digits) == 9 or run.starts[9] > run.starts[8]
            if apart and check("0" + digits[:9], strict_abroad=True) is not None:
                why = "mobile number in words without its 0; phonenumbers check"
                yield Match(run.starts[0], run.ends[8], "PHONE", 0.8, why)
            return
        for first, last in _windows(digits):
            if (first and run.starts[first] == run.starts[first - 1]) or (
                last < len(digits) and run.starts[last] == run.starts[last - 1]
            ):
                continue  # inside one word
            match = self._spelled_window(run, first, last, prepared, public)
            if match is not None:
                yield match
                return

    def _spelled_window(
        self, run: DigitRun, first: int, last: int, prepared: PreparedText, public: PublicData
    ) -> Match | None:
        start = run.starts[first] - (1 if run.plus and first == 0 else 0)
        end = run.ends[last - 1]
        digits = run.digits[first:last]
        plain = not any(map(str.isalpha, prepared.folded[start:end]))
        if plain or (len(digits) == 9 and not prepared.mentions(_CONTEXT)):
            return None  # plain digits are judged already
        checked = check(("+" if digits.startswith("316") else "") + digits, strict_abroad=True)
        if checked is None or public.phone(checked[0]):
            return None
        if not self._stands_free(prepared, start, end) and prepared.folded[start - 1 : start] != "+":
            return None
        return Match(start, end, "PHONE", 0.92, "digits in words or letters; phonenumbers check")

    def _scattered(self, prepared: PreparedText, public: PublicData) -> Iterator[Match]:
        """Ten digits of a mobile number with anything but words between them ("06,12,34..." or one piece a line)."""
        for found in _SCATTERED.finditer(prepared.plain):
            digits = re.sub(r"\D", "", found[0])
            if (
                not _NL_MOBILE.fullmatch(digits)
                or public.phone(digits)
                or _OTHER_NUMBER.search(prepared.ahead(found.start()))
            ):
                continue
            if (
                _is_table(found[0])
                or _DECIMALS.search(found[0])
                or not self._stands_free(prepared, found.start(), found.end())
            ):
                continue
            yield Match(*found.span(), "PHONE", 0.8, "ten digits of a Dutch mobile number with signs between them")

    def _without_zero(self, prepared: PreparedText, public: PublicData) -> Iterator[Match]:
        """A mobile number without its 0, behind a word for a number."""
        for run in plain_runs(prepared.plain):
            start, end = run.starts[0], run.ends[-1]
            if len(run.digits) != 9 or run.digits[0] != "6" or not _NUMBER_WORD.search(prepared.ahead(start, 30)):
                continue
            checked = check("0" + run.digits, strict_abroad=True)
            if checked is None or public.phone(checked[0]) or _OTHER_NUMBER.search(prepared.ahead(start)):
                continue
            if self._stands_free(prepared, start, end):
                why = "mobile number without its 0; phonenumbers check; context word"
                yield Match(start, end, "PHONE", 0.8, why)

    def _backwards(self, prepared: PreparedText) -> Iterator[Match]:
        if not prepared.mentions(_BACKWARDS):
            return
        for run in plain_runs(prepared.plain):
            if _NL_MOBILE.fullmatch(run.digits[::-1]) and not _NL_MOBILE.fullmatch(run.digits):
                yield Match(
                    run.starts[0], run.ends[-1], "PHONE", 0.9, "backwards, as the message tells; phonenumbers check"
                )


def _windows(digits: str) -> Iterator[tuple[int, int]]:
    """Give the stretches of a series that can be a whole number, likely ones first."""
    for first in range(len(digits)):
        head = digits[first:]
        if head.startswith(("06", "04", "00316", "316")) or (head.startswith("0") and len(head) in (9, 10)):
            yield from ((first, first + length) for length in (10, 13, 11, 9) if length <= len(head))


def _with_bracket(text: str, start: int, end: int) -> tuple[int, int]:
    """Take the opening bracket of "(06) 12" along, when it closes inside the number."""
    if start and text[start - 1] == "(" and ")" in text[start:end]:
        return start - 1, end
    if text[start : start + 1] == "(" and ")" not in text[start:end]:
        return start + 1, end
    return start, end


def _with_frame(text: str, end: int) -> int:
    """Take the frame of the last keycap along."""
    while text[end : end + 1] == FILLER:
        end += 1
    return end


def _is_table(written: str) -> bool:
    """Pairs with one step between them are a table of multiplication ("06 12 18 24 30")."""
    pairs = [int(one) for one in written.split() if one.isdigit() and len(one) == 2]
    steps = {later - earlier for earlier, later in itertools.pairwise(pairs)}
    return len(pairs) == 5 and len(steps) == 1


def _ends_round(national: str) -> bool:
    """Numbers of organisations end in zeros ("55 40 00") or hold a row of them ("299 00 00")."""
    return national.endswith("00") or "0000" in national[3:] or "9900" in national


def check(written: str, strict_abroad: bool) -> tuple[str, str, float] | None:
    """Check a number with phonenumbers, first as Dutch, then as Belgian.

    Args:
        written: Digits, a plus sign before them for a foreign one.
        strict_abroad: Only the Netherlands and Belgium, unless the number begins with 00.

    Returns:
        National digits (abroad: all digits), why it is one, and how sure; None when it is none.
    """
    abroad = written.startswith(("+", "00"))
    if abroad:
        return _check_abroad(
            "+" + written.lstrip("+").removeprefix("00"), strict_abroad and not written.startswith("00")
        )
    if not 9 <= len(written) <= 10 or not written.startswith("0"):
        return None
    for region in ("NL", "BE") if len(written) == 10 else ("BE",):
        number = phonenumbers.parse(written, region)
        if phonenumbers.is_valid_number(number):
            mobile = phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE
            return written, f"phonenumbers: valid in {region}", 0.95 if mobile else 0.88 if len(written) == 10 else 0.82
    return next(((written, why, confidence) for shape, why, confidence in _SHAPES if shape.fullmatch(written)), None)


def _check_abroad(written: str, only_near: bool) -> tuple[str, str, float] | None:
    try:
        number = phonenumbers.parse(written, None)
    except phonenumbers.NumberParseException:
        return None
    if only_near and number.country_code not in (31, 32):
        return None
    national = f"0{number.national_number}" if number.country_code in (31, 32) else written.lstrip("+")
    if phonenumbers.is_valid_number(number):
        return national, f"phonenumbers: valid with country code {number.country_code}", 0.95
    if phonenumbers.is_possible_number(number) and (number.country_code not in (31, 32) or national[1] in "64"):
        return national, f"phonenumbers: possible with country code {number.country_code}", 0.85
    return None
