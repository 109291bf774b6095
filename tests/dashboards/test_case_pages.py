"""What a mentor can do with one case."""

from dashboards.access import Role
from tests.dashboards.conftest import School, context


async def test_smoke(school: School) -> None:
    group = await school.group()
    case = await school.case(group, before=(context("bel me op 06 23 45 67 81"),), text="kech, bel 06 23 45 67 81 maar")
    await school.park(group)
    mentor = await school.person(Role.MENTOR, "anna")
    for path in ("/meldingen", f"/zaak/{case}", "/niet-beoordeeld", "/afgesloten", "/meldingen/lijst"):
        answer = await mentor.get(path)
        assert answer.status_code == 200, answer.text
    teacher = await school.person(Role.TEACHER, "docent")
    assert (await teacher.get("/groepen")).status_code == 200
    manager = await school.person(Role.MANAGER)
    answer = await manager.get("/cijfers")
    assert answer.status_code == 200
    answer = await mentor.submit(f"/zaak/{case}", f"/zaak/{case}/behandelen")
    assert answer.status_code == 303
    answer = await mentor.get(f"/zaak/{case}")
    assert answer.status_code == 200
