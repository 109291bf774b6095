"""The test table of the credential recognizer: a sentence, what is found in it, and what was said before."""

import pytest

from tests.classifiers.personal_data.conftest import Recognize

TABLE: list[tuple[str, list[str], tuple[str, ...]]] = [
    ("ww is hondje12", ["hondje12"], ()),
    ("wachtwoord: Appelflap_77", ["Appelflap_77"], ()),
    ("inlog 208841 ww Hond12", ["208841", "Hond12"], ()),
    ("account docent_wis / Pythagoras!3", ["docent_wis", "Pythagoras!3"], ()),
    ("probeer admin/Welkom1", ["admin", "Welkom1"], ()),
    ("pincode van haar telefoon 2580", ["2580"], ()),
    ("code van ons hek is 1984E", ["1984E"], ()),
    ("w8w00rd van Elif: e l i f j e 0 6", ["e l i f j e 0 6"], ()),
    ("4471", ["4471"], ("wat is de code van je sleutelkastje",)),
    ("wachtwoord123 is niet veilig", [], ()),
    ("verander je wachtwoord want klas 3 is gehackt", [], ()),
    ("kahoot code 4471902", [], ()),
    ("ww vergeten", [], ()),
    ("log in met svos12 en Hond12 bij somtoday", ["svos12", "Hond12"], ()),
]


@pytest.mark.parametrize(("text", "expected", "before"), TABLE)
def test_table(recognize: Recognize, text: str, expected: list[str], before: tuple[str, ...]) -> None:
    """Logins, passwords and codes are found; talk about passwords and game codes is not."""
    assert recognize("credential", text, before) == expected
