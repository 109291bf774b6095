"""Label maps: what each output of another model means in our labels, as data that anybody can write.

A map is found beside this module for the public models known, by the hub id that a checkpoint names, or lies as
`vangnet_labels.toml` in the checkpoint's own folder, which wins.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from classifiers.errors import ModelError
from classifiers.labels import LABELS
from classifiers.toxicity.checkpoint import ANY
from classifiers.toxicity.other_models.hub import LABELS_FILE

HOME = Path(__file__).parent
TARGETS = (*map(str, LABELS), ANY)
"""Our labels in their order, then "a mentor would want to see it"."""
_UNNAMED = "LABEL_"
"""How transformers names outputs that nobody named."""


class Output(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One output of the model that means something to us; the others may be left out."""

    names: tuple[str, ...]
    """As the checkpoint's config may call it, in whatever case."""
    labels: tuple[str, ...]
    """Ours, and `melden` where a mentor would want to see it."""
    index: int | None = None
    """Its place, used where the checkpoint gives its outputs no names."""


class LabelMap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one model is read."""

    model: str
    """Hub id, or a name."""
    family: str
    """The part of `Assessment.model` before the colon; thresholds.toml may hold cuts under it."""
    activation: Literal["softmax", "sigmoid"]
    """softmax: exactly one output holds, probabilities add up. sigmoid: each holds or not."""
    outputs: tuple[Output, ...]
    context: bool = False
    """True for a model that was trained to read the conversation before the message as the first of two texts."""
    max_tokens: int = 512
    license: str = ""
    """As far as is known; the model's own page counts."""
    note: str = ""
    """What is known of it."""
    unverified: tuple[str, ...] = ()
    """What of this file was never checked against the model itself."""


def find_map(folder: Path, name: str = "") -> LabelMap:
    """The map of a checkpoint.

    Args:
        folder: Of the checkpoint.
        name: The hub id it came from, if any; else the checkpoint's config and the folder's name are asked.

    Raises:
        ModelError: There is none, or it is malformed.
    """
    own = folder / LABELS_FILE
    if own.is_file():
        return read_map(own)
    names = {one.casefold() for one in (name, _named_in_config(folder)) if one}
    short = {folder.name.casefold()}
    for known in known_maps():
        if known.model.casefold() in names or known.model.rpartition("/")[2].casefold() in short:
            return known
    raise ModelError(
        f"nobody has said what the outputs of {name or folder} mean: put a {LABELS_FILE} into {folder}, in the manner "
        f"of {HOME / 'imsypp_hate_speech_nl.toml'}"
    )


def known_maps() -> Iterator[LabelMap]:
    """The maps that ship, one for each public model known."""
    return map(read_map, sorted(HOME.glob("*.toml")))


def read_map(path: Path) -> LabelMap:
    """Read and check a map.

    Raises:
        ModelError: It is malformed or names labels that there are not.
    """
    try:
        found = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), LabelMap)
    except OSError as error:
        raise ModelError(f"cannot read the label map {path}: {error.strerror}") from error
    except (ValueError, msgspec.ValidationError) as error:  # TOML and UTF-8 errors are ValueErrors
        raise ModelError(f"the label map {path} is malformed: {error}") from error
    named = [label for output in found.outputs for label in output.labels]
    if unknown := sorted(set(named) - set(TARGETS)):
        raise ModelError(f"the label map {path} names {', '.join(unknown)}; there are {', '.join(TARGETS)}")
    if ANY not in named:
        raise ModelError(f"the label map {path} gives no output the label {ANY!r}, so nothing would ever be flagged")
    return found


def write_own_map(folder: Path, name: str, max_tokens: int) -> None:
    """Write the map of a model that was trained on the corpus, whose outputs are our labels."""
    lines = [
        "# Written by `vangnet train`: the outputs are Vangnet's labels themselves.",
        f"model = {json.dumps(name)}",
        'family = "trained"',
        'activation = "sigmoid"',
        "context = true",
        f"max_tokens = {max_tokens}",
    ]
    for at, target in enumerate(TARGETS):
        lines += ["", "[[outputs]]", f'names = ["{target}"]', f"index = {at}", f'labels = ["{target}"]']
    (folder / LABELS_FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")


def membership(label_map: LabelMap, names: Mapping[int, str]) -> NDArray[np.float32]:
    """Which output counts for which of our labels.

    Args:
        label_map: The map.
        names: The checkpoint's `id2label`.

    Returns:
        Zeros and ones of shape (outputs, len(TARGETS)).

    Raises:
        ModelError: The checkpoint has no output that the map asks for.
    """
    found = np.zeros((len(names), len(TARGETS)), np.float32)
    for output in label_map.outputs:
        at = _place(output, names)
        if at is None:
            raise ModelError(
                f"the label map of {label_map.model} asks for the output {' or '.join(output.names)}, but this "
                f"checkpoint has {', '.join(names.values())}; write a {LABELS_FILE} for it into its folder"
            )
        found[at, [TARGETS.index(label) for label in output.labels]] = 1
    return found


def combine(
    label_map: LabelMap, probabilities: NDArray[np.float32], members: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Our labels' probabilities, (messages, len(TARGETS)), from the outputs' (messages, outputs).

    Outputs of which one holds add up; of outputs that hold or not each by itself, the surest counts.
    """
    if label_map.activation == "softmax":
        total: NDArray[np.float32] = np.minimum(probabilities @ members, 1)
        return total
    strongest: NDArray[np.float32] = (probabilities[:, :, None] * members).max(axis=1)
    return strongest


def _place(output: Output, names: Mapping[int, str]) -> int | None:
    wanted: Sequence[str] = [name.casefold() for name in output.names]
    for at, name in names.items():
        if name.casefold() in wanted:
            return at
    unnamed = all(name.startswith(_UNNAMED) for name in names.values())
    return output.index if unnamed and output.index in names else None


def _named_in_config(folder: Path) -> str:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return str(config.get("_name_or_path", "")) if isinstance(config, dict) else ""
