"""`vangnet bench personal-data` tells speed and quality, for people and for programs."""

import json

import pytest
from click.testing import CliRunner

from classifiers.commands import bench_personal_data
from classifiers.personal_data.evaluation import Line


@pytest.fixture
def few_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand two messages in for the corpus, so that the command is quick."""
    told = [Line(text, "x", 0, (), (), (), "a", False) for text in ("bel 0612893347", "tot morgen")]
    monkeypatch.setattr(bench_personal_data, "lines", lambda _: iter(told))
    monkeypatch.setattr(bench_personal_data, "span_lines", lambda *, held_out: told)
    monkeypatch.setattr(bench_personal_data, "everyday_hits", lambda: (2, []))


@pytest.mark.usefixtures("few_lines")
def test_speed_as_json() -> None:
    """Without quality the object holds the speed alone."""
    done = CliRunner().invoke(bench_personal_data.command, ["--seconds", "0.1", "--no-quality", "--json"])
    result = json.loads(done.output)
    assert result["quality"] == []
    assert result["speed"]["messages"] > 0
    assert result["speed"]["per_second"] > 0


@pytest.mark.usefixtures("few_lines")
def test_tables_name_both_sides_of_the_split() -> None:
    """People see the figures of the development lines and of the held-out third."""
    done = CliRunner().invoke(bench_personal_data.command, ["--seconds", "0.1"], env={"COLUMNS": "120"})
    assert done.exit_code == 0
    assert "messages/s on one core" in done.output
    assert "development" in done.output
    assert "held out" in done.output
    assert "everyday lines" in done.output
