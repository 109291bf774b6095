"""Reads an export as a stream of records: one pass to learn its form and date order, one to give what stands in it.

An export cannot be verified: whoever has the file can edit it. What is odd about it is counted, so that it can be told.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from connectors.errors import NotAnExportError
from connectors.whatsapp_export.bodies import ChatName, Start, read_body
from connectors.whatsapp_export.dates import DateEvidence, school_now
from connectors.whatsapp_export.headers import DateOrder, Form, Header, Style, read_header, to_unix
from connectors.whatsapp_export.records import Record
from connectors.whatsapp_export.source import LONGEST_LINE, Line, Source, open_source
from connectors.whatsapp_export.wording import Wording, load_wording

PROVENANCE = "unverified export"
"""Said of every message of an export: its text was in a member's hands."""


@dataclass(slots=True)
class Tally:
    """What was odd while reading; grows as the records are read."""

    orphans: int = 0
    """Lines before the first header: of nobody, at no time."""
    lookalikes: int = 0
    """Lines inside a message that look like a header of another form or an impossible date: pasted text."""
    backwards: int = 0
    """Times that the clock ran back by more than a day."""
    cut: int = 0
    """Messages too long to keep whole."""


@dataclass(frozen=True, slots=True)
class Export:
    """An export whose form is known, ready to be read."""

    source: Source
    form: Form
    order: DateOrder
    headers: int
    """Records in the file, for a progress bar."""

    @property
    def style(self) -> Style:
        """Which phone wrote it."""
        return self.form.style

    def records(self, tally: Tally | None = None) -> Iterator[Record]:
        """Read every message and event in the file's order, in bounded memory.

        Args:
            tally: Counts what is odd.

        Raises:
            ExportError: The file cannot be read to its end.
        """
        return _Reading(self, tally if tally is not None else Tally(), load_wording()).records()


def open_export(path: Path, order: DateOrder | None = None, now: datetime | None = None) -> Export:
    """Find an export's text, form and date order; reads it twice.

    Args:
        path: The .txt or .zip that WhatsApp made.
        order: Which of day and month stands first, None to decide by evidence.
        now: The time on the school's clock without zone, None for the real one.

    Raises:
        ExportError: It cannot be read, is no export, or its dates cannot be told; the text says what to do.
    """
    source = open_source(path)
    now = now or school_now()
    form: Form | None = None
    evidence: dict[Form, DateEvidence] = {}
    for line in source.lines():
        header = read_header(line.text)
        # The first header is the phone's own: nothing can be pasted before it.
        if header is None or (form is not None and header.form != form):
            continue
        form = header.form
        evidence.setdefault(form, DateEvidence()).add(line.number, header, line.text[header.length :], now)
    if form is None:
        raise NotAnExportError(
            f"{path} is not a WhatsApp export: no line begins with a date and a time. "
            "In WhatsApp choose Export chat (Chat exporteren), without media"
        )
    return Export(source, form, evidence[form].decide(order), evidence[form].headers)


@dataclass(slots=True)
class _Reading:
    """One pass over an export."""

    export: Export
    tally: Tally
    wording: Wording
    chat: ChatName = field(default_factory=ChatName)
    latest: float | None = None
    start: Start | None = None
    body: list[str] = field(default_factory=list)
    length: int = 0
    cut: bool = False

    def records(self) -> Iterator[Record]:
        for line in self.export.source.lines():
            header = read_header(line.text)
            moment = header.moment(self.export.order) if header and header.form == self.export.form else None
            if header is None or moment is None:
                self.tally.lookalikes += header is not None
                self._continue(line)
                continue
            yield from self._finish()
            self._begin(line, header, moment)
        yield from self._finish()

    def _begin(self, line: Line, header: Header, moment: datetime) -> None:
        sent_at = to_unix(moment, self.latest)
        if self.latest is not None and sent_at < self.latest - timedelta(days=1).total_seconds():
            self.tally.backwards += 1
        self.latest = sent_at
        self.start = Start(line.number, moment.isoformat(), sent_at)
        text = line.text[header.length :]
        self.body, self.length, self.cut = [text], len(text), line.cut

    def _continue(self, line: Line) -> None:
        if self.start is None:
            self.tally.orphans += bool(line.text.strip())
            return
        room = LONGEST_LINE - self.length
        if room <= 0:
            self.cut = True
            return
        kept = line.text[:room]
        self.cut = self.cut or line.cut or len(kept) < len(line.text)
        self.body.append(kept)
        # One more for the newline, so that endless empty lines are bounded too.
        self.length += len(kept) + 1

    def _finish(self) -> Iterator[Record]:
        if self.start is None:
            return
        self.tally.cut += self.cut
        yield from read_body(self.start, "\n".join(self.body), self.chat, self.wording, cut=self.cut)
        self.start = None
