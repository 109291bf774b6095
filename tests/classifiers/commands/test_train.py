"""`vangnet train` finds out what kind of base it is given."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from classifiers.commands import train
from classifiers.errors import ModelError
from classifiers.toxicity import base as base_module
from classifiers.toxicity import generic_training, training
from classifiers.toxicity.other_models import hub
from tests.classifiers.toxicity.other_models.checkpoints import tiny_other
from tests.classifiers.toxicity.tiny import tiny_base


class Calls(list[tuple[str, Path, training.Plan]]):
    """Which training was started with what."""


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    calls = Calls()

    def note(name: str) -> Any:  # noqa: ANN401
        def start(base: Path, work: Path, out: Path, plan: training.Plan, **_: object) -> dict[str, float]:
            calls.append((name, base, plan))
            return {"talk_ap": 0.5}

        return start

    monkeypatch.setattr(training, "train", note("own"))
    monkeypatch.setattr(generic_training, "train_generic", note("generic"))
    return calls


def run(*options: str) -> Result:
    return CliRunner().invoke(train.command, list(options))


def test_a_base_of_ours_is_trained_our_way(calls: Calls, tmp_path: Path) -> None:
    """The plan is the shipped one, changed by what was asked."""
    assert run("--base", str(tiny_base(tmp_path / "base")), "--epochs", "2").exit_code == 0
    assert calls == [("own", tmp_path / "base", training.Plan(epochs=2))]


def test_another_architecture_is_trained_in_the_standard_way(calls: Calls, tmp_path: Path) -> None:
    """With a plan of its own."""
    folder = tiny_other(tmp_path / "robbert", "roberta", ["a"], head=False)
    assert run("--base", str(folder), "--seed", "7").exit_code == 0
    ((name, base, plan),) = calls
    assert (name, base, plan.seed) == ("generic", folder, 7)
    assert plan.learning_rate == generic_training.PLAN.learning_rate


def test_a_hub_id_is_fetched(calls: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is no folder here is looked for on the hub, and no folder of that name is made."""
    folder = tiny_other(tmp_path / "robbert", "roberta", ["a"], head=False)
    monkeypatch.setattr(hub, "fetch", lambda name: folder if name == "proef/robbert" else None)
    monkeypatch.chdir(tmp_path)
    assert run("--base", "proef/robbert").exit_code == 0
    assert calls[0][:2] == ("generic", folder)
    assert not (tmp_path / "proef").exists()


def test_offline_a_hub_id_is_the_sentence_that_says_how_to_fetch_it(
    calls: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error goes through as it is; nothing is trained or made."""

    def fail(name: str) -> Path:
        raise ModelError(f"{name}: run `hf download`")

    monkeypatch.setattr(hub, "fetch", fail)
    monkeypatch.chdir(tmp_path)
    result = run("--base", "proef/robbert")
    assert isinstance(result.exception, ModelError)
    assert "hf download" in str(result.exception)
    assert not calls


@pytest.mark.parametrize("name", ["training/base", "elders/basis"])
def test_a_missing_base_of_ours_is_made(
    calls: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The default folder anywhere, or one in a folder that is there."""
    monkeypatch.setattr(base_module, "make_base", lambda folder, tell: tiny_base(folder))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elders").mkdir()
    assert run("--base", name).exit_code == 0
    assert calls[0][:2] == ("own", Path(name))
