"""Opens an export without trusting it: a text or a zip, of any size and in any encoding, as a stream of lines.

Nothing is ever unpacked to disk, and what a zip unpacks to is counted while it is read, not believed.
"""

import codecs
import hashlib
import io
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from typing import Protocol

from connectors.errors import (
    BrokenArchiveError,
    EncryptedArchiveError,
    ExportUnreadableError,
    NoChatInArchiveError,
    UnsafeArchiveError,
)

LARGEST_TEXT = 256 * 1024 * 1024
"""Bytes of chat text; an export holds 40,000 messages at most, some 4 MB."""
LARGEST_RATIO = 100
"""Unpacked to packed; a chat packs about 5 to 1, a bomb 1,000 to 1."""
RATIO_FREE = 4 * 1024 * 1024
"""Bytes below which the ratio does not matter: a short chat of the same word packs well too."""
MOST_ENTRIES = 100_000
LONGEST_LINE = 200_000
"""Characters of one line that are kept; the intake parks what is over half of this as too long."""

_CHUNK = 64 * 1024
_CHAT_NAME = re.compile(r"(?:_chat|WhatsApp[ -]Chat (?:met|with|-) .*|WhatsApp-chat met .*)\.txt", re.IGNORECASE)
_UNPACK_ERRORS = (zipfile.BadZipFile, zlib.error, LZMAError, EOFError, NotImplementedError, ValueError, OSError)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file, without its end."""

    number: int
    """From 1."""
    text: str
    cut: bool = False
    """Longer than LONGEST_LINE; the text is its beginning."""


@dataclass(frozen=True, slots=True)
class Source:
    """A chat text that was found readable, in a file of its own or in a zip."""

    path: Path
    entry: str | None
    """Name within the zip, None for a plain text."""
    encoding: str
    sha256: str
    """Of the chat text's bytes; the same chat zipped again has the same."""
    size: int
    """Bytes of chat text."""
    notes: tuple[str, ...] = ()
    """What the user should know of how it was read."""

    def lines(self) -> Iterator[Line]:
        """Read the lines in order, in bounded memory.

        Raises:
            ExportError: The file cannot be read any more, or its zip is broken or a bomb.
        """
        with _opened(self.path, self.entry) as raw:
            # Only "\n" ends a line: a pupil's own U+2028 or vertical tab does not.
            text = io.TextIOWrapper(raw, encoding=self.encoding, errors="replace", newline="\n")
            number = 0
            while line := text.readline(LONGEST_LINE):
                number += 1
                cut = False
                if not line.endswith("\n"):
                    # The rest of an endless line is read away; only that there was more is kept.
                    while (rest := text.readline(LONGEST_LINE)) and rest != "\n":
                        cut = True
                        if rest.endswith("\n"):
                            break
                yield Line(number, line.removesuffix("\n").removesuffix("\r"), cut)


def open_source(path: Path) -> Source:
    """Find the chat text of a file and how it is encoded; reads it once.

    Raises:
        ExportError: The file is missing or unreadable; the zip is broken, encrypted, unsafe or without a chat.
    """
    try:
        if stat.S_ISDIR(path.stat().st_mode):
            raise ExportUnreadableError(f"{path} is a folder; give the exported .txt or .zip itself")
        with path.open("rb") as file:
            packed = file.read(4) in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a valid path"
        raise ExportUnreadableError(f"cannot read {path}: {reason}; check the path and its permissions") from error
    if not packed and path.suffix.lower() == ".zip":
        raise BrokenArchiveError(f"{path} is not a zip, or its beginning is lost; export the chat again")
    entry = _find_chat(path) if packed else None
    with _opened(path, entry) as raw:
        return _survey(path, entry, raw)


def _find_chat(path: Path) -> str:
    """Choose the one entry that is the chat, by name only."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except _UNPACK_ERRORS as error:
        raise BrokenArchiveError(f"{path} is a damaged zip; export the chat again") from error
    if len(entries) > MOST_ENTRIES:
        raise UnsafeArchiveError(f"{path} holds {len(entries)} files, more than any chat export; it was not read")
    texts = []
    for number, entry in enumerate(entries, 1):
        parts = PurePosixPath(entry.filename).parts
        odd = entry.filename.startswith("/") or "\\" in entry.filename or ".." in parts or "\0" in entry.orig_filename
        if odd or re.match(r"[A-Za-z]:", entry.filename):
            raise UnsafeArchiveError(
                f"{path}: file {number} in the zip has a path that leads out of it; WhatsApp makes no such zip. "
                "It was not read; export the chat again"
            )
        if not entry.is_dir() and parts and parts[0] != "__MACOSX" and entry.filename.lower().endswith(".txt"):
            texts.append(entry)
    chats = [entry for entry in texts if _CHAT_NAME.fullmatch(PurePosixPath(entry.filename).name)] or texts
    if len(chats) != 1:
        found = f"{len(chats)} texts that may be the chat" if chats else "no chat text"
        raise NoChatInArchiveError(
            f"{path} holds {found}; give the zip that WhatsApp made, or the chat's own .txt from it"
        )
    if chats[0].flag_bits & 0x1:
        raise EncryptedArchiveError(f"{path} is protected by a password; unpack it yourself and give the .txt")
    return chats[0].filename


class Readable(Protocol):
    """What a file and a zip's entry have in common."""

    def read(self, size: int = -1, /) -> bytes:
        """Give at most `size` bytes, none at the end."""


class _Counted(io.RawIOBase):
    """Counts what comes out of a stream and stops when it is more than a chat can be."""

    def __init__(self, stream: Readable, path: Path, packed: int | None) -> None:
        self._stream = stream
        self._path = path
        self._packed = packed
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # RawIOBase only ever gives a memoryview
        try:
            data = self._stream.read(len(buffer))
        except _UNPACK_ERRORS as error:
            if self._packed is None:
                raise ExportUnreadableError(f"cannot read {self._path} to its end; copy the file again") from error
            raise BrokenArchiveError(
                f"{self._path} is damaged: its chat cannot be unpacked; export the chat again"
            ) from error
        self._count += len(data)
        bomb = self._packed is not None and self._count > max(RATIO_FREE, LARGEST_RATIO * self._packed)
        if bomb or self._count > LARGEST_TEXT:
            raise UnsafeArchiveError(
                f"{self._path} unpacks to far more than a chat can be (stopped at {self._count // 2**20} MB); "
                "nothing of it was kept"
            )
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def _opened(path: Path, entry: str | None) -> Iterator["io.BufferedReader[_Counted]"]:
    """Open the chat's bytes; every way in which a zip can be broken is one clear error."""
    try:
        with ExitStack() as stack:
            packed: int | None = None
            if entry is None:
                stream: Readable = stack.enter_context(path.open("rb"))
            else:
                archive = stack.enter_context(zipfile.ZipFile(path))
                packed = archive.getinfo(entry).compress_size
                stream = stack.enter_context(archive.open(entry))
            yield stack.enter_context(io.BufferedReader(_Counted(stream, path, packed), _CHUNK))
    except (zipfile.BadZipFile, zlib.error, LZMAError, NotImplementedError, RuntimeError, KeyError, EOFError) as error:
        raise BrokenArchiveError(
            f"{path} is damaged or packed in a way WhatsApp does not use; export the chat again"
        ) from error
    except OSError as error:
        raise ExportUnreadableError(f"cannot read {path}: {error.strerror}; check the file") from error


def _survey(path: Path, entry: str | None, raw: "io.BufferedReader[_Counted]") -> Source:
    """Hash the text and decide its encoding, in one pass."""
    head = raw.peek(_CHUNK)
    encoding, note = _by_beginning(head)
    digest, size = hashlib.sha256(), 0
    good = bad = 0
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while chunk := raw.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if encoding is None and not chunk.isascii():
            text = decoder.decode(chunk)
            lost = text.count("\ufffd")
            bad += lost
            good += sum(1 for character in text if character > "\x7f") - lost
    if encoding is None:
        encoding = "utf-8"
        if bad and good > bad:
            note = f"the file is damaged in {bad} places; each shows as a replacement character"
        elif bad:
            encoding, note = "cp1252", "the file is not UTF-8; it was read as Windows-1252"
    return Source(path, entry, encoding, digest.hexdigest(), size, (note,) if note else ())


def _by_beginning(head: bytes) -> tuple[str | None, str | None]:
    """Name the encoding that a file's first bytes prove, with a note for the user where it is an odd one."""
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig", None
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", "the file is UTF-16 instead of UTF-8"
    # Only the first line's date is looked at: no message of the chat can make the file seem to be what it is not.
    head = head[:32]
    pairs = len(head) // 2
    if pairs >= 8:
        # Latin text in UTF-16 without a mark: every other byte is zero.
        if head[1::2].count(0) > 0.7 * pairs:
            return "utf-16-le", "the file is UTF-16 instead of UTF-8"
        if head[0::2].count(0) > 0.7 * pairs:
            return "utf-16-be", "the file is UTF-16 instead of UTF-8"
    return None, None
