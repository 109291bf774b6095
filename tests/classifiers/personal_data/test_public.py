"""The school's own list: what it names is no finding, and a mistake in it is told with file, place and remedy."""

from pathlib import Path

import pytest

from classifiers.personal_data import find, load_public
from classifiers.personal_data.errors import PublicListError

_OWN = """
phones = ["0182 47 20 93"]
domains = ["deltalyceum.nl"]
addresses = ["Eikenlaan 4", "2613 AB"]
accounts = ["NL96 INGB 0129 9972 07"]
handles = ["@delta.5v"]
"""


@pytest.mark.parametrize(
    "text",
    [
        "bel 0182-472093",
        "+31 182 47 20 93",
        "mail j.smit@deltalyceum.nl",
        "kom naar Eikenlaan 4",
        "Eikenlaan 4, 2613 AB",
        "volg @delta.5v",
        "maak over op NL96 INGB 0129 9972 07",
    ],
)
def test_what_the_school_lists_is_no_finding(tmp_path: Path, text: str) -> None:
    """The same sentence is a finding without the list and none with it, in any spelling."""
    own = tmp_path / "public.toml"
    own.write_text(_OWN, encoding="utf-8")
    assert find(text) != []
    assert find(text, public=load_public(own)) == []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("phones = [", "cannot be read as TOML"),
        ("telefoons = []", "unknown list 'telefoons'"),
        ("phones = [1]", "phones must be a list of texts"),
    ],
)
def test_a_mistake_in_the_list_is_told(tmp_path: Path, content: str, told: str) -> None:
    """The error names the file and what is wrong in it."""
    own = tmp_path / "public.toml"
    own.write_text(content, encoding="utf-8")
    with pytest.raises(PublicListError, match=told) as raised:
        load_public(own)
    assert str(own) in str(raised.value)


def test_a_missing_list_is_told(tmp_path: Path) -> None:
    """A path that leads nowhere is an error, not an empty list."""
    with pytest.raises(PublicListError):
        load_public(tmp_path / "none.toml")
