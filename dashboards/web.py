"""The web application: routes, sessions, protection and texts put together; nothing happens at import."""

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Litestar, Request
from litestar.config.csrf import CSRFConfig
from litestar.datastructures import State
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.static_files import create_static_files_router
from litestar.stores.redis import RedisStore
from litestar.template.config import TemplateConfig
from redis.asyncio import Redis

from classifiers.protocol import load_clauses
from dashboards import metrics, sign_in
from dashboards.access import for_everyone, refuse_by_default
from dashboards.accounts import Accounts
from dashboards.groups import pages as groups_pages
from dashboards.management import pages as management_pages
from dashboards.metrics import Metrics
from dashboards.protection import EXCEPTION_HANDLERS, guard_answers
from dashboards.review import case_pages
from dashboards.review import pages as review_pages
from dashboards.review.live import Revisions
from dashboards.sessions import CONFIG, STORE, session_auth, sessions_config
from dashboards.site import Site
from dashboards.texts import load_texts
from pipeline.groups import GroupLedger
from pipeline.privacy import Keyring
from pipeline.review.store import ReviewStore
from pipeline.settings import Settings

_LARGEST_FORM = 64 * 1024
"""Bytes; a reason of 2,000 characters and the ids of a case's messages fit many times."""


def create_app(
    settings: Settings,
    store: ReviewStore,
    ledger: GroupLedger,
    redis: Redis,
    keyring: Keyring,
    *,
    accounts: Accounts | None = None,
) -> Litestar:
    """Make the web application.

    Args:
        settings: Of the installation; `web_https` decides about secure cookies.
        store: Flags and cases.
        ledger: Opted-in groups.
        redis: For accounts and sessions; a client that answers in bytes. Stays open: the caller closes it.
        keyring: Its session key signs forms and hides stored session identifiers.
        accounts: Another set of users; of `redis` when left out.

    Returns:
        An ASGI application; `app.state["site"].revisions.close()` ends the live streams before a shutdown.
    """
    accounts = accounts or Accounts(redis)
    site = Site(
        settings=settings,
        store=store,
        ledger=ledger,
        accounts=accounts,
        texts=load_texts(),
        protocol=load_clauses(),
        revisions=Revisions.of(store),
    )
    config = sessions_config(_derived(keyring, b"sessions"), https=settings.web_https)
    folder = Path(str(files("dashboards")))
    static = create_static_files_router("/static", [folder / "static"], opt={**for_everyone(), "skip_session": True})
    return Litestar(
        route_handlers=[
            static,
            *sign_in.HANDLERS,
            *metrics.HANDLERS,
            *review_pages.HANDLERS,
            *case_pages.HANDLERS,
            *groups_pages.HANDLERS,
            *management_pages.HANDLERS,
        ],
        guards=[refuse_by_default],
        middleware=[session_auth(config, accounts).middleware],
        csrf_config=CSRFConfig(
            secret=_derived(keyring, b"forms").hex(),
            cookie_name="vangnet_form",
            cookie_secure=settings.web_https,
            cookie_httponly=True,
            cookie_samesite="strict",
        ),
        stores={STORE: RedisStore(redis, namespace="vangnet:sessions")},
        template_config=TemplateConfig(instance=_engine(folder / "templates")),
        exception_handlers=EXCEPTION_HANDLERS,  # type: ignore[arg-type]  # a handler each for its own exception
        before_send=[guard_answers(https=settings.web_https)],
        lifespan=[_live],
        state=State({"site": site, "metrics": Metrics(), CONFIG: config}),
        request_max_body_size=_LARGEST_FORM,
        request_class=Request,
        openapi_config=None,
        logging_config=None,
    )


@asynccontextmanager
async def _live(app: Litestar) -> AsyncIterator[None]:
    revisions: Revisions = app.state["site"].revisions
    revisions.start()
    try:
        yield
    finally:
        await revisions.close()


def _derived(keyring: Keyring, purpose: bytes) -> bytes:
    """One key for each purpose, so that neither use weakens the other."""
    return hmac.digest(keyring.session, purpose, "sha256")


def _engine(folder: Path) -> JinjaTemplateEngine:
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return JinjaTemplateEngine.from_environment(environment)
