"""The lookup lists and context words of the recognizers: data with a note, read when first used."""

import functools
import re
import tomllib
from importlib.resources import files
from typing import Final


@functools.cache
def load_words(name: str) -> frozenset[str]:
    """Read a lookup list of this package.

    Args:
        name: File name in `lists`, without `.txt`.

    Returns:
        The lines, without notes and empty lines.
    """
    text = files("classifiers.personal_data").joinpath("lists", f"{name}.txt").read_text(encoding="utf-8")
    return frozenset(line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))


@functools.cache
def _tables() -> dict[str, dict[str, list[str]]]:
    text = files("classifiers.personal_data").joinpath("words.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@functools.cache
def word_set(section: str, name: str) -> frozenset[str]:
    """Give a list of plain words.

    Args:
        section: Table of words.toml, which is the module's name.
        name: List in that table.

    Returns:
        Its words.
    """
    return frozenset(_tables()[section][name])


class WordPattern:
    """A list of words or word patterns as one pattern of whole words, compiled when first used."""

    def __init__(self, section: str, name: str) -> None:
        self._section: Final = section
        self._name: Final = name

    @functools.cached_property
    def pattern(self) -> re.Pattern[str]:
        """The words as one compiled alternation; a word may begin or end with a sign that is no letter."""
        return re.compile(r"(?<!\w)(?:" + "|".join(_tables()[self._section][self._name]) + r")(?!\w)")

    def search(self, text: str) -> "re.Match[str] | None":
        """Find the first of the words in a text in lower case."""
        return self.pattern.search(text)
