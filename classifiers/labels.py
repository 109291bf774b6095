"""The ten labels a message can bear; the values are Dutch because the school's protocol is.

Source: the corpus guide (classifiers/corpus/GUIDE.md). Which clauses each rests on is data: protocol/clauses_nl.toml.
"""

from enum import StrEnum


class Label(StrEnum):
    """What may be wrong with a message. Values are stable: stored, printed and shown."""

    SEXUAL = "seksueel"
    DISCRIMINATION = "discriminatie"
    HACKING = "hacken"
    UNAUTHORIZED_SHARING = "ongeoorloofd_delen"
    FAKE_MESSAGE = "nepbericht"
    FLAMING = "flamen"
    HARASSMENT = "lastigvallen"
    BULLYING = "pesten"
    THREAT = "bedreiging"
    PERSONAL_DATA = "persoonsgegevens"


LABELS: tuple[Label, ...] = tuple(Label)
"""Fixed order: the order of every score vector and of the model's outputs."""
