"""Makes of the demo school's conversations one stream of messages: the same on every run but for the day it ends on.

Time runs as it would have at the school: conversations keep their own pace, those of one group follow each other after
a pause, and groups run through each other. So a message's context is that of its own conversation, however fast the
stream is played and wherever it was interrupted.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import msgspec

from classifiers.corpus.load import PART_LINE, PARTS, RawLine, read_part
from classifiers.errors import CorpusError
from connectors.errors import ReplayError
from connectors.replay.school import DemoConversation, DemoGroup, DemoSchool
from pipeline.events import IncomingMessage

_TYPING = 20.0
"""Seconds between two messages of a conversation that tells no times."""
_LONGEST_GAP = 900.0
"""Seconds; conversations that rested overnight are drawn together, within what a context window holds."""
_REPEATED_AFTER = 2
"""Messages of the conversation between a message and its repeat."""
_ROLES = {"l": "pupil", "d": "teacher", "o": "parent"}


@dataclass(frozen=True, slots=True)
class Scheduled:
    """One message of the stream with its place in time."""

    offset: float
    """Seconds since the stream's first message."""
    message: IncomingMessage
    """With `sent_at` still the offset; `at` gives it its day."""
    opted_in: bool
    repeat: bool

    def at(self, start: float) -> IncomingMessage:
        """The message as if the stream had begun at `start` (Unix time)."""
        return msgspec.structs.replace(self.message, sent_at=start + self.offset)


def schedule(school: DemoSchool) -> list[Scheduled]:
    """Put every message of the school in the order in which it arrives.

    Args:
        school: Groups with their conversations.

    Returns:
        The stream, by time; ids, names and order are the same on every call.

    Raises:
        ReplayError: A conversation is not in the corpus.
    """
    streams = [_group_stream(school, number, group) for number, group in enumerate(school.groups)]
    return list(heapq.merge(*streams, key=lambda scheduled: scheduled.offset))


def duration(stream: Sequence[Scheduled]) -> float:
    """Seconds from the stream's first message to its last."""
    return stream[-1].offset if stream else 0.0


def _group_stream(school: DemoSchool, number: int, group: DemoGroup) -> list[Scheduled]:
    clock = number * school.stagger
    names = _Names(school, number)
    stream = []
    for conversation in group.conversations:
        lines = _lines(conversation)
        times = _times(lines)
        messages = [
            _message(group, conversation, index, line, names.of(conversation, line.who or "l1"))
            for index, line in enumerate(lines)
        ]
        for index, message in enumerate(messages):
            stream.append(Scheduled(clock + times[index], message, group.opted_in, repeat=False))
            again = index - _REPEATED_AFTER
            if again in conversation.repeats:
                stream.append(Scheduled(clock + times[index], messages[again], group.opted_in, repeat=True))
        if any(not 0 <= repeated < len(lines) - _REPEATED_AFTER for repeated in conversation.repeats):
            raise ReplayError(
                f"{conversation.file}/{conversation.thread}: repeats must lie in 0..{len(lines) - _REPEATED_AFTER - 1}"
            )
        clock += times[-1] + school.pause
    return stream


def _lines(conversation: DemoConversation) -> list[RawLine]:
    try:
        part = read_part(PARTS / f"{conversation.file}.jsonl", PART_LINE)
    except CorpusError as error:
        raise ReplayError(f"the demo school's conversations: {error}") from error
    lines = [line for line in part if line.thread == conversation.thread]
    if not lines:
        raise ReplayError(
            f"the demo school names conversation {conversation.file}/{conversation.thread}, "
            "which is not in classifiers/corpus/parts; correct demo_school.toml"
        )
    return lines


def _times(lines: Sequence[RawLine]) -> list[float]:
    """Seconds of each line since the conversation began, long rests drawn together."""
    times = [0.0]
    for before, line in pairwise(lines):
        known = before.sent is not None and line.sent is not None
        gap = (line.sent or 0.0) - (before.sent or 0.0) if known else _TYPING
        times.append(times[-1] + min(max(gap, 0.0), _LONGEST_GAP))
    return times


def _message(
    group: DemoGroup, conversation: DemoConversation, index: int, line: RawLine, speaker: tuple[str, str, str]
) -> IncomingMessage:
    name, number, role = speaker
    return IncomingMessage(
        platform=group.platform,
        platform_group=group.platform_group,
        platform_message=f"{group.platform_group}:{conversation.file}:{conversation.thread}:{index}",
        author_id=number,
        author_name=name,
        role=role,
        text=line.text,
        sent_at=0.0,
    )


class _Names:
    """Gives the speakers of one group their names and numbers: each class is a part of its own of the name lists."""

    def __init__(self, school: DemoSchool, number: int) -> None:
        self._lists = school.names
        self._number = number

    def of(self, conversation: DemoConversation, who: str) -> tuple[str, str, str]:
        """Name, number and role of a speaker (`l3`); two speakers of a conversation are never the same person."""
        role = _ROLES.get(who[:1])
        if role is None or not who[1:].isdigit():
            raise ReplayError(f"{conversation.file}/{conversation.thread} has a speaker of unknown kind: {who}")
        names = self._lists[role]
        # Another beginning for every conversation, so that it is not always the same pupil who starts.
        turn = sum(map(ord, conversation.thread)) if role == "pupil" else 0
        place = (7 * self._number + turn + int(who[1:]) - 1) % len(names)
        # Numbers in a range that is not given out in the Netherlands.
        kind = sorted(self._lists).index(role)
        return names[place], f"+31600{kind}{self._number:02d}{place:03d}", role
