"""A file from outside is opened without trust: any encoding is read, any trick of a zip is one clear error."""

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors import errors
from connectors.whatsapp_export import source
from connectors.whatsapp_export.source import open_source
from tests.connectors.whatsapp_export.conftest import messages, opened

Write = Callable[..., Path]

CHAT = "02-05-2022 16:08 - Sem: héé 😀\n".encode()


class TestEncodings:
    """A chat is read whatever wrote it, and an odd encoding is told."""

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
    def test_unicode_in_every_dress(self, write_export: Write, encoding: str) -> None:
        """UTF-8 and UTF-16, with and without a mark, give the same words."""
        path = write_export(CHAT.decode().encode(encoding))
        (message,) = messages(list(opened(path).records()))
        assert message.text == "héé 😀"
        assert bool(open_source(path).notes) == encoding.startswith("utf-16")

    def test_windows_is_told(self, write_export: Write) -> None:
        """A file of Windows-1252 is read as such, with a note."""
        path = write_export("02-05-2022 16:08 - Sem: één café €5".encode("cp1252"))
        (message,) = messages(list(opened(path).records()))
        assert message.text == "één café €5"
        assert "Windows-1252" in open_source(path).notes[0]

    def test_a_damaged_byte_does_not_spoil_the_rest(self, write_export: Write) -> None:
        """One wrong byte in a UTF-8 file is one replacement character, not a file full of rubbish."""
        path = write_export(CHAT + b"02-05-2022 16:09 - Noor: \xff ok " + "é".encode() + b"\n")
        first, second = messages(list(opened(path).records()))
        assert first.text == "héé 😀"
        assert second.text == "\ufffd ok é"
        assert open_source(path).notes

    def test_line_ends_of_windows(self, write_export: Write) -> None:
        """CRLF ends a line as LF does."""
        first, second = messages(list(opened(write_export(CHAT.replace(b"\n", b"\r\n") * 2)).records()))
        assert first.text == second.text == "héé 😀"

    def test_nul_bytes_stay_for_the_intake(self, write_export: Write) -> None:
        """A NUL in a text is no reason to lose the message; the intake replaces it."""
        (message,) = messages(list(opened(write_export(b"02-05-2022 16:08 - Sem: a\0b\n")).records()))
        assert message.text == "a\0b"

    def test_no_message_makes_the_file_seem_another(self, write_export: Write) -> None:
        """The encoding is told by the first line's date, which no pupil writes: a flood of NULs hides nothing."""
        (message,) = messages(list(opened(write_export(b"02-05-2022 16:08 - Sem: " + b"a\0" * 5_000)).records()))
        assert message.text == "a\0" * 5_000


class TestZip:
    """A zip gives its one chat or a clear error, and never a file on disk."""

    @pytest.mark.parametrize(
        "name",
        ["_chat.txt", "WhatsApp-chat met Klas 2B.txt", "WhatsApp Chat with Klas 2B.txt", "iets.txt", "map/_chat.txt"],
    )
    def test_the_chat_is_found(self, write_zip: Write, name: str) -> None:
        """The chat's text is found under every name WhatsApp gives it, beside the media."""
        path = write_zip([("IMG-20220502-WA0001.jpg", b"x"), (name, CHAT), ("__MACOSX/._chat.txt", b"x")])
        assert messages(list(opened(path).records()))[0].text == "héé 😀"

    def test_a_pupils_text_file_is_not_the_chat(self, write_zip: Write) -> None:
        """Beside a text that bears WhatsApp's name, another text is an attachment."""
        path = write_zip([("00000009-huiswerk.txt", b"x"), ("_chat.txt", CHAT)])
        assert open_source(path).entry == "_chat.txt"

    def test_zip_and_text_are_the_same_chat(self, write_zip: Write, write_export: Write) -> None:
        """The chat's fingerprint is that of its text, so an import goes on from either."""
        assert open_source(write_zip([("_chat.txt", CHAT)])).sha256 == open_source(write_export(CHAT)).sha256

    @pytest.mark.parametrize(
        "name", ["../_chat.txt", "/etc/_chat.txt", "a/../../_chat.txt", "a\\..\\_chat.txt", "C:_chat.txt"]
    )
    def test_a_path_that_leads_out_is_refused(self, write_zip: Write, tmp_path: Path, name: str) -> None:
        """A path-traversing zip is refused whole and writes nothing."""
        path = write_zip([("_chat.txt", CHAT), (name, CHAT)])
        with pytest.raises(errors.UnsafeArchiveError, match="file 2 in the zip"):
            open_source(path)
        assert list(tmp_path.iterdir()) == [path]

    def test_a_bomb_is_stopped_while_it_unpacks(self, write_zip: Write) -> None:
        """What unpacks a hundredfold is stopped by what comes out, not by what the zip says."""
        path = write_zip([("_chat.txt", CHAT + b"a" * (64 * 1024 * 1024))])
        assert path.stat().st_size < 100_000
        with pytest.raises(errors.UnsafeArchiveError, match=r"stopped at [4-7] MB"):
            open_source(path)

    def test_a_bomb_that_lies_about_its_size_is_stopped(self, write_zip: Write) -> None:
        """A zip that claims to unpack to a few bytes gives no more than it claims, or an error: never its flood."""
        path = write_zip([("_chat.txt", CHAT + b"a" * (16 * 1024 * 1024))])
        raw = path.read_bytes().replace(struct.pack("<L", len(CHAT) + 16 * 1024 * 1024), struct.pack("<L", 64))
        path.write_bytes(raw)
        with pytest.raises(errors.ArchiveError):
            open_source(path)

    def test_a_text_beyond_all_bounds_is_refused(self, write_export: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        """A plain text has a bound as well."""
        monkeypatch.setattr(source, "LARGEST_TEXT", 1000)
        with pytest.raises(errors.UnsafeArchiveError):
            open_source(write_export(CHAT * 100))

    def test_without_a_chat(self, write_zip: Write) -> None:
        """No text, or two that may be it, is told."""
        with pytest.raises(errors.NoChatInArchiveError, match="no chat text"):
            open_source(write_zip([("a.jpg", b"x")]))
        with pytest.raises(errors.NoChatInArchiveError, match="2 texts"):
            open_source(write_zip([("a.txt", CHAT), ("b.txt", CHAT)]))
        with pytest.raises(errors.NoChatInArchiveError):
            open_source(write_zip([]))

    def test_a_password_is_told(self, write_zip: Write) -> None:
        """An encrypted zip is told as such."""
        path = write_zip([("_chat.txt", CHAT)])
        raw = bytearray(path.read_bytes())
        for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            raw[raw.index(signature) + offset] |= 1
        path.write_bytes(raw)
        with pytest.raises(errors.EncryptedArchiveError, match="password"):
            open_source(path)

    def test_damage_anywhere_is_one_clear_error(self, write_zip: Write) -> None:
        """Whichever byte is wrong or from where on it is cut off: an error of ours, or the chat as it was."""
        path = write_zip([("_chat.txt", CHAT * 40)])
        whole = path.read_bytes()
        for position in range(len(whole)):
            for broken in (
                whole[:position],
                whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :],
            ):
                path.write_bytes(broken)
                try:
                    found = list(opened(path).records())
                except errors.ExportError:
                    continue
                assert len(found) == 40

    def test_a_text_named_zip(self, write_export: Write) -> None:
        """A file that only says it is a zip is told."""
        with pytest.raises(errors.BrokenArchiveError):
            open_source(write_export(CHAT, "export.zip"))

    def test_every_packing_that_python_knows(self, tmp_path: Path) -> None:
        """A chat packed in another way than WhatsApp's is read all the same."""
        for method in (zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
            buffer = io.BytesIO()
            with zipfile.ZipFile(buffer, "w", method) as archive:
                archive.writestr("_chat.txt", CHAT)
            path = tmp_path / "x.zip"
            path.write_bytes(buffer.getvalue())
            assert len(list(opened(path).records())) == 1


def test_no_file_no_stack_trace(tmp_path: Path) -> None:
    """A missing file, a folder and an impossible path are told in a sentence."""
    for path in (tmp_path / "weg.txt", tmp_path, Path("a\0b")):
        with pytest.raises(errors.ExportUnreadableError):
            open_source(path)
