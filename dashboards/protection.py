"""What every answer carries against framing, leaking, sniffing and foreign scripts, and what a refusal looks like."""

import logging
from typing import Any

from litestar import Request
from litestar.datastructures import MutableScopeHeaders
from litestar.exceptions import HTTPException, PermissionDeniedException
from litestar.response import Redirect, Response
from litestar.types import BeforeMessageSendHookHandler, Message, Scope
from redis.exceptions import RedisError

from dashboards.sessions import COOKIE
from dashboards.site import Site, page

logger = logging.getLogger(__name__)

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_STATIC = "/static/"


def guard_answers(*, https: bool) -> BeforeMessageSendHookHandler:
    """Add the headers to every answer; nothing but the static files may be kept by a browser or proxy."""

    async def add(message: Message, scope: Scope) -> None:
        if message["type"] != "http.response.start":
            return
        headers = MutableScopeHeaders.from_message(message)
        for name, value in HEADERS.items():
            headers[name] = value
        headers["Cache-Control"] = "public, max-age=300" if scope["path"].startswith(_STATIC) else "no-store"
        if https:
            headers["Strict-Transport-Security"] = "max-age=31536000"

    return add


def refuse(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any] | Redirect:
    """One answer for what is absent, forbidden, of the wrong kind or without its token.

    Without a session the way leads to the sign-in page, with one the page is not there: neither tells whether the
    page exists, and both are the same for a page that does and one that does not.
    """
    if isinstance(error, PermissionDeniedException) and request.url.path == "/aanmelden":
        # Its token ran out while the form stood open.
        return Redirect("/aanmelden?opnieuw=1", status_code=303)
    if request.cookies.get(COOKIE) is None:
        onward = request.url.path if request.method == "GET" else "/"
        return Redirect("/aanmelden" if onward == "/" else f"/aanmelden?naar={onward}", status_code=303)
    return _notice(request, "absent", 404)


def malformed(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any] | Redirect:
    """A request that no page of ours makes."""
    return refuse(request, error) if error.status_code in (401, 403, 404, 405) else _notice(request, "failure", 400)


def unreachable(request: Request[Any, Any, Any], error: RedisError) -> Response[Any]:
    """The store does not answer."""
    logger.error("the store does not answer (%s) on %s", type(error).__name__, request.method)
    return _notice(request, "unavailable", 503)


def failed(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """A fault of ours: told in the log without the request's content, and to the person without details."""
    logger.error("a page failed with %s", type(error).__name__, exc_info=error)
    return _notice(request, "failure", 500)


def _notice(request: Request[Any, Any, Any], name: str, status: int) -> Response[Any]:
    texts = Site.of(request).texts
    if request.url.path == "/health":
        return Response({"status": name}, status_code=status)
    # Whether the person is known depends on how far the request came, and that on whether the page exists: so the
    # notice is nobody's, without a name and a menu.
    return page(
        request,
        "message_page.html",
        status=status,
        person=None,
        menu=(),
        heading=texts(f"{name}.title"),
        body=texts(f"{name}.body"),
    )


EXCEPTION_HANDLERS = {HTTPException: malformed, RedisError: unreachable, Exception: failed}
