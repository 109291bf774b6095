"""E-mail addresses, plain or spelled out, checked with email-validator (Unlicense) and tldextract (BSD-3-Clause).

Nothing is looked up: deliverability is not asked and the public suffix list is the one shipped with tldextract.
"""

import functools
import re
from collections.abc import Iterator

import tldextract
from email_validator import EmailNotValidError, validate_email

from classifiers.personal_data.match import Match
from classifiers.personal_data.public import PublicData
from classifiers.personal_data.text import PreparedText
from classifiers.personal_data.words import word_set

_PLAIN = re.compile(r"(?<![\w.+%-])[\w+%-](?:[\w.+%-]{0,62}[\w+%-])?@(?:[\w-]{1,63}\.){1,5}[^\W\d_]{2,24}(?![\w-])")
_AT = (
    r"(?:@|🐒|\(at\)|\[at\]|\(a\)|\[a\]|\{at\}|\(apen?staart(?:je)?\)|"
    r"\[apen?staart(?:je)?\]|apen?staart(?:je)?|aapje|\bat\b)"
)
_DOT = r"(?:\(punt\)|\[punt\]|\(dot\)|\[dot\]|\[\.\]|\(\.\)|punt|dot|\.)"
_LINK = r"(?:underscore|liggend streepje|streepje laag|laag streepje|streepje|min)"
_SPACE = r"[ \-]{0,3}"
_PART = r"[^\W_](?:[\w-]{0,30}?[^\W_])?"
_PREFIX = r"(?:(?:van|von|de|den|der|ter|ten|el) ){0,2}"
_LOCAL = rf"{_PART}(?:{_SPACE}(?:{_DOT}|{_LINK}|_|\+){_SPACE}{_PREFIX}{_PART}){{0,4}}"
_SPELLED = re.compile(
    rf"(?<![\w.@])(?P<local>{_LOCAL}){_SPACE}(?P<at>{_AT}){_SPACE}(?P<name>[^\W_](?:\w|"
    rf"-(?!punt|dot)){{0,30}})(?: (?!punt|dot)(?P<second>[^\W_]{{2,20}}))?"
    rf"(?P<rest>(?:{_SPACE}{_DOT}{_SPACE}[^\W_]{{2,24}}){{0,3}})"
)
_BETWEEN_LABELS = re.compile(rf"{_SPACE}{_DOT}{_SPACE}")
_BETWEEN_WORDS = re.compile(rf"{_SPACE}(?:{_LINK}){_SPACE}")
_SPACED = re.compile(r"(?<![^\s:(])(?:[\w.+-] ){2,40}@(?: [\w.-]){3,40}(?![^\s,)])")
_NO_SUFFIX = re.compile(
    r"(?<![\w.+@-])(?P<local>[\w.+-]{2,40}) ?@ ?(?P<name>[a-z0-9]{2,12})(?:,(?P<tld>com|nl|be))?(?![\w.@])",
    re.IGNORECASE,
)
_LOOSE = re.compile(
    r"(?<![\w.])(?P<local>[\w.+-]{2,40}) {0,2}@ {0,2}(?P<domain>[\w-]{2,30} {0,2}\. {0,2}[^\W\d_]{2,10})(?![\w.])"
)
_NOISE = re.compile(r"[\s()\[\]{}]")


@functools.cache
def suffixes() -> tldextract.TLDExtract:
    """Give the public suffix list shipped with tldextract: no network, no cache on disk."""
    return tldextract.TLDExtract(cache_dir=None, suffix_list_urls=(), fallback_to_snapshot=True)


def is_host(name: str) -> bool:
    """Tell whether a host name ends in a public suffix, or in one of the names kept for examples."""
    if name.rsplit(".", 1)[-1] in ("example", "test", "invalid", "lan"):
        return True
    return bool(suffixes()(name).suffix)


class EmailRecognizer:
    """Finds e-mail addresses of persons."""

    name = "email"

    def wants(self, prepared: PreparedText) -> bool:
        """An at sign, or a word or letter that stands for it."""
        return (
            "@" in prepared.plain
            or not prepared.words.isdisjoint(word_set("email", "triggers"))
            or "[a]" in prepared.folded
            or "(a)" in prepared.folded
            or "🐒" in prepared.plain
        )

    def find(self, prepared: PreparedText, public: PublicData) -> Iterator[Match]:
        """Give every address that is not an office's."""
        if "@" in prepared.plain:
            for found in _PLAIN.finditer(prepared.plain):
                yield from self._plain(found, public)
            for found in _SPACED.finditer(prepared.plain):
                yield from self._squeezed(
                    found.start(), found.end(), found[0].replace(" ", ""), public, "letter by letter"
                )
            for found in _NO_SUFFIX.finditer(prepared.plain):
                if found["name"].lower() in word_set("email", "providers") and not is_public(
                    found["local"], "", public
                ):
                    sure = 0.91 if found["tld"] else 0.85
                    yield Match(*found.span(), "EMAIL", sure, "e-mail at a known provider, ending left out or mistyped")
            for found in _LOOSE.finditer(prepared.plain):
                if " " in found[0]:
                    yield from self._squeezed(
                        found.start(), found.end(), found[0].replace(" ", ""), public, "spaces around the at sign"
                    )
        if (
            not prepared.words.isdisjoint(word_set("email", "triggers"))
            or "[a]" in prepared.folded
            or "(a)" in prepared.folded
            or "🐒" in prepared.plain
            or "[." in prepared.folded
        ):
            for found in _SPELLED.finditer(prepared.folded):
                yield from self._spelled(found, public)

    def _plain(self, found: "re.Match[str]", public: PublicData) -> Iterator[Match]:
        yield from self._squeezed(found.start(), found.end(), found[0], public, "pattern", 0.97)

    def _squeezed(
        self, start: int, end: int, address: str, public: PublicData, how: str, sure: float = 0.92
    ) -> Iterator[Match]:
        local, _, domain = address.rpartition("@")
        if is_public(local, domain, public) or not is_host(domain.lower()):
            return
        try:
            validate_email(address, check_deliverability=False, test_environment=True)
        except EmailNotValidError:
            return
        yield Match(start, end, "EMAIL", sure, f"e-mail, {how}; email-validator and public suffix check")

    def _spelled(self, found: "re.Match[str]", public: PublicData) -> Iterator[Match]:
        name, rest, at = found["name"].rstrip("-"), found["rest"], found["at"]
        local = _NOISE.sub("", _BETWEEN_WORDS.sub("_", _BETWEEN_LABELS.sub(".", found["local"])))
        if rest:
            labels = [one for one in _BETWEEN_LABELS.split(rest) if one]
            host = ".".join([name + (found["second"] or ""), *labels])
            if not is_host(host) or (found["second"] and name not in word_set("email", "providers")):
                return
            if at == "at" and name not in word_set("email", "providers") and "punt" not in rest and "dot" not in rest:
                return
            end = found.end("rest")
        elif name in word_set("email", "providers") and len(name) > 2 and at != "at":
            host, end = name, found.start("name") + len(name)
        else:
            return
        if not is_public(local, host, public):
            yield Match(
                found.start("local"), end, "EMAIL", 0.9, "e-mail spelled out in words; public suffix or known provider"
            )


def is_public(local: str, domain: str, public: PublicData) -> bool:
    """Tell whether an address is an office's or of a public domain."""
    return local.lower() in public.mailboxes or public.domain(domain)
