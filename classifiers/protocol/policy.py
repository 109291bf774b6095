"""Reads the thresholds of the two operating points (`../toxicity/thresholds.toml`) and joins them to the clauses.

Thresholds belong to a model: a score of 0.6 means another thing from another model. They are data with the date and
the evaluation run that chose them.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from classifiers.errors import ProtocolError
from classifiers.labels import LABELS, Label
from classifiers.protocol.clauses import Protocol, load_clauses

THRESHOLDS = Path(__file__).parents[1] / "toxicity" / "thresholds.toml"

OPERATING_POINTS = ("rustig", "waakzaam")
"""Few false alarms (the default); few misses."""


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model at one operating point."""

    date: object
    """Day on which they were chosen."""
    run: str
    """Evaluation run that chose them, with its figures."""
    any: float
    """Score from which a message is flagged at all."""
    labels: dict[Label, float]
    """Score from which a flagged message also shows this label; every label is present."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything `decide` needs: the clauses and where the cuts lie."""

    operating_point: str
    protocol: Protocol
    models: Mapping[str, Thresholds]
    """By model family, the part of `Assessment.model` before the colon."""
    default: str
    """Family of the shipped model, also used for a model that has no thresholds of its own."""
    personal_data: float
    """Score from which a recognizer's finding flags the message by itself."""

    def thresholds(self, model: str) -> Thresholds:
        """The cuts for the model that made an assessment."""
        return self.models.get(model.partition(":")[0], self.models[self.default])


def load_policy(operating_point: str = "rustig", path: Path = THRESHOLDS, protocol: Protocol | None = None) -> Policy:
    """Read the cuts of one operating point for every model that has them.

    Args:
        operating_point: `rustig` or `waakzaam`.
        path: The thresholds file.
        protocol: The clauses; read from the shipped file when None.

    Raises:
        ProtocolError: Unknown operating point, or the file is missing, malformed or incomplete.
    """
    if operating_point not in OPERATING_POINTS:
        raise ProtocolError(f"unknown operating point {operating_point!r}; choose {' or '.join(OPERATING_POINTS)}")
    try:
        content: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProtocolError(f"cannot read the thresholds {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProtocolError(f"{path.name} is not valid TOML: {error}") from error
    try:
        default = msgspec.convert(content.get("default"), str)
        personal_data = msgspec.convert(content.get("personal_data"), float)
        models = {
            family: msgspec.convert(points.get(operating_point), Thresholds)
            for family, points in content.get("models", {}).items()
        }
    except msgspec.ValidationError as error:
        raise ProtocolError(f"{path.name}, operating point {operating_point}: {error}") from error
    if default not in models:
        raise ProtocolError(
            f"{path.name}: default is {default!r}, but there is no [models.{default}.{operating_point}]"
        )
    for family, cuts in models.items():
        _check(cuts, f"{path.name}: [models.{family}.{operating_point}]")
    if not 0 < personal_data <= 1:
        raise ProtocolError(f"{path.name}: personal_data is {personal_data}; it is a score above 0 and at most 1")
    return Policy(operating_point, protocol or load_clauses(), models, default, personal_data)


def _check(cuts: Thresholds, where: str) -> None:
    if missing := [label for label in LABELS if label not in cuts.labels]:
        raise ProtocolError(f"{where} lacks a threshold for {', '.join(missing)}; add it under labels")
    for name, cut in [("any", cuts.any), *cuts.labels.items()]:
        if not 0 < cut <= 1:
            raise ProtocolError(f"{where} has {cut} for {name}; a threshold lies above 0 and is at most 1")
