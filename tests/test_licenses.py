"""What LICENSES.md promises: every direct dependency with its licence, and none that would forbid ours."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
COMPATIBLE = {
    *("MIT", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "Apache-2.0", "ISC", "Zlib", "BSL-1.0", "CC0-1.0", "Unlicense"),
    *("LLVM-exception", "LicenseRef-Matplotlib"),
    # Weak copyleft: as a library (LGPL) or file by file (MPL), which the EUPL's own appendix allows.
    *("LGPL-2.1-or-later", "MPL-2.0"),
}


def stated() -> dict[str, str]:
    """Package and licence of every row."""
    text = (ROOT / "LICENSES.md").read_text("utf-8").partition("## Notes")[0]
    rows = re.findall(r"^\| ([\w.-]+) \| ([^|]+) \|", text, re.MULTILINE)
    return {name: licence for name, licence in rows if name != "package"}


def direct() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    return {Requirement(line).name for line in lines} - {"vangnet"}


def test_every_direct_dependency_is_there_and_nothing_else() -> None:
    """A new dependency needs a look at its licence first."""
    assert set(stated()) == direct()


@pytest.mark.parametrize("name", sorted(direct()))
def test_the_licence_is_the_one_that_the_package_states(name: str) -> None:
    """Where a package states it in the standard form; else a person read it."""
    expressions = metadata.metadata(name).get_all("License-Expression") or []
    for expression in expressions:
        assert stated()[name] == expression


def test_none_forbids_ours() -> None:
    """Every licence named is one that a work under the EUPL-1.2 may depend on."""
    named = {part for licence in stated().values() for part in re.split(r" (?:AND|OR|WITH) |[()]", licence) if part}
    assert named <= COMPATIBLE


def test_ours_is_the_eupl() -> None:
    """The whole official English text."""
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert text.startswith("EUROPEAN UNION PUBLIC LICENCE v. 1.2\nEUPL © the European Union 2007, 2016\n")
    assert [number for number in range(1, 16) if f"\n{number}.".encode() not in text.encode()] == []
    assert "‘Compatible Licences’ according to Article 5 EUPL are:" in text
