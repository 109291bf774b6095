"""What a mentor can do with one case."""

import re

from dashboards.access import Role
from dashboards.texts import load_texts
from pipeline.review.records import AuditAction, Outcome
from tests.dashboards.conftest import Browser, School, context

TEXTS = load_texts()
PHONE = "06 23 45 67 81"


async def claimed(school: School, case: str, name: str = "anna") -> Browser:
    """A mentor who has taken the case."""
    mentor = await school.person(Role.MENTOR, name)
    assert (await mentor.submit(f"/zaak/{case}", f"/zaak/{case}/behandelen")).status_code == 303
    return mentor


async def pile_on(school: School) -> tuple[str, list[str]]:
    """A case of three messages by three pupils, each with the one before as context."""
    group = await school.group()
    first = school.flag(group, "echt niemand wil jou hier", before=(context("wie is er mee op kamp"),))
    second = school.flag(group, "nee ga weg joh", reply_to=first.message_id)
    third = school.flag(group, "huil dan", reply_to=first.message_id)
    await school.store.add_flags([first, second, third])
    cases = await school.store.queue(None)
    assert [case.messages for case in cases] == [3]
    return cases[0].case_id, [first.message_id, second.message_id, third.message_id]


async def test_a_case_shows_the_conversation_in_order_with_its_clause(school: School) -> None:
    """Context, then flagged messages by time, speakers as letters, the clause in the protocol's own words."""
    case, _ = await pile_on(school)
    mentor = await school.person(Role.MENTOR)
    page = (await mentor.get(f"/zaak/{case}")).text
    places = [page.index(text) for text in ("wie is er mee op kamp", "niemand wil jou hier", "ga weg joh", "huil")]
    assert places == sorted(places)
    assert "Alle betrokkenen nemen de normale fatsoensnormen in acht." in page
    assert TEXTS("case.speaker", letter="A") in page
    assert "auteur-" not in page
    assert "Sem Verzonnen" not in page


async def test_the_score_is_hidden_until_the_first_judgement(school: School) -> None:
    """The figure cannot lead the mentor; afterwards it is there to learn from."""
    case = await school.case(await school.group())
    mentor = await claimed(school, case)
    before = (await mentor.get(f"/zaak/{case}")).text
    assert not re.search(r"0[.,]8[37]", before)
    assert TEXTS("case.score_hidden") in before
    message = (await school.store.case(case, None)).messages[0].message_id  # type: ignore[union-attr]  # just made
    await mentor.submit(
        f"/zaak/{case}", f"/zaak/{case}/oordeel", {"outcome": "upheld", "reason": "pesten", "message": message}
    )
    after = (await mentor.get(f"/zaak/{case}")).text
    assert TEXTS("case.score", score="0,87") in after


async def test_personal_data_is_hidden_until_asked_for_and_asking_is_in_the_trail(school: School) -> None:
    """The page starts redacted, also where the flag is about something else; a look behind it is an act."""
    case = await school.case(
        await school.group(), f"kech, app haar op {PHONE}", before=(context(f"ik ben het, {PHONE}, bel maar"),)
    )
    mentor = await school.person(Role.MENTOR, "anna")
    page = (await mentor.get(f"/zaak/{case}")).text
    assert PHONE not in page
    assert page.count("[TELEFOONNUMMER-1]") == 2
    message = (await school.store.case(case, None)).messages[0].message_id  # type: ignore[union-attr]  # just made
    assert (await mentor.submit(f"/zaak/{case}", f"/zaak/{case}/origineel", {"message": message})).status_code == 303
    page = (await mentor.get(f"/zaak/{case}")).text
    assert page.count("[TELEFOONNUMMER-1]") == 1, "the context stays hidden"
    assert page.count(PHONE) == 1
    trail = await school.store.audit(case, None)
    assert [(entry.actor, entry.action, entry.message_ids) for entry in trail][-1] == (
        "anna",
        AuditAction.SHOWN,
        (message,),
    )
    other = await school.person(Role.MENTOR, "bram")
    assert PHONE not in (await other.get(f"/zaak/{case}")).text


async def test_a_message_of_another_case_cannot_be_asked_for(school: School) -> None:
    """A known message id opens nothing outside its case."""
    group, other = await school.group(), await school.group("Klas 3C", mentors=("bram",))
    case, hidden = await school.case(group), await school.case(other, f"bel {PHONE} klootzak")
    message = (await school.store.case(hidden, None)).messages[0].message_id  # type: ignore[union-attr]  # just made
    mentor = await claimed(school, case)
    for act in ("origineel", "afzender"):
        values = {"message": message, "reason": "nieuwsgierig"}
        assert (await mentor.submit(f"/zaak/{case}", f"/zaak/{case}/{act}", values)).status_code == 404


async def test_a_claim_is_seen_by_other_mentors_and_keeps_them_out(school: School) -> None:
    """Two mentors do not judge one case at once."""
    case = await school.case(await school.group())
    await claimed(school, case, "anna")
    bram = await school.person(Role.MENTOR, "bram")
    assert TEXTS("queue.claimed_other", name="anna") in (await bram.get("/meldingen")).text
    page = await bram.get(f"/zaak/{case}")
    assert 'name="outcome"' not in page.text
    for act in ("behandelen", "oordeel"):
        values = {"outcome": "upheld", "reason": "ik ook", "message": "x"}
        answer = await bram.submit("/meldingen", f"/zaak/{case}/{act}", values)
        assert answer.status_code == 409
        assert TEXTS("refused.claimed_by_other") in answer.text


async def test_all_messages_can_be_judged_at_once_and_the_case_leaves_the_queue(school: School) -> None:
    """One outcome and one reason for the messages that the mentor saw."""
    case, messages = await pile_on(school)
    mentor = await claimed(school, case)
    form = {"outcome": "upheld", "reason": "buitensluiten met z'n drieën", "message": messages}
    answer = await mentor.submit(f"/zaak/{case}", f"/zaak/{case}/oordeel", form)
    assert answer.headers["location"] == "/meldingen?gedaan=closed"
    queue = (await mentor.get(answer.headers["location"])).text
    assert case not in queue
    assert TEXTS("done.closed") in queue
    assert case in (await mentor.get("/afgesloten")).text
    page = (await mentor.get(f"/zaak/{case}")).text
    assert page.count("buitensluiten met z&#39;n drieën") >= 3


async def test_each_message_can_have_its_own_outcome(school: School) -> None:
    """The case stays open until the last one."""
    case, (first, second, third) = await pile_on(school)
    mentor = await claimed(school, case)
    for message, outcome in ((first, "escalated"), (second, "dismissed")):
        form = {"outcome": outcome, "reason": "apart bekeken", "message": message}
        answer = await mentor.submit(f"/zaak/{case}", f"/zaak/{case}/oordeel", form)
        assert answer.headers["location"] == f"/zaak/{case}?gedaan=decided"
    stored = await school.store.case(case, None)
    assert stored is not None
    assert stored.summary.open
    found = {message.message_id: message.review and message.review.outcome for message in stored.messages}
    assert found == {first: Outcome.ESCALATED, second: Outcome.DISMISSED, third: None}


async def test_a_message_that_joined_meanwhile_is_not_judged_unseen(school: School) -> None:
    """The form carries the messages it showed; a later one still waits."""
    case, messages = await pile_on(school)
    mentor = await claimed(school, case)
    group = (await school.store.case(case, None)).summary.group  # type: ignore[union-attr]  # just made
    await school.store.add_flag(school.flag(group, "en je moeder ook", reply_to=messages[0]))
    form = {"outcome": "dismissed", "reason": "plagen over en weer", "message": messages}
    await mentor.submit(f"/zaak/{case}", f"/zaak/{case}/oordeel", form)
    stored = await school.store.case(case, None)
    assert stored is not None
    assert [message.review is None for message in stored.messages] == [False, False, False, True]


async def test_a_judgement_needs_an_outcome_and_a_reason(school: School) -> None:
    """What was filled in comes back, with what is missing."""
    case, messages = await pile_on(school)
    mentor = await claimed(school, case)
    act = f"/zaak/{case}/oordeel"
    no_reason = {"outcome": "upheld", "reason": "  ", "message": messages, "form": "alle"}
    answer = await mentor.submit(f"/zaak/{case}", act, no_reason)
    assert answer.status_code == 400
    assert TEXTS("refused.reason") in answer.text
    assert re.search(r'value="upheld" required checked', answer.text)
    no_outcome = {"outcome": "schuldig", "reason": "mijn reden", "message": messages, "form": "alle"}
    answer = await mentor.submit(f"/zaak/{case}", act, no_outcome)
    assert answer.status_code == 400
    assert "mijn reden</textarea>" in answer.text
    assert (await school.store.counts()).open == 1


async def test_an_outcome_can_be_revised_with_a_new_reason(school: School) -> None:
    """Also after the case is closed; the trail keeps both."""
    case = await school.case(await school.group())
    mentor = await claimed(school, case)
    message = (await school.store.case(case, None)).messages[0].message_id  # type: ignore[union-attr]  # just made
    form = {"outcome": "upheld", "reason": "eerste indruk", "message": message}
    await mentor.submit(f"/zaak/{case}", f"/zaak/{case}/oordeel", form)
    await mentor.submit("/meldingen", f"/zaak/{case}/behandelen")
    form = {"outcome": "dismissed", "reason": "na gesprek: grapje", "message": message}
    assert (await mentor.submit(f"/zaak/{case}", f"/zaak/{case}/herzien", form)).status_code == 303
    page = (await mentor.get(f"/zaak/{case}")).text
    assert "eerste indruk" in page
    assert "na gesprek: grapje" in page
    assert TEXTS("audit.revised") in page


async def test_the_author_s_name_is_shown_once_for_a_reason(school: School) -> None:
    """Without a claim or a reason there is no name; with both it is in one answer, not in the next."""
    case = await school.case(await school.group())
    message = (await school.store.case(case, None)).messages[0].message_id  # type: ignore[union-attr]  # just made
    bram = await school.person(Role.MENTOR, "bram")
    form = {"message": message, "reason": "ouders bellen"}
    answer = await bram.submit(f"/zaak/{case}", f"/zaak/{case}/afzender", form)
    assert (answer.status_code, "Sem Verzonnen" in answer.text) == (409, False)
    mentor = await claimed(school, case)
    answer = await mentor.submit(f"/zaak/{case}", f"/zaak/{case}/afzender", {**form, "reason": " "})
    assert (answer.status_code, "Sem Verzonnen" in answer.text) == (400, False)
    answer = await mentor.submit(f"/zaak/{case}", f"/zaak/{case}/afzender", form)
    assert answer.status_code in (200, 201)
    assert TEXTS("case.revealed", name="Sem Verzonnen", account="+31600000001") in answer.text
    page = (await mentor.get(f"/zaak/{case}")).text
    assert "Sem Verzonnen" not in page
    assert "ouders bellen" in page


async def test_a_released_case_can_be_taken_by_another(school: School) -> None:
    """Giving back puts the case into everyone's hands again."""
    case = await school.case(await school.group())
    mentor = await claimed(school, case, "anna")
    assert (await mentor.submit(f"/zaak/{case}", f"/zaak/{case}/teruggeven")).status_code == 303
    await claimed(school, case, "bram")


async def test_text_of_a_message_is_never_markup(school: School) -> None:
    """A message, a reason or a group's name that looks like HTML is shown as typed."""
    nasty = "<script>alert(1)</script> {{ 7 * 7 }} 🤡"
    group = await school.group("<b>2B</b>")
    case = await school.case(group, nasty, spans=(), before=(context("<img src=x onerror=alert(2)>"),))
    mentor = await claimed(school, case)
    for path in ("/meldingen", f"/zaak/{case}"):
        page = (await mentor.get(path)).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "<b>2B</b>" not in page
        assert "49" not in re.sub(r"[0-9a-f]{16,}|\d+ \w+ \d\d:\d\d", "", page.split("<main")[1])
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7 * 7 }} 🤡" in page


async def test_a_case_of_an_erased_group_is_gone(school: School) -> None:
    """After erasure the page is absent."""
    group = await school.group()
    case = await school.case(group)
    mentor = await school.person(Role.MENTOR)
    await school.store.erase_group(group.id)
    assert (await mentor.get(f"/zaak/{case}")).status_code == 404
