"""Sessions: Litestar's server-side sessions in Redis, with three things made tighter.

A new identifier at every sign-in (no fixation), a keyed hash of it as the stored key (a copy of the store opens no
session), and no cookie for people who are not signed in. A session ends after a working day, when it is idle, at
sign-out and when the password is reset.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie, MutableScopeHeaders
from litestar.middleware.session.server_side import ServerSideSessionBackend, ServerSideSessionConfig
from litestar.security.session_auth import SessionAuth
from litestar.stores.base import Store
from litestar.types import Empty, Message, ScopeSession

from dashboards.access import PUBLIC, Person
from dashboards.accounts import Account, Accounts

COOKIE = "vangnet_session"
STORE = "sessions"
CONFIG = "sessions_config"
"""Key of the configuration in the application's state."""
IDLE_SECONDS = 2 * 3600
LONGEST_SECONDS = 10 * 3600
_RENEWED = "vangnet_session_id"
_LOADED = "vangnet_session_loaded"

Connection = ASGIConnection[Any, Any, Any, Any]


class Sessions(ServerSideSessionBackend):
    """Where a session lives and which cookie leads to it."""

    config: "SessionsConfig"

    def get_session_id(self, connection: Connection) -> str:
        """The identifier of this request's session; the one made at sign-in goes before the one the browser sent."""
        return connection.scope["state"].get(_RENEWED) or super().get_session_id(connection)

    async def get(self, session_id: str, store: Store) -> bytes | None:
        """The stored session, or None."""
        return await super().get(self._stored_as(session_id), store)

    async def set(self, session_id: str, data: bytes, store: Store) -> None:
        """Store the session and start its idle time again."""
        await super().set(self._stored_as(session_id), data, store)

    async def delete(self, session_id: str, store: Store) -> None:
        """Forget the session."""
        await super().delete(self._stored_as(session_id), store)

    async def load_from_connection(self, connection: Connection) -> dict[str, Any]:
        """The session of the browser's cookie; empty when there is none."""
        session = await super().load_from_connection(connection)
        connection.scope["state"][_LOADED] = dict(session)
        return session

    async def store_in_message(self, scope_session: ScopeSession, message: Message, connection: Connection) -> None:
        """Store what changed, renew the cookie of people who are signed in, and take it back when the session ended.

        A session that did not change is not written again: a slow page would bring it back after signing out.
        """
        state = connection.scope["state"]
        if scope_session == Empty or not scope_session:
            if session_id := connection.cookies.get(COOKIE):
                await self.delete(session_id, self.config.get_store_from_app(connection.scope["app"]))
                self._send_cookie(message, "", max_age=0)
        elif scope_session != state.get(_LOADED) or _RENEWED in state:
            await super().store_in_message(scope_session, message, connection)
        else:
            self._send_cookie(message, self.get_session_id(connection), max_age=self.config.max_age)

    def _send_cookie(self, message: Message, value: str, *, max_age: int) -> None:
        cookie = Cookie(
            key=COOKIE,
            value=value,
            max_age=max_age,
            httponly=self.config.httponly,
            samesite=self.config.samesite,
            secure=self.config.secure,
        )
        MutableScopeHeaders.from_message(message).add("Set-Cookie", cookie.to_header(header=""))

    def _stored_as(self, session_id: str) -> str:
        return hmac.new(self.config.secret, session_id.encode(), hashlib.sha256).hexdigest()


@dataclass
class SessionsConfig(ServerSideSessionConfig):
    """Cookie settings, and the key of the stored identifiers."""

    _backend_class = Sessions

    secret: bytes = field(default=b"", repr=False)


def sessions_config(secret: bytes, *, https: bool) -> SessionsConfig:
    """Cookies that scripts cannot read, other sites cannot use and, behind https, plain http does not carry."""
    return SessionsConfig(
        secret=secret,
        key=COOKIE,
        store=STORE,
        max_age=IDLE_SECONDS,
        renew_on_access=True,
        httponly=True,
        samesite="strict",
        secure=https,
    )


def session_auth(config: SessionsConfig, accounts: Accounts) -> SessionAuth[Person, Sessions]:
    """Litestar's session authentication: a person for every request, except on public routes."""
    return SessionAuth[Person, Sessions](
        retrieve_user_handler=_person_of(accounts),
        session_backend_config=config,  # type: ignore[arg-type]  # the parent config names its own backend
        exclude_opt_key=PUBLIC,
        exclude_http_methods=[],
    )


async def begin(connection: Connection, account: Account) -> None:
    """Start a session for an account under a new identifier; the one the browser came with is gone."""
    if old := connection.cookies.get(COOKIE):
        config: SessionsConfig = connection.app.state[CONFIG]
        await Sessions(config).delete(old, config.get_store_from_app(connection.app))
    connection.scope["state"][_RENEWED] = secrets.token_hex(32)
    connection.scope["session"] = {
        "user": account.name,
        "generation": account.generation,
        "since": time.time(),
    }


def end(connection: Connection) -> None:
    """End this request's session; the middleware takes the cookie back."""
    connection.scope["session"] = Empty


async def signed_in(session: dict[str, Any], accounts: Accounts) -> Person | None:
    """The person of a session, or None when it is too old or the password was reset since."""
    if not 0 <= time.time() - session.get("since", 0.0) < LONGEST_SECONDS:
        return None
    account = await accounts.get(str(session.get("user", "")))
    if account is None or not secrets.compare_digest(account.generation, str(session.get("generation", ""))):
        return None
    return account.person


def _person_of(accounts: Accounts) -> Callable[[dict[str, Any], Connection], Awaitable[Person | None]]:
    async def person(session: dict[str, Any], _connection: Connection) -> Person | None:
        return await signed_in(session, accounts)

    return person
