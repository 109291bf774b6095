"""Turns a hub id into a local folder: the local cache first, then one short try to reach the hub."""

import re
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

from classifiers.errors import ModelError

PATIENCE = 5.0
"""Seconds within which the hub must answer at all; a download then takes as long as it takes."""
LABELS_FILE = "vangnet_labels.toml"
_SMALL = ("*.json", "*.txt", "*.model", LABELS_FILE)
_WEIGHTS = (("*.safetensors",), ("pytorch_model*.bin",))
"""The safe form first; the older one only where a model has no other."""
_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


def is_hub_id(name: str) -> bool:
    """True for `owner/model`."""
    return _ID.fullmatch(name) is not None


def has_weights(folder: Path) -> bool:
    """True where a folder holds weights in a form that transformers reads."""
    return any(any(folder.glob(pattern)) for patterns in _WEIGHTS for pattern in patterns)


def fetch(hub_id: str, *, weights: bool = True, endpoint: str | None = None, cache: Path | None = None) -> Path:
    """Give the local folder of a model.

    Args:
        hub_id: `owner/model`.
        weights: False for everything but the weights, to look before a large download.
        endpoint: The hub; by default the public one, or HF_ENDPOINT.
        cache: Where downloads are kept; by default where every Hugging Face program keeps them.

    Raises:
        ModelError: Not in the cache, and the hub does not answer or has no such model.
    """
    from huggingface_hub import snapshot_download  # noqa: PLC0415  # half a second that only this way costs
    from huggingface_hub.errors import LocalEntryNotFoundError  # noqa: PLC0415

    try:
        folder = Path(snapshot_download(hub_id, cache_dir=cache, local_files_only=True))
        if (folder / "config.json").is_file() and (has_weights(folder) or not weights):
            return folder
    except LocalEntryNotFoundError:
        pass
    _ask(hub_id, endpoint)
    try:
        folder = _download(hub_id, _SMALL, endpoint, cache)
        for patterns in _WEIGHTS if weights else ():
            if not has_weights(folder):
                _download(hub_id, patterns, endpoint, cache)
    except OSError as error:
        raise ModelError(f"the download of {hub_id} broke off ({type(error).__name__}); try again") from error
    if weights and not has_weights(folder):
        raise ModelError(f"{hub_id} has no weights that PyTorch reads (safetensors or pytorch_model.bin)")
    return folder


def _ask(hub_id: str, endpoint: str | None) -> None:
    """One question with a time limit, since a download has none."""
    import httpx  # noqa: PLC0415  # huggingface_hub's own client, whose errors it passes on
    from huggingface_hub import HfApi  # noqa: PLC0415
    from huggingface_hub.errors import HfHubHTTPError  # noqa: PLC0415

    answer: Queue[Exception | None] = Queue()

    def ask() -> None:
        try:
            HfApi(endpoint=endpoint).model_info(hub_id, timeout=PATIENCE)
            answer.put(None)
        except (httpx.HTTPError, OSError) as error:
            answer.put(error)

    # In a thread: looking up a name where no name server answers heeds no limit of the client's.
    Thread(target=ask, daemon=True).start()
    try:
        trouble = answer.get(timeout=2 * PATIENCE)
    except Empty:
        trouble = TimeoutError()
    if isinstance(trouble, HfHubHTTPError):
        raise ModelError(
            f"{hub_id} is no folder here, and the model hub knows no such model or does not give it to everybody "
            f"(status {trouble.response.status_code}); check the name, or run `hf auth login` first"
        ) from trouble
    if trouble is not None:
        raise ModelError(
            f"{hub_id} is neither a folder here nor in the local cache, and no model hub can be reached. On a machine "
            f"with internet run `hf download {hub_id} --local-dir FOLDER`, copy FOLDER here and give its path instead"
        ) from trouble


def _download(hub_id: str, patterns: tuple[str, ...], endpoint: str | None, cache: Path | None) -> Path:
    from huggingface_hub import snapshot_download  # noqa: PLC0415

    return Path(
        snapshot_download(
            hub_id, allow_patterns=list(patterns), endpoint=endpoint, cache_dir=cache, etag_timeout=PATIENCE
        )
    )
