"""The fast form of the model is made where it pays, kept where it can be, and close to the exact one."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from classifiers.corpus.conversations import scoring_inputs
from classifiers.corpus.load import VALIDATION, load_corpus
from classifiers.engine import SHIPPED
from classifiers.errors import ModelError
from classifiers.protocol import OPERATING_POINTS, load_policy
from classifiers.toxicity.encoder import FAMILY, EncoderModel
from classifiers.toxicity.ngram import NgramModel
from classifiers.toxicity.onnx_runtime import OnnxRuntime, export, multiplies_int8, open_runtime
from classifiers.toxicity.stacking import Stack, StackedModel
from tests.classifiers.toxicity.test_encoder import conversation
from tests.classifiers.toxicity.tiny import tiny_checkpoint


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint(tmp_path_factory.mktemp("checkpoint") / "model")


@pytest.mark.parametrize(("flags", "able"), [("avx2 avx512_vnni", True), ("avx2 avx_vnni", True), ("avx2 fma", False)])
def test_int8_only_where_its_products_are_exact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, able: bool
) -> None:
    """Processors without VNNI get the fp32 graph, since their int8 sums overflow."""
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    (tmp_path / "cpuinfo").write_text(f"flags : {flags}\n")
    assert multiplies_int8(tmp_path / "cpuinfo") is able
    assert not multiplies_int8(tmp_path / "missing")


def test_a_cache_that_cannot_be_written_says_what_to_do(folder: Path, tmp_path: Path) -> None:
    """A file where the folder should be gives a sentence that names the setting."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="VANGNET_CACHE"):
        export(folder, tmp_path / "file")


def test_a_broken_file_in_the_cache_is_made_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A graph cut short by a full disk is replaced from the checked weights."""
    monkeypatch.setenv("VANGNET_CACHE", str(tmp_path))
    open_runtime(folder)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:1000])
    inputs = conversation(1, 3)
    assert EncoderModel.load(folder, runtime=open_runtime(folder)).score(inputs).shape == (3, 11)


def test_scoring_needs_no_torch(folder: Path, tmp_path: Path) -> None:
    """The worker's process reads with ONNX Runtime alone."""
    program = (
        "import sys; from classifiers.engine import open_scorer; from classifiers.findings import *;"
        f"open_scorer({str(folder)!r}).score([ScoringInput(Utterance('hoi', 'l1'))]);"
        "print(sorted({'torch', 'transformers'} & set(sys.modules)))"
    )
    environment = {**os.environ, "VANGNET_CACHE": str(tmp_path)}
    done = subprocess.run(  # noqa: S603  # our own program
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.weights
@pytest.mark.skipif(not SHIPPED.is_dir() and not os.environ.get("VANGNET_NO_SKIP"), reason="no encoder is shipped yet")
def test_int8_costs_the_shipped_model_nothing(tmp_path: Path) -> None:
    """On the validation conversations: average precision within 0.003, at most 0.5 % of the decisions differ."""
    lines = [line for line in load_corpus() if line.split == VALIDATION and line.thread is not None]
    inputs = list(scoring_inputs(lines))
    truth = np.array([bool(line.labels) for line in lines])
    exact, fast = (
        StackedModel(
            EncoderModel.load(SHIPPED, runtime=OnnxRuntime(export(SHIPPED, tmp_path, int8=int8))),
            NgramModel.load(),
            Stack.load(SHIPPED),
        )
        for int8 in (False, True)
    )
    scores = [
        np.concatenate([model.score(inputs[at : at + 256])[:, -1] for at in range(0, len(inputs), 256)])
        for model in (exact, fast)
    ]
    drop = average_precision_score(truth, scores[0]) - average_precision_score(truth, scores[1])
    assert drop <= 0.003
    for point in OPERATING_POINTS:
        cut = load_policy(point).thresholds(FAMILY).any
        assert np.mean((scores[0] >= cut) != (scores[1] >= cut)) <= 0.005
