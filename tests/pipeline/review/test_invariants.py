"""Any order and any repetition of acts keeps the store whole: a stateful property over a real server."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from redis.asyncio import Redis

from classifiers.labels import LABELS
from pipeline.privacy import Keyring
from pipeline.review.errors import (
    AlreadyDecidedError,
    CaseClosedError,
    ClaimedByOtherError,
    MessageNotFoundError,
    NotClaimedError,
    NotDecidedError,
    ReviewError,
)
from pipeline.review.records import Case, Outcome
from pipeline.review.store import CLAIM_SECONDS, ReviewStore
from tests.conftest import ValkeyServer
from tests.pipeline.review.conftest import Clock
from tests.pipeline.review.factories import MONDAY, make_context, make_failed, make_flag

GROUPS = ("klas-a", "klas-b")
NUMBERS = st.integers(0, 14)
MENTORS = st.sampled_from(["vera", "joost"])


@dataclass
class Expected:
    """What must be true, kept beside the store in plain Python."""

    groups: dict[str, str] = field(default_factory=dict)
    """Message id to group, for every flag that is in."""
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    cases: dict[str, str] = field(default_factory=dict)
    """Message id to the case it joined; it may never move."""
    claims: dict[str, tuple[str, float]] = field(default_factory=dict)
    parked: dict[str, str] = field(default_factory=dict)
    dismissed: set[str] = field(default_factory=set)
    erased: set[str] = field(default_factory=set)


class ReviewMachine(RuleBasedStateMachine):
    """Acts on a store that is empty at the start of each run."""

    server: ClassVar[ValkeyServer]
    keyring: ClassVar[Keyring]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        with self.server.client() as client:
            client.flushall()
        self.redis = Redis(unix_socket_path=str(self.server.socket))
        self.clock = Clock()
        self.store = ReviewStore(self.redis, self.keyring, clock=self.clock)
        self.expected = Expected()

    def teardown(self) -> None:
        self.runner.run(self.redis.aclose())
        self.runner.close()

    def read(self) -> dict[str, Case]:
        """Every case there is, by id."""

        async def look() -> dict[str, Case]:
            summaries = [*await self.store.queue(None, limit=999), *await self.store.closed(None, limit=999)]
            found = {summary.case_id: await self.store.case(summary.case_id, None) for summary in summaries}
            assert len(found) == len(summaries)
            return {case_id: case for case_id, case in found.items() if case is not None}

        return self.runner.run(look())

    def holder(self, case_id: str) -> str | None:
        mentor, until = self.expected.claims.get(case_id, ("", 0.0))
        return mentor if until > self.clock.now else None

    @rule(
        number=NUMBERS,
        seen=st.lists(NUMBERS, max_size=3, unique=True),
        answered=st.none() | NUMBERS,
        fields=st.fixed_dictionaries(
            {
                "author": st.sampled_from("xyz"),
                "labels": st.tuples(st.sampled_from(LABELS)),
                "severity": st.integers(1, 4),
                "sent_at": st.integers(0, 20_000).map(lambda late: MONDAY + late),
            }
        ),
    )
    def flag(self, number: int, seen: list[int], answered: int | None, fields: dict[str, Any]) -> None:
        group = GROUPS[number % 2]
        made = make_flag(
            self.keyring,
            message_id=f"m{number}",
            group=group,
            before=[make_context(message_id=f"m{other}", author="w") for other in seen],
            reply_to=None if answered is None else f"m{answered}",
            **fields,
        )
        new = self.runner.run(self.store.add_flag(made))
        assert new == (made.message_id not in self.expected.groups and group not in self.expected.erased)
        if new:
            self.expected.groups[made.message_id] = group

    @rule(number=NUMBERS)
    def park(self, number: int) -> None:
        group = GROUPS[number % 2]
        new = self.runner.run(self.store.park(make_failed(self.keyring, message_id=f"p{number}", group=group)))
        assert new == (f"p{number}" not in self.expected.parked and group not in self.expected.erased)
        if new:
            self.expected.parked[f"p{number}"] = group

    @rule(number=NUMBERS, mentor=MENTORS)
    def put_aside(self, number: int, mentor: str) -> None:
        listed = f"p{number}" in self.expected.parked and f"p{number}" not in self.expected.dismissed
        try:
            self.runner.run(self.store.dismiss_parked(f"p{number}", mentor, "gezien", allowed_groups=None))
        except MessageNotFoundError:
            assert not listed
        else:
            assert listed
            self.expected.dismissed.add(f"p{number}")

    @rule(number=NUMBERS, mentor=MENTORS)
    def claim(self, number: int, mentor: str) -> None:
        case_id = self.expected.cases.get(f"m{number}")
        if case_id is None:
            return
        holder = self.holder(case_id)
        try:
            until = self.runner.run(self.store.claim(case_id, mentor, allowed_groups=None))
        except ClaimedByOtherError:
            assert holder not in {None, mentor}
        else:
            assert holder in {None, mentor}
            self.expected.claims[case_id] = (mentor, until)

    @rule(number=NUMBERS, mentor=MENTORS)
    def release(self, number: int, mentor: str) -> None:
        case_id = self.expected.cases.get(f"m{number}")
        if case_id is None:
            return
        self.runner.run(self.store.release(case_id, mentor, allowed_groups=None))
        if self.holder(case_id) == mentor:
            del self.expected.claims[case_id]

    @rule(number=NUMBERS, mentor=MENTORS)
    def reveal(self, number: int, mentor: str) -> None:
        case_id = self.expected.cases.get(f"m{number}")
        if case_id is None:
            return
        try:
            self.runner.run(self.store.reveal_author(case_id, f"m{number}", mentor, "gesprek", allowed_groups=None))
        except NotClaimedError:
            assert self.holder(case_id) != mentor
        else:
            assert self.holder(case_id) == mentor

    @rule(
        numbers=st.lists(NUMBERS, min_size=1, max_size=3),
        mentor=MENTORS,
        outcome=st.sampled_from(Outcome),
        revise=st.booleans(),
    )
    def judge(self, numbers: list[int], mentor: str, outcome: Outcome, revise: bool) -> None:
        ids = [f"m{number}" for number in numbers]
        case_id = self.expected.cases.get(ids[0])
        if case_id is None:
            return
        act = self.store.revise if revise else self.store.decide
        refusal = self.refusal(case_id, ids, mentor, revise)
        judging = act(case_id, ids, mentor, outcome, "reden", allowed_groups=None)
        if refusal is not None:
            with pytest.raises(refusal):
                self.runner.run(judging)
            return
        self.runner.run(judging)
        self.expected.outcomes.update(dict.fromkeys(ids, outcome))
        if self.is_closed(case_id) and not revise:
            self.expected.claims.pop(case_id, None)
        elif not self.is_closed(case_id):
            self.expected.claims[case_id] = (mentor, self.clock.now + CLAIM_SECONDS)

    def is_closed(self, case_id: str) -> bool:
        ids = [name for name, joined in self.expected.cases.items() if joined == case_id]
        return all(name in self.expected.outcomes for name in ids)

    def refusal(self, case_id: str, ids: list[str], mentor: str, revise: bool) -> type[ReviewError] | None:
        if self.holder(case_id) not in {None, mentor}:
            return ClaimedByOtherError
        if self.is_closed(case_id) and not revise:
            return CaseClosedError
        if any(self.expected.cases.get(name) != case_id for name in ids):
            return MessageNotFoundError
        if not revise and any(name in self.expected.outcomes for name in ids):
            return AlreadyDecidedError
        if revise and any(name not in self.expected.outcomes for name in ids):
            return NotDecidedError
        return None

    @rule(seconds=st.sampled_from([1.0, 400.0, CLAIM_SECONDS]))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule(group=st.sampled_from(GROUPS), sure=st.integers(0, 9))
    def erase(self, group: str, sure: int) -> None:
        if sure:  # seldom, or every run would end up empty
            return
        going = [name for name, own in self.expected.groups.items() if own == group]
        receipt = self.runner.run(self.store.erase_group(group))
        assert receipt.flags == len(going)
        assert receipt.cases == len({self.expected.cases[name] for name in going})
        assert receipt.parked == sum(own == group for own in self.expected.parked.values())
        self.expected.erased.add(group)
        for name in going:
            del self.expected.groups[name]
            self.expected.outcomes.pop(name, None)
            self.expected.claims.pop(self.expected.cases.pop(name), None)
        self.expected.parked = {name: own for name, own in self.expected.parked.items() if own != group}
        self.expected.dismissed &= self.expected.parked.keys()

    @invariant()
    def every_flag_is_in_exactly_one_case_for_good(self) -> None:
        cases = self.read()
        found = [(message.message_id, case_id) for case_id, case in cases.items() for message in case.messages]
        assert sorted(name for name, _ in found) == sorted(self.expected.groups)
        for name, case_id in found:
            assert self.expected.cases.setdefault(name, case_id) == case_id
            assert cases[case_id].summary.group == self.expected.groups[name]

    @invariant()
    def summaries_agree_with_their_messages(self) -> None:
        for case_id, case in self.read().items():
            summary, messages = case.summary, case.messages
            undecided = [message for message in messages if message.message_id not in self.expected.outcomes]
            assert summary.open is bool(undecided)
            assert (summary.messages, summary.undecided) == (len(messages), len(undecided))
            assert summary.authors == len({message.author for message in messages})
            highest = max(message.severity for message in messages)
            assert highest <= summary.severity <= min(highest + 1, 4)
            assert bool(summary.raised_by) is (summary.severity > highest)
            assert summary.first_at == min(message.sent_at for message in messages)
            assert summary.last_at == max(message.sent_at for message in messages)
            if undecided:
                assert summary.waiting_since == min(message.scored_at for message in undecided)
            assert summary.claimed_by == self.holder(case_id)
            for message in messages:
                outcome = message.review.outcome if message.review else None
                assert outcome == self.expected.outcomes.get(message.message_id)

    @invariant()
    def the_queue_is_in_order_and_counts_agree(self) -> None:

        async def look() -> None:
            queue = await self.store.queue(None, limit=999)
            assert queue == sorted(queue, key=lambda case: (-case.severity, case.waiting_since))
            counts = await self.store.counts()
            assert counts.open == len(queue)
            waits = [self.clock.now - case.waiting_since for case in queue]
            assert abs(counts.oldest_seconds - max([0.0, *waits])) < 0.001
            for group in GROUPS:
                own = await self.store.queue(frozenset({group}), limit=999)
                assert [case.case_id for case in own] == [case.case_id for case in queue if case.group == group]
                assert (await self.store.counts(frozenset({group}))).open == len(own)
            listed = {item.message_id for item in await self.store.parked(None, limit=999)}
            assert listed == set(self.expected.parked) - self.expected.dismissed
            assert counts.parked == len(listed)

        self.runner.run(look())


def test_any_order_and_repetition_keeps_the_store_whole(valkey_server: ValkeyServer, keyring: Keyring) -> None:
    """No flag twice, every flag in exactly one case for good, the queue in order, closed only when all is decided."""
    bound = type("BoundMachine", (ReviewMachine,), {"server": valkey_server, "keyring": keyring})
    run_state_machine_as_test(
        bound,
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
