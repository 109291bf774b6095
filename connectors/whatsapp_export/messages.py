"""Makes of an export's message the record that the intake takes, with an id by which a second export is recognized.

WhatsApp gives no message ids in an export. Author, minute and words tell a message; the same words of one author in one
minute are told apart by their count.
"""

import hashlib
from collections import OrderedDict

from connectors.whatsapp_export.records import Message
from pipeline.events import IncomingMessage

PLATFORM = "whatsapp_export"
_REMEMBERED = 50_000
"""Messages whose repeats are counted: more than an export holds, and a bound for a hostile one."""


class MessageMaker:
    """Turns messages of one export, in the file's order, into the intake's records.

    Args:
        platform: Connector name under which the group stands in the ledger.
        platform_group: The platform's id of the group.
    """

    def __init__(self, platform: str, platform_group: str) -> None:
        self._platform = platform
        self._group = platform_group
        self._seen: OrderedDict[bytes, int] = OrderedDict()

    def make(self, message: Message) -> IncomingMessage:
        """Make the intake's record; every message of the file must pass here once, in order."""
        return IncomingMessage(
            platform=self._platform,
            platform_group=self._group,
            platform_message=self._identify(message),
            author_id=message.author.author_id,
            author_name=message.author.name,
            text=message.spoken,
            sent_at=message.sent_at,
        )

    def _identify(self, message: Message) -> str:
        parts = (self._group, message.author.author_id, message.wall_clock, message.spoken)
        digest = hashlib.sha256()
        for part in parts:
            encoded = part.encode("utf-8", "surrogatepass")
            # The length keeps "ab" + "c" from being "a" + "bc".
            digest.update(len(encoded).to_bytes(8, "big") + encoded)
        key = digest.digest()[:16]
        ordinal = self._seen.pop(key, 0)
        self._seen[key] = ordinal + 1
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return f"{key.hex()}-{ordinal}"
