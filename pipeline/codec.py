"""How a record lies on a topic: a small readable envelope around sealed bytes.

The envelope names the group, which is needed to find the key, and the message, so that a record whose key is destroyed
can still be counted once. Both are bound to the sealed part: a record moved to another group or read as another type
does not open. Layout: version byte, length and bytes of the group, length and bytes of the message id, sealed msgpack.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple, TypeVar

import msgspec

from pipeline.errors import CodecError, SealError
from pipeline.privacy import Cipher

_VERSION = 1
_LONGEST_ID = 255

_Event = TypeVar("_Event", bound=msgspec.Struct)


class Envelope(NamedTuple):
    """What may be read of a record without its key."""

    group: str
    message_id: str


def encode(event: msgspec.Struct, cipher: Cipher, group: str) -> bytes:
    """Seal a record for a topic.

    Args:
        event: A record of `pipeline.events`.
        cipher: The group's own on topic `messages`, the text key's on the others.
        group: The group's id in the ledger.

    Raises:
        CodecError: An id is too long, or text holds a lone surrogate (intake replaces those).
    """
    try:
        head = _head(group, getattr(event, "message_id", ""))
        return head + cipher.seal(msgspec.msgpack.encode(event), head + type(event).__name__.encode())
    except UnicodeEncodeError:
        msg = f"A {type(event).__name__} holds a lone surrogate, which no encoding can carry; replace it first"
        raise CodecError(msg) from None


def peek(raw: bytes) -> Envelope:
    """Read a record's envelope.

    Raises:
        CodecError: The bytes are no record of ours.
    """
    return _split(raw)[0]


def decode(raw: bytes, type_: type[_Event], cipher_for_group: Callable[[str], Cipher]) -> _Event:
    """Open a record.

    Args:
        raw: The record's value as it lay on the topic.
        type_: The record's type; a record of another type does not open.
        cipher_for_group: Gives the key for a group id; may raise `KeyDestroyedError`.

    Raises:
        KeyDestroyedError: The group opted out.
        CodecError: The bytes were changed, cut short, sealed under another key or hold another type.
    """
    envelope, head, sealed = _split(raw)
    cipher = cipher_for_group(envelope.group)
    try:
        plain = cipher.open(sealed, head + type_.__name__.encode())
        event: _Event = _decoder(type_).decode(plain)
    except (SealError, msgspec.DecodeError) as error:
        msg = f"A record of {type_.__name__} does not open: {error}"
        raise CodecError(msg) from None
    return event


def _head(group: str, message_id: str) -> bytes:
    group_bytes, id_bytes = group.encode(), message_id.encode()
    if len(group_bytes) > _LONGEST_ID or len(id_bytes) > _LONGEST_ID:
        msg = f"A group or message id is longer than {_LONGEST_ID} bytes"
        raise CodecError(msg)
    return bytes((_VERSION, len(group_bytes))) + group_bytes + bytes((len(id_bytes),)) + id_bytes


def _split(raw: bytes) -> tuple[Envelope, bytes, bytes]:
    try:
        if raw[0] != _VERSION:
            msg = f"A record has version {raw[0]}, this program reads {_VERSION}"
            raise CodecError(msg)
        group_end = 2 + raw[1]
        end = group_end + 1 + raw[group_end]
        envelope = Envelope(raw[2:group_end].decode(), raw[group_end + 1 : end].decode())
    except (IndexError, UnicodeDecodeError):
        msg = "A record's envelope is cut short or damaged"
        raise CodecError(msg) from None
    # A message id that is cut short leaves nothing sealed behind it, which does not open.
    return envelope, raw[:end], raw[end:]


@cache
def _decoder(type_: type[_Event]) -> msgspec.msgpack.Decoder[_Event]:
    return msgspec.msgpack.Decoder(type_)
