"""The fast first judge: hashed n-grams through a linear layer, then a small network that looks at the window's scores.

The first stage reads a message's words; the second reads no words at all but the first stage's scores of the message
and of the messages before it, so that a bare "haha" after an insult is judged by what it answers. Both are plain numpy:
this stage costs some tens of microseconds a message, needs no torch, and is what judges when nothing else can.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from classifiers.errors import ModelError
from classifiers.findings import ScoringInput
from classifiers.labels import LABELS
from classifiers.toxicity.ngram_features import BITS, BUCKETS, features

FAMILY = "ngram"
WEIGHTS = Path(__file__).parent / "weights" / "ngram.safetensors"

OUTPUTS = len(LABELS) + 1
"""The ten labels in their order, then "a mentor would want to see it at all"."""
ANY = len(LABELS)

WINDOW = 6
"""So many messages before are summed up for the second stage."""
NEAREST = 4
"""And so many of them are also seen one by one."""
REMEMBERED = 20_000
"""First-stage scores kept of messages lately seen, so that a window is not read again for each new message."""

Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Weights:
    """Everything that is learned."""

    linear: NDArray[np.int8]
    """Shape (2**18, 11): the first stage, in steps of `step`."""
    step: Scores
    """Shape (11,)."""
    bias: Scores
    """Shape (11,)."""
    center: Scores
    """Mean of the second stage's inputs, shape (inputs,)."""
    spread: Scores
    """Their deviation."""
    hidden: Scores
    """Shape (inputs, hidden)."""
    hidden_bias: Scores
    outer: Scores
    """Shape (hidden, 11)."""
    outer_bias: Scores
    slope: Scores
    """Calibration on the validation split: probability = sigmoid(slope * logit + offset), shape (11,)."""
    offset: Scores


class NgramModel:
    """Scores messages with shipped weights; holds no text."""

    def __init__(self, weights: Weights, version: str) -> None:
        self.version = version
        self._weights = weights
        self._linear = weights.linear.astype(np.float32) * weights.step
        self._seen: dict[int, Scores] = {}

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> "NgramModel":
        """Open weights after checking their hash against the note beside them.

        Raises:
            ModelError: A file is missing, truncated, altered or of another form.
        """
        weights, version = read_weights(path)
        return cls(weights, version)

    def score(self, inputs: Sequence[ScoringInput]) -> Scores:
        """Judge a batch.

        Returns:
            Calibrated probabilities of shape (len(inputs), 11): the labels in order, then "at all".
        """
        if not inputs:
            return np.zeros((0, OUTPUTS), dtype=np.float32)
        weights = self._weights
        standardized = (self._window_scores(inputs) - weights.center) / weights.spread
        hidden = np.maximum(standardized @ weights.hidden + weights.hidden_bias, 0)
        logits = (hidden @ weights.outer + weights.outer_bias) * weights.slope + weights.offset
        return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), dtype=np.float32)

    def first_stage(self, inputs: Sequence[ScoringInput]) -> Scores:
        """Score words alone; shape (len(inputs), 11), unbounded, above 0 is likely."""
        if not inputs:
            return np.zeros((0, OUTPUTS), dtype=np.float32)
        return np.asarray(features(inputs) @ self._linear + self._weights.bias, dtype=np.float32)

    def _window_scores(self, inputs: Sequence[ScoringInput]) -> Scores:
        """Inputs of the second stage, with each message of the overlapping windows scored once."""
        needed: dict[int, ScoringInput] = {}
        places = []
        for one in inputs:
            keys = []
            for item in [one, *window(one)]:
                key = _key(item)
                keys.append(key)
                if key not in self._seen:
                    needed.setdefault(key, item)
            places.append(keys)
        fresh = dict(zip(needed, self.first_stage(list(needed.values())), strict=True))
        scores = {key: fresh[key] if key in fresh else self._seen[key] for keys in places for key in keys}
        self._remember(fresh)
        return np.stack(
            [
                second_stage_input(one, scores[keys[0]], [scores[key] for key in keys[1:]])
                for one, keys in zip(inputs, places, strict=True)
            ]
        )

    def _remember(self, fresh: dict[int, Scores]) -> None:
        self._seen.update(fresh)
        for key in list(self._seen)[: max(0, len(self._seen) - REMEMBERED)]:
            del self._seen[key]


def window(one: ScoringInput) -> Iterator[ScoringInput]:
    """The messages before, nearest first, each with what stood before it."""
    end = len(one.before)
    for place in range(end - 1, max(-1, end - 1 - WINDOW), -1):
        yield ScoringInput(one.before[place], one.before[max(0, place - 3) : place])


def second_stage_input(one: ScoringInput, own: Scores, before: Sequence[Scores]) -> Scores:
    """Lay out the window's first-stage scores as one row.

    Args:
        one: The message, for who speaks and how long it is.
        own: Its first-stage scores, shape (11,).
        before: Those of `window(one)`, nearest first.
    """
    parts: list[Scores] = [own]
    for place in range(NEAREST):
        if place < len(before):
            same = one.before[-1 - place].author == one.message.author
            parts += [before[place], np.array([1, same], dtype=np.float32)]
        else:
            parts += [np.full(OUTPUTS, -1, dtype=np.float32), np.zeros(2, dtype=np.float32)]
    if before:
        stacked = np.stack(before)
        parts += [stacked.max(axis=0), stacked.mean(axis=0)]
    else:
        parts += [np.full(2 * OUTPUTS, -1, dtype=np.float32)]
    words = len(one.message.text.split())
    wordless = not any(map(str.isalnum, one.message.text))
    parts.append(
        np.array([min(words, 20) / 20, np.log1p(words), wordless, one.message.role != "pupil"], dtype=np.float32)
    )
    return np.concatenate(parts)


def _key(one: ScoringInput) -> int:
    """Stands for everything the first stage reads of a message; a hash, so that no text is kept."""
    before = tuple(said.text for said in one.before[-2:])
    same = bool(one.before) and one.before[-1].author == one.message.author
    return hash((one.message.text, one.message.role, before, min(len(one.before), 3), same))


def read_weights(path: Path) -> tuple[Weights, str]:
    """Read and check a weights file.

    Returns:
        The weights and their version (`ngram:` and the start of the file's hash).

    Raises:
        ModelError: A file is missing, truncated, altered or of another form.
    """
    note = path.with_suffix(".json")
    retrain = "restore it from the repository or run `vangnet train-ngram`"
    try:
        content = path.read_bytes()
        told = json.loads(note.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"cannot read the model {error.filename}: {error.strerror}; {retrain}") from error
    except ValueError as error:
        raise ModelError(f"{note} is not valid JSON; {retrain}") from error
    found = hashlib.sha256(content).hexdigest()
    if not isinstance(told, dict) or told.get("sha256") != found:
        raise ModelError(
            f"the model {path} is truncated or altered: its sha256 begins {found[:12]} and not as {note.name} says; "
            f"{retrain}"
        )
    if told.get("bits") != BITS or told.get("labels") != [*LABELS]:
        raise ModelError(f"the model {path} was made for other labels or another hash; {retrain}")
    try:
        tensors = load_tensors(content)
        weights = Weights(**tensors)
    except (SafetensorError, TypeError) as error:
        raise ModelError(f"the model {path} does not hold what this version reads; {retrain}") from error
    if weights.linear.shape != (BUCKETS, OUTPUTS):
        raise ModelError(f"the model {path} has weights of shape {weights.linear.shape}; {retrain}")
    return weights, f"{FAMILY}:{found[:12]}"


def write_weights(weights: Weights, path: Path, note: dict[str, object]) -> str:
    """Write weights and the note beside them, each whole or not at all.

    Returns:
        The new version.
    """
    content = save_tensors({name: np.ascontiguousarray(getattr(weights, name)) for name in Weights.__slots__})
    found = hashlib.sha256(content).hexdigest()
    told = {"sha256": found, "bits": BITS, "labels": [*LABELS], **note}
    path.parent.mkdir(parents=True, exist_ok=True)
    for target, data in ((path, content), (path.with_suffix(".json"), (json.dumps(told, indent=2) + "\n").encode())):
        part = target.with_suffix(target.suffix + ".part")
        part.write_bytes(data)
        part.replace(target)
    return f"{FAMILY}:{found[:12]}"
