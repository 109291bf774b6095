"""The worker: a Faust app with our agents, its `/metrics` page and the sweep of what is over its term."""

import logging

import faust
from aiohttp.web import Request, Response
from mode.supervisors import CrashingSupervisor
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis.exceptions import RedisError
from yarl import URL

from pipeline.agents import attach_agents
from pipeline.counters import Counters
from pipeline.retention import sweep
from pipeline.review.retention import REVIEW_TERM
from pipeline.services import WorkerServices
from pipeline.settings import Settings
from pipeline.transport.streams import lag
from pipeline.valkey import server_url

logger = logging.getLogger(__name__)

APP_ID = "vangnet"
SWEEP_SECONDS = 60.0
FORGET_SECONDS = 1.0
"""How soon a worker drops from its memory what a group that opted out left there."""


def broker_urls(settings: Settings) -> str | list[URL]:
    """Where the stream runs: Kafka when it is set (Faust splits a string at commas), else the store's own server."""
    if settings.broker is None:
        # As a list, which Faust does not split: a password may hold a comma.
        return [URL(server_url(settings))]
    return settings.broker.get_secret_value()


def build_app(services: WorkerServices) -> faust.App:
    """Build the worker's app.

    Args:
        services: The parts that the agents call, see `services.open_services`.
    """
    settings = services.settings
    app = faust.App(
        APP_ID,
        broker=broker_urls(settings),
        store="memory://",
        datadir=settings.data / "faust",
        topic_partitions=settings.partitions,
        topic_replication_factor=1,
        agent_supervisor=CrashingSupervisor,
        stream_wait_empty=True,
        stream_buffer_maxsize=512,
        broker_max_poll_records=500,
        broker_commit_interval=0.5,
        # Faust's 60 s make a new worker wait a minute for a dead one.
        broker_session_timeout=10.0,
        broker_heartbeat_interval=2.0,
        producer_acks=-1,
        consumer_auto_offset_reset="earliest",
        web_enabled=True,
        web_bind=settings.worker_host,
        web_port=settings.worker_port,
        web_in_thread=False,
        worker_redirect_stdouts=False,
    )
    attach_agents(app, services)

    @app.timer(SWEEP_SECONDS, on_leader=True)  # type: ignore[untyped-decorator]  # Faust gives its timers no types
    async def forget() -> None:
        try:
            gone = await sweep(services.redis, settings, more=(REVIEW_TERM,))
        except RedisError as error:
            logger.warning("the sweep waits for its next turn: the store is away (%s)", type(error).__name__)
            return
        for name, number in gone.items():
            if number:
                logger.info("swept at the end of its term: %d of %s", number, name)

    @app.timer(FORGET_SECONDS)  # type: ignore[untyped-decorator]
    async def forget_removed() -> None:
        # Every worker has a memory of its own, so this is no work for the leader alone.
        try:
            await services.scoring.forget_removed()
        except RedisError as error:
            logger.warning("what is kept of removed groups goes later: the store is away (%s)", type(error).__name__)

    @app.page("/metrics")  # type: ignore[arg-type]  # Faust's request and response are aiohttp's
    async def metrics(_view: faust.web.View, _request: Request) -> Response:
        services.metrics.totals.update(await Counters(services.redis).totals())
        for topic, waiting in (await _lag(app, services)).items():
            services.metrics.lag.labels(topic).set(waiting)
        return Response(body=generate_latest(services.metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return app


async def _lag(app: faust.App, services: WorkerServices) -> dict[str, int]:
    """Records that wait, per topic of ours."""
    waiting: dict[str, int] = {}
    if services.settings.broker is None:
        for (topic, _partition), behind in (await lag(services.redis, APP_ID)).items():
            waiting[topic] = waiting.get(topic, 0) + behind
        return waiting
    for place, end in app.monitor.tp_end_offsets.items():
        committed = app.monitor.tp_committed_offsets.get(place, 0)
        waiting[place.topic] = waiting.get(place.topic, 0) + max(0, end - committed)
    return waiting
