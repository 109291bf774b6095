"""Runs the numbered sentences of toxicity*.toml through the shipped model; each is one small promise."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from classifiers.engine import Scorer, open_scorer
from classifiers.findings import ScoringInput, Utterance
from classifiers.protocol import Policy, decide, load_policy

pytestmark = pytest.mark.weights

_FILES = sorted(Path(__file__).parent.glob("toxicity*.toml"))


def _cases() -> list[Any]:
    return [
        pytest.param(case, content["known_failures"], id=f"{file.stem}-{case['id']}")
        for file in _FILES
        for content in [tomllib.loads(file.read_text(encoding="utf-8"))]
        for case in content["case"]
    ]


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return open_scorer()


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy("waakzaam")


@pytest.mark.parametrize(("case", "known_failures"), _cases())
def test_case_is_judged_as_it_says(
    scorer: Scorer, policy: Policy, case: dict[str, Any], known_failures: dict[str, list[int]]
) -> None:
    """Each sentence shows the labels it must show, or none at all; a known failure still fails."""
    before = tuple(Utterance(text, author) for author, text in case.get("before", []))
    (assessment,) = scorer.score([ScoringInput(Utterance(case["text"], "l9"), before)])
    shown = set(decide(assessment, policy).labels)
    right = shown >= set(case["labels"]) if case["labels"] else not shown
    family = scorer.version.partition(":")[0]
    if case["id"] in known_failures.get(family, []):
        assert not right, f"case {case['id']} passes now: take it out of known_failures.{family}"
    else:
        assert right, f"case {case['id']}: shown {sorted(shown)}, must show {case['labels'] or 'nothing'}"


@pytest.mark.parametrize("file", _FILES, ids=lambda file: file.stem)
def test_cases_are_well_formed(file: Path) -> None:
    """Numbers are used once and known failures exist."""
    content = tomllib.loads(file.read_text(encoding="utf-8"))
    ids = [case["id"] for case in content["case"]]
    assert len(ids) == len(set(ids))
    for family, failing in content["known_failures"].items():
        assert set(failing) <= set(ids), family
