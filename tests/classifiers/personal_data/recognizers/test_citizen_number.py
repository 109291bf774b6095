"""The test table of the citizen_number recognizer: a sentence, what is found in it, and what was said before."""

import pytest

from tests.classifiers.personal_data.conftest import Recognize

TABLE: list[tuple[str, list[str], tuple[str, ...]]] = [
    ("bsn 312966210", ["312966210"], ()),
    ("bsn: 1739.42.064", ["1739.42.064"], ()),
    ("b s n 2 0 4 9 1 7 3 8 4", ["2 0 4 9 1 7 3 8 4"], ()),
    ("362510064", ["362510064"], ("wat is je bsn",)),
    ("11.04.11-105.47", ["11.04.11-105.47"], ()),
    ("mijn bsn begint met 2938", ["2938"], ()),
    ("bsn een drie een negen negen acht een drie vier", ["een drie een negen negen acht een drie vier"], ()),
    ("312966210", [], ()),
    ("123456782 is een test-bsn", [], ()),
    ("bestelnr 312966210", [], ()),
    ("bsn moet niet in de groep", [], ()),
    ("312966210 is mijn burgerservicenr", ["312966210"], ()),
]


@pytest.mark.parametrize(("text", "expected", "before"), TABLE)
def test_table(recognize: Recognize, text: str, expected: list[str], before: tuple[str, ...]) -> None:
    """Citizen numbers beside a word about them are found, also with a slip; bare numbers and examples are not."""
    assert recognize("citizen_number", text, before) == expected
