"""The fast runtime: the checkpoint as an int8 graph in ONNX Runtime, made once and kept by hash; needs no torch."""

import os
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic

from classifiers.toxicity.checkpoint import check_folder
from classifiers.toxicity.conversation import Rows
from classifiers.toxicity.onnx_graph import build_graph

RECIPE = "int8-1"
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

    def logits(self, rows: Rows) -> NDArray[np.float32]:
        """(M, 11) logits of the judged messages."""
        feeds = {
            "ids": rows.ids,
            "positions": rows.positions,
            "stretch": rows.stretch.astype(np.int64),
            "message": rows.message.astype(np.int64),
            "first": rows.first,
        }
        found: NDArray[np.float32] = self._session.run(["logits"], feeds)[0]
        return found


def export(folder: Path, cache: Path, *, int8: bool = True) -> Path:
    """Make the ONNX file of a checkpoint folder, or find it made.

    Args:
        folder: A checkpoint of ours, checked against its hashes.
        cache: Where files are kept, named by the weights' hash.
        int8: Quantize (dynamic, per channel); else fp32.

    Raises:
        ModelError: The checkpoint is missing, damaged or of another kind.
    """
    version = check_folder(folder)
    path = cache / f"encoder-{version}-{RECIPE if int8 else 'fp32'}.onnx"
    if path.exists():
        return path
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        plain, made = Path(scratch) / "plain.onnx", Path(scratch) / "made.onnx"
        onnx.save(build_graph(folder), plain)
        if int8:
            quantize_dynamic(
                plain, made, per_channel=True, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul"]
            )
        else:
            made = plain
        # Whole or not at all: another process may look for it at this moment.
        os.replace(made, path)  # noqa: PTH105
    return path
