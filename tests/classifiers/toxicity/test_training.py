"""Training learns, stops and goes on: on a tiny base and a small invented corpus."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from classifiers.corpus.load import TRAIN, VALIDATION, CorpusLine
from classifiers.errors import TrainingError
from classifiers.labels import Label
from classifiers.toxicity.augmentation import augment
from classifiers.toxicity.conversation import ConversationTokenizer
from classifiers.toxicity.training import Plan, Progress, rate, train
from classifiers.toxicity.training_data import EpochMaker, conversations, target
from tests.classifiers.toxicity.tiny import tiny_base, tiny_tokenizer


def corpus(conversations: int = 24, length: int = 6) -> list[CorpusLine]:
    """Conversations in which a line with the word zwam bears a label, and so does the haha after it."""
    rng = random.Random(1)  # noqa: S311
    lines: list[CorpusLine] = []
    for number in range(conversations):
        bad = False
        for at in range(length):
            after_bad, bad = bad, rng.random() < 0.3
            text = "jij zwam" if bad else "haha" if after_bad else rng.choice(["hoi", "tot morgen", "welke som"])
            labels = (Label.BULLYING,) if bad or after_bad else ()
            split = VALIDATION if number % 4 == 0 else TRAIN
            lines.append(
                CorpusLine(
                    "proef", len(lines), text, labels, "plain", f"p{number}", f"l{at % 3}", at * 9.0, (), None, split
                )
            )
    return lines


PLAN = Plan(epochs=2, learning_rate=2e-3, warmup_steps=2, row_tokens=96, batch_rows=2, seed=4)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_base(tmp_path_factory.mktemp("base"))


def test_training_learns_from_the_conversation(base: Path, tmp_path: Path) -> None:
    """After a few epochs the tiny model ranks the bad lines first, a bare haha after one among them."""
    plan = Plan(epochs=25, learning_rate=3e-3, warmup_steps=5, row_tokens=96, batch_rows=2, noise=0.0, seed=4)
    figures = train(base, tmp_path / "run", tmp_path / "model", plan, threads=1, lines=corpus(60))
    assert figures["talk_ap"] > 0.9
    assert {path.name for path in (tmp_path / "model").iterdir()} >= {
        "config.json",
        "tokenizer.json",
        "model.safetensors",
    }


def test_a_killed_run_goes_on_and_ends_the_same(base: Path, tmp_path: Path) -> None:
    """A run stopped after its first epoch and started again gives the figures of a run in one piece."""
    whole = train(base, tmp_path / "whole", tmp_path / "a", PLAN, threads=1, lines=corpus())

    class Killed(Exception):  # noqa: N818
        pass

    def kill(progress: Progress, _total: int, _loss: float) -> None:
        if progress.epoch == 1 and progress.batch == 1:
            raise Killed

    with pytest.raises(Killed):
        train(base, tmp_path / "run", tmp_path / "b", PLAN, threads=1, lines=corpus(), report=kill)
    resumed = train(base, tmp_path / "run", tmp_path / "b", PLAN, threads=1, lines=corpus())
    # Dropout draws other numbers after a restart, so the figures agree within noise, not to the last digit.
    assert resumed["talk_ap"] == pytest.approx(whole["talk_ap"], abs=0.25)
    history = [json.loads(line) for line in (tmp_path / "run" / "history.jsonl").read_text().splitlines()]
    assert [entry["epoch"] for entry in history] == [1, 2]


def test_the_same_seed_gives_the_same_weights(base: Path, tmp_path: Path) -> None:
    """Two runs of one plan on one thread end in the same checkpoint."""
    for name in ("a", "b"):
        train(base, tmp_path / f"run-{name}", tmp_path / name, PLAN, threads=1, lines=corpus())
    first, second = (load_file(tmp_path / name / "model.safetensors") for name in ("a", "b"))
    for name, value in first.items():
        np.testing.assert_allclose(value.astype(np.float32), second[name].astype(np.float32), atol=2e-3)


def test_a_state_of_another_plan_is_refused(base: Path, tmp_path: Path) -> None:
    """State that does not fit the network gives a sentence that says what to do."""
    train(base, tmp_path / "run", tmp_path / "model", PLAN, threads=1, lines=corpus(8))
    with pytest.raises(TrainingError, match="delete it to start again"):
        train(base, tmp_path / "run", tmp_path / "model", Plan(epochs=3, layers=2), threads=1, lines=corpus(8))


def test_a_missing_base_says_how_to_make_it(tmp_path: Path) -> None:
    """No base, no training, but the command that makes it."""
    with pytest.raises(TrainingError, match="vangnet base"):
        train(tmp_path, tmp_path / "run", tmp_path / "model", PLAN)


def test_the_rate_rises_holds_and_runs_out() -> None:
    """Warm-up, level, then down to nothing at the last step."""
    plan = Plan(learning_rate=1.0, warmup_steps=10, decay=0.5)
    rates = [rate(plan, step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9:50] == [1.0] * 41
    assert rates[75] == pytest.approx(0.5)
    assert rates[99] == pytest.approx(0.02)


def test_an_epoch_judges_every_line_once(tmp_path: Path) -> None:
    """Long conversations are cut with context repeated, but no line counts twice or is lost."""
    tokenizer = ConversationTokenizer(Tokenizer.from_file(str(tiny_tokenizer(tmp_path))))
    lines = corpus(conversations=7, length=40)
    maker = EpochMaker(tokenizer, length=96, rows=2)
    batches = maker.epoch(conversations(lines), random.Random(2), noise=0.3, cut=0.5)  # noqa: S311
    judged = [line for batch in batches for line in batch.lines]
    assert sorted(line.index for line in judged) == [line.index for line in lines]
    for batch in batches:
        assert batch.targets.tolist() == [target(line) for line in batch.lines]
        assert len(batch.rows.first) == len(batch.lines)


def test_noise_keeps_something_to_read() -> None:
    """Typing noise changes texts, never to nothing, and the same seed gives the same text."""
    texts = ["hoi", "ik ga je pakken morgen", "😂", "A", "wat een rotopdracht zeg!!"]
    changed = [augment(text, random.Random(seed)) for seed in range(40) for text in texts]  # noqa: S311
    assert all(changed)
    assert changed == [augment(text, random.Random(seed)) for seed in range(40) for text in texts]  # noqa: S311
    assert len(set(changed)) > 40


def test_training_uses_no_more_threads_than_asked(base: Path, tmp_path: Path) -> None:
    """`threads` is what torch gets."""
    train(base, tmp_path / "run", tmp_path / "model", Plan(epochs=0.1, row_tokens=96), threads=1, lines=corpus(8))
    assert torch.get_num_threads() == 1
