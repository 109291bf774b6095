"""The test table of the licence_plate recognizer: a sentence, what is found in it, and what was said before."""

import pytest

from tests.classifiers.personal_data.conftest import Recognize

TABLE: list[tuple[str, list[str], tuple[str, ...]]] = [
    ("F-482-BK", ["F-482-BK"], ()),
    ("GK-408-F", ["GK-408-F"], ()),
    ("73-GLP-4", ["73-GLP-4"], ()),
    ("9-KZB-27", ["9-KZB-27"], ()),
    ("28-SJ-TN", ["28-SJ-TN"], ()),
    ("XR-83-NK", ["XR-83-NK"], ()),
    ("64-XD-92", ["64-XD-92"], ()),
    ("12-34-BD", ["12-34-BD"], ()),
    ("BD-12-34", ["BD-12-34"], ()),
    ("BDF-12-G", ["BDF-12-G"], ()),
    ("B-12-DFG", ["B-12-DFG"], ()),
    ("1-BD-234", ["1-BD-234"], ()),
    ("123-BD-4", ["123-BD-4"], ()),
    ("1-TRV-385", ["1-TRV-385"], ()),
    ("S-ABG-214", ["S-ABG-214"], ()),
    ("kenteken f482bk", ["f482bk"], ()),
    ("busje FD 93 KX", ["FD 93 KX"], ()),
    ("8 7 - P F - R L", ["8 7 - P F - R L"], ()),
    ("nummerplaat ABC 123", ["ABC 123"], ()),
    ("stoel 12-AB-3", [], ()),
    ("code ZZ-11-22", [], ()),
    ("sidecode 9 is X-999-XX", [], ()),
    ("vraag 22: kenteken D-444-GG", [], ()),
    ("grijze polo k 482 bt", ["k 482 bt"], ()),
    ("auto doet k 200 km", [], ()),
    ("een videokaart RX-860-X", [], ()),
]


@pytest.mark.parametrize(("text", "expected", "before"), TABLE)
def test_table(recognize: Recognize, text: str, expected: list[str], before: tuple[str, ...]) -> None:
    """Plates of the Dutch and Belgian series are found; seats, codes and explanations are not."""
    assert recognize("licence_plate", text, before) == expected
