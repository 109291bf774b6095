"""`vangnet web` as a process of its own."""

import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dashboards.commands.web import listen, without_query
from dashboards.errors import AddressInUseError
from tests.conftest import ValkeyServer

VANGNET = Path(sys.executable).with_name("vangnet")
StartWeb = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def environment(valkey_server: ValkeyServer, tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "VANGNET_REDIS": valkey_server.url,
        "VANGNET_DATA": str(tmp_path / "var"),
        "VANGNET_KEYS": str(tmp_path / "keys"),
    }


@pytest.fixture
def start_web(environment: dict[str, str]) -> Iterator[StartWeb]:
    """Start the command; whatever still runs at the end is killed."""
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(  # noqa: S603  # our own command
            [VANGNET, "web", *arguments], env=environment, stderr=subprocess.PIPE, text=True
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def address_of(process: "subprocess.Popen[str]") -> str:
    """Wait for the line that tells where the pages are."""
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"http://\S+", line):
            return found[0]
    raise AssertionError("the web app did not start")


def answer(url: str, seconds: float = 20) -> bytes:
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310  # loopback
                body: bytes = response.read()
                return body
        except ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_and_stops_when_told(start_web: StartWeb, sign: signal.Signals) -> None:
    """It says where the pages are, answers there, and ends with status 0 and without a stack trace."""
    process = start_web("--port", "0")
    address = address_of(process)
    assert json.loads(answer(f"{address}/health")) == {"status": "ok"}
    process.send_signal(sign)
    _, rest = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in rest


def test_an_open_live_stream_does_not_hold_it_up(start_web: StartWeb, environment: dict[str, str]) -> None:
    """A browser that listens for changes is let go at the signal."""
    password = "vangnet-proef-1\n"
    subprocess.run(  # noqa: S603  # our own command
        [VANGNET, "users", "add", "anna", "--role", "mentor", "--password-stdin"],
        env=environment,
        input=password,
        text=True,
        check=True,
        capture_output=True,
    )
    process = start_web("--port", "0")
    address = address_of(process)
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    answer(f"{address}/health")
    form = browser.open(f"{address}/aanmelden", timeout=10).read().decode()
    token = re.search(r'name="_csrf_token" value="([^"]+)"', form)
    assert token is not None
    data = f"_csrf_token={token[1]}&name=anna&password={password.strip()}".encode()
    browser.open(f"{address}/aanmelden", data=data, timeout=10).read()
    stream = browser.open(f"{address}/meldingen/stroom", timeout=20)
    assert b"revision" in stream.readline() + stream.readline() + stream.readline()
    process.send_signal(signal.SIGTERM)
    _, rest = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "graceful" not in rest
    assert "Traceback" not in rest


def test_a_port_in_use_is_a_sentence(start_web: StartWeb) -> None:
    """Which port, and what to do; a status that a supervisor notices; no stack trace."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        process = start_web("--port", str(port))
        _, said = process.communicate(timeout=20)
    assert process.returncode != 0
    assert f"Port {port} on 127.0.0.1 is in use by another program" in said
    assert "VANGNET_WEB_PORT" in said
    assert "Traceback" not in said


def test_a_store_that_is_away_is_a_sentence(start_web: StartWeb, environment: dict[str, str]) -> None:
    """The web app does not wait for ever for its store."""
    environment["VANGNET_REDIS"] = "redis://127.0.0.1:1"
    process = start_web("--port", "0")
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "VANGNET_REDIS" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("host", ["192.0.2.7", "geen adres"])
def test_an_address_that_is_not_ours_is_a_sentence(host: str) -> None:
    """A mistyped host is told apart from a taken port."""
    with pytest.raises(AddressInUseError, match=re.escape(host)):
        listen(host, 0)


def test_the_web_app_never_loads_a_model_s_libraries(tmp_path: Path) -> None:
    """Making the whole application imports neither torch nor transformers nor Faust."""
    script = f"""
import sys
from pathlib import Path
from redis.asyncio import Redis
import dashboards.commands.web, dashboards.commands.users
from dashboards.web import create_app
from dashboards.review.conversation import personal_spans
from pipeline.groups import GroupLedger
from pipeline.privacy import Keyring
from pipeline.review.store import ReviewStore
from pipeline.settings import load_settings
keyring, redis = Keyring.open(Path({str(tmp_path / "keys")!r})), Redis()
create_app(load_settings(), ReviewStore(redis, keyring), GroupLedger(redis, keyring), redis, keyring)
personal_spans("bel 06 23 45 67 81", ())
print(sorted({{"torch", "transformers", "faust", "onnxruntime", "sklearn"}} & set(sys.modules)))
"""
    done = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_access_log_holds_no_query_and_no_address() -> None:
    """What stands after the question mark, and who asked, is not logged."""
    record = logging.LogRecord(
        "uvicorn.access", logging.INFO, "", 0, '%s - "%s %s HTTP/%s" %d',
        ("10.0.0.7:5000", "GET", "/aanmelden?naar=/zaak/abc", "1.1", 200), None,
    )  # fmt: skip
    assert without_query(record)
    assert record.getMessage() == '- - "GET /aanmelden HTTP/1.1" 200'
