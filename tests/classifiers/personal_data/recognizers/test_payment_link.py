"""The test table of the payment_link recognizer: a sentence, what is found in it, and what was said before."""

import pytest

from tests.classifiers.personal_data.conftest import Recognize

TABLE: list[tuple[str, list[str], tuple[str, ...]]] = [
    ("https://tikkie.me/pay/abc12", ["https://tikkie.me/pay/abc12"], ()),
    ("paypal.me/daan2.", ["paypal.me/daan2"], ()),
    ("betaalverzoek.rabobank.nl/p/?id=8hT3", ["betaalverzoek.rabobank.nl/p/?id=8hT3"], ()),
    ("bunq.me/emma", ["bunq.me/emma"], ()),
    ("stuur een tikkie", [], ()),
    ("www.tikkie.me is leuk", [], ()),
]


@pytest.mark.parametrize(("text", "expected", "before"), TABLE)
def test_table(recognize: Recognize, text: str, expected: list[str], before: tuple[str, ...]) -> None:
    """Payment requests are found; the word for them is not."""
    assert recognize("payment_link", text, before) == expected
