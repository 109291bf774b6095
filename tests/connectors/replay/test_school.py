"""The demo school adds up, and a school file that does not is told where."""

from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.errors import ReplayError
from connectors.replay.school import load_school

WriteSchool = Callable[..., Path]

SCHOOL = """
[school]
name = "School"
pause = 4500
stagger = 40
[[users]]
name = "docent"
display_name = "D"
role = "teacher"
[[users]]
name = "mentor1"
display_name = "M"
role = "mentor"
[[groups]]
name = "Klas"
platform_group = "k"
teacher = "docent"
mentors = ["mentor1"]
opted_in = true
purpose = "x"
conversations = [{ thread = "gesprekken_brugklas/bk006" }]
[names]
pupil = ["A"]
teacher = ["B"]
parent = ["C"]
"""


@pytest.fixture
def write_school(tmp_path: Path) -> WriteSchool:
    """Write a small school with one thing replaced."""

    def write(old: str = "", new: str = "") -> Path:
        path = tmp_path / "school.toml"
        path.write_text(SCHOOL.replace(old, new) if old else SCHOOL, "utf-8")
        return path

    return write


def test_the_demo_school_is_as_promised() -> None:
    """Five opted-in class groups and one that is not; a teacher, two mentors and a manager."""
    school = load_school()
    assert [group.opted_in for group in school.groups] == [True] * 5 + [False]
    assert sorted(user.role for user in school.users) == ["manager", "mentor", "mentor", "teacher"]
    assert all(group.purpose for group in school.groups if group.opted_in)
    mentors = {mentor for group in school.groups for mentor in group.mentors}
    assert mentors == {user.name for user in school.users if user.role == "mentor"}


def test_between_forty_and_sixty_conversations_each_once() -> None:
    """The demo is long enough to watch, and no conversation is told twice."""
    threads = [(talk.file, talk.thread) for group in load_school().groups for talk in group.conversations]
    assert 40 <= len(threads) <= 60
    assert len(set(threads)) == len(threads)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('teacher = "docent"', 'teacher = "mentor1"', "no teacher"),
        ('mentors = ["mentor1"]', 'mentors = ["docent"]', "no mentor"),
        ("gesprekken_brugklas/bk006", "bk006", "file/thread"),
        ("pause = 4500", "", "pause"),
        ("stagger = 40", "stagger = 'x'", "stagger"),
        ("[school]", "[school", "school.toml"),
    ],
)
def test_a_school_that_does_not_add_up_is_told(write_school: WriteSchool, old: str, new: str, told: str) -> None:
    """Each mistake in a school file is one sentence that names it."""
    with pytest.raises(ReplayError, match=told):
        load_school(write_school(old, new))


def test_a_school_of_ones_own(write_school: WriteSchool) -> None:
    """Another file in the same form is another school."""
    assert [group.name for group in load_school(write_school()).groups] == ["Klas"]


def test_no_school(tmp_path: Path) -> None:
    """A missing file is told."""
    with pytest.raises(ReplayError, match="cannot read"):
        load_school(tmp_path / "weg.toml")
