"""`vangnet bench scoring` measures every way on the same messages and says what was reached."""

import json
from itertools import islice
from pathlib import Path

import pytest
from click.testing import CliRunner

from classifiers.benchmark import natural, stream
from classifiers.commands.bench_scoring import command
from classifiers.corpus.conversations import CONTEXT_MESSAGES
from tests.classifiers.toxicity.tiny import tiny_checkpoint


def test_every_way_is_measured_on_the_same_messages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last line is one JSON object with the ratios; each target is called reached or missed."""
    monkeypatch.setenv("VANGNET_CACHE", str(tmp_path / "cache"))
    folder = tiny_checkpoint(tmp_path / "model")
    options = ["--model", str(folder), "--rounds", "2", "--batch", "8", "--no-processes", "--json"]
    result = CliRunner().invoke(command, options, catch_exceptions=False)
    lines = result.stdout.splitlines()
    found = json.loads(lines[-1])
    assert {way["messages"] for way in found["ways"].values()} == {16}
    assert len(found["ways"]) == 7
    assert found["engine_ratio"] == pytest.approx(
        found["ways"]["engine, from strings"]["cpu_rate"] / found["ways"]["pipeline, batch 1"]["cpu_rate"]
    )
    assert found["model_ratio"] > 0
    assert 0 < found["share_of_limit"] < 1
    assert found["tokens_read"] > 3
    assert sum(line.startswith(("reached: ", "MISSED: ")) for line in lines) == len(found["reached"]) == 4


def test_trouble_is_as_rare_as_in_life() -> None:
    """Four to five in a hundred messages bear a label, in whole conversations of the test split."""
    lines = [line for conversation in natural(1) for line in conversation]
    assert 0.04 < sum(bool(line.labels) for line in lines) / len(lines) < 0.05
    assert {line.split for line in lines} == {"test"}


def test_conversations_arrive_interleaved_and_whole() -> None:
    """Each message comes with what was said before it in its own conversation, and many go on at once."""
    said: dict[str, list[str]] = {}
    for one, _ in islice(stream(), 500):
        name = one.message.author.rpartition(":")[0]
        before = said.setdefault(name, [])
        assert [earlier.text for earlier in one.before] == before[-CONTEXT_MESSAGES:]
        before.append(one.message.text)
    assert len(said) >= 30
