"""Reads the demo school from its data file and checks that it adds up.

`vangnet demo` makes the groups and the accounts from it; `conversations.py` makes the messages.
"""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import msgspec

from connectors.errors import ReplayError

PLATFORM = "replay"
"""Under this name the demo's groups stand in the ledger."""


@dataclass(frozen=True, slots=True)
class DemoUser:
    """One account of the demo school."""

    name: str
    """To sign in with."""
    display_name: str
    role: str
    """`teacher`, `mentor` or `manager`."""


@dataclass(frozen=True, slots=True)
class DemoConversation:
    """One whole thread of the corpus."""

    file: str
    """Part of the corpus, without `.jsonl`."""
    thread: str
    repeats: tuple[int, ...]
    """Messages of the thread, from 0, that arrive a second time."""


@dataclass(frozen=True, slots=True)
class DemoGroup:
    """One class group of the demo school."""

    name: str
    platform: str
    platform_group: str
    teacher: str
    """User name of who opted it in."""
    mentors: tuple[str, ...]
    """User names; empty for all mentors."""
    opted_in: bool
    purpose: str
    conversations: tuple[DemoConversation, ...]


@dataclass(frozen=True, slots=True)
class DemoSchool:
    """The demo school, as `demo_school.toml` tells it."""

    name: str
    pause: float
    """Seconds between two conversations of a group."""
    stagger: float
    """Seconds that each group begins after the one before."""
    users: tuple[DemoUser, ...]
    groups: tuple[DemoGroup, ...]
    names: dict[str, tuple[str, ...]]
    """Names to draw speakers from, by role: `pupil`, `teacher`, `parent`."""


class _Conversation(msgspec.Struct, forbid_unknown_fields=True):
    thread: str
    repeats: tuple[int, ...] = ()


class _Group(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    platform_group: str
    teacher: str
    mentors: tuple[str, ...]
    opted_in: bool
    purpose: str
    conversations: tuple[_Conversation, ...]


class _School(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    pause: float
    stagger: float


class _Names(msgspec.Struct, forbid_unknown_fields=True):
    pupil: tuple[str, ...]
    teacher: tuple[str, ...]
    parent: tuple[str, ...]


class _File(msgspec.Struct, forbid_unknown_fields=True):
    school: _School
    users: tuple[DemoUser, ...]
    groups: tuple[_Group, ...]
    names: _Names


def load_school(path: Path | None = None) -> DemoSchool:
    """Read a demo school.

    Args:
        path: A data file in the form of `demo_school.toml`; None for the packaged one.

    Raises:
        ReplayError: The file is missing or does not add up; the text names the place.
    """
    name = "demo_school.toml" if path is None else str(path)
    try:
        raw = (files(__package__).joinpath(name) if path is None else path).read_bytes()
        data = msgspec.toml.decode(raw, type=_File)
    except OSError as error:
        raise ReplayError(f"cannot read {name}: {error.strerror}; give the path of a school file") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ReplayError(f"{name}: {error}; compare it with the packaged demo_school.toml") from error
    roles = {user.name: user.role for user in data.users}
    groups = []
    for group in data.groups:
        if roles.get(group.teacher) != "teacher":
            raise ReplayError(f"{name}: group {group.name} names a teacher who is no teacher among [[users]]")
        if strangers := [mentor for mentor in group.mentors if roles.get(mentor) != "mentor"]:
            raise ReplayError(f"{name}: group {group.name} names {strangers[0]}, who is no mentor among [[users]]")
        conversations = []
        for conversation in group.conversations:
            file, slash, thread = conversation.thread.partition("/")
            if not slash:
                raise ReplayError(f"{name}: group {group.name}: write {conversation.thread} as file/thread")
            conversations.append(DemoConversation(file, thread, conversation.repeats))
        groups.append(
            DemoGroup(
                name=group.name,
                platform=PLATFORM,
                platform_group=group.platform_group,
                teacher=group.teacher,
                mentors=group.mentors,
                opted_in=group.opted_in,
                purpose=group.purpose,
                conversations=tuple(conversations),
            )
        )
    if len({group.platform_group for group in groups}) != len(groups):
        raise ReplayError(f"{name}: two groups have the same platform_group")
    return DemoSchool(
        name=data.school.name,
        pause=data.school.pause,
        stagger=data.school.stagger,
        users=data.users,
        groups=tuple(groups),
        names={"pupil": data.names.pupil, "teacher": data.names.teacher, "parent": data.names.parent},
    )
