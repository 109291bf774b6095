"""A checkpoint folder: config.json, tokenizer.json, model.safetensors (fp16) and the hashes that guard them."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from classifiers.errors import ModelError

ANY = "melden"
"""Name of the eleventh output: a mentor would want to see the message."""
HASHES = "hashes.json"
GUARDED = ("config.json", "tokenizer.json", "model.safetensors")


def file_hash(path: Path) -> str:
    """sha256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def save_checkpoint(model: Any, tokenizer: Path, out: Path) -> None:  # noqa: ANN401  # any transformers model
    """Write a model as fp16 with its tokenizer and hashes.

    The folder is written beside its place and then moved, so a killed run leaves the old one whole.

    Args:
        model: A transformers sequence classifier.
        tokenizer: The `tokenizer.json` it was trained with.
        out: The folder.
    """
    import torch  # noqa: PLC0415  # loading and checking a folder must not need torch

    fresh = out.with_name(out.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    state = {name: value.detach().to(torch.float16) for name, value in model.state_dict().items()}
    model.save_pretrained(fresh, state_dict=state)
    (fresh / "model.safetensors").chmod(0o644)  # it is made unreadable to others, which a shipped file must not be
    config = json.loads((fresh / "config.json").read_text())
    config["dtype"] = "float16"
    (fresh / "config.json").write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")
    shutil.copyfile(tokenizer, fresh / "tokenizer.json")
    shutil.copyfile(tokenizer.with_name("tokenizer_config.json"), fresh / "tokenizer_config.json")
    (fresh / HASHES).write_text(json.dumps({name: file_hash(fresh / name) for name in GUARDED}, indent=1) + "\n")
    shutil.rmtree(out, ignore_errors=True)
    fresh.rename(out)


def is_own_checkpoint(folder: Path) -> bool:
    """True for a folder of the conversation encoder, whole or not: `check_folder` says what is wrong with it."""
    if (folder / HASHES).is_file():
        return True
    try:
        return "local_layers" in json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False


def check_folder(folder: Path) -> str:
    """Check a checkpoint folder of ours against its hashes.

    Returns:
        The first twelve hex digits of the weights' sha256: the model's version.

    Raises:
        ModelError: A file is missing, cut short or changed.
    """
    try:
        expected = json.loads((folder / HASHES).read_text())
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{folder} holds no checked model ({HASHES} is missing or broken); reinstall or retrain"
        ) from error
    for name in GUARDED:
        path = folder / name
        if not path.is_file():
            raise ModelError(f"{path} is missing; reinstall or retrain the model")
        if file_hash(path) != expected.get(name):
            raise ModelError(
                f"{path} is not the file that was shipped (its hash differs); reinstall or retrain the model"
            )
    version: str = expected["model.safetensors"][:12]
    return version
