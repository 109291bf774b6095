"""The teacher's page: opt a class group in, pause, resume, a lesson, opt out. A teacher sees the own groups only."""

import time
from collections.abc import Sequence
from typing import Any

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect, Template

from dashboards.access import Role, for_roles
from dashboards.site import PageRequest, Site, go, page
from pipeline.errors import LedgerError
from pipeline.groups import Group, GroupOptIn, GroupState

TEACHER = for_roles(Role.TEACHER)
GROUPS = "/groepen"
PLATFORMS = ("whatsapp_export",)
"""Connectors that a teacher can choose; others are set up by whoever runs Vangnet."""
LESSON_MINUTES = (50, 100, 150)
"""One, two or three lessons."""


async def _page(request: PageRequest, *, problem: str | None = None, filled: dict[str, str] | None = None) -> Template:
    site = Site.of(request)
    now = time.time()
    own = [group for group in await site.ledger.list() if group.teacher == request.user.name]
    return page(
        request,
        "groups.html",
        status=400 if problem else 200,
        groups=[(group, group.state(now)) for group in own],
        states=GroupState,
        platforms=PLATFORMS,
        lesson_minutes=LESSON_MINUTES,
        problem=site.texts(problem) if problem else None,
        filled=filled or {},
    )


async def _own(request: PageRequest, group_id: str) -> Group:
    """A group of this teacher; any other is absent."""
    group = await Site.of(request).ledger.get(group_id)
    if group is None or group.teacher != request.user.name:
        raise NotFoundException
    return group


@get(GROUPS, opt=TEACHER)
async def groups_page(request: PageRequest) -> Template:
    """The teacher's groups and the form to opt one in."""
    return await _page(request)


@post(GROUPS, opt=TEACHER)
async def opt_in(request: PageRequest) -> Template | Redirect:
    """Opt a group in until the end of the school year."""
    site = Site.of(request)
    form = await request.form()
    filled = {name: str(form.get(name, "")).strip() for name in ("name", "platform", "platform_group", "purpose")}
    if not all(filled.values()) or filled["platform"] not in PLATFORMS:
        return await _page(request, problem="refused.group", filled=filled)
    if await site.ledger.by_platform(filled["platform"], filled["platform_group"]) is not None:
        return await _page(request, problem="refused.group_taken", filled=filled)
    try:
        await site.ledger.add(
            GroupOptIn(
                name=filled["name"],
                platform=filled["platform"],
                platform_group=filled["platform_group"],
                purpose=filled["purpose"],
                teacher=request.user.name,
            )
        )
    except LedgerError:
        # Not printable, too long, or taken a moment ago.
        return await _page(request, problem="refused.group", filled=filled)
    return go(GROUPS, done="opted_in")


@post("/groepen/{group_id:str}/pauzeren", opt=TEACHER)
async def pause(request: PageRequest, group_id: FromPath[str]) -> Redirect:
    """Stop reading."""
    group = await _own(request, group_id)
    await Site.of(request).ledger.pause(group.id)
    return go(GROUPS, done="paused")


@post("/groepen/{group_id:str}/hervatten", opt=TEACHER)
async def resume(request: PageRequest, group_id: FromPath[str]) -> Redirect:
    """Read again."""
    group = await _own(request, group_id)
    await Site.of(request).ledger.resume(group.id)
    return go(GROUPS, done="resumed")


@post("/groepen/{group_id:str}/les", opt=TEACHER)
async def lesson(request: PageRequest, group_id: FromPath[str]) -> Redirect:
    """Suspend flagging for a lesson about social media (protocol 4.b); 0 minutes ends it now."""
    group = await _own(request, group_id)
    typed = str((await request.form()).get("minutes", ""))
    minutes = int(typed) if typed in {str(choice) for choice in (0, *LESSON_MINUTES)} else LESSON_MINUTES[0]
    await Site.of(request).ledger.lesson(group.id, time.time() + minutes * 60)
    return go(GROUPS, done="lesson" if minutes else "lesson_off")


@post("/groepen/{group_id:str}/afmelden", opt=TEACHER)
async def opt_out(request: PageRequest, group_id: FromPath[str]) -> Template | Redirect:
    """Opt the group out: waiting messages and context are erased at once."""
    group = await _own(request, group_id)
    if (await request.form()).get("sure") != "ja":
        return await _page(request, problem="refused.unsure")
    await Site.of(request).ledger.remove(group.id)
    return go(GROUPS, done="opted_out")


HANDLERS: Sequence[Any] = (groups_page, opt_in, pause, resume, lesson, opt_out)
