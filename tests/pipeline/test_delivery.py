"""A batch is carried out whole or message by message; what fails alone is parked, and nothing is lost in between."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.exceptions import ConnectionError as RedisConnectionError

from pipeline.delivery import Patience, deliver

QUICK = Patience(attempts=3, first_delay=0.0, longest_delay=0.0)


class Desk:
    """Does the work and remembers; fails where it is told to."""

    def __init__(
        self, bad: frozenset[int] = frozenset(), failures: int = 0, error: type[Exception] = ValueError
    ) -> None:
        self.bad = bad
        self.failures = failures
        self.error = error
        self.done: list[int] = []
        self.parked: list[tuple[int, str, int]] = []
        self.calls = 0

    async def handle(self, batch: Sequence[int]) -> None:
        self.calls += 1
        if self.failures:
            self.failures -= 1
            raise self.error("passing")
        if self.bad & set(batch):
            raise ValueError("a message's fault")
        self.done += batch

    async def park(self, item: int, error: Exception, attempts: int) -> None:
        self.parked.append((item, type(error).__name__, attempts))


async def test_a_passing_fault_is_tried_again() -> None:
    """Two failures, then success: nothing is parked and each message is done once."""
    desk = Desk(failures=2)
    await deliver([1, 2, 3], desk.handle, desk.park, patience=QUICK)
    assert desk.done == [1, 2, 3]
    assert desk.parked == []


async def test_one_bad_message_is_parked_and_the_others_are_done() -> None:
    """A batch that fails is taken apart: the one message that fails alone is parked with its error."""
    desk = Desk(bad=frozenset({2}))
    await deliver([1, 2, 3], desk.handle, desk.park, patience=QUICK)
    assert desk.done == [1, 3]
    assert desk.parked == [(2, "ValueError", 6)]


async def test_a_bad_message_alone_is_not_taken_apart() -> None:
    """A batch of one that fails is parked after its attempts."""
    desk = Desk(bad=frozenset({7}))
    await deliver([7], desk.handle, desk.park, patience=QUICK)
    assert desk.parked == [(7, "ValueError", 3)]
    assert desk.calls == 3


async def test_a_store_that_is_away_is_nobodys_fault() -> None:
    """While the store is away the batch waits, however long; no message is parked for it."""
    desk = Desk(failures=50, error=RedisConnectionError)
    await deliver([1, 2], desk.handle, desk.park, patience=QUICK)
    assert desk.done == [1, 2]
    assert desk.parked == []


async def test_a_failure_to_park_escapes() -> None:
    """When even parking fails the error escapes, so that nothing is acknowledged."""

    async def cannot_park(_item: int, _error: Exception, _attempts: int) -> None:
        raise OSError("no room")

    desk = Desk(bad=frozenset({1}))
    with pytest.raises(OSError, match="no room"):
        await deliver([1, 2], desk.handle, cannot_park, patience=QUICK)


async def test_the_log_names_the_error_and_not_the_text(caplog: pytest.LogCaptureFixture) -> None:
    """What is logged is the kind of error and the number of messages, never what the error quotes."""

    async def quoting(_batch: Sequence[str]) -> None:
        raise ValueError("geheime tekst van een leerling")

    async def park(_item: str, _error: Exception, _attempts: int) -> None:
        return

    await deliver(["a", "b"], quoting, park, patience=QUICK)
    assert "ValueError" in caplog.text
    assert "geheime" not in caplog.text


@given(st.lists(st.integers(0, 20), unique=True, max_size=12), st.frozensets(st.integers(0, 20)), st.integers(0, 2))
async def test_every_message_is_done_or_parked(batch: list[int], bad: frozenset[int], failures: int) -> None:
    """Whatever fails, each message of the batch is done or parked, exactly once, in order."""
    desk = Desk(bad=bad, failures=failures)
    await deliver(batch, desk.handle, desk.park, patience=QUICK)
    assert desk.done == [item for item in batch if item not in bad]
    assert [item for item, _, _ in desk.parked] == [item for item in batch if item in bad]
