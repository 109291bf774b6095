"""Puts each line into the conversation before it, the way a message meets the classifier in use."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Protocol

from classifiers.findings import ScoringInput, Utterance

CONTEXT_MESSAGES = 10
"""At most so many messages before one are read."""
CONTEXT_SECONDS = 3600.0
"""And none that is older than this."""

_ROLES = {"d": "teacher", "o": "parent"}


class Line(Protocol):
    """What a line must tell: a corpus line or a line handed to a command."""

    @property
    def text(self) -> str: ...  # noqa: D102  # see CorpusLine
    @property
    def who(self) -> str | None: ...  # noqa: D102
    @property
    def sent(self) -> float | None: ...  # noqa: D102
    @property
    def conversation(self) -> str | None: ...  # noqa: D102


class Conversations:
    """The last messages of every conversation seen so far; conversations may be interleaved.

    Holds at most `most` conversations and forgets the one that was silent longest, so that an endless stream fits.
    """

    def __init__(self, messages: int = CONTEXT_MESSAGES, seconds: float = CONTEXT_SECONDS, most: int = 10_000) -> None:
        self._messages = messages
        self._seconds = seconds
        self._most = most
        self._open: dict[str, deque[Utterance]] = {}

    def enter(self, line: Line) -> ScoringInput:
        """Take the next message of its conversation and give it with the messages before it."""
        message = utterance(line)
        if line.conversation is None:
            return ScoringInput(message)
        window = self._open.pop(line.conversation, None) or deque(maxlen=self._messages)
        self._open[line.conversation] = window
        if len(self._open) > self._most:
            del self._open[next(iter(self._open))]
        before = tuple(window)
        if message.sent is not None:
            # A clock that runs back makes an earlier message look later; its distance counts either way.
            now = message.sent
            before = tuple(one for one in before if one.sent is None or abs(now - one.sent) <= self._seconds)
        window.append(message)
        return ScoringInput(message, before)


def scoring_inputs(
    lines: Iterable[Line], messages: int = CONTEXT_MESSAGES, seconds: float = CONTEXT_SECONDS
) -> Iterator[ScoringInput]:
    """Each line with the conversation before it, in the order given."""
    conversations = Conversations(messages, seconds)
    return (conversations.enter(line) for line in lines)


def utterance(line: Line) -> Utterance:
    """The message without its conversation."""
    who = line.who or ""
    role = _ROLES.get(who[:1], "pupil") if who[1:].isdigit() else "pupil"
    return Utterance(line.text, who, line.sent, role)
