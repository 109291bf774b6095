"""A hub id becomes a folder: from the cache, from a hub, or a sentence that says how to fetch it."""

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from classifiers.errors import ModelError
from classifiers.toxicity.other_models.hub import fetch, is_hub_id
from tests.classifiers.toxicity.other_models.checkpoints import tiny_other

NAME = "proef/hate_speech_nl"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(BaseHTTPRequestHandler):
    """Serves one folder the way the public hub does."""

    folder: Path
    asked: list[str]

    def do_GET(self) -> None:  # http.server's name
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self.asked.append(self.path)
        if self.path.startswith(f"/api/models/{NAME}"):
            files = [{"rfilename": path.name} for path in self.folder.iterdir()]
            self._send(json.dumps({"id": NAME, "sha": COMMIT, "siblings": files}).encode())
        elif self.path.startswith(f"/{NAME}/resolve/"):
            self._send((self.folder / self.path.rpartition("/")[2]).read_bytes())
        else:
            self.send_response(404)
            self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()

    def _send(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # http.server's name
        """Stay quiet."""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[str]:
    """A hub on this machine with one tiny model."""
    Hub.folder = tiny_other(tmp_path / "on-the-hub", "bert", ["LABEL_0", "LABEL_1", "LABEL_2", "LABEL_3"])
    (Hub.folder / "README.md").write_text("not needed")
    Hub.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_model_is_fetched_once_and_then_found_without_a_hub(hub: str, tmp_path: Path) -> None:
    """First the small files, then the weights; the second time nobody is asked, and the folder loads."""
    cache = tmp_path / "cache"
    small = fetch(NAME, weights=False, endpoint=hub, cache=cache)
    assert (small / "config.json").is_file()
    assert not list(small.glob("*.safetensors"))
    folder = fetch(NAME, endpoint=hub, cache=cache)
    assert {path.name for path in folder.iterdir()} >= {"config.json", "tokenizer.json", "model.safetensors"}
    assert not (folder / "README.md").exists()
    Hub.asked.clear()
    assert fetch(NAME, endpoint=hub, cache=cache) == folder
    assert Hub.asked == []


def test_a_name_that_the_hub_does_not_know_is_a_sentence(hub: str, tmp_path: Path) -> None:
    """A misspelled id is told apart from a hub that cannot be reached."""
    with pytest.raises(ModelError, match="knows no such model"):
        fetch("proef/bestaat-niet", endpoint=hub, cache=tmp_path / "cache")


def test_offline_the_text_says_how_to_fetch_it(tmp_path: Path) -> None:
    """Nothing listens there: the command to run elsewhere, and what to do with its folder."""
    with pytest.raises(ModelError, match="hf download proef/hate_speech_nl --local-dir FOLDER"):
        fetch(NAME, endpoint="http://127.0.0.1:9", cache=tmp_path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("IMSyPP/hate_speech_nl", True), ("model", False), ("/srv/model", False), ("../a/b", False), ("a/b/c", False)],
)
def test_hub_ids_are_told_from_paths(name: str, expected: bool) -> None:
    """Only `owner/model` is one."""
    assert is_hub_id(name) is expected
