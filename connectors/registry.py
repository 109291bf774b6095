"""The list of connectors: what each reads and how the platform proves who it is. Docs and tests are made from it.

A new connector touches its own folder, its test and this list.
"""

from dataclasses import dataclass
from enum import StrEnum

from connectors.replay.school import PLATFORM as REPLAY
from connectors.whatsapp_export.messages import PLATFORM as WHATSAPP_EXPORT


class Delivery(StrEnum):
    """How messages come in."""

    FILE = "file"
    """Once, from a file that a member hands over."""
    STREAM = "stream"
    """As they are written."""


@dataclass(frozen=True, slots=True)
class Connector:
    """One platform that can be read."""

    name: str
    """Under which its groups stand in the ledger (`IncomingMessage.platform`)."""
    package: str
    """Where its code is."""
    command: str
    """Subcommand of `vangnet` that runs it."""
    delivery: Delivery
    title: str
    """On screen (Dutch)."""
    reads: str
    """What it reads."""
    authenticates: str
    """What shows that a message is the platform's and the group may be read."""
    limits: str
    """What it cannot see or prove."""


CONNECTORS = (
    Connector(
        name=WHATSAPP_EXPORT,
        package="connectors.whatsapp_export",
        command="import",
        delivery=Delivery.FILE,
        title="WhatsApp-export",
        reads="an exported chat, .txt or .zip, Dutch or English, Android or iOS",
        authenticates="a member of the group made the export; whoever may run the command and names an opted-in group",
        limits="unverified: the file can be edited; no reactions, no message ids, attachments are only named",
    ),
    Connector(
        name=REPLAY,
        package="connectors.replay",
        command="replay",
        delivery=Delivery.STREAM,
        title="Demoschool",
        reads="whole conversations of the corpus, as if pupils typed them",
        authenticates="nothing to prove: every message is invented",
        limits="a demonstration",
    ),
)


def find_connector(name: str) -> Connector | None:
    """Look a connector up by the name its groups have in the ledger."""
    return next((connector for connector in CONNECTORS if connector.name == name), None)
