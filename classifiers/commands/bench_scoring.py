"""`vangnet bench scoring`: what the scoring step reaches on one core, beside what the usual call gives."""

import json
import os
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console

# Threads that spin while they wait slow their neighbors down. Must be set before torch and onnxruntime load.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

MODEL_RATIO, ENGINE_RATIO, ENGINE_RATE = 10.0, 60.0, 1200.0
P99_MS, MEMORY_BYTES, SCALING = 20.0, 500e6, 1.7


@click.command("scoring")
@click.option("--model", type=click.Path(path_type=Path), help="Checkpoint folder.  [default: the shipped one]")
@click.option("--rounds", type=click.IntRange(1), default=6, show_default=True, help="Batches measured.")
@click.option("--batch", type=click.IntRange(1, 1024), default=64, show_default=True, help="Messages a batch.")
@click.option("--processes/--no-processes", default=True, help="Also measure memory, and two processes beside one.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON object on the last line.")
def command(model: Path | None, rounds: int, batch: int, *, processes: bool, as_json: bool) -> None:
    """Measure the scoring step against the transformers pipeline on the same checkpoint.

    Conversations of the corpus' test split, thinned until 4.5 % of the messages are labelled, arrive message by
    message, thirty at once. All ways of scoring take turns on the same messages; rates are by processor time, so other
    programs on the machine blur them but do not tilt them.
    """
    from classifiers.benchmark import measure, measure_processes  # noqa: PLC0415  # torch takes seconds to load
    from classifiers.engine import SHIPPED  # noqa: PLC0415

    folder = model or SHIPPED
    console = Console(stderr=True)
    with console.status("loading") as status:
        found = measure(folder, rounds, batch, tell=status.update)
        several = measure_processes(folder, tell=status.update) if processes else None
    base = found.ways["pipeline, batch 1"]
    ratios = {name: way.cpu_rate / base.cpu_rate for name, way in found.ways.items()}
    for name, way in found.ways.items():
        click.echo(
            f"{name:34s}{way.cpu_rate:>9,.1f} messages/s ({way.wall_rate:,.1f} by the clock) x{ratios[name]:.1f}"
        )
    model_ratio, engine_ratio = ratios["model, context remembered"], ratios["engine, from strings"]
    reached = {
        "model_ratio": model_ratio >= MODEL_RATIO,
        "engine_ratio": engine_ratio >= ENGINE_RATIO,
        "engine_rate": found.ways["engine, from strings"].cpu_rate >= ENGINE_RATE,
        "p99_ms": found.alone_ms[1] < P99_MS,
    }
    click.echo(f"one message alone: p50 {found.alone_ms[0]:.1f} ms, p99 {found.alone_ms[1]:.1f} ms")
    click.echo(f"a batch of {batch}: p50 {found.loaded_ms[0]:.0f} ms, p99 {found.loaded_ms[1]:.0f} ms")
    click.echo(f"int8 products: {found.peak_gops:,.0f} GOP/s; the model alone uses {found.share_of_limit:.0%} of it")
    click.echo(f"tokens a message: {found.tokens_read:.1f} read, {found.tokens_reused:.1f} remembered")
    if several:
        click.echo(f"memory {several.resident_bytes / 1e6:,.0f} MB a process; two processes x{several.scaling:.2f}")
        reached["memory_bytes"] = several.resident_bytes <= MEMORY_BYTES
        reached["scaling"] = several.scaling >= SCALING
    for name, good in reached.items():
        click.echo(f"{'reached' if good else 'MISSED'}: {name}")
    if as_json:
        figures = {
            "model_ratio": model_ratio,
            "engine_ratio": engine_ratio,
            "engine_rate": found.ways["engine, from strings"].cpu_rate,
            **asdict(found),
            "processes": asdict(several) if several else None,
            "targets": {
                "model_ratio": MODEL_RATIO,
                "engine_ratio": ENGINE_RATIO,
                "engine_rate": ENGINE_RATE,
                "p99_ms": P99_MS,
                "memory_bytes": MEMORY_BYTES,
                "scaling": SCALING,
            },
            "reached": reached,
        }
        click.echo(json.dumps(figures))
