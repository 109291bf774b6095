"""The test table of the phone recognizer: a sentence, what is found in it, and what was said before."""

import pytest

from tests.classifiers.personal_data.conftest import Recognize

TABLE: list[tuple[str, list[str], tuple[str, ...]]] = [
    ("bel 0612893347", ["0612893347"], ()),
    ("06-12 89 33 47", ["06-12 89 33 47"], ()),
    ("+31 (0)6 12893347", ["+31 (0)6 12893347"], ()),
    ("0031612893347", ["0031612893347"], ()),
    ("o6 12 89 33 47", ["o6 12 89 33 47"], ()),
    (
        "nul zes twaalf negenentachtig drieëndertig zevenenveertig",
        ["nul zes twaalf negenentachtig drieëndertig zevenenveertig"],
        (),
    ),
    ("nulzes 12893347", ["nulzes 12893347"], ()),
    ("٠٦١٢٨٩٣٣٤٧", ["٠٦١٢٨٩٣٣٤٧"], ()),
    ("06🍕12🍕89🍕33🍕47", ["06🍕12🍕89🍕33🍕47"], ()),
    ("achterstevoren: 7433982160", ["7433982160"], ()),
    ("N.6.1.2.8.9.3.3.4.7 (N=nul)", ["N.6.1.2.8.9.3.3.4.7"], ()),
    ("0478 12 95 60 van ons ma", ["0478 12 95 60"], ()),
    ("bomma 03 471 20 86", ["03 471 20 86"], ()),
    ("wa.me/31612893347", ["31612893347"], ()),
    ("nummer begint met 06 1289", ["06 1289"], ()),
    ("zijn nummer eindigt op 8934", ["8934"], ()),
    ("school bellen 0413 28 46 00", [], ()),
    ("0800-0432", [], ()),
    ("112 of 113", [], ()),
    ("fortnite map 0614-7731-2089", [], ()),
    ("JVGL0612 8933 4700", [], ()),
    ("0612345678 is een voorbeeld", [], ()),
    ("SN 06-5518-2204-B", [], ()),
    ("06 + 12 = 18", [], ()),
    ("21-15 21-18 15-21", [], ()),
    ("NL77 KNAB 0612 8933 47", [], ()),
    ("huistelefoon van de familie Bakker 0413-628 814", ["0413-628 814"], ()),
    ("06 12 18 24 30 is de tafel van zes", [], ()),
    ("de bakker heeft 0413-628 814", [], ()),
]


@pytest.mark.parametrize(("text", "expected", "before"), TABLE)
def test_table(recognize: Recognize, text: str, expected: list[str], before: tuple[str, ...]) -> None:
    """Numbers of persons are found in every spelling; service numbers, codes and scores are not."""
    assert recognize("phone", text, before) == expected
