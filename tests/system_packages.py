"""Sees to the system packages that some tests need: Chromium, Java and Maven for a real Kafka, Prometheus' checker.

Debian as root installs what is missing; elsewhere it names what to install, and only the tests that need it are
skipped. Run by `make test` before pytest.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NEEDED = {
    "chromium": ("chromium", "tests of the pages in a real browser"),
    "chromedriver": ("chromium-driver", "tests of the pages in a real browser"),
    "java": ("default-jre-headless", "the journey on a real Apache Kafka"),
    "promtool": ("prometheus", "the check of Prometheus' configuration"),
    "mvn": ("maven", "the journey on a real Apache Kafka (it fetches Kafka from Maven Central)"),
}
"""Program to look for, Debian package that brings it, what needs it."""


def main() -> int:
    """Install or name what is missing."""
    missing = {program: needed for program, needed in NEEDED.items() if shutil.which(program) is None}
    if not missing:
        return 0
    packages = sorted({package for package, _ in missing.values()})
    if os.geteuid() == 0 and Path("/etc/debian_version").exists() and shutil.which("apt-get"):
        print("installing system packages for tests:", " ".join(packages), flush=True)  # noqa: T201
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=False, env=environment, **quiet)  # type: ignore[call-overload]  # noqa: S607
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
        done = subprocess.run(install, check=False, env=environment, **quiet)  # type: ignore[call-overload]  # noqa: S603
        if done.returncode == 0:
            return 0
        print(f"apt-get ended with status {done.returncode}", file=sys.stderr)  # noqa: T201
    for program, (package, what) in missing.items():
        print(f"not found: {program} (Debian package {package}); skipped without it: {what}", file=sys.stderr)  # noqa: T201
    return 1 if os.environ.get("VANGNET_NO_SKIP") else 0


if __name__ == "__main__":
    sys.exit(main())
