"""What Prometheus reads from the web process: how full the queue is, how long it waits, who tries to sign in.

Every application has its own registry, so that nothing happens at import and two of them do not collide in one process.
No pseudonym, name or text is ever a label value.
"""

import ipaddress
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from prometheus_client import CollectorRegistry, Counter, Gauge, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from dashboards.access import for_everyone
from dashboards.site import Site


class Metrics:
    """The figures of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.open = Gauge("vangnet_queue_open_cases", "Cases that wait for a mentor.", registry=self.registry)
        self.overdue = Gauge(
            "vangnet_queue_overdue_cases", "Cases that wait longer than the school set.", registry=self.registry
        )
        self.oldest = Gauge(
            "vangnet_queue_oldest_seconds", "How long the longest waiting case has waited.", registry=self.registry
        )
        self.parked = Gauge(
            "vangnet_queue_parked_messages", "Messages that could not be judged.", registry=self.registry
        )
        self.sign_ins = Counter(
            "vangnet_sign_ins_total", "Attempts to sign in by their result.", ["result"], registry=self.registry
        )
        for result in ("accepted", "refused", "throttled"):
            self.sign_ins.labels(result)

    @classmethod
    def of(cls, request: Request[Any, Any, Any]) -> "Metrics":
        """The figures of the application that serves this request."""
        metrics: Metrics = request.app.state["metrics"]
        return metrics


@get("/metrics", opt={**for_everyone(), "skip_session": True})
async def metrics_page(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The figures now; for the school's own network only."""
    if not _near(request.client.host if request.client else ""):
        raise NotFoundException
    metrics = Metrics.of(request)
    counts = await Site.of(request).store.counts()
    metrics.open.set(counts.open)
    metrics.overdue.set(counts.overdue)
    metrics.oldest.set(counts.oldest_seconds)
    metrics.parked.set(counts.parked)
    return Response(generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


@get("/health", opt={**for_everyone(), "skip_session": True})
async def health(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Whether the web app and its store answer; a store that does not gives 503 (see `web`)."""
    await Site.of(request).store.revision()
    return {"status": "ok"}


def _near(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_private
    except ValueError:
        return False


HANDLERS = (metrics_page, health)
