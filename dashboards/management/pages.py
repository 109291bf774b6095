"""Management's page: figures over a period, each chart with its table; no names, small counts hidden by the store."""

import math
from collections.abc import Sequence
from typing import Any

from litestar import get
from litestar.params import FromQuery
from litestar.response import Template

from dashboards.access import Role, for_roles
from dashboards.management.worker import Spread, worker_figures
from dashboards.site import PageRequest, Site, page
from dashboards.texts import Texts, decimal, whole
from pipeline.review.statistics import PERIODS

MANAGER = for_roles(Role.MANAGER)
DEFAULT_PERIOD = 30


@get("/cijfers", opt=MANAGER)
async def figures_page(request: PageRequest, dagen: FromQuery[int] = DEFAULT_PERIOD) -> Template:
    """The figures of the last days."""
    site = Site.of(request)
    days = dagen if dagen in PERIODS else DEFAULT_PERIOD
    statistics = await site.store.statistics(days)
    worker = await worker_figures(site.settings.worker_host, site.settings.worker_port)
    texts = site.texts
    outcomes = statistics.outcomes
    return page(
        request,
        "figures.html",
        days=days,
        periods=PERIODS,
        figures=statistics,
        group_names=await site.group_names(),
        outcomes=[
            (texts("outcome.upheld"), outcomes.upheld),
            (texts("outcome.dismissed"), outcomes.dismissed),
            (texts("outcome.escalated"), outcomes.escalated),
            (texts("figures.undecided"), outcomes.undecided),
        ],
        worker=worker,
        per_second=decimal(worker.per_second, 0) if worker and worker.per_second is not None else None,
        spread=lambda spread: _spread(texts, spread),
        count=lambda value: texts("app.small") if value is None else whole(value),
    )


def _spread(texts: Texts, spread: Spread | None) -> str:
    if spread is None:
        return texts("app.nothing")
    return texts("figures.half", seconds=_seconds(texts, spread.half), most=_seconds(texts, spread.most))


def _seconds(texts: Texts, seconds: float) -> str:
    if math.isinf(seconds):
        return texts("figures.beyond", seconds=texts("figures.seconds", n=300))
    if seconds < 1:
        return texts("figures.milliseconds", n=round(seconds * 1000))
    return texts("figures.seconds", n=decimal(seconds, 1))


HANDLERS: Sequence[Any] = (figures_page,)
