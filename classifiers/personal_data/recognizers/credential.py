"""Logins, passwords, pin codes and access codes of persons and homes."""

import re
from collections.abc import Iterator

from classifiers.personal_data.match import Match
from classifiers.personal_data.public import PublicData
from classifiers.personal_data.text import PreparedText
from classifiers.personal_data.words import WordPattern, load_words, word_set

_VALUE = r"[^\s,;()\[\]\"“”]{3,40}"
_SECRET_WORDS = r"(?:ww|wachtwoord|wachtwoordje|wwoord|w8w00rd|w8woord|password|passwd|paswoord|pw)"  # noqa: S105 - words for it
_OWNER = r"(?:[^\W\d_][\w'.-]{0,18} ){0,7}?"
_PASSWORD = re.compile(
    rf"(?<!\w){_SECRET_WORDS}(?!\w)(?: {_OWNER}(?:is|was|=|:)|\s?[:=]|:)?\s?(?:gewoon |"
    rf"gwn |nog steeds |nu |dus |echt |nog )?[\"'“‘]?(?P<value>{_VALUE})"
)
_OWNED = re.compile(
    rf"(?<!\w){_SECRET_WORDS} (?:[^\W\d_][\w'.-]{{0,18}} ){{1,8}}?(?:is|was|"
    rf"=) (?:gewoon |gwn |nog steeds |nu |dus |echt |nog )?[\"'“‘]?(?P<value>{_VALUE})"
)
_PIN = re.compile(
    r"(?<!\w)(?:pin|pincode|pinnetje|toegangscode|alarmcode|kluiscode|"
    r"slotcode|deurcode|poortcode|cijferslot|hek|hekje|code|sleutelkastje|"
    r"ontgrendelcode|schermcode)\b"
    r"(?P<owner>(?: [^\W\d_][\w'.-]{0,18}){0,8}?) ?(?:is|=|:|op|was)? ?(?:gewoon |"
    r"gwn |nog steeds |nu )?(?P<value>\d{4,8}[a-z]?|\d{3} \d{3})(?![\w:/-]|"
    r"[.,]\d)"
)
_LOGIN = re.compile(
    rf"(?<!\w)(?:inlog|inlogcode|inlognaam|login|log in|inloggen|gebruikersnaam|"
    rf"gebruiker|username|user|account|docentaccount|inloggegevens|logt in met)"
    rf"\b(?:[^\S\n]?(?:is|=|:|met|van)?)(?: {_OWNER}(?:is|=|:|met))?\s?(?P<user>{_VALUE})"
)
_PAIR = re.compile(
    rf"(?<![\w/])(?P<user>[\w.@+-]{{3,40}}) (?:/|ww:?|wachtwoord:?|pw:?|met ww|met wachtwoord) (?P<value>{_VALUE})"
)
_PAIR_TIGHT = re.compile(r"(?<![\w/.:-])(?P<user>\d{5,9}|[A-Za-z][\w.]{2,20})/(?P<value>[A-Z][\w!#$]{4,30})(?![\w/])")
_PAIR_LOOSE = re.compile(
    rf"(?<![\w/])(?P<user>\d{{5,8}}|[\w.+-]{{2,40}}@[\w.-]{{3,40}}) ?(?:,|en|met|&|-|\+) (?P<value>{_VALUE})"
)
_PAIR_LOGIN = re.compile(
    rf"(?<!\w)(?:log(?:t|gen)? (?:gewoon |gwn )?in|inlog|inloggen|login)(?: met|:| is|:? van \w{{2,15}} (?:is|:))? "
    rf"(?P<user>[\w.@+-]{{3,40}}) (?:en|&|\+|-) (?P<value>{_VALUE})",
    re.IGNORECASE,
)
_LOGIN_WORD = WordPattern("credential", "login_word")
_PERSON = WordPattern("credential", "person")
_PUBLIC_CODE = WordPattern("credential", "public_code")
_ASKED = WordPattern("credential", "asked")
_BARE = re.compile(
    r"^\s?(?:of |probeer |t is |tis |code |het is )?(?P<value>\d{4}|"
    r"\d{6}|\d{3} \d{3})(?: (?:en dan )?(?:hekje|sterretje|#)|\W{0,3})?$|"
    r"^(?P<start>\d{4}) en dan hekje"
)
_DIRECT = re.compile(rf"(?<!\w){_SECRET_WORDS}(?: [^\W\d_]{{1,10}}){{0,4}}? (?:is|was|=|:)[ \"'“‘]{{1,2}}$")
_TALKED_ABOUT = re.compile(rf"(?<!\w){_SECRET_WORDS}(?!\w)")
_SHAPE = re.compile(r"(?<![\w@./#+-])(?=[^\s]{0,39}\d)(?=[^\s]{0,39}[^\W\d_]{3})[A-Za-z][\w!#$&*?.-]{4,39}(?![\w/@])")
_STRONG = re.compile(r"\d\d|[_#$&*!].{0,40}\d|\d.{0,40}[_#$&*!]|\d$")
_SPREAD = re.compile(rf"(?<!\w){_SECRET_WORDS}(?!\w)[^\n:=]{{0,30}}[:=] ?(?P<value>(?:\w ){{4,20}}\w)(?!\w)")
_TRAIL = ".,!?:;)'\"”’"


class CredentialRecognizer:
    """Finds logins, passwords and codes."""

    name = "credential"

    def wants(self, prepared: PreparedText) -> bool:
        """A word about logging in, or a bare code that the messages before ask for."""
        return (
            not prepared.words.isdisjoint(word_set("credential", "triggers"))
            or "/" in prepared.plain
            or (prepared.digits >= 3 and len(prepared.raw) <= 90)
        )

    def find(self, prepared: PreparedText, public: PublicData) -> Iterator[Match]:
        """Give every login, password and code."""
        yield from self._pairs(prepared)
        if not prepared.words.isdisjoint(word_set("credential", "triggers")):
            for pattern in (_OWNED, _PASSWORD):
                for found in pattern.finditer(prepared.folded):
                    yield from self._password(found, prepared)
            if not prepared.mentions(_PUBLIC_CODE):
                yield from self._codes(prepared)
            for found in _LOGIN.finditer(prepared.folded):
                yield from self._user(found, prepared)
        yield from self._loose(prepared)
        if prepared.before and prepared.digits >= 4 and len(prepared.raw) <= 40 and prepared.asked(_ASKED):
            yield from self._asked(prepared)

    def _loose(self, prepared: PreparedText) -> Iterator[Match]:
        """A word with the shape of a password somewhere in a message, or a conversation, about a password."""
        asked = not prepared.mentions(_TALKED_ABOUT)
        if asked and not (prepared.asked(_TALKED_ABOUT)):
            return
        for found in _SHAPE.finditer(prepared.plain):
            value = found[0].rstrip(".,?:;)")
            if (
                value.lower().startswith(("wacht", "w8w"))
                or not looks_secret(value)
                or not any(map(str.isdigit, value))
                or len(value) < 5
            ):
                continue
            if not _STRONG.search(value) or (asked and not re.search(r"[_#$&*!]", value)):
                continue
            yield Match(
                found.start(),
                found.start() + len(value),
                "CREDENTIAL",
                0.72,
                "shape of a password; passwords are talked about",
            )
        spread = _SPREAD.search(prepared.folded)
        if spread is not None:
            yield Match(*spread.span("value"), "CREDENTIAL", 0.8, "password, letter by letter")

    def _codes(self, prepared: PreparedText) -> Iterator[Match]:
        for found in _PIN.finditer(prepared.folded):
            plain_code = found[0].startswith("code")
            if plain_code and not prepared.mentions(_PERSON):
                continue
            if re.search(r"\b(?:niet|geen|slechtste)\b", found["owner"] or ""):
                continue
            yield Match(*found.span("value"), "CREDENTIAL", 0.85, "digits beside a word for a code")

    def _password(self, found: "re.Match[str]", prepared: PreparedText) -> Iterator[Match]:
        start, end = found.span("value")
        end = start + len(
            prepared.plain[start:end].rstrip(_TRAIL if not prepared.plain[start:end].endswith("!") else ".,?:;)'\"”’")
        )
        value = prepared.plain[start:end]
        if value.lower() in word_set("credential", "no_value") or len(value) < 3:
            return
        marked = found[0][: start - found.start()].rstrip(" \"'“‘").endswith((":", "="))
        looks = looks_secret(value)
        sentence_end = prepared.folded[end : end + 1] in ("", ",", "\n", ".", "!") or prepared.folded[
            end : end + 2
        ] in (" x", " 😂")
        uncommon = value.lower() not in load_words("common_words") and len(value) >= 5
        if (
            looks
            or (marked and value.isalnum() and len(value) >= 4)
            or (uncommon and _DIRECT.search(prepared.folded[max(0, start - 40) : start]))
        ):
            yield Match(start, end, "CREDENTIAL", 0.96 if looks else 0.88, "value behind a word for a password")
        elif (
            re.search(r" (?:is|was) $", prepared.folded[max(0, start - 6) : start]) and sentence_end and len(value) >= 8
        ):
            yield Match(start, end, "CREDENTIAL", 0.75, "long word behind a word for a password")

    def _user(self, found: "re.Match[str]", prepared: PreparedText) -> Iterator[Match]:
        start, end = found.span("user")
        end = start + len(prepared.plain[start:end].rstrip(_TRAIL))
        value = prepared.plain[start:end]
        has_secret = bool(re.search(rf"(?<!\w){_SECRET_WORDS}(?!\w)", prepared.folded))
        if value.lower() in word_set("credential", "no_value") or not has_secret:
            return
        if looks_secret(value) or re.match(rf" (?:en )?{_SECRET_WORDS}(?!\w)", prepared.folded[end : end + 20]):
            yield Match(start, end, "CREDENTIAL", 0.97, "user name beside a password")

    def _pairs(self, prepared: PreparedText) -> Iterator[Match]:
        about = prepared.mentions(_LOGIN_WORD) or prepared.asked(_LOGIN_WORD)
        if not about:
            return
        for found in _PAIR.finditer(prepared.plain):
            value = found["value"].rstrip(".,?:;)")
            user = found["user"]
            if (
                (looks_secret(value) or (user.isdigit() and len(value) > 4))
                and (looks_secret(user) or looks_secret(value))
                and not _is_number_pair(user, value)
            ):
                yield Match(*found.span("user"), "CREDENTIAL", 0.97, "user name beside a password")
                yield Match(
                    found.start("value"),
                    found.start("value") + len(value),
                    "CREDENTIAL",
                    0.97,
                    "password beside a user name",
                )
        for found in _PAIR_TIGHT.finditer(prepared.plain):
            value = found["value"].rstrip(".,?:;)")
            if looks_secret(value) and any(map(str.isalpha, value)):
                yield Match(*found.span("user"), "CREDENTIAL", 0.97, "user name beside a password")
                yield Match(
                    found.start("value"),
                    found.start("value") + len(value),
                    "CREDENTIAL",
                    0.97,
                    "password beside a user name",
                )
        for found in (*_PAIR_LOOSE.finditer(prepared.plain), *_PAIR_LOGIN.finditer(prepared.plain)):
            value = found["value"].rstrip(".,?:;)")
            if (
                looks_secret(value)
                and not value.isdigit()
                and "@" not in value
                and any(map(str.isalpha, value))
                and len(value) >= 6
            ):
                yield Match(*found.span("user"), "CREDENTIAL", 0.975, "user name beside a password")
                yield Match(
                    found.start("value"),
                    found.start("value") + len(value),
                    "CREDENTIAL",
                    0.97,
                    "password beside a user name",
                )

    def _asked(self, prepared: PreparedText) -> Iterator[Match]:
        if prepared.asked(_PUBLIC_CODE) or prepared.mentions(_PUBLIC_CODE):
            return
        found = _BARE.match(prepared.folded)
        if found is not None:
            yield Match(
                *found.span("value" if found["value"] else "start"),
                "CREDENTIAL",
                0.72,
                "bare code; asked for in the messages before",
            )


def _is_number_pair(user: str, value: str) -> bool:
    return user.isdigit() and value.replace("/", "").isdigit() and len(user) < 5


def looks_secret(value: str) -> bool:
    """Tell whether a word is more than a word: digits or signs among letters, or capitals inside."""
    letters = any(map(str.isalpha, value))
    if not letters:
        return value.isdigit() and len(value) >= 4
    inner = value.strip("'\"!?.,")
    if any(map(str.isdigit, value)):
        return not re.fullmatch(r"\d{1,3}(?:x|e|u|km|min|cm|gb|ste|de)", value)
    return bool(re.search(r"[_#$&*!@]", inner)) or (value.endswith("!") and "!" in inner + value[:-1])
