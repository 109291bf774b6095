"""What the processes log: one line an event, no stack trace and no exception's text."""

import logging
from collections.abc import Iterator

import pytest

from pipeline.log import set_up_logging


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def log_a_fault(capsys: pytest.CaptureFixture[str]) -> str:
    try:
        int("geheime tekst")  # its error quotes what it was given
    except ValueError:
        logging.getLogger("asyncio").exception("never\nretrieved")
    return capsys.readouterr().err


def test_an_exception_is_one_line_with_its_kind(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever reads the log sees what kind of error it was, and nothing that it quotes."""
    set_up_logging("worker")
    err = log_a_fault(capsys)
    assert err.count("\n") == 1
    assert "worker ERROR never retrieved (ValueError)" in err
    assert "geheime" not in err
    assert "Traceback" not in err


def test_verbose_shows_where_it_happened(capsys: pytest.CaptureFixture[str]) -> None:
    """Who looks for a fault asks for the stack trace."""
    set_up_logging("worker", verbose=True)
    assert "Traceback" in log_a_fault(capsys)
