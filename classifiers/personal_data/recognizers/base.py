"""What every recognizer offers."""

from collections.abc import Iterator
from typing import Protocol

from classifiers.personal_data.match import Match
from classifiers.personal_data.public import PublicData
from classifiers.personal_data.text import PreparedText


class Recognizer(Protocol):
    """Finds one kind of personal data."""

    name: str
    """Stands behind `personal_data.` in the finding."""

    def wants(self, prepared: PreparedText) -> bool:
        """Tell cheaply, without looking at places, whether the message can hold this kind."""
        ...

    def find(self, prepared: PreparedText, public: PublicData) -> Iterator[Match]:
        """Give the matches in a message.

        Args:
            prepared: The message.
            public: What is no finding.

        Yields:
            Matches; they may overlap those of other recognizers.
        """
        ...
