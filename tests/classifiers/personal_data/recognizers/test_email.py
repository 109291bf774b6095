"""The test table of the email recognizer: a sentence, what is found in it, and what was said before."""

import pytest

from tests.classifiers.personal_data.conftest import Recognize

TABLE: list[tuple[str, list[str], tuple[str, ...]]] = [
    ("mail roos.vis@gmail.com", ["roos.vis@gmail.com"], ()),
    ("jan punt jansen apestaart gmail punt com", ["jan punt jansen apestaart gmail punt com"], ()),
    ("jan punt jansen apestaart gmail", ["jan punt jansen apestaart gmail"], ()),
    ("lotte(at)telenet(dot)be", ["lotte(at)telenet(dot)be"], ()),
    ("r[a]example[.]com", ["r[a]example[.]com"], ()),
    ("d a a n @ x s 4 a l l . n l", ["d a a n @ x s 4 a l l . n l"], ()),
    ("sem@hotmail,com", ["sem@hotmail,com"], ()),
    ("info@school.example", [], ()),
    ("noreply@bol.com", [], ()),
    ("3 @ wiskunde", [], ()),
    ("punt voor jou apestaartje", [], ()),
    ("ik ben at home", [], ()),
    ("lies punt van der meer apestaart gmail punt com", ["lies punt van der meer apestaart gmail punt com"], ()),
    ("sem.vos@hotmail,com met een komma ipv een punt", ["sem.vos@hotmail,com"], ()),
]


@pytest.mark.parametrize(("text", "expected", "before"), TABLE)
def test_table(recognize: Recognize, text: str, expected: list[str], before: tuple[str, ...]) -> None:
    """Mail addresses of persons are found, plain and spelled out; mailboxes of an office are not."""
    assert recognize("email", text, before) == expected
