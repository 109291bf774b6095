"""How a message is cut into pieces."""

from hypothesis import given
from hypothesis import strategies as st

from dashboards.review.highlight import WORD, Kind, Piece, TypedSpan, cut, has_personal_data


def tag(kind: str, _words: str) -> str:
    return f"[{kind}]"


def test_words_are_marked_and_personal_data_is_replaced() -> None:
    """A phone number inside marked words is hidden, the words around it stay marked."""
    text = "app hem op 0612345678 tot hij huilt"
    spans = [(0, 7, WORD), (11, 21, "PHONE"), (11, 35, WORD)]
    assert cut(text, spans, tag) == (
        Piece("app hem", Kind.MARK),
        Piece(" op "),
        Piece("[PHONE]", Kind.HIDDEN),
        Piece(" tot hij huilt", Kind.MARK),
    )


def test_overlapping_data_is_hidden_once_under_the_longest_type() -> None:
    """Two recognizers that saw the same words give one tag."""
    assert cut("Kerkstraat 12, 2613 AB", [(11, 22, "POSTCODE"), (0, 13, "ADDRESS")], tag) == (
        Piece("[ADDRESS]", Kind.HIDDEN),
    )


def test_on_request_the_message_is_shown_as_typed() -> None:
    """Without tags the personal data is marked instead."""
    assert cut("bel 0612345678", [(4, 14, "PHONE")], None) == (Piece("bel "), Piece("0612345678", Kind.MARK))


def test_only_personal_data_counts_as_hidden() -> None:
    """Marked words alone leave nothing to ask for."""
    assert not has_personal_data([(0, 3, WORD)])
    assert has_personal_data([(0, 3, WORD), (4, 9, "NAME")])


SPANS = st.lists(
    st.tuples(st.integers(-3, 40), st.integers(-3, 40), st.sampled_from([WORD, "PHONE", "NAME", "EMAIL"])), max_size=8
)
TEXTS = st.text(alphabet="abcdefghijklmnopqrstuvwxyzé 👍\n", max_size=35)


@given(TEXTS, SPANS)
def test_nothing_of_a_message_is_lost_when_shown_as_typed(text: str, spans: list[TypedSpan]) -> None:
    """For any spans, the pieces together are the message, and no piece is empty."""
    pieces = cut(text, spans, None)
    assert "".join(piece.text for piece in pieces) == text
    assert all(piece.text for piece in pieces)


@given(TEXTS, SPANS)
def test_no_character_of_personal_data_gets_through(text: str, spans: list[TypedSpan]) -> None:
    """For any spans, what is shown is exactly the characters outside every personal-data span."""
    covered = {at for start, end, kind in spans if kind != WORD for at in range(max(0, start), max(0, end))}
    shown = "".join(piece.text for piece in cut(text, spans, tag) if piece.kind is not Kind.HIDDEN)
    assert shown == "".join(character for at, character in enumerate(text) if at not in covered)
