"""The reference runtime: the checkpoint through PyTorch and transformers, in fp32 (or bf16 by choice)."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import BertForSequenceClassification

from classifiers.toxicity.conversation import Rows
from classifiers.toxicity.torch_encoder import encode


class TorchRuntime:
    """Runs a checkpoint folder on the CPU, or on a GPU when there is one.

    Args:
        folder: A checkpoint of `BertForSequenceClassification`.
        bf16: Compute in bfloat16: faster where the processor knows it, a little less exact.
    """

    def __init__(self, folder: Path, *, bf16: bool = False) -> None:
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._bf16 = bf16
        model: Any = BertForSequenceClassification.from_pretrained(folder, dtype=torch.float32)
        self._model = model.to(self._device).eval()

    @torch.inference_mode()
    def logits(self, rows: Rows) -> NDArray[np.float32]:
        """(M, 11) logits of the judged messages."""
        model = self._model
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._bf16):
            hidden = encode(model, rows)
            first = hidden.reshape(-1, hidden.shape[-1])[torch.from_numpy(rows.first).to(self._device)]
            logits = model.classifier(torch.tanh(model.bert.pooler.dense(first)))
        found: NDArray[np.float32] = logits.float().cpu().numpy()
        return found
