"""The parts that the worker's agents share, opened once from the settings."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

from classifiers.engine import ModelScorer, Scorer
from classifiers.protocol import load_policy
from pipeline.context import ContextWindows
from pipeline.groups import GroupLedger
from pipeline.metrics import WorkerMetrics
from pipeline.privacy import Keyring
from pipeline.review.store import ReviewStore
from pipeline.scoring import ScoringStep
from pipeline.settings import Settings
from pipeline.transport.connection import open_client
from pipeline.valkey import server_url


@dataclass(frozen=True, slots=True)
class WorkerServices:
    """Everything that the agents call."""

    settings: Settings
    redis: Redis
    keyring: Keyring
    scoring: ScoringStep
    windows: ContextWindows
    store: ReviewStore
    metrics: WorkerMetrics
    clock: Callable[[], float] = time.time


def open_services(settings: Settings, scorer: Scorer) -> WorkerServices:
    """Open the worker's parts; the connection itself is made at its first use.

    Args:
        settings: Where the store and the keys are.
        scorer: The classifiers, loaded.
    """
    # Each command rides out a restart of the server; every one that is sent here may run twice.
    redis = open_client(server_url(settings), retry=Retry(ExponentialBackoff(cap=1.0, base=0.05), 14))
    keyring = Keyring.open(settings.keys)
    windows = ContextWindows(redis, keyring, settings)
    metrics = WorkerMetrics(CollectorRegistry())
    metrics.model.info({"version": scorer.version})
    if isinstance(scorer, ModelScorer):
        scorer.watch(metrics.observe)
    scoring = ScoringStep(
        scorer=scorer,
        policy=load_policy(settings.operating_point),
        ledger=GroupLedger(redis, keyring),
        windows=windows,
        # One thread: the classifiers use the cores themselves, and the event loop stays free for the broker.
        executor=ThreadPoolExecutor(1, thread_name_prefix="scoring"),
        metrics=metrics,
    )
    return WorkerServices(settings, redis, keyring, scoring, windows, ReviewStore(redis, keyring), metrics)
