"""The test table of the iban recognizer: a sentence, what is found in it, and what was said before."""

import pytest

from tests.classifiers.personal_data.conftest import Recognize

TABLE: list[tuple[str, list[str], tuple[str, ...]]] = [
    ("NL96 INGB 0129 9972 07", ["NL96 INGB 0129 9972 07"], ()),
    ("nl09rabo0948378593", ["nl09rabo0948378593"], ()),
    ("BE07 1029 4471 8305 rekening", ["BE07 1029 4471 8305"], ()),
    ("N L 15 - r a b o - 0 3 9 2 - 8 8 1 4 - 0 7", ["N L 15 - r a b o - 0 3 9 2 - 8 8 1 4 - 0 7"], ()),
    ("NL61 INGB 0006 4817 23", ["NL61 INGB 0006 4817 23"], ()),
    ("DE89370400440532013000", ["DE89370400440532013000"], ()),
    ("NL00 SCHA 1789 1799 00", [], ()),
    ("NL09 RABO 0948 3785 93 t.n.v. Stichting Vrienden", [], ()),
    ("iban begint met NL", [], ()),
]


@pytest.mark.parametrize(("text", "expected", "before"), TABLE)
def test_table(recognize: Recognize, text: str, expected: list[str], before: tuple[str, ...]) -> None:
    """Account numbers are found in any grouping; accounts of a foundation and impossible ones are not."""
    assert recognize("iban", text, before) == expected
