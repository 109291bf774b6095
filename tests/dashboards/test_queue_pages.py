"""The queue, what could not be judged, and closed cases."""

import time

from dashboards.access import Role
from dashboards.texts import load_texts
from tests.dashboards.conftest import School

TEXTS = load_texts()


async def test_the_queue_shows_the_gravest_first_and_no_text_of_a_message(school: School) -> None:
    """Severity, labels, clauses, group, age and number: enough to choose, nothing to read over a shoulder."""
    group = await school.group("Klas 2B")
    light = await school.case(group, "sukkel", severity=1, labels=("flamen",), clauses=("5.1.h.V",))
    urgent = await school.case(
        await school.group("Klas 1A"), "ik wacht je op na school", severity=4, labels=("bedreiging",), clauses=("7.c",)
    )
    page = (await (await school.person(Role.MENTOR)).get("/meldingen")).text
    assert page.index(urgent) < page.index(light)
    assert "sukkel" not in page
    assert "ik wacht je op" not in page
    for shown in ("Klas 2B", "Klas 1A", TEXTS("severity.4"), "bedreiging", "7.c", TEXTS.number("queue.open", 2)):
        assert shown in page
    assert "Mogelijk strafbaar: aangifte" in page


async def test_an_empty_queue_says_so(school: School) -> None:
    """Nothing to judge is a sentence, not an empty page."""
    assert TEXTS("queue.empty_title") in (await (await school.person(Role.MENTOR)).get("/meldingen")).text


async def test_a_case_that_waits_too_long_is_counted_as_late(school: School) -> None:
    """The school's own term decides."""
    await school.case(await school.group(), sent_at=time.time() - 25 * 3600)
    page = (await (await school.person(Role.MENTOR)).get("/meldingen")).text
    assert TEXTS.number("queue.overdue", 1) in page
    assert TEXTS("queue.waiting", age=TEXTS.age(25 * 3600)) in page


async def test_the_list_for_the_script_is_the_list_of_the_page(school: School) -> None:
    """What live updates fetch is a part of the page, without a second way of making it."""
    await school.case(await school.group())
    mentor = await school.person(Role.MENTOR)
    part = (await mentor.get("/meldingen/lijst")).text
    assert "<html" not in part
    assert part.strip() in (await mentor.get("/meldingen")).text


async def test_what_could_not_be_judged_is_looked_at_and_put_aside_with_a_reason(school: School) -> None:
    """Nothing disappears: it is on a list until a person says why it may go."""
    await school.park(await school.group("Klas 3C"), "undecodable")
    mentor = await school.person(Role.MENTOR)
    page = (await mentor.get("/niet-beoordeeld")).text
    assert "Klas 3C" in page
    assert TEXTS("parked.unreadable") in page
    assert TEXTS("parked_reason.undecodable") in page
    message = (await school.store.parked(None))[0].message_id
    act = "/niet-beoordeeld/wegleggen"
    answer = await mentor.submit("/niet-beoordeeld", act, {"message": message, "reason": " "})
    assert (answer.status_code, TEXTS("refused.reason") in answer.text) == (400, True)
    answer = await mentor.submit("/niet-beoordeeld", act, {"message": message, "reason": "navraag gedaan"})
    assert answer.headers["location"] == "/niet-beoordeeld?gedaan=set_aside"
    assert TEXTS("parked.empty") in (await mentor.get("/niet-beoordeeld")).text
    await school.park(await school.group("Klas 4D"))
    answer = await mentor.submit("/niet-beoordeeld", act, {"message": message, "reason": "nog eens"})
    assert answer.status_code == 404


async def test_a_made_up_notice_in_the_address_is_not_shown(school: School) -> None:
    """The page tells only what it knows by its code."""
    mentor = await school.person(Role.MENTOR)
    page = (await mentor.get("/meldingen?gedaan=U+bent+gehackt")).text
    assert "gehackt" not in page
    assert 'class="notice good"' not in page


async def test_a_group_that_opted_out_keeps_its_mentors_for_what_is_left(school: School) -> None:
    """Opting out opens the remaining cases of a group to nobody who could not see them before."""
    group = await school.group("Klas 2B", mentors=("anna",))
    case = await school.case(group)
    other = await school.person(Role.MENTOR, name="bram")
    own = await school.person(Role.MENTOR, name="anna")
    await school.ledger.remove(group.id)
    assert case not in (await other.get("/meldingen")).text
    assert (await other.get(f"/zaak/{case}")).status_code == 404
    assert case in (await own.get("/meldingen")).text
