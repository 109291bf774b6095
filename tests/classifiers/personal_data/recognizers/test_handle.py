"""The test table of the handle recognizer: a sentence, what is found in it, and what was said before."""

import pytest

from tests.classifiers.personal_data.conftest import Recognize

TABLE: list[tuple[str, list[str], tuple[str, ...]]] = [
    ("haar insta is @x.maudje.priv", ["@x.maudje.priv"], ()),
    ("snap ayoubb.213", ["ayoubb.213"], ()),
    ("be real van mijn mentor mr.heijblom", ["mr.heijblom"], ()),
    ("lucaa#0947", ["lucaa#0947"], ()),
    ("instagram.com/thijmen.geheim", ["instagram.com/thijmen.geheim"], ()),
    ("@ i m a n e . e l", ["@ i m a n e . e l"], ()),
    ("saartjepaars", ["saartjepaars"], ("wat is iedereen zn snap",)),
    ("at noor underscore punt 08 op insta", ["at noor underscore punt 08"], ()),
    ("@iedereen wie heeft de samenvatting", [], ()),
    ("@Sanne kom je", [], ()),
    ("@hetwaterland_official", [], ()),
    ("insta is stuk", [], ()),
]


@pytest.mark.parametrize(("text", "expected", "before"), TABLE)
def test_table(recognize: Recognize, text: str, expected: list[str], before: tuple[str, ...]) -> None:
    """Account names and profile links of persons are found; mentions and official accounts are not."""
    assert recognize("handle", text, before) == expected
