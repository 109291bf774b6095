"""The teacher's page."""

import time

import pytest

from dashboards.access import Role
from dashboards.groups.pages import GROUPS
from dashboards.texts import load_texts
from pipeline.groups import Group, GroupState
from tests.dashboards.conftest import Browser, School

TEXTS = load_texts()
FILLED = {"name": "Klas 2B", "platform": "whatsapp_export", "platform_group": "2B 🎒", "purpose": "veilige groepsapp"}


@pytest.fixture
async def teacher(school: School) -> Browser:
    return await school.person(Role.TEACHER, "docent")


async def only(school: School) -> Group:
    (group,) = await school.ledger.list()
    return group


async def state(school: School) -> GroupState:
    return (await only(school)).state(time.time())


async def test_a_teacher_opts_a_group_in(school: School, teacher: Browser) -> None:
    """The ledger has who, what for and until when; the page shows it."""
    answer = await teacher.submit(GROUPS, GROUPS, FILLED)
    assert answer.headers["location"] == "/groepen?gedaan=opted_in"
    group = await only(school)
    assert (group.teacher, group.purpose, group.name) == ("docent", "veilige groepsapp", "Klas 2B")
    page = (await teacher.get("/groepen?gedaan=opted_in")).text
    for shown in ("Klas 2B", "31 jul", TEXTS("group_state.active"), TEXTS("done.opted_in")):
        assert shown in page


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", " "), ("platform", "telepathie"), ("purpose", ""), ("name", "a\x00b"), ("name", "x" * 300)],
)
async def test_a_form_with_a_gap_is_given_back(school: School, teacher: Browser, field: str, value: str) -> None:
    """Nothing is opted in by halves, and what was typed is still there."""
    answer = await teacher.submit(GROUPS, GROUPS, {**FILLED, field: value})
    assert answer.status_code == 400
    assert TEXTS("refused.group") in answer.text
    assert "2B 🎒" in answer.text
    assert await school.ledger.list() == []


async def test_a_group_is_opted_in_once(school: School, teacher: Browser) -> None:
    """A second teacher is told that the group is there already."""
    await teacher.submit(GROUPS, GROUPS, FILLED)
    other = await school.person(Role.TEACHER, "collega")
    answer = await other.submit(GROUPS, GROUPS, FILLED)
    assert (answer.status_code, TEXTS("refused.group_taken") in answer.text) == (400, True)
    assert (await only(school)).teacher == "docent"


async def test_pause_and_resume(school: School, teacher: Browser) -> None:
    """One click each way."""
    await teacher.submit(GROUPS, GROUPS, FILLED)
    path = f"/groepen/{(await only(school)).id}"
    await teacher.submit(GROUPS, f"{path}/pauzeren")
    assert await state(school) is GroupState.PAUSED
    assert TEXTS("group_state.paused") in (await teacher.get(GROUPS)).text
    await teacher.submit(GROUPS, f"{path}/hervatten")
    assert await state(school) is GroupState.ACTIVE


@pytest.mark.parametrize(("typed", "minutes"), [("100", 100), ("9999999", 50), ("-5", 50), ("veel", 50)])
async def test_a_lesson_lasts_as_long_as_chosen_and_never_longer(
    school: School, teacher: Browser, typed: str, minutes: int
) -> None:
    """Lesson mode ends by itself; a value that the page does not offer is one lesson."""
    await teacher.submit(GROUPS, GROUPS, FILLED)
    path = f"/groepen/{(await only(school)).id}/les"
    await teacher.submit(GROUPS, path, {"minutes": typed})
    group = await only(school)
    assert await state(school) is GroupState.LESSON
    assert group.lesson_until == pytest.approx(time.time() + minutes * 60, abs=30)
    await teacher.submit(GROUPS, path, {"minutes": "0"})
    assert await state(school) is GroupState.ACTIVE


async def test_opting_out_needs_a_yes_and_is_for_good(school: School, teacher: Browser) -> None:
    """Without the box ticked nothing happens; with it the group leaves the ledger."""
    await teacher.submit(GROUPS, GROUPS, FILLED)
    path = f"/groepen/{(await only(school)).id}/afmelden"
    answer = await teacher.submit(GROUPS, path)
    assert (answer.status_code, TEXTS("refused.unsure") in answer.text) == (400, True)
    assert await state(school) is GroupState.ACTIVE
    answer = await teacher.submit(GROUPS, path, {"sure": "ja"})
    assert answer.headers["location"] == "/groepen?gedaan=opted_out"
    assert await school.ledger.list() == []
    assert "Klas 2B" not in (await teacher.get(GROUPS)).text
