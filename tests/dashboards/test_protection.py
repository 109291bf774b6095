"""What every answer carries, what the metrics tell, and what happens when the store is away."""

import logging
import re
from collections.abc import Callable

import pytest
from redis.asyncio import Redis

from dashboards.access import Role
from dashboards.protection import POLICY
from dashboards.review.pages import queue_page
from dashboards.web import create_app
from pipeline.groups import GroupLedger
from pipeline.privacy import Keyring
from pipeline.review.store import ReviewStore
from tests.conftest import ValkeyServer
from tests.dashboards.conftest import MakeSchool, School, client_of, context


async def test_every_kind_of_answer_is_protected(school: School) -> None:
    """Pages, redirects, refusals, files and figures alike."""
    mentor = await school.person(Role.MENTOR)
    nobody = await school.browser()
    answers = [
        await mentor.get("/meldingen"),
        await mentor.get("/bestaat-niet"),
        await nobody.get("/meldingen"),
        await nobody.get("/static/vangnet.css"),
        await nobody.get("/health"),
        await nobody.http.post("/aanmelden"),
        await nobody.http.put("/aanmelden"),
    ]
    assert len({answer.status_code for answer in answers}) >= 3
    for answer in answers:
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        static = answer.url.path.startswith("/static/")
        assert ("no-store" in answer.headers["cache-control"]) is not static
        assert "strict-transport-security" not in answer.headers


def test_the_policy_lets_in_nothing_from_elsewhere() -> None:
    """No foreign host, no inline script or style, no frame around us."""
    assert "unsafe" not in POLICY
    assert "http" not in POLICY
    for rule in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert rule in POLICY


async def test_pages_keep_to_the_policy(school: School) -> None:
    """No inline script, style or handler, and nothing from another host: the policy would break it silently."""
    case = await school.case(await school.group())
    await school.park(await school.group("Klas 3C"))
    mentor, teacher, manager = [await school.person(role) for role in (Role.MENTOR, Role.TEACHER, Role.MANAGER)]
    pages = [
        await mentor.get("/meldingen"),
        await mentor.get(f"/zaak/{case}"),
        await mentor.get("/niet-beoordeeld"),
        await mentor.get("/afgesloten"),
        await teacher.get("/groepen"),
        await manager.get("/cijfers"),
        await (await school.browser()).get("/aanmelden"),
    ]
    nobody = await school.browser()
    for page in pages:
        assert page.status_code == 200
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=\"/static/)|https?://", page.text)
        for path in set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)):
            assert (await nobody.get(path)).status_code == 200, path


async def test_behind_https_browsers_are_told_to_stay_there(make_school: MakeSchool) -> None:
    """Strict transport security goes with secure cookies."""
    school = await make_school(web_https=True)
    answer = await (await school.browser()).get("/aanmelden")
    assert "max-age" in answer.headers["strict-transport-security"]


async def test_metrics_tell_how_full_the_queue_is_and_name_nobody(school: School) -> None:
    """Depth, age and sign-ins; no text, pseudonym, group or user is a label value."""
    group = await school.group("Klas 2B")
    await school.case(group, "niemand wil jou", sent_at=1_790_000_000.0)
    await school.park(group)
    mentor = await school.person(Role.MENTOR, "anna")
    text = (await mentor.get("/metrics")).text
    assert "vangnet_queue_open_cases 1.0" in text
    assert "vangnet_queue_parked_messages 1.0" in text
    assert 'vangnet_sign_ins_total{result="accepted"} 1.0' in text
    labels = set(re.findall(r'="([^"]*)"', "\n".join(line for line in text.splitlines() if "vangnet_" in line)))
    assert labels == {"accepted", "refused", "throttled"}


@pytest.mark.parametrize(("address", "status"), [("127.0.0.1", 200), ("10.1.2.3", 200), ("8.8.8.8", 303), ("x", 303)])
async def test_metrics_are_for_the_school_s_own_network(school: School, address: str, status: int) -> None:
    """From elsewhere the page is absent."""
    async with client_of(school.app, address) as client:
        assert (await client.get("/metrics")).status_code == status


async def test_without_its_store_the_app_says_so(
    make_school: MakeSchool, start_valkey: Callable[..., ValkeyServer], keyring: Keyring
) -> None:
    """Health is 503 and the page is a Dutch sentence, not a stack trace."""
    server = start_valkey()
    settings = (await make_school()).settings
    redis = Redis(unix_socket_path=str(server.socket))
    app = create_app(settings, ReviewStore(redis, keyring), GroupLedger(redis, keyring), redis, keyring)
    async with client_of(app) as client:
        assert (await client.get("/health")).json() == {"status": "ok"}
        server.kill()
        answer = await client.get("/health")
        assert (answer.status_code, answer.json()) == (503, {"status": "unavailable"})
        client.cookies.set("vangnet_session", "a")
        page = await client.get("/aanmelden")
        assert page.status_code == 503
        assert "Even niet bereikbaar" in page.text
    await redis.aclose()


async def test_a_fault_of_ours_shows_no_details(
    school: School, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The person gets a sentence; the log gets the kind of fault."""
    mentor = await school.person(Role.MENTOR)

    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(school.store, "queue", broken)
    answer = await mentor.get(queue_page.paths.copy().pop())
    assert answer.status_code == 500
    assert "ZeroDivisionError" not in answer.text
    assert "ZeroDivisionError" in caplog.text


async def test_no_log_line_holds_a_message_or_a_name(school: School, caplog: pytest.LogCaptureFixture) -> None:
    """Not even at the most talkative level, whatever a mentor does."""
    secret, earlier, reason = "geheimewoorden", "eerderewoorden", "mijnredenwoorden"
    with caplog.at_level(logging.DEBUG):
        case = await school.case(await school.group(), f"{secret} sukkel", before=(context(earlier),))
        mentor = await school.person(Role.MENTOR)
        await mentor.submit(f"/zaak/{case}", f"/zaak/{case}/behandelen")
        stored = await school.store.case(case, None)
        assert stored is not None
        form = {"message": stored.messages[0].message_id, "reason": reason, "outcome": "upheld"}
        for act in ("origineel", "afzender", "oordeel", "oordeel", "herzien"):
            answer = await mentor.submit("/meldingen", f"/zaak/{case}/{act}", form)
            assert secret not in answer.headers.get("location", "")
    for word in (secret, earlier, reason, "Verzonnen", "+31600000001"):
        assert word not in caplog.text


async def test_a_form_that_is_far_too_large_is_refused(school: School) -> None:
    """Nobody can fill the memory with a form."""
    mentor = await school.person(Role.MENTOR)
    answer = await mentor.submit("/meldingen", "/niet-beoordeeld/wegleggen", {"message": "x", "reason": "a" * 200_000})
    assert answer.status_code in (400, 413)
