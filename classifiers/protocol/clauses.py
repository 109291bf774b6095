"""Reads the clauses: the school's agreement as data (`clauses_nl.toml`), checked as a whole when it is loaded."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import msgspec

from classifiers.errors import ProtocolError
from classifiers.labels import LABELS, Label

CLAUSES = Path(__file__).parent / "clauses_nl.toml"


class Severity(IntEnum):
    """How much haste a message makes; the queue is ordered by it."""

    NONE = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    URGENT = 4


@dataclass(frozen=True, slots=True)
class Clause:
    """One article of the protocol."""

    id: str
    """Stable: stored with flags."""
    title: str
    """Dutch, short."""
    wording: str
    """Dutch, as in the document."""
    labels: tuple[Label, ...]
    """What breaks it."""


@dataclass(frozen=True, slots=True)
class LabelSeverity:
    """The haste of one label."""

    base: Severity
    certain: Severity


@dataclass(frozen=True, slots=True)
class Protocol:
    """The whole agreement."""

    title: str
    version: str
    clauses: tuple[Clause, ...]
    """In the document's order."""
    severities: Mapping[Label, LabelSeverity]
    """Every label is present."""
    certain_from: float
    """Label score from which `LabelSeverity.certain` holds."""

    def clauses_for(self, labels: Iterable[Label]) -> tuple[str, ...]:
        """Ids of the clauses that these labels break, in the document's order."""
        broken = set(labels)
        return tuple(clause.id for clause in self.clauses if broken.intersection(clause.labels))

    def severity(self, label: Label, score: float) -> Severity:
        """Haste of one label seen with this score."""
        haste = self.severities[label]
        return haste.certain if score >= self.certain_from else haste.base

    def clause(self, clause_id: str) -> Clause:
        """The clause of this id.

        Raises:
            ProtocolError: There is none.
        """
        for clause in self.clauses:
            if clause.id == clause_id:
                return clause
        raise ProtocolError(f"no clause {clause_id!r}; there are {', '.join(clause.id for clause in self.clauses)}")


class _Head(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    school: str
    version: str
    date: object


class _Clause(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    title: str
    wording: str
    labels: list[Label]


class _Haste(msgspec.Struct, forbid_unknown_fields=True):
    base: str
    certain: str


class _Severity(msgspec.Struct, forbid_unknown_fields=True):
    certain_from: float
    labels: dict[Label, _Haste]


class _File(msgspec.Struct, forbid_unknown_fields=True):
    protocol: _Head
    clauses: list[_Clause]
    severity: _Severity


def load_clauses(path: Path = CLAUSES) -> Protocol:
    """Read and check the clauses.

    Raises:
        ProtocolError: The file is missing, malformed, or leaves a label without a clause or a severity.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProtocolError(f"cannot read the clauses {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProtocolError(f"{path.name} is not valid TOML: {error}") from error
    try:
        raw = msgspec.convert(content, _File)
    except msgspec.ValidationError as error:
        raise ProtocolError(f"{path.name}: {error}; the labels are {', '.join(LABELS)}") from error
    _check(raw, path.name)
    return Protocol(
        title=raw.protocol.title,
        version=raw.protocol.version,
        clauses=tuple(Clause(clause.id, clause.title, clause.wording, tuple(clause.labels)) for clause in raw.clauses),
        severities={
            label: LabelSeverity(_grade(haste.base, label, path.name), _grade(haste.certain, label, path.name))
            for label, haste in raw.severity.labels.items()
        },
        certain_from=raw.severity.certain_from,
    )


def _check(raw: _File, name: str) -> None:
    """Refuse a protocol with holes: a flag must always find its clause and its haste."""
    ids = [clause.id for clause in raw.clauses]
    if doubled := sorted({one for one in ids if ids.count(one) > 1}):
        raise ProtocolError(f"{name}: clause {', '.join(doubled)} stands there twice; give each its own id")
    for clause in raw.clauses:
        for key in ("id", "title", "wording"):
            if not getattr(clause, key).strip():
                raise ProtocolError(f"{name}: clause {clause.id!r} has an empty {key}; fill it in")
    covered = {label for clause in raw.clauses for label in clause.labels}
    if missing := [label for label in LABELS if label not in covered]:
        raise ProtocolError(f"{name}: no clause names the label {', '.join(missing)}; add it to a clause's labels")
    if missing := [label for label in LABELS if label not in raw.severity.labels]:
        raise ProtocolError(f"{name}: [severity.labels] lacks {', '.join(missing)}; add a line for it")
    if not 0 < raw.severity.certain_from <= 1:
        raise ProtocolError(f"{name}: certain_from is {raw.severity.certain_from}; it is a score above 0 and at most 1")


def _grade(name: str, label: Label, file: str) -> Severity:
    grades = [grade.name for grade in Severity if grade is not Severity.NONE]
    if name not in grades:
        raise ProtocolError(f"{file}: severity {name!r} of {label} is unknown; choose {', '.join(grades)}")
    return Severity[name]
