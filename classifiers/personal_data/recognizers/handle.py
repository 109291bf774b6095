"""Account names and profile links of persons."""

import re
from collections.abc import Iterator

from classifiers.personal_data.match import Match
from classifiers.personal_data.public import PublicData
from classifiers.personal_data.text import PreparedText
from classifiers.personal_data.words import WordPattern, load_words, word_set

_AT_NAME = re.compile(
    r"(?<![\w.@/])@[^\W_](?:[\w.]{0,28}\w|\w{0,2})(?![\w@]|\.[a-z]{2,3}\b)|(?<![\w.@/])@[\w.]{2,30}\w_?(?![\w@])"
)
_TAG = re.compile(r"(?<![\w#.@])[\w.]{2,30}#\d{4}(?!\w)")
_PROFILE = re.compile(
    r"(?<![\w.@/-])(?:https?://)?(?:(?:www|m|open|nl|nl-nl|be|web)\.)?(?:"
    r"(?:instagram|insta)\.com/(?!p/|reel/|explore)[\w.]{2,40}/?|tiktok\.com/@[\w.]{2,40}|"
    r"snapchat\.com/add/[\w.-]{2,40}|(?:x|twitter)\.com/\w{2,30}|"
    r"facebook\.com/(?!groups|events|share)[\w.-]{3,60}|fb\.com/[\w.-]{3,60}|"
    r"linktr\.ee/[\w.-]{2,40}|linkedin\.com/in/[\w-]{3,80}|spotify\.com/user/[\w.-]{2,60}|"
    r"pinterest\.(?:com|nl)/[\w-]{3,40}|strava\.com/athletes/\d{3,12}|"
    r"vinted\.(?:nl|be)/member/[\w-]{3,60}|chess\.com/member/[\w-]{2,40}|"
    r"youtube\.com/@[\w.-]{2,40}|"
    r"twitch\.tv/\w{3,30}|roblox\.com/users/\d{3,15}(?:/profile)?|steamcommunity\.com/(?:id|"
    r"profiles)/[\w-]{2,40}|bereal\.com/[\w.]{2,40}|bere\.al/[\w.]{2,40}|"
    r"discord\.com/users/\d{5,25}|threads\.net/@[\w.]{2,40}|t\.me/[\w]{4,40}|"
    r"onlyfans\.com/[\w.]{2,40}|ngl\.link/[\w.]{2,40}|tellonym\.me/[\w.]{2,40}|"
    r"wattpad\.com/user/[\w.-]{2,40}|"
    r"soundcloud\.com/[\w-]{2,40}|vsco\.co/[\w-]{2,40}|marktplaats\.nl/u/[\w./-]{2,60}|"
    r"[\w-]{2,30}\.example/(?:profiel|profile|user|u|member)/[\w.-]{2,60}|"
    r"play\.?station\.com/\w{2,30}|letterboxd\.com/\w{2,30}|reddit\.com/(?:u|user)/[\w-]{2,30})",
    re.IGNORECASE,
)
_PLATFORM = WordPattern("handle", "platform")
_NAMED = re.compile(
    r"(?<!\w)(?:insta|instagram|ig|snap|snapchat|tiktok|discord|dc|psn|xbox|steam|be ?real|bereal|twitch|twitter|"
    r"telegram|"
    r"spam|finsta|gamertag|tinder|roblox|epic|minecraft|brawl|vinted|duolingo|strava|chess)(?!\w)"
)
_TOKEN = re.compile(r"[^\s,;:()\"]{4,32}")
_DIRECT = re.compile(r"^(?: (?:is|heet|van \w{2,12} is|van \w{2,12}|naam|name|nu))? ?[:=] ?$|^ (?:is|heet) $")
_ADD = re.compile(
    r"(?<!\w)(?:voeg|add|adden|volg|toevoegen|zoek)(?: (?:mij|me|hem|"
    r"haar|m|op|ff|even|toe|snap|insta|ons|dan|maar)){0,4} (?P<name>[^\s,;:()\"]{4,32})"
)
_ON_PLATFORM = re.compile(
    r"(?<!\w)(?P<name>[A-Za-z][\w.]{3,30}) op (?:insta|snap|tiktok|discord|roblox|psn|xbox|steam)(?!\w)"
)
_SPELLED = re.compile(
    r"(?<!\w)(?:at|apestaart(?:je)?) [^\W_]{2,20}(?: (?:underscore|"
    r"punt|streepje|laag streepje) ?[^\W_]{0,20}){1,5}(?: \d{1,4})?(?!\w)"
)
_SPACED = re.compile(r"@(?: [\w.]){4,30}(?![\w])")
_SHAPED = re.compile(r"(?=[\w.]{0,30}[._\d])(?=[\w.]{0,30}[A-Za-z])[A-Za-z_][\w.]{3,30}")
_MENTION_WORDS = WordPattern("handle", "mention_words")
_ASKED = re.compile(r"\b(?:snap|snaps|insta|discord|roblox|tiktok|psn|gamertag|username|usernaam|account)\b")
_STRONG_SHAPE = re.compile(
    r"(?=\w{0,20}[A-Za-z]{4})(?:[A-Za-z]{1,20}_\w{0,20}\d{1,6}|[A-Za-z]{3,20}\.[A-Za-z.]{2,20}\d{1,6})"
)
_REACH = 60
_NO_HANDLE = frozenset(("http", "https", "www", "story", "stories", "dms"))
_HOST = re.compile(r"\.(?:nl|com|be|org|net|eu|io|app)$")
_GENERAL = re.compile(r"\b(?:schoolinsta|school|webshop|winkel|club|bedrijf|gemeente)\b")


class HandleRecognizer:
    """Finds account names and links to a person's page."""

    name = "handle"

    def wants(self, prepared: PreparedText) -> bool:
        """An at sign, a tag, a platform's name, or a word shaped like a name after such a question."""
        return (
            "@" in prepared.plain
            or "#" in prepared.plain
            or not prepared.words.isdisjoint(word_set("handle", "triggers"))
            or (len(prepared.raw) <= 40 and bool(prepared.before) and prepared.asked(_ASKED))
        )

    def find(self, prepared: PreparedText, public: PublicData) -> Iterator[Match]:
        """Give every account name and profile link that is a person's."""
        for start, end, confidence, why in self._candidates(prepared):
            if not public.handle(prepared.plain[start:end]) and not _GENERAL.search(prepared.ahead(start, 25)):
                yield Match(start, end, "HANDLE", confidence, why)

    def _candidates(self, prepared: PreparedText) -> Iterator[tuple[int, int, float, str]]:
        text = prepared.plain
        for found in _PROFILE.finditer(text):
            yield found.start(), found.start() + len(found[0].rstrip(".?!")), 0.95, "link to a profile"
        if "#" in text:
            for found in _TAG.finditer(text):
                if not found[0].split("#")[0].isdigit():
                    yield *found.span(), 0.9, "name with a four-digit tag"
        if "@" in text:
            yield from self._at_names(prepared)
        if not prepared.words.isdisjoint(word_set("handle", "triggers")):
            yield from self._named(prepared)
        if prepared.before and len(text) <= 40 and prepared.asked(_ASKED):
            answer = re.match(
                r"^[*\s]{0,2}(?:en |ik ben |of |ikke |ik |mijne )?(?P<name>[\w.]{4,32})(?: (?:op|"
                r"ben ik|is van)\b.{0,20})?\W{0,2}$",
                text,
            )
            if answer is not None and (is_account_name(answer["name"].rstrip(".")) or is_glued_name(answer["name"])):
                yield *answer.span("name"), 0.75, "shape of an account name; asked for in the messages before"

    def _at_names(self, prepared: PreparedText) -> Iterator[tuple[int, int, float, str]]:
        names = load_words("first_names")
        about = prepared.mentions(_MENTION_WORDS)
        for found in _AT_NAME.finditer(prepared.plain):
            name = found[0][1:].rstrip(".")
            end = found.start() + 1 + len(name)
            if name.lower() in names and not about:
                continue
            if re.search(r"[._\d]", name):
                yield found.start(), end, 0.92, "account name with an at sign"
            elif about and len(name) >= 5 and name.lower() not in names:
                yield found.start(), end, 0.8, "account name with an at sign; word about a platform"
        for found in _SPACED.finditer(prepared.plain):
            yield *found.span(), 0.85, "account name, letter by letter"

    def _named(self, prepared: PreparedText) -> Iterator[tuple[int, int, float, str]]:
        for platform in _NAMED.finditer(prepared.folded):
            yield from self._behind(platform.end(), prepared)
        if prepared.mentions(_NAMED):
            for found in _SHAPED.finditer(prepared.plain):
                if _STRONG_SHAPE.fullmatch(found[0]) and _is_word_apart(prepared.plain, *found.span()):
                    yield *found.span(), 0.8, "shape of an account name in a message about a platform"
        for found in (*_ADD.finditer(prepared.folded), *_ON_PLATFORM.finditer(prepared.plain)):
            start, end = _stripped(prepared.plain, *found.span("name"))
            name = prepared.plain[start:end]
            if is_account_name(name) or (found.re is _ON_PLATFORM and is_glued_name(name)):
                yield start, end, 0.85, "shape of an account name beside a platform"
        if prepared.mentions(_PLATFORM):
            for found in _SPELLED.finditer(prepared.folded):
                yield *found.span(), 0.85, "account name spelled out in words; word about a platform"

    def _behind(self, place: int, prepared: PreparedText) -> Iterator[tuple[int, int, float, str]]:
        """Look for names on the same line, at most so many characters behind a platform."""
        line_end = prepared.folded.find("\n", place, place + _REACH)
        for found in _TOKEN.finditer(prepared.plain, place, line_end if line_end >= 0 else place + _REACH):
            start, end = _stripped(prepared.plain, *found.span())
            name = prepared.plain[start:end]
            if is_account_name(name) or is_glued_name(name):
                yield start, end, 0.85, "shape of an account name beside a platform"
            elif _DIRECT.match(prepared.folded[place:start]) and _is_uncommon(name):
                yield start, end, 0.72, "uncommon word right behind a platform"


def is_account_name(name: str) -> bool:
    """Tell whether a word has the shape of an account name rather than of a Dutch word, a time or a web address."""
    if not _SHAPED.fullmatch(name) or name.lower() in _NO_HANDLE or _HOST.search(name):
        return False
    letters = sum(map(str.isalpha, name))
    return letters >= 3 and ("_" in name or (letters >= 4 and bool(re.search(r"\w\.\w|\d", name))))


def is_glued_name(name: str) -> bool:
    """Tell whether a word without digits or dots begins with a first name and is no ordinary word ("saartjepaars")."""
    lowered = name.lower()
    if not lowered.isalpha() or not 7 <= len(lowered) <= 24 or lowered in load_words("common_words"):
        return False
    firsts = load_words("first_names")
    return lowered not in firsts and any(lowered[:length] in firsts for length in range(4, min(11, len(lowered) - 1)))


def _is_uncommon(name: str) -> bool:
    return (
        name.isalpha() and len(name) >= 6 and name.lower() not in load_words("common_words") | load_words("first_names")
    )


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    """Leave signs at the edges of a word out."""
    word = text[start:end]
    left = len(word) - len(word.lstrip("!?*'.-"))
    return start + left, end - (len(word) - len(word.rstrip("!?*'.-")))


def _is_word_apart(text: str, start: int, end: int) -> bool:
    return (start == 0 or text[start - 1] in " \n(:'\"") and text[end : end + 1] in (
        "",
        " ",
        "\n",
        ",",
        ".",
        "!",
        "?",
        ")",
        "'",
        '"',
    )
