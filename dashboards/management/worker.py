"""Reads from the worker's `/metrics` how fast the scoring step is; the page does without when the worker is away."""

import asyncio
import math
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from http.client import HTTPException

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

PATIENCE_SECONDS = 1.0
_BATCH = "vangnet_batch_messages"
_SCORING = "vangnet_scoring_seconds"
_TO_QUEUE = "vangnet_received_to_queue_seconds"


@dataclass(frozen=True, slots=True)
class Spread:
    """How long something took, as far as a histogram can tell."""

    half: float
    """Seconds within which half of it was done: the upper edge of a bucket; infinite beyond the last."""
    most: float
    """The same for 95 %."""


@dataclass(frozen=True, slots=True)
class WorkerFigures:
    """The scoring step since the worker started."""

    scored: int
    """Messages."""
    per_second: float | None
    """Messages scored per second of scoring; None before the first."""
    scoring: Spread | None
    """Of one batch."""
    to_queue: Spread | None
    """From a message's arrival to its flag in the review queue."""


async def worker_figures(host: str, port: int) -> WorkerFigures | None:
    """Ask the worker; None when it does not answer in time or answers something else.

    Args:
        host: Where it listens; 0.0.0.0 and :: are asked on this machine.
        port: Of its `/metrics`.
    """
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # compared, not bound
    try:
        text = await asyncio.to_thread(_fetch, f"http://{f'[{near}]' if ':' in near else near}:{port}/metrics")
        return read_figures(text)
    except (OSError, HTTPException, ValueError):
        return None


def read_figures(text: str) -> WorkerFigures:
    """Read the figures from the Prometheus text format.

    Raises:
        ValueError: The text is not in that format.
    """
    families = {family.name: family for family in text_string_to_metric_families(text)}
    messages, seconds = _sum(families.get(_BATCH)), _sum(families.get(_SCORING))
    return WorkerFigures(
        scored=int(messages),
        per_second=messages / seconds if seconds > 0 else None,
        scoring=_spread(families.get(_SCORING)),
        to_queue=_spread(families.get(_TO_QUEUE)),
    )


def _fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310  # a fixed http address
        body: bytes = answer.read()
        return body.decode()


def _sum(family: Metric | None) -> float:
    samples = family.samples if family else ()
    return sum(sample.value for sample in samples if sample.name.endswith("_sum"))


def _spread(family: Metric | None) -> Spread | None:
    samples = family.samples if family else ()
    buckets = sorted(
        (float(sample.labels["le"]), sample.value) for sample in samples if sample.name.endswith("_bucket")
    )
    if not buckets or buckets[-1][1] == 0:
        return None
    return Spread(_within(buckets, 0.5), _within(buckets, 0.95))


def _within(buckets: Iterable[tuple[float, float]], share: float) -> float:
    buckets = list(buckets)
    enough = share * buckets[-1][1]
    return next((edge for edge, count in buckets if count >= enough), math.inf)
