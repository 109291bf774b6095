"""Signing in and out, and the way from `/` to the first page of one's role."""

import re
from typing import Any

from litestar import Request, get, post
from litestar.params import FromQuery
from litestar.response import Redirect, Template

from dashboards import sessions
from dashboards.access import Role, for_everyone, for_roles
from dashboards.errors import SignInRefusedError, SignInThrottledError
from dashboards.metrics import Metrics
from dashboards.site import HOME, PageRequest, Site, go, page

_OWN_PATH = re.compile(r"/(?:[A-Za-z0-9_-]+/?)*")
"""Where one may go on to after signing in: a path of this site, without a host or a query."""


@get("/aanmelden", opt=for_everyone())
async def sign_in_form(
    request: Request[Any, Any, Any], naar: FromQuery[str] = "/", opnieuw: FromQuery[bool] = False
) -> Template | Redirect:
    """The form, or one's first page for people who are signed in already."""
    site = Site.of(request)
    person = await sessions.signed_in(request.session, site.accounts)
    if person is not None and not opnieuw:
        return go(HOME[person.role])
    return page(
        request, "sign_in.html", onward=naar, name="", problem=site.texts("sign_in.expired") if opnieuw else None
    )


@post("/aanmelden", opt=for_everyone())
async def sign_in(request: Request[Any, Any, Any]) -> Template | Redirect:
    """Begin a session under a new identifier; what went wrong does not tell whether the name exists."""
    site = Site.of(request)
    metrics = Metrics.of(request)
    form = await request.form()
    name, password = str(form.get("name", "")), str(form.get("password", ""))
    onward = str(form.get("naar", "/"))
    try:
        account = await site.accounts.sign_in(name, password, request.client.host if request.client else "")
    except SignInRefusedError as error:
        throttled = isinstance(error, SignInThrottledError)
        metrics.sign_ins.labels("throttled" if throttled else "refused").inc()
        return page(
            request,
            "sign_in.html",
            status=429 if throttled else 401,
            onward=onward,
            name=name,
            problem=site.texts("sign_in.throttled" if throttled else "sign_in.refused"),
        )
    metrics.sign_ins.labels("accepted").inc()
    await sessions.begin(request, account)
    return go(onward if _OWN_PATH.fullmatch(onward) else "/")


@post("/afmelden", opt=for_roles(*Role))
async def sign_out(request: PageRequest) -> Redirect:
    """End the session, also for whoever might hold a copy of its cookie."""
    sessions.end(request)
    return go("/aanmelden")


@get("/", opt=for_roles(*Role))
async def home(request: PageRequest) -> Redirect:
    """On to the first page of one's role."""
    return go(HOME[request.user.role])


HANDLERS = (sign_in_form, sign_in, sign_out, home)
