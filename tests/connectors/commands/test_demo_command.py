"""The demo accounts' file: kept whole whatever the disk does, and read by its owner alone."""

import errno
import os
from pathlib import Path
from typing import NoReturn

import pytest

from connectors.commands.demo import read_passwords, write_private
from pipeline.errors import StoreError


def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    """Mode 600, and what was written comes back."""
    path = tmp_path / "accounts.json"
    write_private(path, '{"mentor1": "geheim"}')
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_passwords(path) == {"mentor1": "geheim"}


def test_a_full_disk_is_a_sentence_and_leaves_the_passwords(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No stack trace now, and no empty file that stops the next start."""
    path = tmp_path / "accounts.json"
    write_private(path, '{"mentor1": "geheim"}')

    def full(_path: Path, _text: str) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(StoreError, match="No space left on device"):
        write_private(path, "{}")
    assert read_passwords(path) == {"mentor1": "geheim"}


def test_a_damaged_file_is_a_sentence(tmp_path: Path) -> None:
    """It names the file and what to do, and repeats nothing of it."""
    path = tmp_path / "accounts.json"
    path.write_text("geheim")
    with pytest.raises(StoreError, match="begin the demo anew") as caught:
        read_passwords(path)
    assert "geheim" not in str(caught.value)
