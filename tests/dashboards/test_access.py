"""Who may see what."""

import re
from collections.abc import Iterator

import httpx
import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

from dashboards.access import PUBLIC, ROLES, Person, Role, for_everyone, for_roles, may_use
from tests.dashboards.conftest import Browser, School

OPEN_ROUTES = {
    ("GET", "/aanmelden"),
    ("POST", "/aanmelden"),
    ("GET", "/health"),
    ("GET", "/metrics"),
    ("GET", "/static/{file_path:path}"),
    ("HEAD", "/static/{file_path:path}"),
}
"""All that people who are not signed in may reach; anything more is a decision that this list must show."""


def routes(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    """Every route of the application but the automatic OPTIONS."""
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            for method in sorted(handler.http_methods - {"OPTIONS"}):
                yield method, route.path, handler


def filled(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "0123456789abcdef", path)


async def send(browser: Browser, method: str, path: str) -> httpx.Response:
    """A request with a valid form token, so that the token is not what refuses it."""
    token = browser.http.cookies.get("vangnet_form")
    if token is None:
        await browser.get("/aanmelden")
        token = browser.http.cookies["vangnet_form"]
    return await browser.http.request(method, path, data={"_csrf_token": token} if method != "GET" else None)


def answer_of(response: httpx.Response) -> tuple[int, str, str]:
    return response.status_code, response.headers.get("location", ""), response.text


def test_a_route_that_names_no_role_is_closed_to_everyone() -> None:
    """Forgetting to say who may use a route closes it."""
    people = [None, *(Person("iemand", role) for role in Role)]
    assert not any(may_use(person, {}) for person in people)
    assert not any(may_use(person, {PUBLIC: "ja"}) for person in people)
    assert all(may_use(person, for_everyone()) for person in people)
    assert [may_use(person, for_roles(Role.TEACHER)) for person in people] == [False, False, False, True]


async def test_every_route_says_who_may_use_it(school: School) -> None:
    """Each route names its roles or is on the short list of open ones."""
    found = {(method, path) for method, path, handler in routes(school.app) if handler.opt.get(PUBLIC) is True}
    assert found == OPEN_ROUTES
    for method, path, handler in routes(school.app):
        if (method, path) not in OPEN_ROUTES:
            assert handler.opt.get(ROLES), f"{method} {path} names no role"


async def test_nobody_in_particular_is_sent_to_the_sign_in_page_whether_the_page_exists_or_not(school: School) -> None:
    """Someone who is not signed in learns nothing about which pages there are."""
    browser = await school.browser()
    for method, path, _ in routes(school.app):
        if (method, path) in OPEN_ROUTES:
            continue
        there, absent = await send(browser, method, filled(path)), await send(browser, method, "/bestaat-niet")
        assert there.status_code == absent.status_code == 303, f"{method} {path}"
        for answer in (there, absent):
            assert answer.headers["location"].partition("?")[0] == "/aanmelden"
        assert there.text == absent.text


@pytest.mark.parametrize("role", list(Role))
async def test_what_a_role_may_not_see_looks_as_if_it_were_absent(school: School, role: Role) -> None:
    """A wrong role gets, on every route, exactly the answer of a page that does not exist."""
    browser = await school.person(role)
    absent = {method: answer_of(await send(browser, method, "/bestaat-niet")) for method in ("GET", "POST")}
    refused = 0
    for method, path, handler in routes(school.app):
        if (method, path) in OPEN_ROUTES or role in handler.opt[ROLES]:
            continue
        refused += 1
        assert answer_of(await send(browser, method, filled(path))) == absent[method], f"{method} {path}"
    assert refused >= 5
    assert absent["GET"][0] == absent["POST"][0] == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_a_wrong_method_tells_nothing_either(school: School, method: str) -> None:
    """A method that a page does not know is answered as a page that does not exist."""
    for browser in (await school.browser(), await school.person(Role.TEACHER)):
        existing, absent = [await send(browser, method, path) for path in ("/cijfers", "/bestaat-niet")]
        assert answer_of(existing) == answer_of(absent)


async def test_a_mentor_does_not_see_cases_of_groups_with_other_mentors(school: School) -> None:
    """A case of a group that shuts this mentor out is absent from queue, page and acts."""
    closed = await school.group("Klas 3C", mentors=("bram",))
    open_to_all = await school.group("Klas 1A")
    hidden, shown = await school.case(closed), await school.case(open_to_all)
    anna, bram = await school.person(Role.MENTOR, "anna"), await school.person(Role.MENTOR, "bram")
    assert hidden not in (await anna.get("/meldingen")).text
    assert shown in (await anna.get("/meldingen")).text
    assert hidden in (await bram.get("/meldingen")).text
    assert answer_of(await anna.get(f"/zaak/{hidden}")) == answer_of(await anna.get("/bestaat-niet"))
    for act in ("behandelen", "teruggeven", "oordeel", "herzien", "origineel", "afzender"):
        values = {"outcome": "upheld", "reason": "r", "message": "m"}
        assert (await anna.submit(f"/zaak/{shown}", f"/zaak/{hidden}/{act}", values)).status_code == 404, act
    assert [entry.actor for entry in await school.store.audit(hidden, None)] == ["vangnet"]


async def test_a_teacher_does_not_see_or_change_groups_of_another_teacher(school: School) -> None:
    """A group of someone else is absent, for every act."""
    other = await school.group("Klas 3C", teacher="ander")
    teacher = await school.person(Role.TEACHER, "docent")
    assert "Klas 3C" not in (await teacher.get("/groepen")).text
    for act in ("pauzeren", "hervatten", "les", "afmelden"):
        answer = await teacher.submit("/groepen", f"/groepen/{other.id}/{act}", {"sure": "ja", "minutes": "50"})
        assert answer_of(answer) == answer_of(await teacher.get("/bestaat-niet")), act
    kept = await school.ledger.get(other.id)
    assert kept is not None
    assert not kept.paused
    assert kept.lesson_until is None
