"""Keys, sealing and pseudonyms: what makes a copy of the data unreadable and a name unguessable.

Four keys lie in files outside the data folder. Text and identities have different keys, so that reading a flag never
opens a name; pseudonyms are keyed (HMAC), because an unkeyed hash of a phone number is found by trying them all.
"""

import contextlib
import hmac
import os
import re
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pipeline.errors import KeyringError, SealError

KEY_BYTES = 32
KEY_FILES = ("text.key", "identity.key", "pseudonym.key", "session.key")
"""In the order in which they are made: a key that is missing while a later one exists was lost, not never made."""

_VERSION = b"\x01"
_NONCE_BYTES = 12
_TAG_BYTES = 16
_PSEUDONYM_BYTES = 16
_SURROGATE = re.compile("[\ud800-\udfff]")


def replace_surrogates(text: str) -> str:
    """Give the text with surrogate pairs joined and lone surrogates, which no encoding can hold, as U+FFFD."""
    if _SURROGATE.search(text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


class Cipher:
    """Seals bytes under one key with AES-256-GCM: unreadable without it, and a changed byte is noticed."""

    __slots__ = ("_aead",)

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            msg = f"A key has {KEY_BYTES} bytes, this one has {len(key)}"
            raise SealError(msg)
        self._aead = AESGCM(key)

    def seal(self, plain: bytes, aad: bytes = b"") -> bytes:
        """Encrypt under a fresh random nonce.

        Args:
            plain: What must not be read.
            aad: Bytes that are not hidden but must be the same when opening (where the sealed bytes belong).

        Returns:
            Version byte, nonce (12 bytes), encrypted bytes with their tag (16 more than `plain`).
        """
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + nonce + self._aead.encrypt(nonce, plain, _VERSION + aad)

    def open(self, sealed: bytes, aad: bytes = b"") -> bytes:
        """Decrypt what `seal` gave.

        Raises:
            SealError: Another key, another place (`aad`), or a changed byte. The text says no more than that.
        """
        if len(sealed) < 1 + _NONCE_BYTES + _TAG_BYTES or sealed[:1] != _VERSION:
            msg = "Sealed bytes are cut short or of an unknown version"
            raise SealError(msg)
        nonce = sealed[1 : 1 + _NONCE_BYTES]
        try:
            return self._aead.decrypt(nonce, sealed[1 + _NONCE_BYTES :], _VERSION + aad)
        except InvalidTag:
            msg = "Sealed bytes do not open: they were changed, or sealed under another key or for another place"
            raise SealError(msg) from None


class Pseudonymizer:
    """Replaces platform ids by keyed pseudonyms (HMAC-SHA256, 128 bits, hexadecimal)."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def message(self, platform: str, platform_message: str, group: str = "") -> str:
        """Give a message's pseudonym.

        Args:
            platform: The connector's name.
            platform_message: The platform's id of the message.
            group: The group's id in the ledger. Some platforms number messages per chat only; and a group that opted
                in anew has a new id, so what was purged with the old one does not count as seen.
        """
        return self._pseudonym("message", platform, group, platform_message)

    def author(self, platform: str, author_id: str) -> str:
        """Give an author's pseudonym: the same person on the same platform, the same pseudonym."""
        return self._pseudonym("author", platform, author_id)

    def group_key(self, platform: str, platform_group: str) -> str:
        """Give the pseudonym under which the ledger finds a platform's group."""
        return self._pseudonym("group", platform, platform_group)

    def _pseudonym(self, *parts: str) -> str:
        # Each part is preceded by its length, so that no two lists of parts give the same bytes.
        encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
        data = b"".join(b"%d:%b" % (len(part), part) for part in encoded)
        return hmac.digest(self._key, data, "sha256")[:_PSEUDONYM_BYTES].hex()


class Identity(msgspec.Struct, frozen=True, array_like=True):
    """Who wrote a message, as the platform told it."""

    name: str
    author_id: str


_identity_decoder = msgspec.msgpack.Decoder(Identity)
_IDENTITY_AAD = b"identity"


@dataclass(frozen=True, slots=True)
class Keyring:
    """The school's keys, opened."""

    text: Cipher = field(repr=False)
    """Seals flags, parked messages and the ledger; wraps the groups' own keys."""
    identity: Cipher = field(repr=False)
    """Seals names and numbers."""
    pseudonymizer: Pseudonymizer = field(repr=False)
    session: bytes = field(repr=False)
    """32 bytes for the web sessions."""

    @classmethod
    def open(cls, keys_dir: Path) -> Self:
        """Read the keys, making them on first start (folder mode 700, files mode 600).

        Processes that start at the same moment agree on the keys: the first file in place wins.

        Raises:
            KeyringError: Permissions are loose, a key is damaged or lost, or the folder cannot be used.
        """
        try:
            keys_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            _refuse_others(keys_dir, "700")
            keys = _read_or_make(keys_dir)
        except OSError as error:
            msg = f"The key folder {keys_dir} cannot be used ({error.strerror}). Check VANGNET_KEYS and its owner."
            raise KeyringError(msg) from error
        return cls(
            text=Cipher(keys["text.key"]),
            identity=Cipher(keys["identity.key"]),
            pseudonymizer=Pseudonymizer(keys["pseudonym.key"]),
            session=keys["session.key"],
        )

    def seal_identity(self, name: str, author_id: str) -> bytes:
        """Seal who wrote a message; opened only on a mentor's reasoned request."""
        identity = Identity(replace_surrogates(name), replace_surrogates(author_id))
        return self.identity.seal(msgspec.msgpack.encode(identity), _IDENTITY_AAD)

    def open_identity(self, sealed: bytes) -> Identity:
        """Open what `seal_identity` gave.

        Raises:
            SealError: The bytes were changed or sealed under another key.
        """
        return _identity_decoder.decode(self.identity.open(sealed, _IDENTITY_AAD))


def _read_or_make(keys_dir: Path) -> Mapping[str, bytes]:
    paths = [keys_dir / name for name in KEY_FILES]
    present = [path.exists() for path in paths]
    for number, path in enumerate(paths):
        if not present[number] and any(present[number + 1 :]) and not path.exists():
            msg = (
                f"The key file {path} is gone while later ones exist: what was sealed with it is unreadable. "
                "Put it back from your copy of the key folder; a new key would not open the old data."
            )
            raise KeyringError(msg)
    return {path.name: _read_key(path) if path.exists() else _make_key(path) for path in paths}


def _make_key(path: Path) -> bytes:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES).hex().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another process was first; its key counts
            os.link(draft, path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        draft.unlink()
    return _read_key(path)


def _read_key(path: Path) -> bytes:
    _refuse_others(path, "600")
    try:
        key = bytes.fromhex(path.read_text("ascii").strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        msg = f"The key file {path} is damaged ({KEY_BYTES * 2} hexadecimal digits expected). Put back your copy of it."
        raise KeyringError(msg)
    return key


def _refuse_others(path: Path, wanted: str) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        msg = f"{path} may be read by others (mode {mode:o}). Do: chmod {wanted} {path}"
        raise KeyringError(msg)
