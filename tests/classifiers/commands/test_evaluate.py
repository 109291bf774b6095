import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from classifiers.commands import evaluate
from classifiers.findings import Assessment, ScoringInput
from classifiers.labels import LABELS, Label

LINES = [
    {"text": "jij sukkel", "labels": ["flamen"], "kind": "plain", "thread": "a", "who": "l1", "sent": 0},
    {"text": "haha", "labels": ["flamen"], "kind": "hard_positive", "thread": "a", "who": "l2", "sent": 4},
    {"text": "tot morgen", "labels": [], "kind": "plain", "thread": None, "who": None, "nieuw": 1, "spans": None},
]


class Listener:
    version = "proef:1"

    def __init__(self) -> None:
        self.asked: list[ScoringInput] = []

    def score(self, inputs: Sequence[ScoringInput]) -> list[Assessment]:
        self.asked += inputs
        return [
            Assessment(
                p := 0.99 if "sukkel" in one.message.text else 0.1,
                {x: p if x is Label.FLAMING else 0.0 for x in LABELS},
            )
            for one in inputs
        ]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """How the scorer was opened; the last entry holds the listener."""
    calls: list[dict[str, object]] = []

    def open_scorer(model: str | None, **options: object) -> Listener:
        listener = Listener()
        calls.append({"model": model, **options, "listener": listener})
        return listener

    monkeypatch.setattr(evaluate, "open_scorer", open_scorer)
    return calls


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "proef.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in LINES))
    return path


def test_a_file_is_scored_in_its_conversations_and_reported_three_ways(
    opened: list[dict[str, object]], file: Path, tmp_path: Path
) -> None:
    """Tables on standard output, JSON, Markdown and plots where asked; unknown keys of the file are no mistake."""
    out = {name: tmp_path / name for name in ("figures.json", "figures.md", "plots")}
    options = ["--json", str(out["figures.json"]), "--markdown", str(out["figures.md"]), "--plots", str(out["plots"])]
    result = CliRunner().invoke(evaluate.command, [str(file), *options])
    assert result.exit_code == 0, result.stderr
    figures = json.loads(out["figures.json"].read_text())
    assert figures["flagged_at_all"]["at_point"]["recall"] == 0.5
    assert figures["name"] == "proef.jsonl"
    assert out["figures.md"].read_text().strip() in result.stdout
    assert (out["plots"] / "precision_recall.png").exists()
    listener = opened[0]["listener"]
    assert isinstance(listener, Listener)
    assert [len(one.before) for one in listener.asked] == [0, 1, 0]


@pytest.mark.parametrize(("options", "whole"), [([], False), (["--engine"], True)])
def test_the_model_alone_or_the_whole_engine_is_measured(
    opened: list[dict[str, object]],
    file: Path,
    options: list[str],
    whole: bool,
) -> None:
    """Without --engine the model answers by itself, so that shortcuts of the engine can be compared with it."""
    assert CliRunner().invoke(evaluate.command, [str(file), *options]).exit_code == 0
    assert opened[0]["personal_data"] is whole


@pytest.mark.usefixtures("opened")
def test_a_missing_or_broken_file_is_one_sentence(tmp_path: Path) -> None:
    """Status 1 and the line's number, no stack trace."""
    missing = CliRunner().invoke(evaluate.command, [str(tmp_path / "weg.jsonl")])
    assert missing.exit_code == 1
    assert "cannot read" in missing.stderr
    broken = tmp_path / "stuk.jsonl"
    broken.write_text('{"text": "hoi", "labels": []}\n{"text": 3}\n')
    result = CliRunner().invoke(evaluate.command, [str(broken)])
    assert result.exit_code == 1
    assert "stuk.jsonl line 2" in result.stderr
    empty = tmp_path / "leeg.jsonl"
    empty.write_text("")
    assert "nothing to evaluate" in CliRunner().invoke(evaluate.command, [str(empty)]).stderr
