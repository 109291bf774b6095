"""The test table of the address recognizer: a sentence, what is found in it, and what was said before."""

import pytest

from tests.classifiers.personal_data.conftest import Recognize

TABLE: list[tuple[str, list[str], tuple[str, ...]]] = [
    ("Populierlaan 47", ["Populierlaan 47"], ()),
    ("kerkstraat 12 bus 3", ["kerkstraat 12 bus 3"], ()),
    ("burgemeester de vlugtlaan 21b", ["burgemeester de vlugtlaan 21b"], ()),
    ("ik woon op de Vlierstraat", ["Vlierstraat"], ()),
    ("Laan van Moerwijk 22", ["Laan van Moerwijk 22"], ()),
    ("hij woont Notenboom 12", ["Notenboom 12"], ()),
    ("in de Kruisbes op 4 daar woont ze", ["in de Kruisbes op 4"], ()),
    ("Meidoorn 7", ["Meidoorn 7"], ()),
    ("2613 AB 40", ["40"], ()),
    ("K3rkstr44t tw44lf", ["K3rkstr44t tw44lf"], ()),
    ("eikenlaan nummer twaalf", ["eikenlaan nummer twaalf"], ()),
    ("Klaproos 4", ["Klaproos 4"], ("wat is je adres?",)),
    ("Andre Dumontlaan 88, boven die nachtwinkel", ["Andre Dumontlaan 88"], ()),
    ("snackbar Dorpsstraat 61", [], ()),
    ("lokaal 114", [], ()),
    ("onderweg 5 min", [], ()),
    ("veld 3 om 15.20", [], ()),
    ("opdracht: Kerkstraat 1", [], ()),
    ("school zit Schoolweg 3", [], ()),
    ("Plein 1944", [], ()),
    ("bel aan bij Korenveld veertien", ["Korenveld veertien"], ()),
    ("huisnummer 18 en postcode 6828 HK", ["18"], ()),
    ("bij de familie Visser 0413", [], ()),
]


@pytest.mark.parametrize(("text", "expected", "before"), TABLE)
def test_table(recognize: Recognize, text: str, expected: list[str], before: tuple[str, ...]) -> None:
    """Where somebody lives is found; halls, shops, rooms and times are not."""
    assert recognize("address", text, before) == expected
