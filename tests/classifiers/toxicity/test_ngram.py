import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from classifiers.errors import ModelError
from classifiers.findings import ScoringInput, Utterance
from classifiers.labels import LABELS
from classifiers.toxicity import ngram
from classifiers.toxicity.ngram import OUTPUTS, NgramModel, Weights, second_stage_input, window, write_weights
from classifiers.toxicity.ngram_features import BUCKETS

INPUTS = len(second_stage_input(ScoringInput(Utterance("")), np.zeros(OUTPUTS, dtype=np.float32), []))


def random_weights(seed: int = 0) -> Weights:
    chance = np.random.default_rng(seed)

    def some(*shape: int) -> ngram.Scores:
        return chance.normal(0, 0.3, shape).astype(np.float32)

    return Weights(
        linear=chance.integers(-20, 20, (BUCKETS, OUTPUTS), dtype=np.int8),
        step=np.full(OUTPUTS, 0.01, dtype=np.float32),
        bias=some(OUTPUTS),
        center=some(INPUTS),
        spread=np.ones(INPUTS, dtype=np.float32),
        hidden=some(INPUTS, 4),
        hidden_bias=some(4),
        outer=some(4, OUTPUTS),
        outer_bias=some(OUTPUTS),
        slope=np.ones(OUTPUTS, dtype=np.float32),
        offset=np.zeros(OUTPUTS, dtype=np.float32),
    )


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "ngram.safetensors"
    write_weights(random_weights(), path, {"date": "2026-01-01"})
    return path


def talk(*texts: str) -> list[ScoringInput]:
    said = tuple(Utterance(text, f"l{place % 3}") for place, text in enumerate(texts))
    return [ScoringInput(one, said[max(0, place - 10) : place]) for place, one in enumerate(said)]


def test_scores_are_probabilities_of_all_labels_and_at_all(written: Path) -> None:
    """Eleven numbers between 0 and 1 a message, in order; an empty batch gives none."""
    model = NgramModel.load(written)
    scores = model.score(talk("hoi", "", "wat een dag 😂"))
    assert scores.shape == (3, len(LABELS) + 1)
    assert ((scores > 0) & (scores < 1)).all()
    assert model.score([]).shape == (0, OUTPUTS)


def test_a_score_does_not_depend_on_the_batch_or_on_what_was_scored_before(written: Path) -> None:
    """One by one, all at once or a second time: the same numbers."""
    inputs = talk("kijk die", "wat een sukkel", "haha", "stop", "haha", "ok", "wie komt er", "ik", "ik ook", "nee")
    model = NgramModel.load(written)
    together = model.score(inputs)
    again = model.score(inputs)
    alone = np.concatenate([NgramModel.load(written).score([one]) for one in inputs])
    assert np.allclose(together, again)
    assert np.allclose(together, alone, atol=1e-6)


def test_the_conversation_before_changes_the_score(written: Path) -> None:
    """The same word in another conversation is another message."""
    model = NgramModel.load(written)
    one, other = talk("wat een lelijk varken", "haha")[-1], talk("de toets is verzet", "haha")[-1]
    assert not np.allclose(model.score([one]), model.score([other]))


def test_a_message_remembered_from_one_conversation_is_read_anew_in_another(written: Path) -> None:
    """What is kept for speed never carries a score from one conversation into the next."""
    one, other = talk("wat een lelijk varken", "haha", "ok"), talk("de toets is verzet", "haha", "ok")
    fresh = NgramModel.load(written).score(other)
    model = NgramModel.load(written)
    model.score(one)
    assert np.allclose(model.score(other), fresh, atol=1e-6)


def test_the_window_is_bounded_and_nearest_first() -> None:
    """However long the conversation, a fixed number of messages is looked at."""
    *_, last = talk(*(str(n) for n in range(11)))
    assert [one.message.text for one in window(last)] == ["9", "8", "7", "6", "5", "4"]
    assert [said.text for said in next(window(last)).before] == ["6", "7", "8"]


def test_what_is_remembered_stays_bounded_and_holds_no_text(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A million messages do not fill the memory, and no message can be read back from it."""
    monkeypatch.setattr(ngram, "REMEMBERED", 10)
    model = NgramModel.load(written)
    for number in range(40):
        model.score([ScoringInput(Utterance(f"geheim {number}"))])
    assert len(model._seen) <= 10  # the promise is about memory
    assert all(isinstance(key, int) for key in model._seen)


def damage_truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def damage_flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def damage_note(path: Path) -> None:
    path.with_suffix(".json").write_text("{")


def damage_labels(path: Path) -> None:
    note = path.with_suffix(".json")
    note.write_text(json.dumps({**json.loads(note.read_text()), "labels": ["anders"]}))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (Path.unlink, "cannot read the model"),
        (damage_truncate, "truncated or altered"),
        (damage_flip, "truncated or altered"),
        (damage_note, "not valid JSON"),
        (damage_labels, "other labels"),
    ],
)
def test_a_missing_truncated_or_altered_model_is_refused(
    written: Path, damage: Callable[[Path], None], says: str
) -> None:
    """Nothing is judged by weights that are not the ones shipped; the text says what to do."""
    damage(written)
    with pytest.raises(ModelError, match=says) as caught:
        NgramModel.load(written)
    assert "vangnet train-ngram" in str(caught.value)


def test_weights_of_another_shape_are_refused_even_with_a_right_hash(tmp_path: Path) -> None:
    """A hash only says that the file is whole, not that this code can read it."""
    path = tmp_path / "ngram.safetensors"
    weights = random_weights()
    parts = {name: getattr(weights, name) for name in Weights.__slots__}
    write_weights(Weights(**{**parts, "linear": weights.linear[:10]}), path, {})
    with pytest.raises(ModelError, match="of shape"):
        NgramModel.load(path)


def test_writing_gives_a_version_that_changes_with_the_weights(tmp_path: Path) -> None:
    """The version kept with a flag names the weights exactly."""
    path = tmp_path / "ngram.safetensors"
    first = write_weights(random_weights(0), path, {})
    assert write_weights(random_weights(1), path, {}) != first
    assert NgramModel.load(path).version.startswith("ngram:")
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.weights
def test_the_shipped_weights_know_an_insult_from_a_greeting() -> None:
    """The weights in the repository are whole and learned something."""
    insult, greeting = NgramModel.load().score(
        talk("vieze kankerhoer dat je bent")[:1] + talk("tot morgen allemaal")[:1]
    )
    assert insult[-1] > 0.9
    assert greeting[-1] < 0.5
