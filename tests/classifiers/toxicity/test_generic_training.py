"""Any pretrained encoder can be trained on the corpus in the standard way, and what comes out is a model to choose."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from classifiers.errors import TrainingError
from classifiers.findings import ScoringInput, Utterance
from classifiers.toxicity.generic_training import PLAN, fits_conversations, train_generic
from classifiers.toxicity.other_models.label_map import TARGETS
from classifiers.toxicity.other_models.model import OtherModel, open_other
from classifiers.toxicity.training import Plan, Progress
from tests.classifiers.toxicity.other_models.checkpoints import tiny_other
from tests.classifiers.toxicity.test_training import corpus
from tests.classifiers.toxicity.tiny import tiny_base

SHORT = Plan(epochs=2, learning_rate=1e-3, warmup_steps=2, batch_rows=16, layers=48, seed=4)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pretrained RoBERTa without a head, as the Dutch ones come."""
    return tiny_other(tmp_path_factory.mktemp("robbert") / "base", "roberta", ["a", "b"], head=False)


def test_training_learns_and_its_folder_is_a_model(base: Path, tmp_path: Path) -> None:
    """It ranks bad lines first on conversations it never saw, and opens by its folder with the same figures."""
    plan = Plan(epochs=14, learning_rate=3e-3, warmup_steps=10, batch_rows=16, layers=48, noise=0.0, seed=4)
    figures = train_generic(base, tmp_path / "run", tmp_path / "model", plan, threads=1, lines=corpus(60))
    assert figures["talk_ap"] > 0.75
    model = open_other(str(tmp_path / "model"))
    assert isinstance(model, OtherModel)
    assert model.version.startswith("trained:")
    before = (Utterance("hoi", "l1"),)
    bad, good = model.score([ScoringInput(Utterance(text, "l2"), before) for text in ("jij zwam", "tot morgen")])
    assert bad[-1] > good[-1] + 0.2
    assert bad[TARGETS.index("pesten")] > good[TARGETS.index("pesten")] + 0.2
    weights = tmp_path / "model" / "model.safetensors"
    assert weights.stat().st_size < 2.6 * sum(
        parameter.numel() for parameter in torch.load(tmp_path / "run" / "checkpoint.pt")["net"].values()
    )


@pytest.mark.parametrize("kind", ["bert", "distilbert"])
def test_every_architecture_is_trained(tmp_path: Path, kind: str) -> None:
    """Token types, other heads and other names of layers make no difference."""
    folder = tiny_other(tmp_path / "base", kind, ["a", "b"], head=False)
    train_generic(folder, tmp_path / "run", tmp_path / "model", SHORT, threads=1, lines=corpus(8), name="proef/basis")
    found = open_other(str(tmp_path / "model")).score([ScoringInput(Utterance("hoi"))])
    assert found.shape == (1, 11)
    assert 'model = "proef/basis"' in (tmp_path / "model" / "vangnet_labels.toml").read_text()


def test_a_killed_run_goes_on(base: Path, tmp_path: Path) -> None:
    """A run stopped after its first epoch and started again reads no line twice and ends where it should."""

    class Killed(Exception):  # noqa: N818
        pass

    def kill(progress: Progress, _total: int, _loss: float) -> None:
        if progress.epoch == 1 and progress.batch == 1:
            raise Killed

    steps: list[tuple[int, int]] = []
    folders = (base, tmp_path / "run", tmp_path / "model")
    with pytest.raises(Killed):
        train_generic(*folders, SHORT, threads=1, lines=corpus(), report=kill)
    train_generic(
        *folders, SHORT, threads=1, lines=corpus(), report=lambda at, total, _: steps.append((at.step, total))
    )
    total = steps[-1][1]
    assert steps == [(step, total) for step in range(total // 2 + 1, total + 1)]
    history = [json.loads(line) for line in (tmp_path / "run" / "history.jsonl").read_text().splitlines()]
    assert [entry["epoch"] for entry in history] == [1, 2]


def test_the_first_outputs_are_the_labels_own_odds(base: Path, tmp_path: Path) -> None:
    """Before it learned anything, a model says how frequent each label is."""
    lines = corpus(40)
    plan = Plan(epochs=1, learning_rate=1e-9, batch_rows=16, layers=48, noise=0.0)
    train_generic(base, tmp_path / "run", tmp_path / "model", plan, threads=1, lines=lines)
    (found,) = open_other(str(tmp_path / "model")).score([ScoringInput(Utterance("hoi"))])
    share = np.mean([bool(line.labels) for line in lines if line.split == "train"])
    assert found[-1] == pytest.approx(share, abs=0.1)
    assert found[0] < 0.01


def test_what_is_no_encoder_is_a_sentence(tmp_path: Path) -> None:
    """An empty folder is no base."""
    with pytest.raises(TrainingError, match="no encoder that transformers can load"):
        train_generic(tmp_path, tmp_path / "run", tmp_path / "model", SHORT, lines=corpus(4))


def test_our_own_base_is_told_from_others(base: Path, tmp_path: Path) -> None:
    """Only a BERT with the speakers' marks is trained to read conversations in one pass."""
    assert fits_conversations(tiny_base(tmp_path / "own"))
    assert not fits_conversations(base)
    assert not fits_conversations(tiny_other(tmp_path / "bert", "bert", ["a"], head=False))
    assert not fits_conversations(tmp_path)


def test_the_plan_keeps_all_layers_of_larger_models() -> None:
    """The shipped model's twelve are no limit for others."""
    assert PLAN.layers >= 24
    assert PLAN.learning_rate < 1e-4
