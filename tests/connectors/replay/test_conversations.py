"""The demo's stream is the same on every run, told in whole conversations, with repeats and a group not opted in."""

from collections import Counter, defaultdict
from dataclasses import replace

import pytest

from classifiers.corpus.load import TRAIN, load_corpus
from classifiers.labels import Label
from connectors.errors import ReplayError
from connectors.replay.conversations import Scheduled, duration, schedule
from connectors.replay.school import DemoConversation, load_school

CONTEXT_SECONDS = 3600
"""The most that a context window holds."""


@pytest.fixture(scope="module")
def stream() -> list[Scheduled]:
    """The packaged school's stream."""
    return schedule(load_school())


def test_every_run_is_the_same(stream: list[Scheduled]) -> None:
    """Ids, authors, texts, order and times do not change, so totals can be compared after a restart."""
    assert schedule(load_school()) == stream


def test_conversations_are_whole_and_in_order(stream: list[Scheduled]) -> None:
    """Every line of every chosen conversation arrives, once but for the repeats, in the corpus' order."""
    corpus = defaultdict(list)
    for line in load_corpus():
        if line.thread:
            corpus[line.file, line.thread].append(line.text)
    told = defaultdict(list)
    for scheduled in stream:
        if not scheduled.repeat:
            file, thread = scheduled.message.platform_message.split(":")[1:3]
            told[file, thread].append(scheduled.message.text)
    assert told == {key: corpus[key] for key in told}
    assert len(told) == sum(len(group.conversations) for group in load_school().groups)


def test_no_conversation_was_trained_on() -> None:
    """What the demo shows is what the classifier does with chats it never saw; and every label is among them."""
    chosen = {(talk.file, talk.thread) for group in load_school().groups for talk in group.conversations}
    lines = [line for line in load_corpus() if (line.file, line.thread) in chosen]
    assert {line.file + "/" + str(line.thread) for line in lines if line.split == TRAIN} == set()
    labels = Counter(label for line in lines for label in line.labels)
    assert set(labels) == set(Label)
    harmless = sum(not line.labels for line in lines) / len(lines)
    assert harmless > 0.7


def test_repeats_bear_the_same_id_and_come_later(stream: list[Scheduled]) -> None:
    """What the platform delivers twice is the same message, after the first."""
    first: dict[str, int] = {}
    repeats = 0
    for place, scheduled in enumerate(stream):
        message = scheduled.message
        if scheduled.repeat:
            repeats += 1
            assert stream[first[message.platform_message]].message == message
        else:
            assert message.platform_message not in first
            first[message.platform_message] = place
    assert repeats == sum(len(talk.repeats) for group in load_school().groups for talk in group.conversations) > 0


def test_time_never_runs_back(stream: list[Scheduled]) -> None:
    """The stream is in order of time."""
    offsets = [scheduled.offset for scheduled in stream]
    assert offsets == sorted(offsets)
    assert duration(stream) == offsets[-1]
    assert duration([]) == 0


def test_conversations_of_a_group_do_not_reach_into_each_others_context(stream: list[Scheduled]) -> None:
    """Between two conversations of a group lies more than a context window; within one, never."""
    last: dict[str, tuple[str, float]] = {}
    for scheduled in stream:
        group = scheduled.message.platform_group
        talk = scheduled.message.platform_message.rpartition(":")[0]
        if group in last:
            before, offset = last[group]
            apart = scheduled.offset - offset
            assert apart > CONTEXT_SECONDS if before != talk else apart < CONTEXT_SECONDS
        last[group] = (talk, scheduled.offset)


def test_groups_run_through_each_other(stream: list[Scheduled]) -> None:
    """Before the first group has ended its second message-dozen, others have begun, as in a school."""
    assert len({scheduled.message.platform_group for scheduled in stream[:60]}) >= 4


def test_speakers_keep_name_number_and_role(stream: list[Scheduled]) -> None:
    """One number is one person of one group, and two speakers of a conversation are two persons."""
    people: dict[str, tuple[str, str, str]] = {}
    for scheduled in stream:
        message = scheduled.message
        person = (message.author_name, message.role, message.platform_group)
        assert people.setdefault(message.author_id, person) == person
    who = defaultdict(list)
    for line in load_corpus():
        if line.thread:
            who[line.file, line.thread].append(line.who)
    speakers: dict[tuple[str, str], set[tuple[str, str | None]]] = defaultdict(set)
    for scheduled in stream:
        _, file, thread, index = scheduled.message.platform_message.split(":")
        speakers[file, thread].add((scheduled.message.author_id, who[file, thread][int(index)]))
    for talk, pairs in speakers.items():
        assert len(pairs) == len({author for author, _ in pairs}) == len(set(who[talk]))
    assert {message.message.role for message in stream} == {"pupil", "teacher", "parent"}


def test_the_stream_gets_its_day(stream: list[Scheduled]) -> None:
    """Time of sending is the stream's beginning and the place in it; nothing else of a message changes."""
    scheduled = stream[7]
    dated = scheduled.at(1_800_000_000.0)
    assert dated.sent_at == 1_800_000_000.0 + scheduled.offset
    assert dated.platform_message == scheduled.message.platform_message
    assert dated.text == scheduled.message.text


def test_a_conversation_that_is_not_there_is_told() -> None:
    """A thread or part that the corpus does not hold is named."""
    school = load_school()
    group = school.groups[0]
    for talk, told in (
        (DemoConversation("gesprekken_brugklas", "bk999", ()), "bk999"),
        (DemoConversation("nergens", "x", ()), "nergens"),
        (DemoConversation("gesprekken_brugklas", "bk006", (1000,)), "repeats"),
    ):
        wrong = replace(school, groups=(replace(group, conversations=(talk,)),))
        with pytest.raises(ReplayError, match=told):
            schedule(wrong)
