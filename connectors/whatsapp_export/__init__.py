"""Reads a chat that a member exported from WhatsApp: .txt or .zip, Dutch or English, Android or iOS.

In the order it runs:

- `source.py`   opens the file safely and decides its encoding: bytes -> numbered lines
- `headers.py`  recognizes where a line begins a message, and reads its date and time
- `dates.py`    decides by evidence whether the day or the month stands first
- `bodies.py`   tells a pupil's words from what WhatsApp wrote, by `wording.toml`
- `parse.py`    puts these together: `open_export(path)` -> `Export.records()`, a stream of `records.py`
- `messages.py` makes of each record the message that the intake takes, with an id by which repeats are seen
"""

from connectors.whatsapp_export.parse import Export, Tally, open_export
from connectors.whatsapp_export.records import Attachment, Author, EventKind, Message, Record, SystemEvent

__all__ = [
    "Attachment",
    "Author",
    "EventKind",
    "Export",
    "Message",
    "Record",
    "SystemEvent",
    "Tally",
    "open_export",
]
