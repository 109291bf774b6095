"""The scoring step: opened, joined to what came before, judged once, written down once."""

import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from classifiers.protocol import load_policy
from pipeline.context import ContextWindows
from pipeline.counters import Counters
from pipeline.events import FailedMessage, Flag, IncomingMessage
from pipeline.groups import Group, GroupLedger
from pipeline.intake import Intake
from pipeline.metrics import WorkerMetrics
from pipeline.privacy import Keyring
from pipeline.scoring import ScoringStep, settle
from pipeline.settings import Settings
from pipeline.topics import MESSAGES, TopicSpec
from tests.pipeline.moments import NOW
from tests.pipeline.scorers import WordScorer

OnTopic = Callable[[TopicSpec], Awaitable[list[bytes]]]


@pytest.fixture
def scorer() -> WordScorer:
    return WordScorer()


@pytest.fixture
def windows(redis: Redis, keyring: Keyring, settings: Settings) -> ContextWindows:
    return ContextWindows(redis, keyring, settings)


@pytest.fixture
def step(scorer: WordScorer, ledger: GroupLedger, windows: ContextWindows) -> ScoringStep:
    return ScoringStep(
        scorer=scorer,
        policy=load_policy(),
        ledger=ledger,
        windows=windows,
        executor=ThreadPoolExecutor(1),
        metrics=WorkerMetrics(CollectorRegistry()),
        clock=lambda: NOW,
    )


@pytest.fixture
def accept(
    make_intake: Callable[..., Intake], incoming: Callable[..., IncomingMessage], on_topic: OnTopic
) -> Callable[..., Awaitable[list[bytes]]]:
    """Let texts in at group 2B, and give the records on the topic."""

    async def let_in(*texts: str, **fields: object) -> list[bytes]:
        await make_intake().accept([incoming(text=text, **fields) for text in texts])
        return await on_topic(MESSAGES)

    return let_in


class Outbox:
    """Takes what would go to topics `flags` and `failed`."""

    def __init__(self) -> None:
        self.flags: list[Flag] = []
        self.failed: list[FailedMessage] = []

    async def __call__(self, flags: Sequence[Flag], failed: Sequence[FailedMessage]) -> None:
        self.flags += flags
        self.failed += failed


async def test_a_flag_carries_its_clauses_and_what_came_before(
    add_group: Callable[..., Awaitable[Group]], accept: Callable[..., Awaitable[list[bytes]]], step: ScoringStep
) -> None:
    """A flagged message keeps the few messages before it; the others leave nothing but an outcome."""
    await add_group()
    judged = await step.judge(await accept("hoi", "wie is er", "wat een zwam ben jij"))
    assert [flag.text for flag in judged.flags] == ["wat een zwam ben jij"]
    flag = judged.flags[0]
    assert [one.text for one in flag.before] == ["hoi", "wie is er"]
    assert flag.labels == ("pesten",)
    assert flag.clauses == ("5.1.i",)
    assert flag.severity > 0
    assert flag.spans == ((8, 12, "WORD"),)
    assert "pesten: the word (words)" in flag.why
    assert [outcome.status.value for outcome in judged.outcomes] == ["scored", "scored", "flagged"]


async def test_scoring_leaves_the_event_loop_free(
    add_group: Callable[..., Awaitable[Group]],
    accept: Callable[..., Awaitable[list[bytes]]],
    step: ScoringStep,
    scorer: WordScorer,
) -> None:
    """The classifiers run in a thread of their own, so the broker and the pages are answered meanwhile."""
    await add_group()
    await step.judge(await accept("hoi"))
    assert scorer.threads
    assert threading.get_ident() not in scorer.threads


async def test_a_record_delivered_again_is_left_out(
    add_group: Callable[..., Awaitable[Group]],
    accept: Callable[..., Awaitable[list[bytes]]],
    step: ScoringStep,
    windows: ContextWindows,
    redis: Redis,
) -> None:
    """After a crash between writing down and acknowledging, the same batch changes no figure and flags nothing."""
    await add_group()
    raws = await accept("hoi", "zwam")
    outbox = Outbox()
    await settle(await step.judge(raws), outbox, windows)
    again = await step.judge(raws)
    assert again.flags == []
    assert again.outcomes == []
    await settle(again, outbox, windows)
    totals = await Counters(redis).totals()
    assert (totals.scored, totals.flagged) == (2, 1)


async def test_a_crash_after_sending_repeats_the_same_flag(
    add_group: Callable[..., Awaitable[Group]],
    accept: Callable[..., Awaitable[list[bytes]]],
    step: ScoringStep,
    scorer: WordScorer,
) -> None:
    """Killed between sending and writing down, the message is judged again with the same context and the same id."""
    await add_group()
    raws = await accept("hoi", "zwam")
    first, second = await step.judge(raws), await step.judge(raws)
    assert first.flags[0].message_id == second.flags[0].message_id
    assert first.flags[0].before == second.flags[0].before
    assert scorer.asked[1].before == scorer.asked[3].before


async def test_context_goes_on_over_batches_and_ends_with_the_hour(
    add_group: Callable[..., Awaitable[Group]],
    make_intake: Callable[..., Intake],
    incoming: Callable[..., IncomingMessage],
    on_topic: OnTopic,
    step: ScoringStep,
    scorer: WordScorer,
    windows: ContextWindows,
) -> None:
    """The window holds earlier batches' messages, ten at most, none that was sent more than an hour before."""
    await add_group()
    old = [incoming(text=f"oud {number}", sent_at=NOW - 5000) for number in range(3)]
    new = [incoming(text=f"nieuw {number}", sent_at=NOW - 100 + number) for number in range(12)]
    await make_intake().accept([*old, *new])
    raws = await on_topic(MESSAGES)
    for at in range(0, len(raws), 4):
        await settle(await step.judge(raws[at : at + 4]), Outbox(), windows)
    last = scorer.asked[-1]
    assert last.message.text == "nieuw 11"
    assert [one.text for one in last.before] == [f"nieuw {number}" for number in range(1, 11)]
    assert [one.text for one in scorer.asked[3].before] == []


async def test_a_group_that_opts_out_is_not_read(
    add_group: Callable[..., Awaitable[Group]],
    accept: Callable[..., Awaitable[list[bytes]]],
    step: ScoringStep,
    scorer: WordScorer,
    ledger: GroupLedger,
) -> None:
    """Messages that waited when their group opted out are counted as purged and never opened."""
    group = await add_group()
    raws = await accept("zwam")
    await ledger.remove(group.id)
    judged = await step.judge(raws)
    assert judged.flags == []
    assert [outcome.status.value for outcome in judged.outcomes] == ["purged"]
    assert scorer.asked == []


async def test_opting_out_empties_the_classifiers_memory(
    add_group: Callable[..., Awaitable[Group]], step: ScoringStep, scorer: WordScorer, ledger: GroupLedger
) -> None:
    """What the classifiers keep of earlier messages goes when a group opts out, once, and not otherwise."""
    group = await add_group()
    assert not await step.forget_removed()
    await ledger.remove(group.id)
    assert await step.forget_removed()
    assert not await step.forget_removed()
    assert scorer.forgotten == 1


async def test_a_lesson_is_not_judged(
    add_group: Callable[..., Awaitable[Group]],
    accept: Callable[..., Awaitable[list[bytes]]],
    step: ScoringStep,
    scorer: WordScorer,
    ledger: GroupLedger,
) -> None:
    """In lesson mode (protocol 4.b) messages are counted and nothing is flagged."""
    group = await add_group()
    await ledger.lesson(group.id, NOW + 3600, NOW - 600)
    judged = await step.judge(await accept("zwam"))
    assert judged.flags == []
    assert [outcome.status.value for outcome in judged.outcomes] == ["lesson"]
    assert scorer.asked == []


async def test_a_damaged_record_is_shown_and_not_lost(
    add_group: Callable[..., Awaitable[Group]], accept: Callable[..., Awaitable[list[bytes]]], step: ScoringStep
) -> None:
    """A changed byte or bytes of another program become one entry that a person sees; the batch goes on."""
    await add_group()
    raws = await accept("hoi", "zwam")
    damaged = raws[0][:-1] + bytes([raws[0][-1] ^ 1])
    judged = await step.judge([damaged, b"\xffanders", raws[1]])
    assert [failed.reason for failed in judged.failed] == ["undecodable", "undecodable"]
    assert len(judged.flags) == 1
    again = await step.judge([b"\xffanders"])
    assert again.failed[0].message_id in {failed.message_id for failed in judged.failed}


async def test_what_cannot_be_judged_keeps_its_text_for_a_person(
    add_group: Callable[..., Awaitable[Group]], accept: Callable[..., Awaitable[list[bytes]]], step: ScoringStep
) -> None:
    """Given up after its attempts, a message is parked with its reason and the message itself."""
    await add_group()
    [raw] = await accept("KAPOT")
    judged = await step.give_up(raw, 6)
    assert judged.failed[0].reason == "scoring_error"
    assert judged.failed[0].attempts == 6
    assert judged.failed[0].message is not None
    assert [outcome.status.value for outcome in judged.outcomes] == ["parked"]
