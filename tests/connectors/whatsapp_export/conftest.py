"""Exports as phones write them, as factories: text or zip, in any of the forms."""

import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from connectors.whatsapp_export import Export, Message, Record, SystemEvent, open_export
from connectors.whatsapp_export.headers import DateOrder

NOW = datetime(2026, 11, 26, 12, 0)  # noqa: DTZ001  # the school's clock, as an export writes it


def marked(text: str) -> str:
    """Write the invisible characters of a fixture: {L} U+200E, {(} U+202A, {)} U+202C, {_} U+00A0, {n} U+202F."""
    for name, character in (
        ("{L}", "\u200e"),
        ("{(}", "\u202a"),
        ("{)}", "\u202c"),
        ("{_}", "\u00a0"),
        ("{n}", "\u202f"),
    ):
        text = text.replace(name, character)
    return text


@pytest.fixture
def write_export(tmp_path: Path) -> Callable[..., Path]:
    """Write a text as an export file and give its path."""

    def write(text: str | bytes, name: str = "_chat.txt") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else marked(text).encode())
        return path

    return write


@pytest.fixture
def write_zip(tmp_path: Path) -> Callable[..., Path]:
    """Zip texts under their names and give the zip's path."""

    def write(entries: Sequence[tuple[str, bytes]], name: str = "export.zip") -> Path:
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for entry, content in entries:
                archive.writestr(entry, content)
        return path

    return write


@pytest.fixture
def read(write_export: Callable[..., Path]) -> Callable[..., list[Record]]:
    """Read a text as an export into its records."""

    def read_text(text: str | bytes, order: DateOrder | None = None) -> list[Record]:
        return list(opened(write_export(text), order).records())

    return read_text


def opened(path: Path, order: DateOrder | None = None) -> Export:
    """Open an export as if today were the fixtures' day."""
    return open_export(path, order, now=NOW)


def messages(records: Sequence[Record]) -> list[Message]:
    """Only the members' messages."""
    return [record for record in records if isinstance(record, Message)]


def events(records: Sequence[Record]) -> list[SystemEvent]:
    """Only what WhatsApp wrote."""
    return [record for record in records if isinstance(record, SystemEvent)]
