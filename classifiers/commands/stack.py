"""`vangnet stack`: weigh a trained encoder with the n-gram stage and choose its thresholds, on the validation lines."""

from datetime import UTC, datetime
from pathlib import Path

import click
import numpy as np


@click.command("stack")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--thresholds/--no-thresholds", default=True, help="Write the operating points into thresholds.toml too.")
def command(folder: Path, *, thresholds: bool) -> None:
    """Fit stack.json into the checkpoint FOLDER, after `vangnet train` and after `vangnet train-ngram`.

    Neither model was trained on the validation lines; the test lines stay unseen.
    """
    from classifiers.corpus.conversations import scoring_inputs  # noqa: PLC0415  # numpy and models load only when used
    from classifiers.corpus.load import VALIDATION, load_corpus  # noqa: PLC0415
    from classifiers.toxicity.encoder import FAMILY, EncoderModel  # noqa: PLC0415
    from classifiers.toxicity.evaluation_thresholds import choose, write_thresholds  # noqa: PLC0415
    from classifiers.toxicity.ngram import NgramModel  # noqa: PLC0415
    from classifiers.toxicity.stack_fitting import fit_on_validation  # noqa: PLC0415
    from classifiers.toxicity.stacking import StackedModel  # noqa: PLC0415

    encoder, ngram = EncoderModel.load(folder), NgramModel.load()
    stack = fit_on_validation(folder, encoder, ngram)
    click.echo(f"wrote {folder / 'stack.json'} for {stack.encoder} and {stack.ngram}")
    if not thresholds:
        return
    lines = [line for line in load_corpus() if line.split == VALIDATION]
    scores = StackedModel(encoder, ngram, stack).score(list(scoring_inputs(lines))).astype(np.float64)
    points = choose(
        [line.labels for line in lines],
        scores[:, -1],
        scores[:, :-1],
        np.array([line.thread is not None for line in lines]),
        date=datetime.now(UTC).date().isoformat(),
        run=f"{encoder.version} with {ngram.version} on the validation conversations",
    )
    write_thresholds(FAMILY, points)
    for point, chosen in points.items():
        click.echo(f"{point}: flag from {chosen['any']} ({chosen['run']})")
