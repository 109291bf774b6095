"""Any transformers sequence classifier as a model of ours: its outputs read through a label map."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.errors import ModelError
from classifiers.findings import ScoringInput
from classifiers.toxicity.checkpoint import file_hash
from classifiers.toxicity.other_models.hub import fetch, has_weights, is_hub_id
from classifiers.toxicity.other_models.label_map import TARGETS, LabelMap, combine, find_map, membership
from classifiers.toxicity.other_models.text_pair import PairTokenizer, as_pair

BATCH = 32


class OtherModel:
    """A loaded checkpoint behind the engine's seam.

    Args:
        network: A transformers sequence classifier in evaluation mode.
        tokenizer: The checkpoint's own, of the fast kind.
        label_map: What its outputs mean.
        version: For the record kept with a flag.
    """

    def __init__(self, network: Any, tokenizer: Any, label_map: LabelMap, version: str) -> None:  # noqa: ANN401
        self.version = version
        self._network = network
        self._map = label_map
        self._pairs = PairTokenizer(tokenizer, label_map.max_tokens, context=label_map.context)
        self._members = membership(label_map, network.config.id2label)

    @classmethod
    def load(cls, folder: Path, label_map: LabelMap) -> "OtherModel":
        """Open a checkpoint folder.

        Raises:
            ModelError: It is no whole sequence classifier, or has other outputs than the map says.
        """
        import torch  # noqa: PLC0415  # torch takes seconds to load
        from transformers import AutoModelForSequenceClassification, AutoTokenizer  # noqa: PLC0415
        from transformers.utils import logging  # noqa: PLC0415

        logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            network, told = AutoModelForSequenceClassification.from_pretrained(
                folder, dtype=torch.float32, local_files_only=True, output_loading_info=True
            )
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except Exception as error:  # the loader passes on whatever its many parts raise
            raise ModelError(
                f"{folder} holds no sequence classifier that transformers can load ({type(error).__name__}); it needs "
                "config.json, the tokenizer's files and whole weights"
            ) from error
        if missing := sorted(told["missing_keys"]):
            raise ModelError(
                f"{folder} has no trained classification head ({missing[0]} is missing); fine-tune it with "
                f"`vangnet train --base {folder}`"
            )
        device = "cuda" if torch.cuda.is_available() else "cpu"
        return cls(network.to(device).eval(), tokenizer, label_map, f"{label_map.family}:{_weights_hash(folder)}")

    def score(self, inputs: Sequence[ScoringInput]) -> NDArray[np.float32]:
        """Probabilities of shape (len(inputs), 11): the labels in order, then "at all".

        Labels that the model does not know score 0. A message with too many tokens is read in pieces and the gravest
        counts; the conversation before it is cut from its oldest end.
        """
        scores = np.zeros((len(inputs), len(TARGETS)), np.float32)
        pairs, owners = [], []
        pieces = self._pairs.pieces([one.message.text for one in inputs])
        for at, (one, parts) in enumerate(zip(inputs, pieces, strict=True)):
            context, _ = as_pair(one)
            pairs += [(context, part) for part in parts]
            owners += [at] * len(parts)
        order = sorted(range(len(pairs)), key=lambda at: sum(map(len, pairs[at])))
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            np.maximum.at(scores, [owners[at] for at in batch], self._judge([pairs[at] for at in batch]))
        return scores

    def _judge(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
        import torch  # noqa: PLC0415  # loaded long before the first message comes

        tokens = self._pairs.tensors(pairs).to(self._network.device)
        with torch.inference_mode():
            logits = self._network(**tokens).logits.float()
        softly = logits.softmax(-1) if self._map.activation == "softmax" else logits.sigmoid()
        return combine(self._map, softly.cpu().numpy(), self._members)


def open_other(name: str) -> OtherModel:
    """Open another model by its folder or hub id.

    Raises:
        ModelError: It cannot be had or read, or nobody has said what its outputs mean; the text says what to do.
    """
    folder = Path(name)
    if folder.is_dir():
        if not has_weights(folder):
            raise ModelError(f"{folder} holds no weights (model.safetensors); give the folder of a whole checkpoint")
        return OtherModel.load(folder, find_map(folder))
    if not is_hub_id(name):
        raise ModelError(
            f"unknown model {name!r}: leave it out for the shipped one, or give ngram, the folder of a model, or a "
            "hub id such as IMSyPP/hate_speech_nl"
        )
    label_map = find_map(fetch(name, weights=False), name)
    return OtherModel.load(fetch(name), label_map)


def _weights_hash(folder: Path) -> str:
    found = hashlib.sha256()
    for path in sorted((*folder.glob("*.safetensors"), *folder.glob("pytorch_model*.bin"))):
        found.update(file_hash(path).encode())
    return found.hexdigest()[:12]
