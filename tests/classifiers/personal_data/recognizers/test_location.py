"""The test table of the location recognizer: a sentence, what is found in it, and what was said before."""

import pytest

from tests.classifiers.personal_data.conftest import Recognize

TABLE: list[tuple[str, list[str], tuple[str, ...]]] = [
    ("📍 live locatie gedeeld van Noor, 8 uur", ["live locatie gedeeld van Noor, 8 uur"], ()),
    ("https://maps.app.goo.gl/abc123 daar woont ze", ["https://maps.app.goo.gl/abc123"], ()),
    ("///gekookt.fietsbel.warmer", ["///gekookt.fietsbel.warmer"], ()),
    ("51.8127, 5.2046 daar woont die oppas", ["51.8127, 5.2046"], ()),
    ("https://maps.app.goo.gl/zaal1 daar is de sporthal", [], ()),
    ("opdracht: zoek 52.3702 4.8952", [], ()),
    ("de locatie is het park", [], ()),
]


@pytest.mark.parametrize(("text", "expected", "before"), TABLE)
def test_table(recognize: Recognize, text: str, expected: list[str], before: tuple[str, ...]) -> None:
    """Live locations, maps and coordinates of persons are found; public places and assignments are not."""
    assert recognize("location", text, before) == expected
