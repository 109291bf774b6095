"""What the review store seals under the text key, and to which place each piece is bound.

The place is authenticated with the bytes: a sealed text moved to another message or case does not open there.
"""

import msgspec

from pipeline.errors import SealError
from pipeline.events import ChatMessage, Flag
from pipeline.privacy import Identity, Keyring, replace_surrogates
from pipeline.review.errors import StoredRecordError

_flags = msgspec.msgpack.Decoder(Flag)
_messages = msgspec.msgpack.Decoder(ChatMessage)


class Sealing:
    """Seals on the way in, opens on the way out.

    Every `open_...` raises `StoredRecordError` when the bytes do not open or do not hold what they should.
    """

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def flag(self, flag: Flag) -> bytes:
        """Seal a whole flag: text, context, scores, and the author (whose name is sealed again under its own key)."""
        return self._keyring.text.seal(msgspec.msgpack.encode(flag), _place("flag", flag.message_id))

    def open_flag(self, message_id: str, sealed: bytes) -> Flag:
        """Open what `flag` gave."""
        plain = self._open(sealed, "flag", message_id)
        try:
            return _flags.decode(plain)
        except msgspec.MsgspecError:
            raise _unreadable("flag", message_id) from None  # its text would quote the value

    def parked(self, message: ChatMessage) -> bytes:
        """Seal a message that could not be judged."""
        return self._keyring.text.seal(msgspec.msgpack.encode(message), _place("parked", message.message_id))

    def open_parked(self, message_id: str, sealed: bytes) -> ChatMessage:
        """Open what `parked` gave."""
        plain = self._open(sealed, "parked", message_id)
        try:
            return _messages.decode(plain)
        except msgspec.MsgspecError:
            raise _unreadable("parked", message_id) from None

    def reason(self, place: str, reason: str) -> bytes:
        """Seal a person's reason; `place` is the case, or the parked message, that it is about."""
        return self._keyring.text.seal(replace_surrogates(reason).encode(), _place("reason", place))

    def open_reason(self, place: str, sealed: bytes) -> str:
        """Open what `reason` gave."""
        return self._open(sealed, "reason", place).decode()

    def open_identity(self, flag: Flag) -> Identity:
        """Open the name and number of a flag's author."""
        try:
            return self._keyring.open_identity(flag.author_sealed)
        except (SealError, msgspec.MsgspecError):
            raise _unreadable("author of flag", flag.message_id) from None

    def _open(self, sealed: bytes, kind: str, place: str) -> bytes:
        try:
            return self._keyring.text.open(sealed, _place(kind, place))
        except SealError:
            raise _unreadable(kind, place) from None


def _place(kind: str, place: str) -> bytes:
    return f"review:{kind}:{place}".encode()


def _unreadable(kind: str, place: str) -> StoredRecordError:
    return StoredRecordError(
        f"The stored {kind} {place} cannot be opened: the key files are not those it was sealed with, or it was "
        "changed. Run `vangnet doctor`."
    )
