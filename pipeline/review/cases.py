"""The rule, as data, by which flags join one case and a pile-on raises its severity (cases.toml).

This module reads and checks the rule and takes from a flag the facts that it looks at; `lua/add_flag.lua` applies it,
because looking for a case and joining it must be one step.
"""

import hashlib
import tomllib
from importlib import resources
from pathlib import Path
from typing import Literal

import msgspec

from classifiers.labels import LABELS
from pipeline.events import Flag
from pipeline.review.errors import RulesError

Need = Literal["reply", "conversation", "same_author", "same_target", "same_family"]


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How large a case may grow."""

    messages: int
    span_seconds: float
    """From the first to the last message sent."""
    note_messages: str
    note_span: str


class JoinRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A flag joins a case when all `needs` hold within the time."""

    name: str
    needs: tuple[Need, ...]
    within_seconds: float
    note: str


class RaiseRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A case of at least so many messages by so many authors is `steps` graver than its messages, `up_to` at most."""

    name: str
    families: tuple[str, ...]
    messages: int
    authors: int
    steps: int
    up_to: int
    note: str


class CaseRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole rule."""

    limits: Limits
    families: dict[str, tuple[str, ...]]
    """Family name to its labels."""
    join: tuple[JoinRule, ...]
    raise_: tuple[RaiseRule, ...] = msgspec.field(name="raise")

    def families_of(self, labels: tuple[str, ...]) -> list[str]:
        """The families that these labels belong to, in the rule's order."""
        return [family for family, members in self.families.items() if not set(members).isdisjoint(labels)]


class FlagFacts(msgspec.Struct, frozen=True):
    """What joining and sorting need of a flag; stored in clear, so nothing else may stand here."""

    id: str
    group: str
    at: float
    """When it was sent."""
    scored: float
    author: str
    """Tag that is the same for one author within one group only."""
    target: str
    """Tag of the author it answers, empty when unknown."""
    reply: str
    before: tuple[str, ...]
    families: list[str]
    labels: tuple[str, ...]
    clauses: tuple[str, ...]
    severity: int


def load_rules(path: Path | None = None) -> CaseRules:
    """Read and check the rule.

    Args:
        path: Another file than the shipped one.

    Raises:
        RulesError: It is not valid TOML, an entry is missing or unknown, or the entries contradict each other.
    """
    source = resources.files("pipeline.review") / "cases.toml" if path is None else path
    try:
        data = tomllib.loads(source.read_text(encoding="utf-8"))
        families = data.get("families")
        if isinstance(families, dict):
            families.pop("note", None)
        rules = msgspec.convert(data, CaseRules)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise RulesError(f"{source}: {error}") from error
    problems = _problems(rules)
    if problems:
        raise RulesError(f"{source}: " + "; ".join(problems))
    return rules


def facts_of(flag: Flag, rules: CaseRules) -> FlagFacts:
    """Take from a flag what the rule looks at."""
    target = next((line.author for line in flag.before if line.message_id == flag.reply_to), "")
    return FlagFacts(
        id=flag.message_id,
        group=flag.group,
        at=flag.sent_at,
        scored=flag.scored_at,
        author=_tag(flag.group, flag.author),
        target=_tag(flag.group, target) if target else "",
        reply=flag.reply_to or "",
        before=tuple(line.message_id for line in flag.before),
        families=rules.families_of(flag.labels),
        labels=flag.labels,
        clauses=flag.clauses,
        severity=flag.severity,
    )


def _tag(group: str, author: str) -> str:
    """Hash the pseudonym with the group, so that the clear part does not link a pupil's groups to each other."""
    return hashlib.blake2b(f"{group}\0{author}".encode(), digest_size=8).hexdigest()


def _problems(rules: CaseRules) -> list[str]:
    problems: list[str] = []

    def need(condition: bool, text: str) -> None:
        if not condition:
            problems.append(text)

    need(rules.limits.messages >= 1, "limits.messages must be 1 or more")
    need(rules.limits.span_seconds > 0, "limits.span_seconds must be more than 0")
    listed = [label for members in rules.families.values() for label in members]
    for label in LABELS:
        count = listed.count(label)
        need(count == 1, f"label {label} must be in exactly one family, it is in {count}")
    problems += [f"families name {unknown}, which is no label" for unknown in sorted(set(listed) - set(LABELS))]
    names = [rule.name for rule in rules.join] + [rule.name for rule in rules.raise_]
    problems += [f"two rules are named {name}" for name in sorted({name for name in names if names.count(name) > 1})]
    for rule in rules.join:
        need(bool(rule.needs), f"join rule {rule.name} needs nothing and would join everything")
        need(rule.within_seconds > 0, f"join rule {rule.name}: within_seconds must be more than 0")
        need(bool(rule.note.strip()), f"join rule {rule.name} has no note that says why")
    for raising in rules.raise_:
        need(
            min(raising.messages, raising.authors, raising.steps) >= 1, f"raise rule {raising.name}: counts start at 1"
        )
        need(1 <= raising.up_to <= 4, f"raise rule {raising.name}: up_to must be a severity, 1 to 4")
        need(bool(raising.note.strip()), f"raise rule {raising.name} has no note that says why")
        unknown_families = sorted(set(raising.families) - set(rules.families))
        problems += [
            f"raise rule {raising.name} names family {name}, which is not defined" for name in unknown_families
        ]
    return problems
