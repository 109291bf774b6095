"""A shortcut answers only where the full model would have nothing to add, and is counted."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from classifiers.engine import ModelScorer
from classifiers.findings import ScoringInput, Utterance
from classifiers.measures import Measured
from classifiers.staged import KEPT_REPEATS, Shortcuts, StagedModel, load_clear_below
from classifiers.toxicity.encoder import TokenCounts


class Full:
    """Says 0.9 where "sukkel" stands, else 0.1; remembers what it read."""

    version = "proef:1"

    def __init__(self) -> None:
        self.counts = TokenCounts()
        self.given: list[str] = []

    def forget(self) -> None:
        """Nothing is kept."""

    def score(self, inputs: Sequence[ScoringInput]) -> NDArray[np.float32]:
        self.given += [one.message.text for one in inputs]
        self.counts.read += 3 * len(inputs)
        self.counts.padded += 4 * len(inputs)
        return np.array([[0.9 if "sukkel" in one.message.text else 0.1] * 11 for one in inputs], np.float32)


class First:
    """Finds "ok" plainly harmless."""

    def score(self, inputs: Sequence[ScoringInput]) -> NDArray[np.float32]:
        return np.array([[0.001 if one.message.text == "ok" else 0.5] * 11 for one in inputs], np.float32)


@pytest.fixture
def full() -> Full:
    return Full()


@pytest.fixture
def build(full: Full) -> Callable[..., StagedModel]:
    def made(chance: float = 0.5, **shortcuts: bool) -> StagedModel:
        return StagedModel(full, Shortcuts(**shortcuts), first=First(), clear_below=0.01, chance=lambda: chance)

    return made


def said(text: str, *before: str, now: float = 100.0, then: float = 90.0) -> ScoringInput:
    return ScoringInput(Utterance(text, "l1", now), tuple(Utterance(one, "l2", then) for one in before))


def test_a_repeat_is_read_once(build: Callable[..., StagedModel], full: Full) -> None:
    """The same words without context get the same answer; with a conversation before them they are read."""
    model = build()
    inputs = [said("hoi"), said("sukkel")]
    first, second = model.score(inputs), model.score(inputs)
    np.testing.assert_array_equal(first, second)
    assert full.given == ["hoi", "sukkel"]
    model.score([said("hoi", "wie")])
    assert full.given[2:] == ["hoi"]


def test_a_million_repeats_stay_within_bounds(build: Callable[..., StagedModel], full: Full) -> None:
    """The oldest answer is forgotten, and then given anew."""
    model = build()
    model.score([said("hoi")])
    for start in range(0, KEPT_REPEATS + 1000, 1000):
        model.score([said(str(number)) for number in range(start, start + 1000)])
    full.given.clear()
    model.score([said("hoi"), said(str(KEPT_REPEATS))])
    assert full.given == ["hoi"]


def test_the_first_stage_clears_what_is_plainly_harmless(build: Callable[..., StagedModel], full: Full) -> None:
    """Switched on, "ok" never reaches the full model; switched off, everything does."""
    assert build(first_stage=True).score([said("ok"), said("hoi"), said("ok")])[:, -1].tolist() == pytest.approx(
        [0.001, 0.1, 0.001]
    )
    assert full.given == ["hoi"]
    build(repeats=False).score([said("ok")])
    assert full.given == ["hoi", "ok"]


def test_in_a_warm_conversation_everything_is_read(build: Callable[..., StagedModel], full: Full) -> None:
    """After a suspicious message of the last minutes, "ok" goes to the full model too; long after it does not."""
    model = build(first_stage=True)
    model.score([ScoringInput(Utterance("sukkel", "l2", 90.0))])
    full.given.clear()
    model.score([said("ok", "sukkel")])
    assert full.given == ["ok"]
    model.score([said("ok", "sukkel", now=900.0)])
    model.score([said("ok", "iets anders")])
    assert full.given == ["ok"]


def test_a_sample_of_the_cleared_is_read_and_counted(build: Callable[..., StagedModel], full: Full) -> None:
    """One in a hundred cleared messages goes to the full model anyway, whose answer then counts."""
    model = build(first_stage=True, chance=0.001)
    records: list[Measured] = []
    model.observe = records.append
    assert model.score([said("ok", "x")])[0, -1] == pytest.approx(0.1)
    assert full.given == ["ok"]
    assert (records[0].sampled, records[0].disagreed, records[0].cleared) == (1, 0, {"first_stage": 0})


def test_a_watcher_hears_everything_once(build: Callable[..., StagedModel]) -> None:
    """Messages, tokens, repeats, cleared and seconds of a batch, from the model's stages and from the rest."""
    records: list[Measured] = []
    scorer = ModelScorer(build(first_stage=True))
    scorer.watch(records.append)
    scorer.score([said("ok"), said("hoi"), said("wie"), said(" ")])
    scorer.score([said("hoi")])
    assert sum(one.messages for one in records) == 5
    assert sum(one.tokens for one in records) == 6
    assert sum(one.padded_tokens for one in records) == 8
    assert sum(one.repeats for one in records) == 1
    assert sum(one.cleared.get("first_stage", 0) for one in records) == 1
    assert {stage for one in records for stage in one.seconds} == {"tokenize", "first_stage", "model", "recognizers"}


def test_the_cut_is_data() -> None:
    """The first stage's cut comes with the run that chose it and is far below any flag."""
    assert 0 < load_clear_below() < 0.1
