"""One case: look, claim, decide, revise, see the original, learn who wrote it. Every act is in the audit trail."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import get, post
from litestar.datastructures import FormMultiDict
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect, Template

from dashboards.access import Role, for_roles
from dashboards.review.conversation import lines_of
from dashboards.site import PageRequest, Site, go, page
from pipeline.review.errors import (
    AlreadyDecidedError,
    CaseClosedError,
    CaseNotFoundError,
    ClaimedByOtherError,
    MessageNotFoundError,
    NotClaimedError,
    NotDecidedError,
    ReasonError,
    ReviewError,
)
from pipeline.review.records import Outcome

MENTOR = for_roles(Role.MENTOR)
QUEUE = "/meldingen"
SHOWN = "shown"
"""In the session: ids of messages this mentor asked to see as typed."""

_REFUSALS: dict[type[ReviewError], tuple[str, int]] = {
    ReasonError: ("refused.reason", 400),
    ClaimedByOtherError: ("refused.claimed_by_other", 409),
    NotClaimedError: ("refused.not_claimed", 409),
    AlreadyDecidedError: ("refused.already_decided", 409),
    NotDecidedError: ("refused.already_decided", 409),
    CaseClosedError: ("refused.closed", 409),
}


@dataclass(frozen=True, slots=True)
class Kept:
    """What a mentor filled in, given back when it was refused."""

    key: str
    """Which form of the page."""
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class Revealed:
    """An author's name, for this one answer only."""

    message_id: str
    name: str
    account: str


async def _page(
    request: PageRequest,
    case_id: str,
    *,
    refused: ReviewError | str | None = None,
    kept: Kept | None = None,
    revealed: Revealed | None = None,
) -> Template:
    """The case as it is now, at times with a refusal, the kept form or a revealed name."""
    site = Site.of(request)
    mentor = request.user.name
    allowed = await site.allowed_groups(mentor)
    if isinstance(refused, CaseNotFoundError | MessageNotFoundError):
        raise NotFoundException from refused
    case = await site.store.case(case_id, allowed)
    if case is None:
        raise NotFoundException
    problem, status = None, 200
    if isinstance(refused, ReviewError):
        name, status = _REFUSALS[type(refused)]
        problem = site.texts(name)
    elif refused is not None:
        problem, status = site.texts(refused), 400
    group_names = await site.group_names()
    return page(
        request,
        "case.html",
        status=status,
        summary=case.summary,
        group=group_names.get(case.summary.group, site.texts("case.unknown_group")),
        lines=lines_of(case, site.texts, request.session.get(SHOWN, ())),
        clauses=[clause for clause_id in case.summary.clauses if (clause := site.clause(clause_id))],
        audit=await site.store.audit(case_id, allowed),
        undecided=[message.message_id for message in case.messages if message.review is None],
        mine=case.summary.claimed_by == mentor,
        problem=problem,
        kept=kept,
        revealed=revealed,
    )


@get("/zaak/{case_id:str}", opt=MENTOR)
async def case_page(request: PageRequest, case_id: FromPath[str]) -> Template:
    """A case."""
    return await _page(request, case_id)


@post("/zaak/{case_id:str}/behandelen", opt=MENTOR)
async def claim(request: PageRequest, case_id: FromPath[str]) -> Template | Redirect:
    """Take the case."""
    site = Site.of(request)
    try:
        await site.store.claim(case_id, request.user.name, allowed_groups=await site.allowed_groups(request.user.name))
    except ReviewError as error:
        return await _page(request, case_id, refused=error)
    return go(f"/zaak/{case_id}", done="claimed")


@post("/zaak/{case_id:str}/teruggeven", opt=MENTOR)
async def release(request: PageRequest, case_id: FromPath[str]) -> Template | Redirect:
    """Give the case back."""
    site = Site.of(request)
    try:
        await site.store.release(
            case_id, request.user.name, allowed_groups=await site.allowed_groups(request.user.name)
        )
    except ReviewError as error:
        return await _page(request, case_id, refused=error)
    return go(QUEUE, done="released")


@post("/zaak/{case_id:str}/oordeel", opt=MENTOR)
async def decide(request: PageRequest, case_id: FromPath[str]) -> Template | Redirect:
    """Give the messages that the mentor saw their outcome; one that joined meanwhile still waits."""
    return await _judge(request, case_id, revise=False)


@post("/zaak/{case_id:str}/herzien", opt=MENTOR)
async def revise(request: PageRequest, case_id: FromPath[str]) -> Template | Redirect:
    """Replace an outcome."""
    return await _judge(request, case_id, revise=True)


async def _judge(request: PageRequest, case_id: str, *, revise: bool) -> Template | Redirect:
    site = Site.of(request)
    form = await request.form()
    reason, chosen = str(form.get("reason", "")).strip(), str(form.get("outcome", ""))
    kept = Kept(str(form.get("form", "")), chosen, reason)
    if chosen not in tuple(Outcome):
        return await _page(request, case_id, refused="refused.outcome", kept=kept)
    mentor = request.user.name
    allowed = await site.allowed_groups(mentor)
    act = site.store.revise if revise else site.store.decide
    try:
        await act(case_id, _messages(form), mentor, Outcome(chosen), reason, allowed_groups=allowed)
    except ReviewError as error:
        return await _page(request, case_id, refused=error, kept=kept)
    if revise:
        return go(f"/zaak/{case_id}", done="decided")
    case = await site.store.case(case_id, allowed)
    return go(f"/zaak/{case_id}", done="decided") if case and case.summary.open else go(QUEUE, done="closed")


@post("/zaak/{case_id:str}/origineel", opt=MENTOR)
async def show_original(request: PageRequest, case_id: FromPath[str]) -> Template | Redirect:
    """Show a message as typed, from now until this mentor signs out; the audit trail has it first."""
    site = Site.of(request)
    message_id = str((await request.form()).get("message", ""))
    try:
        await site.store.show_original(
            case_id, message_id, request.user.name, allowed_groups=await site.allowed_groups(request.user.name)
        )
    except ReviewError as error:
        return await _page(request, case_id, refused=error)
    request.session[SHOWN] = sorted({*request.session.get(SHOWN, ()), message_id})
    return go(f"/zaak/{case_id}")


@post("/zaak/{case_id:str}/afzender", opt=MENTOR)
async def reveal(request: PageRequest, case_id: FromPath[str]) -> Template:
    """Tell who wrote a message, in this one answer; the name is kept nowhere."""
    site = Site.of(request)
    form = await request.form()
    message_id = str(form.get("message", ""))
    try:
        identity = await site.store.reveal_author(
            case_id,
            message_id,
            request.user.name,
            str(form.get("reason", "")).strip(),
            allowed_groups=await site.allowed_groups(request.user.name),
        )
    except ReviewError as error:
        return await _page(request, case_id, refused=error)
    return await _page(request, case_id, revealed=Revealed(message_id, identity.name, identity.author_id))


def _messages(form: FormMultiDict) -> list[str]:
    return [str(value) for value in form.getall("message", [])]


HANDLERS: Sequence[Any] = (case_page, claim, release, decide, revise, show_original, reveal)
