"""The test table of the postcode recognizer: a sentence, what is found in it, and what was said before."""

import pytest

from tests.classifiers.personal_data.conftest import Recognize

TABLE: list[tuple[str, list[str], tuple[str, ...]]] = [
    ("Zandweg 6B, 4175 HE", ["4175 HE"], ()),
    ("3512JK 22", ["3512JK"], ()),
    ("postcode 5611 gm", ["5611 gm"], ()),
    ("Meersstraat 14 bus 0201, 9000 Gent", ["9000"], ()),
    ("4461 RM", ["4461 RM"], ()),
    ("twee zes een drie a b", ["twee zes een drie a b"], ()),
    ("in 2026 EK", [], ()),
    ("1200 GB schijf", [], ()),
    ("maak van 2613AB een functie in excel", [], ()),
    ("het jaar 2010", [], ()),
    ("Sportdag: Sportlaan 22, 2613 AB bij het zwembad", [], ()),
    ("ik zit op 5038XP nr 12", ["5038XP"], ()),
    ("1011ab 12-2, bovenste bel", ["1011ab"], ()),
    ("nog 5000xp nodig", [], ()),
    ("1500ww 12 volt", [], ()),
]


@pytest.mark.parametrize(("text", "expected", "before"), TABLE)
def test_table(recognize: Recognize, text: str, expected: list[str], before: tuple[str, ...]) -> None:
    """A postcode beside a house, a street or a word about an address is found; years and sizes are not."""
    assert recognize("postcode", text, before) == expected
