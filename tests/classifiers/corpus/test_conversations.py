from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from classifiers.corpus.conversations import Conversations, scoring_inputs


@dataclass(frozen=True)
class Said:
    text: str = "hoi"
    conversation: str | None = "a"
    who: str | None = "l1"
    sent: float | None = None


def test_at_most_ten_messages_before_are_read() -> None:
    """A long conversation is judged by its last ten messages, oldest first."""
    *_, last = scoring_inputs([Said(str(n)) for n in range(15)])
    assert [one.text for one in last.before] == [str(n) for n in range(4, 14)]


def test_messages_older_than_an_hour_are_not_read() -> None:
    """What was said yesterday does not color what is said today."""
    *_, last = scoring_inputs([Said("oud", sent=0), Said("net", sent=3500), Said("nu", sent=3700)])
    assert [one.text for one in last.before] == ["net"]


def test_interleaved_conversations_are_kept_apart() -> None:
    """Two groups that talk at the same time never see each other's words."""
    lines = [Said("a1"), Said("b1", "b"), Said("a2"), Said("b2", "b"), Said("los", None)]
    before = [[one.text for one in given.before] for given in scoring_inputs(lines)]
    assert before == [[], [], ["a1"], ["b1"], []]


def test_times_that_run_backwards_keep_the_order_of_the_lines() -> None:
    """A wrong clock neither drops nor reorders what was just said."""
    *_, last = scoring_inputs([Said("een", sent=100), Said("twee", sent=40), Said("drie", sent=90)])
    assert [one.text for one in last.before] == ["een", "twee"]


def test_a_clock_an_hour_off_parts_messages_either_way() -> None:
    """A message dated far after the one that answers it belongs to another hour as much as one far before."""
    *_, last = scoring_inputs([Said("ver", sent=9000), Said("dichtbij", sent=200), Said("nu", sent=100)])
    assert [one.text for one in last.before] == ["dichtbij"]


def test_speakers_have_their_role() -> None:
    """Teachers and parents are known by the guide's letters; any other name is a pupil."""
    roles = [
        one.message.role for one in scoring_inputs([Said(who=who) for who in ("l1", "d1", "o2", None, "daan", "o")])
    ]
    assert roles == ["pupil", "teacher", "parent", "pupil", "pupil", "pupil"]


@given(st.lists(st.integers(0, 9), max_size=60))
def test_an_endless_number_of_conversations_stays_bounded(threads: list[int]) -> None:
    """The conversation silent longest is forgotten first; the others keep their window."""
    conversations = Conversations(most=3)
    for place, thread in enumerate(threads):
        entered = conversations.enter(Said(str(place), str(thread)))
        assert len(conversations._open) <= 3
        lately = list(dict.fromkeys(reversed(threads[:place])))[:3]
        assert bool(entered.before) == (thread in lately)
