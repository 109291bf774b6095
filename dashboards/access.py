"""Who may see what: three roles, and nothing is allowed unless a route says so.

A route names its roles in `opt` (`opt=for_roles(Role.MENTOR)`); a route that names none is closed to everyone. What one
may not see answers exactly as what does not exist.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import NotFoundException
from litestar.handlers import BaseRouteHandler


class Role(StrEnum):
    """What a user is at the school. Values are stable: stored and typed on the command line."""

    MENTOR = "mentor"
    """Judges flags."""
    MANAGER = "manager"
    """Sees figures, never a message or a name."""
    TEACHER = "teacher"
    """Opts class groups in and out."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in."""

    name: str
    role: Role


ROLES = "roles"
PUBLIC = "public"
"""Key in a route's `opt` that opens it to people who are not signed in; `sessions` skips its check there."""


def for_roles(*roles: Role) -> dict[str, Any]:
    """The `opt` of a route that these roles may use."""
    return {ROLES: frozenset(roles)}


def for_everyone() -> dict[str, Any]:
    """The `opt` of a route that needs no sign-in."""
    return {PUBLIC: True}


def may_use(person: Person | None, opt: dict[str, Any]) -> bool:
    """Whether a person may use a route with this `opt`. Says no to everything it was not told about."""
    if opt.get(PUBLIC) is True:
        return True
    return person is not None and person.role in opt.get(ROLES, frozenset())


def refuse_by_default(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Litestar guard on the whole application.

    Raises:
        NotFoundException: The person may not use this route; it looks as if it did not exist.
    """
    if not may_use(connection.scope.get("user"), handler.opt):
        raise NotFoundException
