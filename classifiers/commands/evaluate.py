"""`vangnet evaluate`: what the classifiers are worth on labelled lines, as tables, JSON and plots."""

import json
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.progress import track

from classifiers.corpus.conversations import scoring_inputs
from classifiers.corpus.load import TEST, TRAIN, VALIDATION, CorpusLine, load_corpus, read_labelled
from classifiers.engine import Scorer, open_scorer
from classifiers.errors import ClassifierError
from classifiers.findings import Assessment
from classifiers.labels import LABELS
from classifiers.protocol import OPERATING_POINTS, load_policy
from classifiers.toxicity.evaluation import evaluate
from classifiers.toxicity.evaluation_report import as_json, as_markdown
from classifiers.toxicity.plots import draw

BATCH = 256


@click.command(name="evaluate")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option(
    "--split",
    type=click.Choice([TRAIN, VALIDATION, TEST]),
    default=TEST,
    show_default=True,
    help="Which lines of the corpus, when no FILE is given.",
)
@click.option("--engine", is_flag=True, help="Through the whole engine, as in use; else the model with full context.")
@click.option("--model", help="Folder or hub id of another model.  [default: the shipped one]")
@click.option("--operating-point", type=click.Choice(OPERATING_POINTS), default="rustig", show_default=True)
@click.option("--conversations-only", is_flag=True, help="Leave out lines that stand on their own.")
@click.option("--json", "json_out", type=click.Path(path_type=Path), help="Write the figures as JSON.")
@click.option("--markdown", type=click.Path(path_type=Path), help="Write the tables as Markdown.")
@click.option("--plots", type=click.Path(path_type=Path), help="Folder for precision-recall and reliability plots.")
def command(
    file: Path | None,
    split: str,
    engine: bool,  # click hands a flag by name
    model: str | None,
    operating_point: str,
    conversations_only: bool,
    json_out: Path | None,
    markdown: Path | None,
    plots: Path | None,
) -> None:
    """Score the labelled lines of FILE (as in the corpus guide) and compare.

    Without FILE, the test split of the corpus, which training never sees.
    """
    try:
        lines = read_labelled(file) if file else [line for line in load_corpus() if line.split == split]
        if conversations_only:
            lines = [line for line in lines if line.thread is not None]
        scorer = open_scorer(model, personal_data=engine)
        assessments = assess(scorer, lines)
        report = evaluate(
            lines,
            assessments,
            load_policy(operating_point),
            name=file.name if file else f"the corpus, {split} split",
        )
        shown = as_markdown(report)
        click.echo(shown)
        if json_out:
            json_out.write_text(json.dumps(as_json(report), indent=2) + "\n", encoding="utf-8")
        if markdown:
            markdown.write_text(shown, encoding="utf-8")
        if plots:
            truths = {"flagged at all": np.array([bool(line.labels) for line in lines])}
            scores = {"flagged at all": np.array([one.score for one in assessments], dtype=np.float64)}
            for label in LABELS:
                truths[label.value] = np.array([label in line.labels for line in lines])
                scores[label.value] = np.array([one.scores[label] for one in assessments], dtype=np.float64)
            for path in draw(truths, scores, report.bins, plots):
                click.echo(f"drawn: {path}", err=True)
    except ClassifierError as error:
        raise click.ClickException(str(error)) from error


def assess(scorer: Scorer, lines: Sequence[CorpusLine]) -> list[Assessment]:
    """Score lines in batches, each with the conversation before it."""
    inputs = list(scoring_inputs(lines))
    batches = [inputs[start : start + BATCH] for start in range(0, len(inputs), BATCH)]
    shown = track(batches, description="scoring", console=Console(stderr=True))
    return [one for batch in shown for one in scorer.score(batch)]
