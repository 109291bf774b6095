"""What a street name looks like: its endings, and the words that belong in front of it."""

import functools
import re

from classifiers.personal_data.words import load_words, word_set

LETTER = r"[^\W\d_]"
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
_CAPITAL_LEAD = rf"(?:[A-Z]{LETTER}{{0,20}}\.? )"


@functools.cache
def _endings() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    strong: set[str] = set()
    weak: set[str] = set()
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


def lead(text: str, start: int) -> int:
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
    word = re.match(rf"{LETTER}+", text[start : start + 20])
    return word is not None and word[0].lower() in load_words("street_names")


def _trim(text: str, start: int) -> int:
    """Drop a capital word that begins a sentence and is no part of a street name."""
    while True:
        word = re.match(rf"({LETTER}+)\.? ", text[start : start + 24])
        if (
            word is None
            or word[1].lower() not in word_set("address", "sentence_word")
            or (word[1][0].isupper() and word[1].lower() in ("de", "het"))
        ):
            return start
        start += word.end()
