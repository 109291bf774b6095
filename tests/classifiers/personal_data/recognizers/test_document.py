"""The test table of the document recognizer: a sentence, what is found in it, and what was said before."""

import pytest

from tests.classifiers.personal_data.conftest import Recognize

TABLE: list[tuple[str, list[str], tuple[str, ...]]] = [
    ("paspoort NX4K72LP9", ["NX4K72LP9"], ()),
    ("NWR5H21K0", ["NWR5H21K0"], ()),
    ("identiteitskaart 599-6319863-53", ["599-6319863-53"], ()),
    ("rijbewijs 5381902746", ["5381902746"], ()),
    ("v-nummer 271 884 0936", ["271 884 0936"], ()),
    ("paspoort EK4408173", ["EK4408173"], ()),
    ("pakket JVGL06129", [], ()),
    ("heb je je paspoort mee?", [], ()),
    ("kortingscode NX4K72LP9", [], ()),
]


@pytest.mark.parametrize(("text", "expected", "before"), TABLE)
def test_table(recognize: Recognize, text: str, expected: list[str], before: tuple[str, ...]) -> None:
    """Numbers of papers are found; parcels and vouchers are not."""
    assert recognize("document", text, before) == expected
