"""The test table of the birth_date recognizer: a sentence, what is found in it, and what was said before."""

import datetime

import pytest

from classifiers.personal_data.recognizers.birth_date import NUMERIC, is_birth_date
from tests.classifiers.personal_data.conftest import Recognize

TABLE: list[tuple[str, list[str], tuple[str, ...]]] = [
    ("Yara is geboren op 14 maart 2011", ["14 maart 2011"], ()),
    ("sanne 22/07/2010", ["22/07/2010"], ()),
    ("ik ben van 30-12-2008", ["30-12-2008"], ()),
    ("2010-06-21 is mijn geboortedatum", ["2010-06-21"], ()),
    ("27 mrt '12", ["27 mrt '12"], ("wat is je verjaardag",)),
    ("Gijs is van eenendertig mei tweeduizendtien", ["eenendertig mei tweeduizendtien"], ()),
    ("geboortedag 240510", ["240510"], ()),
    ("geboren op 12 mei", ["12 mei"], ()),
    ("ouderavond van 26-11-2010", [], ()),
    ("napoleon geboren 15 augustus 1769", [], ()),
    ("Sem moet inleveren op 31-02-2010", [], ()),
    ("op 6 juni 1944 landden ze", [], ()),
    ("toets 12-04-2026", [], ()),
    ("ik ben geboren op drie mei tweeduizend tien", ["drie mei tweeduizend tien"], ()),
    ("Noor is geboren eenentwintig mei 2010", ["eenentwintig mei 2010"], ()),
    ("Anne Frank is geboren op 12 juni 1929", [], ()),
    ("mijn opa is geboren op 12 juni 1929", ["12 juni 1929"], ()),
    ("drie mei 2010 was een zaterdag", [], ()),
]


@pytest.mark.parametrize(("text", "expected", "before"), TABLE)
def test_table(recognize: Recognize, text: str, expected: list[str], before: tuple[str, ...]) -> None:
    """Full dates beside a person or a word about birth are found; school dates and history are not."""
    assert recognize("birth_date", text, before) == expected


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("4-5-2010", True),
        ("4-5-22", False),
        ("4-5-2022", False),
        ("4-5-1924", False),
        ("31-2-2010", False),
        ("4-5-21", True),
    ],
)
def test_only_a_living_person_who_is_old_enough_has_a_birthday(text: str, holds: bool) -> None:
    """Dates that do not exist, lie more than a century back or less than five years are no birthday."""
    found = NUMERIC.fullmatch(text)
    assert found is not None
    assert is_birth_date(found, datetime.date(2025, 9, 1)) is holds
