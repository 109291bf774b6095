"""The test table of the student_id recognizer: a sentence, what is found in it, and what was said before."""

import pytest

from tests.classifiers.personal_data.conftest import Recognize

TABLE: list[tuple[str, list[str], tuple[str, ...]]] = [
    ("leerlingnummer 131946", ["131946"], ()),
    ("leerlingnr 131946 en die van Tim 131902", ["131946", "131902"], ()),
    ("onderwijsnummer 107312081", ["107312081"], ()),
    ("hij zit onder s1183640", ["s1183640"], ()),
    ("150337", ["150337"], ("iemand een leerlingpas?",)),
    ("Aydin Elif 120331 05-06-2010", ["120331"], ()),
    ("leerlingnummers beginnen met 2024", [], ()),
    ("het schoolnummer is 015 555", [], ()),
    ("leerlingnummer kost 15 euro", [], ()),
    ("lokaal 131946", [], ()),
]


@pytest.mark.parametrize(("text", "expected", "before"), TABLE)
def test_table(recognize: Recognize, text: str, expected: list[str], before: tuple[str, ...]) -> None:
    """Pupil numbers beside a word for them are found; room and phone numbers are not."""
    assert recognize("student_id", text, before) == expected
