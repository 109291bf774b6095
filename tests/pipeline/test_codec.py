"""What the codec promises about records on topics."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.codec import decode, encode, peek
from pipeline.errors import CodecError
from pipeline.events import ChatMessage, ContextMessage, FailedMessage, Flag
from pipeline.privacy import Cipher

KEY, OTHER = Cipher(b"k" * 32), Cipher(b"o" * 32)

texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=80)
ids = st.text(alphabet="0123456789abcdef", min_size=1, max_size=32)
times = st.floats(allow_nan=False, allow_infinity=False)
messages = st.builds(
    ChatMessage,
    message_id=ids,
    group=ids,
    author=ids,
    author_sealed=st.binary(max_size=40),
    role=st.sampled_from(["pupil", "teacher", "parent"]),
    text=texts,
    sent_at=times,
    received_at=times,
    reply_to=st.none() | ids,
)
context = st.builds(ContextMessage, message_id=ids, author=ids, text=texts, sent_at=times)
flags = st.builds(
    Flag,
    message_id=ids,
    group=ids,
    author=ids,
    author_sealed=st.binary(max_size=40),
    text=texts,
    sent_at=times,
    received_at=times,
    scored_at=times,
    before=st.lists(context, max_size=3).map(tuple),
    score=st.floats(0, 1),
    labels=st.lists(texts, max_size=3).map(tuple),
    scores=st.dictionaries(texts, st.floats(0, 1), max_size=3),
    clauses=st.lists(texts, max_size=3).map(tuple),
    severity=st.integers(0, 4),
    spans=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), texts), max_size=2).map(tuple),
    why=st.lists(texts, max_size=2).map(tuple),
)
failed = st.builds(
    FailedMessage, message_id=ids, group=ids, reason=texts, attempts=st.integers(0, 9), failed_at=times,
    message=st.none() | messages,
)  # fmt: skip
records = messages | flags | failed


@given(event=records)
def test_any_record_comes_back_as_it_was(event: ChatMessage | Flag | FailedMessage) -> None:
    """Whatever a record holds, decoding gives an equal one, and its envelope names group and message."""
    raw = encode(event, KEY, event.group)
    assert decode(raw, type(event), lambda _group: KEY) == event
    assert peek(raw) == (event.group, event.message_id)


@given(event=messages, data=st.data())
def test_a_flipped_bit_never_decodes(event: ChatMessage, data: st.DataObject) -> None:
    """Envelope or payload: a record changed anywhere is refused, not read wrong."""
    raw = bytearray(encode(event, KEY, event.group))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(CodecError):
        decode(bytes(raw), ChatMessage, lambda _group: KEY)


@given(event=messages, data=st.data())
def test_a_cut_record_never_decodes(event: ChatMessage, data: st.DataObject) -> None:
    """A record that was cut short is refused."""
    raw = encode(event, KEY, event.group)
    with pytest.raises(CodecError):
        decode(raw[: data.draw(st.integers(0, len(raw) - 1))], ChatMessage, lambda _group: KEY)


@given(raw=st.binary(max_size=300))
def test_other_bytes_never_decode(raw: bytes) -> None:
    """Any bytes at all on a topic give a CodecError, no other error."""
    with pytest.raises(CodecError):
        decode(raw, ChatMessage, lambda _group: KEY)


@given(event=messages)
def test_another_groups_key_never_decodes(event: ChatMessage) -> None:
    """A message is read with its own group's key only."""
    raw = encode(event, KEY, event.group)
    with pytest.raises(CodecError):
        decode(raw, ChatMessage, lambda _group: OTHER)


@given(event=failed)
def test_a_record_of_another_type_never_decodes(event: FailedMessage) -> None:
    """A parked message put on another topic is not taken for a message or a flag."""
    raw = encode(event, KEY, event.group)
    with pytest.raises(CodecError):
        decode(raw, Flag, lambda _group: KEY)


def test_neither_the_record_nor_an_error_shows_text() -> None:
    """The text is not in the bytes on the topic, and not in what an error says."""
    event = ChatMessage(
        message_id="m", group="g", author="a", author_sealed=b"", text="GEHEIM", sent_at=0.0, received_at=0.0
    )
    raw = encode(event, KEY, "g")
    assert b"GEHEIM" not in raw
    with pytest.raises(CodecError) as caught:
        encode(
            ChatMessage(
                message_id="m", group="g", author="a", author_sealed=b"", text="GEHEIM\ud800", sent_at=0, received_at=0
            ),
            KEY,
            "g",
        )
    assert "GEHEIM" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_an_overlong_id_is_refused() -> None:
    """The envelope holds ids of at most 255 bytes; a longer one is an error, not a cut id."""
    event = FailedMessage(message_id="m" * 256, group="g", reason="r", attempts=0, failed_at=0.0)
    with pytest.raises(CodecError, match="255"):
        encode(event, KEY, "g")
