"""`vangnet bench personal-data`: how fast personal data is found on one core, and how much of it."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files

import click
from rich.console import Console
from rich.table import Table

from classifiers.personal_data.evaluation import (
    SPAN_PARTS,
    STRUCTURED,
    Line,
    Report,
    evaluate,
    everyday_hits,
    lines,
    span_lines,
)
from classifiers.personal_data.find import find

_LONG = 100_000


@dataclass(frozen=True, slots=True)
class Speed:
    """What one core does."""

    messages: int
    """Messages read in all."""
    per_second: float
    """Messages in a second of processor time, conversations included."""
    long_seconds: float
    """Processor seconds for one message of 100,000 characters full of numbers and addresses."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Figures on one side of the split."""

    side: str
    kinds: str
    marked: int
    recall: float
    precision: float
    f1: float
    exact: float
    """Share of the found spans that match to the character."""
    set_aside: int
    """Spans that hold a riddle or a part instead of a value, counted neither way."""


def measure_speed(chosen: Sequence[Line], seconds: float) -> Speed:
    """Read messages over and over on this core.

    Args:
        chosen: Messages with their conversations.
        seconds: Processor time to spend at the least.

    Returns:
        The speed.
    """
    for line in chosen[:500]:
        find(line.text, line.before, line.author)  # lists are read and patterns compiled once
    done, start, spent = 0, time.process_time(), 0.0
    while spent < seconds:
        for line in chosen:
            find(line.text, line.before, line.author)
        done += len(chosen)
        spent = time.process_time() - start
    text = ("bel 0612893347 of kom naar Eikenlaan 4, bsn 312966210 ww: Hond12 " * (_LONG // 60))[:_LONG]
    start = time.process_time()
    find(text)
    return Speed(done, done / spent, time.process_time() - start)


def _quality(side: str, report: Report) -> list[Quality]:
    sets = (("structured", STRUCTURED), ("all", tuple(report.kinds)))
    scores = [(name, report.together(kinds)) for name, kinds in sets]
    aside = sum(report.set_aside.values())
    return [
        Quality(side, name, score.hits + score.misses, score.recall, score.precision, score.f1, score.exactness, aside)
        for name, score in scores
    ]


@click.command("personal-data")
@click.option("--seconds", type=click.FloatRange(0.1), default=5.0, show_default=True, help="Processor time to spend.")
@click.option("--quality/--no-quality", default=True, help="Also measure what is found in the corpus.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of tables.")
def command(*, seconds: float, quality: bool, as_json: bool) -> None:
    """Measure the recognizers of personal data: messages a second on one core, recall and precision.

    The messages are all lines of the corpus but those made for personal data, each with its conversation.
    """
    parts = sorted(one.name.removesuffix(".jsonl") for one in files("classifiers.corpus").joinpath("parts").iterdir())
    chosen = [line for part in parts if part not in SPAN_PARTS for line in lines(part)]
    speed = measure_speed(chosen, seconds)
    rows: list[Quality] = []
    everyday = (0, 0)
    if quality:
        for side, held_out in (("development", False), ("held out", True)):
            rows += _quality(side, evaluate(span_lines(held_out=held_out)))
        read, hits = everyday_hits()
        everyday = (read, len(hits))
    if as_json:
        result = {"speed": asdict(speed), "quality": [asdict(row) for row in rows]}
        if quality:
            result["everyday"] = {"lines": everyday[0], "findings": everyday[1]}
        click.echo(json.dumps(result))
        return
    console = Console()
    console.print(f"{speed.per_second:,.0f} messages/s on one core ({speed.messages:,} messages read)")
    console.print(f"{speed.long_seconds:.2f} s for one message of {_LONG:,} characters")
    if quality:
        console.print(_table(rows))
        console.print(f"{everyday[1]} findings in {everyday[0]:,} everyday lines")


def _table(rows: Sequence[Quality]) -> Table:
    table = Table("lines", "kinds", "spans", "recall", "precision", "F1", "exact", "set aside")
    for row in rows:
        figures = (row.recall, row.precision, row.f1, row.exact)
        table.add_row(row.side, row.kinds, str(row.marked), *(f"{one:.3f}" for one in figures), str(row.set_aside))
    return table
