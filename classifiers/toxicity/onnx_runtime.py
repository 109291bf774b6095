"""The fast runtime: the checkpoint as an int8 graph in ONNX Runtime, made once and kept by hash; needs no torch."""

import os
import platform
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from classifiers.errors import ModelError
from classifiers.toxicity.checkpoint import check_folder
from classifiers.toxicity.context_memory import Past, lay_past
from classifiers.toxicity.conversation import Rows

RECIPE = "int8-6"
"""Part of the file's name: another recipe never meets an old file."""


class OnnxRuntime:
    """Runs an ONNX file of the encoder.

    Args:
        path: The graph.
        threads: Threads of one call; processes side by side take one each.
    """

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # A waiting thread that spins takes the core from its neighbours.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        shapes = {one.name: one.shape for one in self._session.get_inputs()}
        self._layers = sorted(int(name.removeprefix("key.")) for name in shapes if name.startswith("key."))
        _, heads, _, size = shapes[f"key.{self._layers[0]}"]
        self.memory_shape: tuple[int, int, int] = (len(self._layers), heads, size)

    def logits(self, rows: Rows) -> NDArray[np.float32]:
        """(M, 11) logits of the judged messages, read without a past."""
        return self.read(rows, lay_past([[]] * len(rows.ids), self.memory_shape))[0]

    def read(self, rows: Rows, past: Past) -> tuple[NDArray[np.float32], NDArray[np.float16]]:
        """Read rows that go on from a past; each row holds one stretch.

        Returns:
            (M, 11) logits of the judged messages, and (2, layers, B, heads, L, size) to be remembered.
        """
        feeds = {
            "ids": rows.ids,
            "positions": rows.positions,
            "stretch": rows.stretch.astype(np.int64),
            "message": rows.message.astype(np.int64),
            "first": rows.first,
            "past_message": past.message,
        }
        for part, state in zip(("key", "value"), past.state, strict=True):
            for layer, one in zip(self._layers, state, strict=True):
                feeds[f"{part}.{layer}"] = one
        logits, memory = self._session.run(["logits", "memory"], feeds)
        return logits, memory


def export(folder: Path, cache: Path, *, int8: bool = True) -> Path:
    """Make the ONNX file of a checkpoint folder, or find it made.

    Args:
        folder: A checkpoint of ours, checked against its hashes.
        cache: Where files are kept, named by the weights' hash.
        int8: Quantize as `onnx_int8` says; else fp32.

    Raises:
        ModelError: The checkpoint is missing, damaged or of another kind, or the cache cannot be written.
    """
    version = check_folder(folder)
    path = cache / f"encoder-{version}-{RECIPE if int8 else 'fp32'}.onnx"
    if path.exists():
        return path
    # Only to make the file; a process that finds it made needs neither.
    import onnx  # noqa: PLC0415

    from classifiers.toxicity.onnx_graph import build_graph  # noqa: PLC0415
    from classifiers.toxicity.onnx_int8 import quantize  # noqa: PLC0415

    graph = build_graph(folder)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            plain, made = Path(scratch) / "plain.onnx", Path(scratch) / "made.onnx"
            onnx.save(graph, plain)
            if int8:
                quantize(plain, made)
            else:
                made = plain
            # Whole or not at all: another process may look for it at this moment.
            os.replace(made, path)  # noqa: PTH105
    except OSError as error:
        raise ModelError(
            f"cannot keep the model's fast form in {cache}: {error.strerror}; set VANGNET_CACHE to a folder that can "
            "be written"
        ) from error
    return path


def cache_folder() -> Path:
    """Where the ONNX files are kept: VANGNET_CACHE, else the user's cache."""
    return Path(os.environ.get("VANGNET_CACHE") or Path.home() / ".cache" / "vangnet")


def open_runtime(folder: Path) -> OnnxRuntime:
    """The fast runtime of a checkpoint: int8 where the processor multiplies it directly, else fp32.

    Raises:
        ModelError: See `export`.
    """
    path = export(folder, cache_folder(), int8=multiplies_int8())
    try:
        return OnnxRuntime(path)
    except Exception:  # noqa: BLE001  # onnxruntime's own errors share no class
        # A file that was cut short by a full disk: made once more from the checked weights.
        path.unlink(missing_ok=True)
        return OnnxRuntime(export(folder, cache_folder(), int8=multiplies_int8()))


def multiplies_int8(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """True where int8 products are exact and fast: x86 with VNNI, or ARM.

    Older x86 adds pairs of products in 16 bits, which overflow.
    """
    if platform.machine().lower() in {"arm64", "aarch64"}:
        return True
    try:
        flags = cpuinfo.read_text()
    except OSError:
        return False
    return "avx512_vnni" in flags or "avx_vnni" in flags
