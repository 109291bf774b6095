"""A conversation that is read message by message gets what it gets when read whole, within a bounded memory."""

from pathlib import Path

import numpy as np
import pytest

from classifiers.findings import ScoringInput, Utterance
from classifiers.toxicity.context_memory import ContextMemory, Remembered, identity
from classifiers.toxicity.encoder import EncoderModel
from classifiers.toxicity.onnx_runtime import OnnxRuntime, export
from tests.classifiers.toxicity.test_encoder import conversation
from tests.classifiers.toxicity.tiny import tiny_checkpoint


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint(tmp_path_factory.mktemp("checkpoint") / "model")


@pytest.fixture(scope="module")
def runtime(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> OnnxRuntime:
    return OnnxRuntime(export(folder, tmp_path_factory.mktemp("onnx"), int8=False))


@pytest.fixture
def model(folder: Path, runtime: OnnxRuntime) -> EncoderModel:
    return EncoderModel.load(folder, runtime=runtime, memory=ContextMemory())


@pytest.fixture
def forgetful(folder: Path, runtime: OnnxRuntime) -> EncoderModel:
    return EncoderModel.load(folder, runtime=runtime)


def test_one_by_one_is_the_same_as_all_at_once(model: EncoderModel, forgetful: EncoderModel) -> None:
    """Ten messages that arrive in turn score as the conversation read whole, and each is read once."""
    inputs = conversation(11, 10)
    found = np.concatenate([model.score([one]) for one in inputs])
    np.testing.assert_allclose(found, forgetful.score(inputs), atol=2e-3)
    assert model.counts.read == forgetful.counts.read
    assert model.counts.reused > 3 * model.counts.read


def test_conversations_in_turn_are_kept_apart(model: EncoderModel, forgetful: EncoderModel) -> None:
    """Batches that mix twenty groups give each group what it gets alone."""
    groups = [conversation(seed, 9) for seed in range(40, 60)]
    turns = [model.score(list(turn)) for turn in zip(*groups, strict=True)]
    for number, group in enumerate(groups):
        np.testing.assert_allclose([turn[number] for turn in turns], forgetful.score(group), atol=2e-3)


def test_the_same_words_elsewhere_are_another_message(model: EncoderModel, forgetful: EncoderModel) -> None:
    """What was remembered of one conversation is never used in another that ends in the same words."""
    last, asked = Utterance("ja", "l2", 9.0), Utterance("haha", "l1", 10.0)
    one = (Utterance("wie gaat mee", "l1", 1.0), last)
    other = (Utterance("nee echt niet", "l3", 1.0), last)
    model.score([ScoringInput(last, one[:1]), ScoringInput(asked, one)])
    inputs = [ScoringInput(asked, other)]
    np.testing.assert_allclose(model.score(inputs), forgetful.score(inputs), atol=2e-3)


def test_a_small_memory_forgets_and_stays_right(folder: Path, runtime: OnnxRuntime, forgetful: EncoderModel) -> None:
    """With room for a few messages the others are read again: the same scores, never more bytes than allowed."""
    memory = ContextMemory(most_bytes=60_000)
    model = EncoderModel.load(folder, runtime=runtime, memory=memory)
    groups = [conversation(seed, 8) for seed in range(70, 76)]
    for turn in zip(*groups, strict=True):
        np.testing.assert_allclose(model.score(list(turn)), forgetful.score(list(turn)), atol=2e-3)
        assert 0 < memory.bytes <= 60_000


def test_the_bytes_are_counted_right() -> None:
    """A message that is read again takes its own place, not another."""
    memory = ContextMemory(most_bytes=1000)
    state = np.zeros((2, 1, 1, 10, 5), np.float16)
    for _ in range(3):
        memory.keep(Remembered((0, 1), None, None, state))
    assert (len(memory), memory.bytes) == (1, 200)
    for number in range(2, 1_000):
        memory.keep(Remembered((0, number), None, None, state))
    assert (len(memory), memory.bytes) == (5, 1000)


def test_nothing_is_kept_longer_than_a_conversation() -> None:
    """An hour after its last use a message is gone; one that is used stays."""
    now = [0.0]
    memory = ContextMemory(clock=lambda: now[0])
    said = [Utterance("een", "l1", 1.0), Utterance("twee", "l1", 2.0)]
    state = np.zeros((2, 1, 1, 3, 5), np.float16)
    for one in said:
        memory.keep(Remembered((0, identity(one)), None, None, state))
    now[0] = 3000.0
    assert memory.recall(said[1:]) != [None]
    now[0] = 4000.0
    assert memory.recall(said[:1]) == [None]
    assert (len(memory), memory.bytes) == (1, state.nbytes)
    now[0] = 9000.0
    memory.recall(said[1:])
    assert (len(memory), memory.bytes) == (0, 0)


def test_a_broken_chain_is_read_again() -> None:
    """Only messages that were read one after the other are recalled; the rest of the window is None."""
    memory = ContextMemory()
    said = [Utterance(word, "l1", float(at)) for at, word in enumerate(("een", "twee", "drie", "vier"))]
    names = [identity(one) for one in said]
    state = np.zeros((2, 1, 1, 3, 5), np.float16)
    memory.keep(Remembered((0, names[0]), None, 7, state))
    memory.keep(Remembered((names[0], names[1]), (0, names[0]), 7, state))
    memory.keep(Remembered((names[1], names[2]), (names[0], names[1]), 7, state))
    assert [entry is not None for entry in memory.recall(said[:3])] == [True, True, True]
    assert [entry is not None for entry in memory.recall(said[1:3])] == [True, True]
    assert [entry is not None for entry in memory.recall([said[3], *said[1:3]])] == [False, True, True]
    assert [entry is not None for entry in memory.recall([said[3], said[2]])] == [False, False]
    assert memory.recall(said) == [None] * 4


def test_a_new_speaker_gets_a_letter_of_his_own(model: EncoderModel, forgetful: EncoderModel) -> None:
    """Who spoke keeps the letter under which he was read, also after earlier speakers left the window."""
    said = [Utterance("hoi", "l1", 0.0), Utterance("ja", "l2", 1.0), Utterance("nee", "l2", 2.0)]
    for at, one in enumerate(said):
        model.score([ScoringInput(one, tuple(said[:at]))])
    fresh = ScoringInput(Utterance("wie", "l1", 3.0), tuple(said[1:]))
    same = ScoringInput(Utterance("wie", "l2", 3.0), tuple(said[1:]))
    assert np.abs(model.score([fresh]) - model.score([same])).max() > 1e-4


def test_long_windows_are_cut_and_judged(model: EncoderModel) -> None:
    """Messages at the length limit, one after the other, are all judged within the longest stretch."""
    long = [Utterance("a " * 80, "l1", float(at)) for at in range(12)]
    for at in range(12):
        found = model.score([ScoringInput(long[at], tuple(long[max(0, at - 10) : at]))])
        assert found.shape == (1, 11)
        assert np.isfinite(found).all()


def test_what_is_remembered_can_be_dropped(folder: Path, runtime: OnnxRuntime) -> None:
    """After `forget` nothing is kept, and the next message reads its context anew to the same score."""
    memory = ContextMemory()
    model = EncoderModel.load(folder, runtime=runtime, memory=memory)
    inputs = conversation(12, 6)
    before = [model.score([one]) for one in inputs]
    assert len(memory) > 0
    model.forget()
    assert len(memory) == 0
    assert memory.bytes == 0
    reused = model.counts.reused
    np.testing.assert_allclose(model.score([inputs[-1]]), before[-1], atol=2e-3)
    assert model.counts.reused == reused
