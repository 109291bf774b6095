"""The web application on a real server, people who are signed in, and flags to look at."""

import itertools
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from argon2 import PasswordHasher
from litestar import Litestar
from redis.asyncio import Redis

from dashboards.access import Role
from dashboards.accounts import Accounts
from dashboards.web import create_app
from pipeline.events import ContextMessage, FailedMessage, Flag
from pipeline.groups import Group, GroupLedger, GroupOptIn
from pipeline.privacy import Keyring
from pipeline.review.store import ReviewStore
from pipeline.settings import Settings, load_settings

PASSWORD = "vangnet-proef-1"
QUICK_HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
"""The tests are not about the cost of a hash."""
_FORM_TOKEN = re.compile(r'name="_csrf_token" value="([^"]+)"')
_numbers = itertools.count(1)


def client_of(app: Litestar, address: str = "127.0.0.1") -> httpx.AsyncClient:
    """A client that calls the application in this event loop, from an address."""
    transport = httpx.ASGITransport(cast("Any", app), raise_app_exceptions=False, client=(address, 5000))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080")


@dataclass
class Browser:
    """A client that keeps cookies and fills in forms, as a browser without JavaScript does."""

    http: httpx.AsyncClient

    async def get(self, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401  # handed on
        return await self.http.get(path, **options)

    async def submit(
        self, page: str, action: str, values: Mapping[str, str | Sequence[str]] | None = None
    ) -> httpx.Response:
        """Load a page for its form's token and send a form from it."""
        token = _FORM_TOKEN.search((await self.http.get(page)).text)
        assert token is not None, f"no form on {page}"
        form: dict[str, str | Sequence[str]] = {"_csrf_token": token[1], **(values or {})}
        return await self.http.post(action, data=form)

    async def sign_in(self, name: str, password: str = PASSWORD, **more: str) -> httpx.Response:
        return await self.submit("/aanmelden", "/aanmelden", {"name": name, "password": password, **more})


@dataclass
class School:
    """One installation as a test sees it."""

    app: Litestar
    redis: Redis
    keyring: Keyring
    store: ReviewStore
    ledger: GroupLedger
    accounts: Accounts
    settings: Settings
    stack: AsyncExitStack = field(repr=False)

    async def browser(self) -> Browser:
        """A browser of nobody in particular."""
        return Browser(await self.stack.enter_async_context(client_of(self.app)))

    async def person(self, role: Role, name: str | None = None) -> Browser:
        """A browser of a new user who is signed in."""
        name = name or f"{role}.{next(_numbers)}"
        await self.accounts.add(name, role, PASSWORD)
        browser = await self.browser()
        answer = await browser.sign_in(name)
        assert answer.status_code == 303, answer.text
        return browser

    async def group(self, name: str = "Klas 2B", teacher: str = "docent", mentors: tuple[str, ...] = ()) -> Group:
        return await self.ledger.add(
            GroupOptIn(
                name=name,
                platform="whatsapp_export",
                platform_group=f"{name} {next(_numbers)}",
                teacher=teacher,
                purpose="een veilige groepsapp",
                mentors=mentors,
            )
        )

    def flag(
        self,
        group: Group | str,
        text: str = "niemand wil jou hier, ga uit de app",
        **values: Any,  # noqa: ANN401  # fields
    ) -> Flag:
        """A flag as the scoring agent sends it."""
        return self.flag_of(self.keyring, group if isinstance(group, str) else group.id, text, **values)

    @staticmethod
    def flag_of(keyring: Keyring, group: str, text: str, **values: Any) -> Flag:  # noqa: ANN401  # fields
        """A flag of a group, without a school around it."""
        number = next(_numbers)
        sent_at = values.pop("sent_at", time.time() - 60)
        labels: tuple[str, ...] = values.pop("labels", ("pesten",))
        given: dict[str, Any] = {
            "message_id": f"bericht-{number}",
            "author": f"auteur-{number}",
            "author_sealed": keyring.seal_identity("Sem Verzonnen", "+31600000001"),
            "received_at": sent_at + 1,
            "scored_at": sent_at + 2,
            "score": 0.87,
            "scores": dict.fromkeys(labels, 0.83),
            "clauses": ("5.1.i",),
            "severity": 2,
            "spans": ((0, len(text.split(maxsplit=1)[0]), "WORD"),),
            "why": tuple(f"{label} 0.83 (proef-1)" for label in labels),
            "model": "proef-1",
        }
        return Flag(group=group, text=text, sent_at=sent_at, labels=labels, **{**given, **values})

    async def case(self, group: Group | str, text: str = "niemand wil jou hier, ga uit de app", **values: Any) -> str:  # noqa: ANN401  # fields
        """Put a flag into the store and give its case's id."""
        flag = self.flag(group, text, **values)
        assert await self.store.add_flag(flag)
        for summary in await self.store.queue(None):
            case = await self.store.case(summary.case_id, None)
            if case is not None and any(message.message_id == flag.message_id for message in case.messages):
                return summary.case_id
        raise AssertionError

    async def park(self, group: Group, reason: str = "scoring_error") -> None:
        await self.store.park(
            FailedMessage(
                message_id=f"mislukt-{next(_numbers)}", group=group.id, reason=reason, attempts=3, failed_at=time.time()
            )
        )


def context(text: str, author: str = "noor", seconds_ago: float = 120) -> ContextMessage:
    """A message that stood before a flagged one."""
    return ContextMessage(
        message_id=f"ervoor-{next(_numbers)}", author=author, text=text, sent_at=time.time() - seconds_ago
    )


MakeSchool = Callable[..., Awaitable[School]]


@pytest.fixture(scope="session")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return Keyring.open(Path(tmp_path_factory.mktemp("keys")) / "keys")


@pytest.fixture
async def make_school(redis: Redis, keyring: Keyring, tmp_path: Path) -> AsyncIterator[MakeSchool]:
    """Make an installation; keyword arguments are settings."""
    async with AsyncExitStack() as stack:

        async def make(**settings: object) -> School:
            chosen = load_settings(**{"data": tmp_path / "var", "keys": tmp_path / "keys", **settings})
            store = ReviewStore(redis, keyring, overdue_hours=chosen.overdue_hours)
            ledger = GroupLedger(redis, keyring)
            accounts = Accounts(redis, hasher=QUICK_HASHER)
            app = create_app(chosen, store, ledger, redis, keyring, accounts=accounts)
            return School(app, redis, keyring, store, ledger, accounts, chosen, stack)

        yield make


@pytest.fixture
async def school(make_school: MakeSchool) -> School:
    return await make_school()
