"""The encoder judges messages in conversation, the same in either runtime and however inputs are batched."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file
from transformers import AutoModelForSequenceClassification

from classifiers.errors import ModelError
from classifiers.findings import ScoringInput, Utterance
from classifiers.toxicity.checkpoint import check_folder
from classifiers.toxicity.encoder import LONGEST_STRETCH, EncoderModel, stretches
from classifiers.toxicity.onnx_runtime import OnnxRuntime, export
from tests.classifiers.toxicity.tiny import tiny_checkpoint

WORDS = ("hoi", "wie", "gaat", "mee", "naar", "de", "stad", "morgen", "niet", "echt", "wel", "haha", "nee")


def conversation(seed: int, length: int, kept: int = 10) -> list[ScoringInput]:
    """A conversation as the pipeline hands it over: each message with the last few before it."""
    rng = random.Random(seed)  # noqa: S311
    said = [
        Utterance(" ".join(rng.choices(WORDS, k=rng.randint(1, 9))), f"l{rng.randint(1, 4)}", float(number))
        for number in range(length)
    ]
    return [ScoringInput(one, tuple(said[max(0, at - kept) : at])) for at, one in enumerate(said)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint(tmp_path_factory.mktemp("checkpoint") / "model")


@pytest.fixture(scope="module")
def model(folder: Path) -> EncoderModel:
    return EncoderModel.load(folder)


@pytest.fixture(scope="module")
def fp32(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> EncoderModel:
    path = export(folder, tmp_path_factory.mktemp("onnx"), int8=False)
    return EncoderModel.load(folder, runtime=OnnxRuntime(path))


def test_both_runtimes_say_the_same(model: EncoderModel, fp32: EncoderModel) -> None:
    """The graph written node by node computes what PyTorch computes."""
    inputs = [*conversation(1, 30), *conversation(2, 5), ScoringInput(Utterance("los bericht"))]
    np.testing.assert_allclose(fp32.score(inputs), model.score(inputs), atol=2e-5)


def test_int8_stays_close(model: EncoderModel, folder: Path, tmp_path: Path) -> None:
    """Quantizing moves probabilities a little, not a lot."""
    small = EncoderModel.load(folder, runtime=OnnxRuntime(export(folder, tmp_path)))
    inputs = conversation(3, 30)
    assert np.abs(small.score(inputs) - model.score(inputs)).max() < 0.25


def test_what_came_before_matters(model: EncoderModel) -> None:
    """The same words get another score after other words."""
    message = Utterance("haha", "l2", 9.0)
    scores = model.score(
        [
            ScoringInput(message, (Utterance("wie gaat mee naar de stad", "l1", 1.0),)),
            ScoringInput(message, (Utterance("nee echt niet", "l1", 1.0),)),
        ]
    )
    assert np.abs(scores[0] - scores[1]).max() > 1e-3


def test_what_comes_after_does_not_matter(model: EncoderModel) -> None:
    """A message is judged when it arrives: later messages in the same batch change nothing."""
    inputs = conversation(4, 8)
    np.testing.assert_allclose(model.score(inputs[:3]), model.score(inputs)[:3], atol=1e-5)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 9))
def test_batching_changes_nothing(seed: int, cut: int) -> None:
    """While a window holds the whole conversation, one batch, two batches or one message at a time are the same."""
    model = _shared_model()
    inputs = conversation(seed, 10)
    whole = model.score(inputs)
    parts = np.concatenate([model.score(inputs[:cut]), model.score(inputs[cut:])])
    single = np.concatenate([model.score([one]) for one in inputs])
    np.testing.assert_allclose(parts, whole, atol=1e-5)
    np.testing.assert_allclose(single, whole, atol=1e-5)


_SHARED: list[EncoderModel] = []


def _shared_model() -> EncoderModel:
    return _SHARED[0]


@pytest.fixture(autouse=True)
def _share(model: EncoderModel) -> None:
    # hypothesis and function-scoped fixtures do not go together.
    _SHARED[:] = [model]


def test_interleaved_conversations_are_kept_apart(model: EncoderModel) -> None:
    """A thousand lines of many groups in turn give each group what it gets alone."""
    groups = [conversation(seed, 10) for seed in range(20, 30)]
    mixed = [one for turn in zip(*groups, strict=True) for one in turn]
    scores = model.score(mixed)
    for number, group in enumerate(groups):
        np.testing.assert_allclose(scores[number :: len(groups)], model.score(group), atol=1e-5)


def test_stretches_join_what_follows() -> None:
    """Ten messages of one conversation are read in one pass, not in ten."""
    assert len(stretches(conversation(5, 10))) == 1
    assert len(stretches([*conversation(6, 10), *conversation(7, 10)])) == 2


def test_a_long_conversation_is_cut_and_nothing_is_lost(model: EncoderModel) -> None:
    """A conversation of a thousand lines gives a score for every line; the last lines see their own window."""
    inputs = conversation(8, 1000)
    scores = model.score(inputs)
    assert scores.shape == (1000, 11)
    assert (scores > 0).all()
    assert np.isfinite(scores).all()


def test_messages_at_the_length_limit(model: EncoderModel) -> None:
    """Context and message all as long as they may be: the message is judged, within the longest stretch."""
    long = Utterance("a " * 400, "l1", 1.0)
    inputs = [ScoringInput(long, (long,) * 10)] * 3
    assert model.score(inputs).shape == (3, 11)
    assert LONGEST_STRETCH == 384


def test_a_tampered_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    """A missing, truncated or changed file of the model gives a sentence that says which."""
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        copy = tmp_path / name
        copy.mkdir()
        for file in folder.iterdir():
            (copy / file.name).write_bytes(file.read_bytes())
        (copy / name).write_bytes((folder / name).read_bytes()[:-1])
        with pytest.raises(ModelError, match=name.replace(".", r"\.")):
            check_folder(copy)
        (copy / name).unlink()
        with pytest.raises(ModelError, match="missing"):
            check_folder(copy)
    with pytest.raises(ModelError, match="no checked model"):
        check_folder(tmp_path)


def test_the_checkpoint_is_a_standard_one(folder: Path) -> None:
    """config.json, tokenizer.json and fp16 weights that transformers itself loads as a sequence classifier."""
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    assert type(model).__name__ == "BertForSequenceClassification"
    assert model.config.id2label[10] == "melden"
    assert {value.dtype for value in load_file(folder / "model.safetensors").values()} == {np.dtype("float16")}
    assert json.loads((folder / "config.json").read_text())["local_layers"] == 2


def test_the_export_is_made_once(folder: Path, tmp_path: Path) -> None:
    """The ONNX file is found by the weights' hash and not made again."""
    first = export(folder, tmp_path)
    stamp = first.stat().st_mtime_ns
    assert export(folder, tmp_path) == first
    assert first.stat().st_mtime_ns == stamp
    assert [path.name for path in tmp_path.iterdir()] == [first.name]
