"""`.ci/run` allows no skip: the switch it sets turns every skipped test into a failed one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SKIPPED = "import pytest\n\n\n@pytest.mark.skip(reason='no browser here')\ndef test_one() -> None: ...\n"
SKIPPED_INSIDE = "import pytest\n\n\ndef test_one() -> None:\n    pytest.skip('no browser here')\n"
SKIPPED_MODULE = "import pytest\n\npytest.skip('no browser here', allow_module_level=True)\n"
FOUND_WANTING = (
    "import pytest\n\n\n@pytest.mark.xfail(reason='no browser here')\ndef test_one() -> None:\n    assert False\n"
)


def run(source: str, folder: Path, *, no_skip: bool) -> tuple[int, str]:
    """The tests of one module, run by pytest with our conftest: its exit status and what it printed."""
    module = folder / "test_of_a_skip.py"
    module.write_text(source)
    environment = {name: value for name, value in os.environ.items() if name != "VANGNET_NO_SKIP"}
    done = subprocess.run(  # noqa: S603  # our own command
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "tests.conftest",
            "-p",
            "no:cacheprovider",
            "-c",
            "pyproject.toml",
            module,
        ],
        cwd=REPOSITORY,
        env=environment | ({"VANGNET_NO_SKIP": "1"} if no_skip else {}),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("source", [SKIPPED, SKIPPED_INSIDE, SKIPPED_MODULE], ids=["marked", "inside", "module"])
def test_a_skip_fails_where_none_is_allowed(source: str, tmp_path: Path) -> None:
    """The run fails and says which reason was given."""
    status, told = run(source, tmp_path, no_skip=True)
    assert status != 0
    assert "no browser here - where VANGNET_NO_SKIP is set" in told


def test_a_skip_is_allowed_elsewhere(tmp_path: Path) -> None:
    """On a machine without a browser the other tests still count."""
    status, told = run(SKIPPED, tmp_path, no_skip=False)
    assert status == 0
    assert "1 skipped" in told


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    """Only tests that did not run are refused."""
    assert run(FOUND_WANTING, tmp_path, no_skip=True)[0] == 0
