"""Signing in and out, sessions and forms."""

import time

import pytest
import time_machine

from dashboards.access import Role
from dashboards.accounts import ATTEMPTS_PER_NAME
from dashboards.sessions import COOKIE, IDLE_SECONDS, LONGEST_SECONDS
from tests.dashboards.conftest import PASSWORD, MakeSchool, School

FIRST_PAGES = {Role.MENTOR: "/meldingen", Role.TEACHER: "/groepen", Role.MANAGER: "/cijfers"}


@pytest.mark.parametrize("role", list(Role))
async def test_each_role_comes_to_its_own_first_page(school: School, role: Role) -> None:
    """After signing in, `/` leads to the page of one's role."""
    browser = await school.person(role)
    answer = await browser.get("/")
    assert answer.headers["location"] == FIRST_PAGES[role]
    assert (await browser.get(FIRST_PAGES[role])).status_code == 200
    assert (await browser.get("/aanmelden")).headers["location"] == FIRST_PAGES[role]


async def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(school: School) -> None:
    """Nobody learns from the answer whether a name exists."""
    await school.accounts.add("anna", Role.MENTOR, PASSWORD)
    browser = await school.browser()
    wrong_password = await browser.sign_in("anna", "verkeerd-wachtwoord")
    wrong_name = await browser.sign_in("anne", "verkeerd-wachtwoord")
    assert wrong_password.status_code == wrong_name.status_code == 401
    assert wrong_password.text.replace("anna", "anne") == wrong_name.text
    assert COOKIE not in browser.http.cookies


async def test_too_many_wrong_passwords_close_the_name_for_a_while(school: School) -> None:
    """After five wrong passwords even the right one is refused, and the page says what to do."""
    await school.accounts.add("anna", Role.MENTOR, PASSWORD)
    browser = await school.browser()
    for _ in range(ATTEMPTS_PER_NAME):
        assert (await browser.sign_in("anna", "verkeerd-wachtwoord")).status_code == 401
    answer = await browser.sign_in("anna")
    assert answer.status_code == 429
    assert school.app.state["site"].texts("sign_in.throttled") in answer.text


async def test_the_session_identifier_is_new_after_signing_in(school: School) -> None:
    """An identifier that someone planted in the browser before is worth nothing (session fixation)."""
    await school.accounts.add("anna", Role.MENTOR, PASSWORD)
    browser = await school.browser()
    browser.http.cookies.set(COOKIE, "a" * 64, domain="127.0.0.1")
    await browser.sign_in("anna")
    chosen = browser.http.cookies.get(COOKIE, domain="127.0.0.1") or browser.http.cookies[COOKIE]
    assert chosen != "a" * 64
    intruder = await school.browser()
    intruder.http.cookies.set(COOKIE, "a" * 64)
    assert (await intruder.get("/meldingen")).status_code == 404


async def test_signing_in_again_ends_the_session_before(school: School) -> None:
    """The identifier that the browser came with opens nothing any more."""
    browser = await school.person(Role.MENTOR, "anna")
    first = browser.http.cookies[COOKIE]
    await browser.submit("/aanmelden?opnieuw=1", "/aanmelden", {"name": "anna", "password": PASSWORD})
    assert browser.http.cookies[COOKIE] != first
    copy = await school.browser()
    copy.http.cookies.set(COOKIE, first)
    assert (await copy.get("/meldingen")).status_code == 404


async def test_signing_out_ends_the_session_for_a_copy_of_its_cookie_too(school: School) -> None:
    """Sign-out happens at the server, not only in this browser."""
    browser = await school.person(Role.MENTOR)
    copy = await school.browser()
    copy.http.cookies.set(COOKIE, browser.http.cookies[COOKIE])
    assert (await copy.get("/meldingen")).status_code == 200
    assert (await browser.submit("/meldingen", "/afmelden")).headers["location"] == "/aanmelden"
    assert COOKIE not in browser.http.cookies
    assert (await copy.get("/meldingen")).status_code == 404


async def test_a_password_reset_ends_all_sessions_of_the_user(school: School) -> None:
    """Whoever sits behind an old session is out at once."""
    browser = await school.person(Role.MENTOR, "anna")
    other = await school.person(Role.MENTOR, "bram")
    await school.accounts.reset("anna", "een-ander-wachtwoord")
    assert (await browser.get("/meldingen")).status_code == 404
    assert COOKIE not in browser.http.cookies
    assert (await other.get("/meldingen")).status_code == 200


async def test_a_session_ends_after_a_working_day_however_busy(school: School) -> None:
    """Use prolongs a session only up to its longest time."""
    start = time.time()
    with time_machine.travel(start, tick=False) as clock:
        browser = await school.person(Role.MENTOR)
        for hours in range(1, LONGEST_SECONDS // 3600):
            clock.move_to(start + hours * 3600)
            assert (await browser.get("/meldingen")).status_code == 200
        clock.move_to(start + LONGEST_SECONDS)
        assert (await browser.get("/meldingen")).status_code in (303, 404)


async def test_an_idle_session_is_forgotten_by_the_store(school: School) -> None:
    """What is stored of a session ends by itself, and its key is not the cookie's identifier."""
    browser = await school.person(Role.MENTOR)
    keys = [key async for key in school.redis.scan_iter(match="vangnet:sessions*")]
    assert len(keys) == 1
    assert 0 < await school.redis.ttl(keys[0]) <= IDLE_SECONDS
    assert browser.http.cookies[COOKIE].encode() not in keys[0]


async def test_a_form_without_its_token_changes_nothing(school: School) -> None:
    """A form that another site makes the browser send is refused, signed in or not."""
    case = await school.case(await school.group())
    browser = await school.person(Role.MENTOR)
    for token in ({}, {"_csrf_token": "0" * 128}):
        answer = await browser.http.post(f"/zaak/{case}/behandelen", data=token)
        assert answer.status_code == 404
    assert [entry.actor for entry in await school.store.audit(case, None)] == ["vangnet"]
    nobody = await school.browser()
    await school.accounts.add("bram", Role.MENTOR, PASSWORD)
    answer = await nobody.http.post("/aanmelden", data={"name": "bram", "password": PASSWORD})
    assert answer.headers["location"] == "/aanmelden?opnieuw=1"
    assert COOKIE not in nobody.http.cookies


async def test_a_token_of_another_installation_is_refused(school: School) -> None:
    """Tokens are signed: one that an attacker makes up in cookie and form alike does not pass."""
    browser = await school.person(Role.MENTOR)
    case = await school.case(await school.group())
    forged = "ab" * 64
    cookies = f"vangnet_form={forged}; {COOKIE}={browser.http.cookies[COOKIE]}"
    browser.http.cookies.clear()
    answer = await browser.http.post(
        f"/zaak/{case}/behandelen", data={"_csrf_token": forged}, headers={"Cookie": cookies}
    )
    assert answer.status_code == 404
    assert [entry.actor for entry in await school.store.audit(case, None)] == ["vangnet"]


@pytest.mark.parametrize("https", [False, True])
async def test_cookies_are_out_of_reach_of_scripts_and_other_sites(make_school: MakeSchool, https: bool) -> None:
    """HttpOnly and SameSite always, Secure behind https."""
    school = await make_school(web_https=https)
    await school.accounts.add("anna", Role.MENTOR, PASSWORD)
    browser = await school.browser()
    if https:
        browser.http.base_url = "https://127.0.0.1:8080"
    form = await browser.get("/aanmelden")
    signed_in = await browser.sign_in("anna")
    seen = [*form.headers.get_list("set-cookie"), *signed_in.headers.get_list("set-cookie")]
    assert {cookie.partition("=")[0] for cookie in seen} == {COOKIE, "vangnet_form"}
    for cookie in seen:
        assert "httponly" in cookie.lower()
        assert "samesite=strict" in cookie.lower()
        assert ("secure" in cookie.lower()) is https


@pytest.mark.parametrize(
    ("onward", "leads_to"),
    [
        ("/zaak/abc", "/zaak/abc"),
        ("//kwaad.example", "/"),
        ("https://kwaad.example/", "/"),
        ("/\\kwaad.example", "/"),
        ("/meldingen?x=1", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
async def test_after_signing_in_one_never_lands_on_another_site(school: School, onward: str, leads_to: str) -> None:
    """Only a plain path of this site is followed."""
    await school.accounts.add("anna", Role.MENTOR, PASSWORD)
    browser = await school.browser()
    assert (await browser.sign_in("anna", naar=onward)).headers["location"] == leads_to
