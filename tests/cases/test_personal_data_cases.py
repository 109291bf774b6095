"""Runs the numbered sentences of personal_data*.toml; each is one small promise about what is found and what is not."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from classifiers.findings import Utterance
from classifiers.personal_data import find

_FILES = sorted(Path(__file__).parent.glob("personal_data*.toml"))


def _cases() -> list[Any]:
    return [
        pytest.param(case, case["id"] in content["known_failures"], id=f"{file.stem}-{case['id']}")
        for file in _FILES
        for content in [tomllib.loads(file.read_text(encoding="utf-8"))]
        for case in content["case"]
    ]


def _found(case: dict[str, Any]) -> list[list[str]]:
    before = [Utterance(text, author) for author, text in case.get("before", [])]
    findings = find(case["text"], before, case.get("author", ""))
    spans = [span for finding in findings for span in finding.spans]
    return [[span.type, case["text"][span.start : span.end]] for span in spans]


@pytest.mark.parametrize(("case", "fails"), _cases())
def test_case_is_found_exactly(case: dict[str, Any], fails: bool) -> None:
    """Each sentence gives exactly the spans that it lists, and a known failure still fails."""
    expected = sorted(case["spans"])
    if fails:
        assert sorted(_found(case)) != expected, f"case {case['id']} passes now: take it out of known_failures"
    else:
        assert sorted(_found(case)) == expected


@pytest.mark.parametrize("file", _FILES, ids=lambda file: file.stem)
def test_cases_are_well_formed(file: Path) -> None:
    """Numbers are used once, known failures exist, and every listed span stands in its sentence."""
    content = tomllib.loads(file.read_text(encoding="utf-8"))
    ids = [case["id"] for case in content["case"]]
    assert len(ids) == len(set(ids))
    assert set(content["known_failures"]) <= set(ids)
    for case in content["case"]:
        assert all(words in case["text"] for _, words in case["spans"])
