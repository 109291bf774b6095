"""What every page needs, in one object that the application holds: store, ledger, accounts, texts, the protocol.

Also how a page is made: the template gets the person, the menu of this role and the texts; nothing else by itself.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Request
from litestar.response import Redirect, Template

from classifiers.protocol import Clause, Protocol
from dashboards.access import Person, Role
from dashboards.accounts import Accounts
from dashboards.review.live import Revisions
from dashboards.texts import Texts, decimal, whole
from pipeline.groups import Group, GroupLedger, RemovedGroup
from pipeline.review.store import ReviewStore
from pipeline.settings import Settings

PageRequest = Request[Person, Any, Any]
HOME: Mapping[Role, str] = {Role.MENTOR: "/meldingen", Role.TEACHER: "/groepen", Role.MANAGER: "/cijfers"}
MENU: Mapping[Role, tuple[tuple[str, str], ...]] = {
    Role.MENTOR: (
        ("nav.queue", "/meldingen"),
        ("nav.parked", "/niet-beoordeeld"),
        ("nav.closed", "/afgesloten"),
    ),
    Role.TEACHER: (("nav.groups", "/groepen"),),
    Role.MANAGER: (("nav.figures", "/cijfers"),),
}


@dataclass(frozen=True, slots=True)
class MenuLink:
    """One entry of the menu."""

    href: str
    text: str


@dataclass(frozen=True, slots=True)
class Site:
    """The parts behind the pages."""

    settings: Settings
    store: ReviewStore
    ledger: GroupLedger
    accounts: Accounts
    texts: Texts
    protocol: Protocol
    revisions: Revisions

    @classmethod
    def of(cls, request: Request[Any, Any, Any]) -> "Site":
        """The site of the application that serves this request."""
        site: Site = request.app.state["site"]
        return site

    async def group_names(self) -> dict[str, str]:
        """Names of the groups in the ledger by id."""
        return {group.id: group.name for group in await self.ledger.list()}

    async def allowed_groups(self, mentor: str) -> frozenset[str] | None:
        """Ids of the groups whose flags this mentor may see; None when no group shuts this mentor out."""
        # A group that opted out keeps its mentors for the cases that are left.
        groups: list[Group | RemovedGroup] = [*await self.ledger.list(), *await self.ledger.removed()]
        allowed = frozenset(group.id for group in groups if not group.mentors or mentor in group.mentors)
        return None if len(allowed) == len(groups) else allowed

    def clause(self, clause_id: str) -> Clause | None:
        """A clause of the protocol; None for one that an earlier version of it had."""
        return next((clause for clause in self.protocol.clauses if clause.id == clause_id), None)


def page(request: Request[Any, Any, Any], template: str, *, status: int = 200, **values: Any) -> Template:  # noqa: ANN401  # whatever the template shows
    """A page of the signed-in person, or of nobody."""
    site = Site.of(request)
    texts = site.texts
    person = request.scope.get("user")
    menu = [MenuLink(href, texts(name)) for name, href in MENU[person.role]] if isinstance(person, Person) else []
    done = request.query_params.get("gedaan", "")
    context = {
        "t": texts,
        "person": person,
        "menu": menu,
        "here": request.url.path,
        "done": texts.by_name.get(f"done.{done}") if "{" not in texts.by_name.get(f"done.{done}", "{") else None,
        "problem": None,
        "waiting": lambda since: _waiting(texts, since),
        "clause_title": lambda clause_id: clause.title if (clause := site.clause(clause_id)) else "",
        "rule_names": lambda rules: ", ".join(texts.known("raised", rule) for rule in rules),
        "decimal": decimal,
        "whole": whole,
        **values,
    }
    return Template(template, context=context, status_code=status)


def go(path: str, *, done: str = "") -> Redirect:
    """After a form: on to a page by GET, with a code (never a text of a person) for what was done."""
    return Redirect(f"{path}?gedaan={done}" if done else path, status_code=303)


def _waiting(texts: Texts, since: float) -> str:
    seconds = max(0.0, time.time() - since)
    return texts("queue.just_now") if seconds < 60 else texts("queue.waiting", age=texts.age(seconds))
