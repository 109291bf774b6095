"""Two models weighed together: the stack belongs to one pair, and it uses what each of them knows."""

from pathlib import Path

import numpy as np
import pytest

from classifiers.errors import ModelError
from classifiers.findings import ScoringInput, Utterance
from classifiers.toxicity.encoder import EncoderModel
from classifiers.toxicity.ngram import NgramModel
from classifiers.toxicity.stack_fitting import fit
from classifiers.toxicity.stacking import Stack, StackedModel, log_odds
from tests.classifiers.toxicity.tiny import tiny_checkpoint


def fitted(encoder: str = "encoder:1", ngram: str = "ngram:1") -> tuple[Stack, np.ndarray, np.ndarray, np.ndarray]:
    """A stack of two models of which each sees half of the truth."""
    rng = np.random.default_rng(7)
    first, second = rng.normal(size=(2, 800, 11)).astype(np.float32)
    targets = (first + second > 0.8).astype(np.float32)
    return fit(first, second, targets, (encoder, ngram)), first, second, targets


def test_both_models_are_used() -> None:
    """The stack ranks better than either model alone, for every output."""
    stack, first, second, targets = fitted()
    together = stack.apply(first, second)
    for output in range(11):
        right = targets[:, output] == 1

        def rank(scores: np.ndarray, right: np.ndarray = right) -> float:
            return float((scores[right][:, None] > scores[~right][None, :]).mean())

        assert rank(together[:, output]) > max(rank(first[:, output]), rank(second[:, output])) + 0.05


def test_its_probabilities_are_calibrated() -> None:
    """Of the messages with a score around one half about half are true."""
    stack, first, second, targets = fitted()
    scores = stack.apply(first, second)
    middle = (scores > 0.3) & (scores < 0.7)
    assert targets[middle].mean() == pytest.approx(0.5, abs=0.12)


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    """The file holds everything."""
    stack, first, second, _ = fitted()
    stack.save(tmp_path)
    np.testing.assert_allclose(Stack.load(tmp_path).apply(first, second), stack.apply(first, second))


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"encoder": 1}'])
def test_a_broken_file_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    """A missing or damaged stack says what to do."""
    with pytest.raises(ModelError, match="cannot be read"):
        Stack.load(tmp_path)
    (tmp_path / "stack.json").write_bytes(content)
    with pytest.raises(ModelError, match="cannot be read"):
        Stack.load(tmp_path)


def test_a_stack_of_other_weights_is_refused(tmp_path: Path) -> None:
    """Weights that it was not fitted for are not mixed by it."""
    encoder, ngram = EncoderModel.load(tiny_checkpoint(tmp_path / "model")), NgramModel.load()
    with pytest.raises(ModelError, match="vangnet stack"):
        StackedModel(encoder, ngram, fitted("encoder:other", ngram.version)[0])
    with pytest.raises(ModelError, match="n-gram stage"):
        StackedModel(encoder, ngram, fitted(encoder.version, "ngram:other")[0])
    model = StackedModel(encoder, ngram, fitted(encoder.version, ngram.version)[0])
    scores = model.score([ScoringInput(Utterance("hoi")), ScoringInput(Utterance("wat een zwam"))])
    assert scores.shape == (2, 11)
    assert ((scores > 0) & (scores < 1)).all()
    assert model.score([]).shape == (0, 11)


def test_log_odds_are_finite() -> None:
    """A probability of 0 or 1 does not become infinite."""
    assert np.isfinite(log_odds(np.array([0.0, 0.5, 1.0], np.float32))).all()
