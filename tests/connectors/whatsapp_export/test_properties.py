"""What holds for every text and every file, not only for those we thought of."""

import io
import tempfile
import tracemalloc
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import ExportError
from connectors.whatsapp_export import Message
from connectors.whatsapp_export.headers import DateOrder, read_header
from connectors.whatsapp_export.messages import PLATFORM, MessageMaker
from tests.connectors.whatsapp_export.conftest import opened

START = datetime(2022, 5, 13, 8, 0)  # noqa: DTZ001  # the school's clock, as an export writes it

FORMS: dict[str, Callable[[datetime], str]] = {
    "Dutch Android": lambda at: f"{at:%d-%m-%Y %H:%M} - ",
    "Dutch iPhone": lambda at: f"[{at:%d-%m-%Y}, {at:%H:%M:%S}] ",
    "American Android": lambda at: f"{at.month}/{at.day}/{at:%y}, {at.hour % 12 or 12}:{at:%M}\u202f{at:%p} - ",
    "British iPhone": lambda at: f"\u200e[{at:%d/%m/%Y}, {at:%H:%M:%S}] ",
}

names = st.one_of(
    st.sampled_from(["Fenna", "Sem de Wit", "\u202a+31\u00a06\u00a000000000\u202c", "~\u202fNoor", "Aïsha 🌸"]),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp", "Cs"]), min_size=1, max_size=25).filter(
        lambda name: ":" not in name and name.strip() == name
    ),
)


def begins_nothing(text: str) -> bool:
    """Whether no further line of a text copies a header: one that does cannot be told apart in a single export."""
    return not any(read_header(line) for line in text.split("\n")[1:])


texts = st.text(st.characters(codec="utf-8"), max_size=300).filter(begins_nothing)


def as_export(form: str, chat: Sequence[tuple[str, str]]) -> bytes:
    """Write messages as a phone exports them, one a minute."""
    header = FORMS[form]
    lines = (f"{header(START + timedelta(minutes=at))}{name}: {text}\n" for at, (name, text) in enumerate(chat))
    return "".join(lines).encode()


def read_back(content: bytes, name: str = "_chat.txt", order: DateOrder | None = None) -> list[Message]:
    """Read bytes as an export's messages."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        return [record for record in opened(path, order).records() if isinstance(record, Message)]


def line_ends(text: str) -> str:
    """A line end is a line end, CRLF or LF."""
    return (text + "\n").replace("\r\n", "\n")[:-1]


@settings(deadline=None)
@given(form=st.sampled_from(sorted(FORMS)), chat=st.lists(st.tuples(names, texts), min_size=1, max_size=6))
def test_every_text_survives(form: str, chat: list[tuple[str, str]]) -> None:
    """Any text of anyone, written as any phone exports it, comes back letter for letter, once and in order."""
    found = read_back(as_export(form, chat))
    assert [message.text for message in found] == [line_ends(text) for _, text in chat]
    minutes = [(START + timedelta(minutes=at)).isoformat() for at in range(len(chat))]
    assert [message.wall_clock for message in found] == minutes


@settings(deadline=None, max_examples=300)
@given(
    start=st.sampled_from([b"", b"\xff\xfe", b"02-05-2022 16:08 - Sem: ", b"[02-05-2022 16:08:01] "]), noise=st.binary()
)
def test_any_bytes_are_read_or_refused(start: bytes, noise: bytes) -> None:
    """Whatever a file holds, it is read or refused with an error of ours; never anything else."""
    for content, name in ((start + noise, "x.txt"), (start + noise, "x.zip"), (b"PK\x03\x04" + noise, "x.zip")):
        with suppress(ExportError):
            read_back(content, name)


@settings(deadline=None)
@given(text=st.text(alphabet="0123456789-/.,:[] \u200e\u202fapmAPM–Sem\n", max_size=80))
def test_near_headers_are_read_or_refused(text: str) -> None:
    """What is almost a header crashes nothing, in either order of day and month."""
    for order in (None, DateOrder.DAY_FIRST, DateOrder.MONTH_FIRST):
        with suppress(ExportError):
            read_back(text.encode(), order=order)


@settings(deadline=None)
@given(
    form=st.sampled_from(sorted(FORMS)),
    chat=st.lists(st.tuples(names, st.sampled_from(["ok", "nee", "ja\nok"])), min_size=2, max_size=8),
    later=st.integers(0, 7),
)
def test_a_second_export_brings_only_what_is_new(form: str, chat: list[tuple[str, str]], later: int) -> None:
    """The ids of an export are all different, and a longer export of the same chat holds the same ids again."""

    def ids(messages: Sequence[Message]) -> list[str]:
        maker = MessageMaker(PLATFORM, "g")
        return [maker.make(message).platform_message for message in messages]

    whole = read_back(as_export(form, chat))
    first = ids(whole[: min(later, len(whole))])
    second = ids(whole)
    assert len(set(second)) == len(second)
    assert second[: len(first)] == first


def test_the_same_words_in_one_minute_are_different_messages() -> None:
    """Three times "ok" of one pupil in one minute are three messages, in every export the same three."""
    chat = b"02-05-2022 16:08 - Sem: ok\n" * 3
    maker, again = MessageMaker(PLATFORM, "g"), MessageMaker(PLATFORM, "g")
    first = [maker.make(message).platform_message for message in read_back(chat)]
    second = [again.make(message).platform_message for message in read_back(chat)]
    assert len(set(first)) == 3
    assert first == second


def test_the_same_words_in_another_group_are_another_message() -> None:
    """Ids of one group say nothing of another: the same words at the same time are not its repeat."""
    (message,) = read_back(b"02-05-2022 16:08 - Sem: ok\n")
    assert (
        MessageMaker(PLATFORM, "g").make(message).platform_message
        != MessageMaker(PLATFORM, "h").make(message).platform_message
    )


def test_a_long_chat_is_read_in_bounded_memory() -> None:
    """A long chat is opened and read without ever being held: a third of it at most."""
    line = b"02-05-2022 16:08 - Sem: hoi allemaal, wie heeft het huiswerk van wiskunde 0123456789\n"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("_chat.txt", line * 12_000)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.zip"
        path.write_bytes(buffer.getvalue())
        sum(1 for _ in opened(path).records())  # the wording is compiled once
        tracemalloc.start()
        try:
            assert sum(1 for _ in opened(path).records()) == 12_000
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < len(line) * 12_000 / 3
