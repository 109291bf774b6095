"""The mentor's routes: queue, its live stream, parked and closed lists."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect, ServerSentEvent, ServerSentEventMessage, Template

from dashboards.access import Role, for_roles
from dashboards.review.conversation import Tags, personal_spans
from dashboards.review.highlight import cut
from dashboards.site import PageRequest, Site, go, page
from pipeline.review.errors import MessageNotFoundError, ReasonError

MENTOR = for_roles(Role.MENTOR)


async def _queue(request: PageRequest) -> dict[str, Any]:
    site = Site.of(request)
    allowed = await site.allowed_groups(request.user.name)
    # Read before the list: a change in between is then fetched once too often, never missed.
    revision = await site.store.revision()
    return {
        "revision": revision,
        "cases": await site.store.queue(allowed),
        "counts": await site.store.counts(allowed),
        "group_names": await site.group_names(),
    }


@get("/meldingen", opt=MENTOR)
async def queue_page(request: PageRequest) -> Template:
    """The queue."""
    return page(request, "queue.html", **await _queue(request))


@get("/meldingen/lijst", opt=MENTOR)
async def queue_list(request: PageRequest) -> Template:
    """Only the list, for the script of the queue page."""
    return page(request, "queue_list.html", **await _queue(request))


@get("/meldingen/stroom", opt=MENTOR)
async def queue_stream(request: PageRequest) -> ServerSentEvent:
    """A line whenever the queue changed: a revision number, nothing of a message."""
    return ServerSentEvent(_events(Site.of(request)), retry_duration=2000)


async def _events(site: Site) -> AsyncIterator[ServerSentEventMessage]:
    async for revision in site.revisions.follow():
        if revision is None:
            yield ServerSentEventMessage(data=None, comment="-")
        else:
            yield ServerSentEventMessage(data=revision, event="revision")


@get("/afgesloten", opt=MENTOR)
async def closed_page(request: PageRequest) -> Template:
    """Closed cases, the last first."""
    site = Site.of(request)
    cases = await site.store.closed(await site.allowed_groups(request.user.name))
    return page(request, "closed.html", cases=cases, group_names=await site.group_names())


async def _parked(request: PageRequest, *, problem: str | None = None, status: int = 200) -> Template:
    site = Site.of(request)
    messages = await site.store.parked(await site.allowed_groups(request.user.name))
    tags = Tags()
    shown = []
    for message in messages:
        pieces = None
        if message.text is not None:
            pieces = cut(message.text, personal_spans(message.text, ()), tags)
        shown.append({"message": message, "pieces": pieces})
    return page(
        request, "parked.html", parked=shown, group_names=await site.group_names(), problem=problem, status=status
    )


@get("/niet-beoordeeld", opt=MENTOR)
async def parked_page(request: PageRequest) -> Template:
    """What could not be judged."""
    return await _parked(request)


@post("/niet-beoordeeld/wegleggen", opt=MENTOR)
async def set_aside(request: PageRequest) -> Template | Redirect:
    """Take a message off that list, with a reason."""
    site = Site.of(request)
    form = await request.form()
    try:
        await site.store.dismiss_parked(
            str(form.get("message", "")),
            request.user.name,
            str(form.get("reason", "")).strip(),
            allowed_groups=await site.allowed_groups(request.user.name),
        )
    except ReasonError:
        return await _parked(request, problem=site.texts("refused.reason"), status=400)
    except MessageNotFoundError as error:
        raise NotFoundException from error
    return go("/niet-beoordeeld", done="set_aside")


HANDLERS: Sequence[Any] = (
    queue_page,
    queue_list,
    queue_stream,
    closed_page,
    parked_page,
    set_aside,
)
