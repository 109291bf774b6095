"""A factory that runs one recognizer over one sentence."""

from collections.abc import Callable, Sequence

import pytest

from classifiers.findings import Utterance
from classifiers.personal_data.find import RECOGNIZERS
from classifiers.personal_data.match import settle
from classifiers.personal_data.public import PublicData, shipped_public
from classifiers.personal_data.text import prepare

Recognize = Callable[..., list[str]]


@pytest.fixture
def recognize() -> Recognize:
    """Give the words that one recognizer, by name, finds in a sentence."""

    def run(
        name: str, text: str, before: Sequence[str] = (), author: str = "a", public: PublicData | None = None
    ) -> list[str]:
        recognizer = next(one for one in RECOGNIZERS if one.name == name)
        prepared = prepare(text, [Utterance(one, "b") for one in before], author)
        matches = recognizer.find(prepared, public or shipped_public()) if recognizer.wants(prepared) else ()
        return [text[match.start : match.end] for match in settle(matches)]

    return run
