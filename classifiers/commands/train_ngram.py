"""`vangnet train-ngram`: trains the fast first stage from the corpus, in a few minutes on one core."""

from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from classifiers.corpus.load import load_corpus
from classifiers.errors import ClassifierError
from classifiers.protocol.policy import THRESHOLDS
from classifiers.toxicity.ngram import WEIGHTS
from classifiers.toxicity.ngram_training import SEED, train


@click.command(name="train-ngram")
@click.option(
    "--out", type=click.Path(path_type=Path), default=WEIGHTS, help="Weights file.  [default: the shipped one]"
)
@click.option("--seed", default=SEED, show_default=True, help="The same seed gives the same weights.")
@click.option("--keep-thresholds", is_flag=True, help="Leave the operating points as they are.")
def command(out: Path, seed: int, keep_thresholds: bool) -> None:  # click hands a flag by name
    """Train the n-gram stage and choose its two operating points on the validation split."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=Console(stderr=True)) as shown:
            task = shown.add_task("reading the corpus", total=1.0)
            trained = train(
                load_corpus(),
                out,
                thresholds=None if keep_thresholds else THRESHOLDS,
                seed=seed,
                progress=lambda what, share: shown.update(task, description=what, completed=share),
            )
    except ClassifierError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{trained.version} written to {out}")
