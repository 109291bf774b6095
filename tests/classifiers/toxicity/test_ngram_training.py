import shutil
from pathlib import Path

import numpy as np
import pytest

from classifiers.corpus.conversations import scoring_inputs
from classifiers.corpus.load import TEST, TRAIN, VALIDATION, CorpusLine
from classifiers.labels import Label
from classifiers.protocol import load_policy
from classifiers.protocol.policy import THRESHOLDS
from classifiers.toxicity import ngram_training
from classifiers.toxicity.ngram import NgramModel
from classifiers.toxicity.ngram_training import predict, train

NAMES = ["daan", "sem", "noor", "yara", "bilal", "sanne", "ewa", "lot", "kees", "mo"]
HARMLESS = ["{} heeft een toets", "wie gaat met {} mee", "{} is ziek vandaag", "tot morgen {}"]
TROUBLED = [("{} is een sukkel", Label.FLAMING), ("niemand wil {} erbij", Label.BULLYING), ("ik sla {}", Label.THREAT)]


def invented(conversations: int = 120) -> list[CorpusLine]:
    lines: list[CorpusLine] = []
    for number in range(conversations):
        split = [TRAIN, TRAIN, TRAIN, VALIDATION, TEST][number % 5]
        name = NAMES[number // 5 % len(NAMES)]
        texts: list[tuple[str, tuple[Label, ...]]] = [(HARMLESS[(number + n) % 4].format(name), ()) for n in range(4)]
        bad, label = TROUBLED[number % 3]
        texts += [(bad.format(name), (label,)), ("haha", (label,)), ("ok", ())]
        lines += [
            CorpusLine(
                "proef",
                len(lines) + n,
                text,
                labels,
                "plain",
                f"t{number}",
                f"l{n % 2}",
                float(n),
                (),
                None,
                split,
                f"t{number}",
            )  # a row of a table
            for n, (text, labels) in enumerate(texts)
        ]
    return lines


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ngram_training, "FOLDS", 2)
    monkeypatch.setattr(ngram_training, "HIDDEN", 8)


@pytest.mark.usefixtures("small")
def test_training_learns_writes_and_repeats(tmp_path: Path) -> None:
    """The same seed gives the same weights; what was learned ranks unseen lines; thresholds get their origin."""
    lines = invented()
    thresholds = tmp_path / "thresholds.toml"
    shutil.copy(THRESHOLDS, thresholds)
    steps: list[float] = []
    first = train(
        lines, tmp_path / "a.safetensors", thresholds=thresholds, progress=lambda _, share: steps.append(share)
    )
    second = train(lines, tmp_path / "b.safetensors")
    assert first.version == second.version
    assert steps == sorted(steps)
    assert steps[-1] == 1
    assert first.unseen.shape == (len(lines), 11)

    model = NgramModel.load(tmp_path / "a.safetensors")
    unseen = [line for line in lines if line.split == TEST and len(line.text) > 4]
    scores = predict(model, list(scoring_inputs(unseen)))[:, -1]
    truth = np.array([bool(line.labels) for line in unseen])
    assert np.mean(scores[truth][:, None] > scores[~truth][None, :]) > 0.9

    cuts = load_policy("rustig", thresholds).models["ngram"]
    assert first.version in cuts.run
    assert load_policy("waakzaam", thresholds).models["ngram"].any <= cuts.any


@pytest.mark.usefixtures("small")
def test_lines_of_one_conversation_that_lie_apart_are_refused(tmp_path: Path) -> None:
    """Windows are taken from neighbors; a shuffled corpus would teach nonsense."""
    lines = invented(10)
    lines[3], lines[30] = lines[30], lines[3]
    with pytest.raises(ValueError, match="neighbors"):
        train(lines, tmp_path / "a.safetensors")
