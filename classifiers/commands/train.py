"""`vangnet train`: fine-tune the encoder on the corpus, with a progress bar; goes on after a kill."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

# Threads that spin while they wait slow each other down tenfold on a shared machine. Must be set before torch loads.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

OWN_BASE = "training/base"


@click.command("train")
@click.option(
    "--base",
    default=OWN_BASE,
    show_default=True,
    help="Folder of the pretrained encoder, made as by `vangnet base` when it is missing; or the folder or hub id of "
    "any other encoder, e.g. DTAI-KULeuven/robbert-2023-dutch-base, which is trained in the standard way.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("training/model"),
    show_default=True,
    help="Checkpoint folder to write.",
)
@click.option(
    "--work",
    type=click.Path(path_type=Path),
    default=Path("training/run"),
    show_default=True,
    help="Where the run keeps its state; a run that was stopped goes on from here.",
)
@click.option("--epochs", type=click.FloatRange(min=0.01), default=None, help="How often every line is read.")
@click.option("--layers", type=click.IntRange(1, 24), default=None, help="Keep only the lower layers of the base.")
@click.option("--learning-rate", type=click.FloatRange(min=0, min_open=True), default=None)
@click.option("--seed", type=int, default=None)
@click.option("--threads", type=click.IntRange(min=1), default=None, help="CPU threads (default: all cores).")
def command(
    base: str,
    out: Path,
    work: Path,
    epochs: float | None,
    layers: int | None,
    learning_rate: float | None,
    seed: int | None,
    threads: int | None,
) -> None:
    """Train the classifier from the corpus in this repository.

    About an hour and a half on two CPU cores; a GPU is used when there is one. Ctrl-C or a kill loses at most a few
    minutes: the same command goes on where it stopped. Figures of the validation lines are printed each epoch and
    kept in WORK/history.jsonl. OUT is a folder that --model and VANGNET_MODEL take, whatever the base.
    """
    from classifiers.toxicity.generic_training import PLAN, fits_conversations, train_generic  # noqa: PLC0415  # torch
    from classifiers.toxicity.training import Plan, train  # noqa: PLC0415  # takes seconds to load
    from classifiers.toxicity.training import Progress as Standing  # noqa: PLC0415

    console = Console(stderr=True)
    folder = _base_folder(base, console.print)
    ours = fits_conversations(folder)
    chosen = {"epochs": epochs, "layers": layers, "learning_rate": learning_rate, "seed": seed}
    plan = replace(Plan() if ours else PLAN, **{name: value for name, value in chosen.items() if value is not None})  # type: ignore[arg-type]
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("loss {task.fields[loss]:.3f}"),
    )
    with Progress(*columns, console=console, refresh_per_second=1) as bar:
        task = bar.add_task("training", total=None, loss=0.0)
        running = 0.0

        def report(standing: Standing, total: int, loss: float) -> None:
            nonlocal running
            running = loss if running == 0.0 else 0.98 * running + 0.02 * loss
            bar.update(task, completed=standing.step, total=total, loss=running)
            if not console.is_terminal and standing.step % 100 == 0:
                console.print(f"step {standing.step} of {total}, loss {running:.3f}")

        if ours:
            figures = train(folder, work, out, plan, threads=threads, report=report, log=console.print)
        else:
            console.print("another architecture: trained on pairs of conversation and message")
            figures = train_generic(
                folder, work, out, plan, name=base, threads=threads, report=report, log=console.print
            )
    click.echo(f"wrote {out}: validation average precision {figures.get('talk_ap', 0):.3f} in conversations")


def _base_folder(base: str, tell: Callable[[str], None]) -> Path:
    """The base's folder: as it is, fetched from the hub, or made."""
    folder = Path(base)
    if (folder / "config.json").is_file():
        return folder
    if base != OWN_BASE and not folder.parent.is_dir():
        from classifiers.toxicity.other_models.hub import fetch, is_hub_id  # noqa: PLC0415

        if is_hub_id(base):
            tell(f"looking for {base} in the local cache and on the model hub")
            return fetch(base)
    from classifiers.toxicity.base import make_base  # noqa: PLC0415

    make_base(folder, tell=tell)
    return folder
