"""What `vangnet bench` promises: real figures beside what is aimed at, for people and for programs."""

import json

import pytest
from click.testing import CliRunner

from pipeline.bench.measure import BareLoop, Latency, Throughput
from pipeline.commands.bench import command
from pipeline.commands.bench_pipeline import Findings, figures, told


def test_the_bench_of_the_pipeline_runs() -> None:
    """Every message sent goes through, and the last line is one JSON object with every figure."""
    arguments = ["pipeline", "--messages", "500", "--groups", "3", "--alone", "2", "--json"]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout.splitlines()[-1])
    assert found["throughput"]["messages"] == 500
    assert 0 < found["throughput"]["flagged"] < 50
    assert found["derived"]["of_bare"] > 0
    assert 0 < found["latency"]["p50"] <= found["latency"]["p95"] <= found["latency"]["longest"]
    assert found["worker_bytes"] > found["web_bytes"] > 10e6


@pytest.fixture
def findings() -> Findings:
    return Findings(
        bare=BareLoop(messages=200_000, seconds=2.0, cpu=1.5),
        throughput=Throughput(20_000, 400, 5.0, 3.0, intake_cpu=2.0, worker_cpu=4.0, store_cpu=2.0),
        latency=Latency(100, p50=40.0, p95=260.4, longest=300.0),
        worker_bytes=500_000_000,
        web_bytes=210_000_000,
    )


def test_what_is_missed_is_said(findings: Findings) -> None:
    """Beside each figure stands what was aimed at."""
    lines = told(findings)
    assert lines[1] == (
        "pipeline             4,000 messages/s, MISSED: 5,000; 0.040 of the bare loop; 2,500 messages a CPU-second"
    )
    assert lines[3].endswith("260 ms p95, 300 ms at most (100 times), MISSED: 250 ms p95")
    assert "500 MB resident, reached: 1,200 MB" in lines[4]
    assert "210 MB resident, MISSED: 200 MB" in lines[5]
    assert figures(findings)["reached"] == {
        "rate": False,
        "p95_ms": False,
        "worker_bytes": True,
        "web_bytes": False,
    }


def test_the_group_finds_its_subcommands_by_entry_point() -> None:
    """A package adds a measurement with one line in pyproject.toml; a stranger's name is refused."""
    assert "pipeline" in CliRunner().invoke(command, ["--help"]).output
    assert CliRunner().invoke(command, ["no-such"]).exit_code == 2
