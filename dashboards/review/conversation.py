"""Makes the lines of a case page: who spoke (as a letter), the text without personal data, and why it was flagged."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from classifiers.findings import Finding, Span, Utterance
from classifiers.labels import Label
from classifiers.personal_data import find, redact
from dashboards.review.explanation import explain
from dashboards.review.highlight import WORD, Piece, TypedSpan, cut, has_personal_data
from dashboards.texts import Texts
from pipeline.review.records import Case, CaseMessage, ConversationLine

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the conversation as the page shows it."""

    speaker: str
    """*Afzender A*."""
    role: str
    sent_at: float
    reply: str | None
    """Who is answered, when that message is on the page."""
    pieces: tuple[Piece, ...]
    redacted: bool
    """Something is hidden."""
    shown: bool
    """The mentor asked for the message as typed."""
    why: Sequence[str]
    marked: bool
    """Words of the text are marked as a reason for the flag."""
    message: CaseMessage | None
    """The flagged message; None for a line that is only context."""


def lines_of(case: Case, texts: Texts, shown: Collection[str]) -> list[Line]:
    """The whole conversation of a case.

    Args:
        case: As the store gives it.
        texts: For the names of speakers and of what is hidden.
        shown: Ids of flagged messages to show as typed.
    """
    tags = Tags()
    conversation = case.conversation()
    speakers = {line.message_id: line.speaker for line in conversation}
    result = []
    for index, line in enumerate(conversation):
        message = line.flagged
        as_typed = message is not None and message.message_id in shown
        spans = personal_spans(line.text, conversation[:index])
        if message is not None:
            spans = [*spans, *message.spans]
        answered = speakers.get(message.reply_to) if message is not None and message.reply_to else None
        result.append(
            Line(
                speaker=_speaker(texts, line.speaker),
                role=line.role,
                sent_at=line.sent_at,
                reply=None if answered is None else _speaker(texts, answered),
                pieces=cut(line.text, spans, None if as_typed else tags),
                redacted=has_personal_data(spans) and not as_typed,
                shown=as_typed,
                why=() if message is None else explain(message.why, texts, with_score=message.score is not None),
                marked=any(kind == WORD for _, _, kind in spans),
                message=message,
            )
        )
    return result


def personal_spans(text: str, before: Sequence[ConversationLine]) -> list[TypedSpan]:
    """Personal data in a message, found anew: a flag for an insult does not carry the phone number beside it."""
    earlier = tuple(Utterance(line.text, str(line.speaker), line.sent_at, line.role) for line in before)
    return [(span.start, span.end, span.type) for finding in find(text, earlier) for span in finding.spans]


class Tags:
    """What stands in the place of personal data on one page: the same number has the same tag in every message."""

    def __init__(self) -> None:
        self._known: Mapping[tuple[str, str], str] = {}

    def __call__(self, kind: str, words: str) -> str:
        """The tag of these words, e.g. `[TELEFOONNUMMER-1]`."""
        whole = Finding(Label.PERSONAL_DATA, 1.0, "dashboards", spans=(Span(0, len(words), kind),))
        redacted = redact(words, [whole], self._known)
        self._known = redacted.tags
        return redacted.text


def _speaker(texts: Texts, number: int) -> str:
    letter = _LETTERS[number] if number < len(_LETTERS) else str(number + 1)
    return texts("case.speaker", letter=letter)
