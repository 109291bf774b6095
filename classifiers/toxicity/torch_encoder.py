"""Runs a standard BERT over rows of conversation in PyTorch, for training and as the reference runtime."""

from typing import Any

import torch
from torch import Tensor

from classifiers.toxicity.conversation import NEVER, Rows, head_slopes


def local_layers(model: Any) -> int:  # noqa: ANN401  # transformers' own classes are not typed
    """In how many layers a message sees itself alone, as the checkpoint's configuration says."""
    return int(model.config.local_layers)


def encode(model: Any, rows: Rows) -> Tensor:  # noqa: ANN401
    """Last hidden states, (B, L, width), of a `BertForSequenceClassification` under the conversation's masks.

    Args:
        model: Its configuration names `local_layers`.
        rows: B rows of L tokens.
    """
    bert = model.bert
    device = bert.embeddings.word_embeddings.weight.device
    ids = torch.from_numpy(rows.ids).to(device)
    hidden = bert.embeddings(
        input_ids=ids,
        position_ids=torch.from_numpy(rows.positions).to(device),
        token_type_ids=torch.zeros_like(ids),
    )
    precision = torch.get_autocast_dtype(device.type) if torch.is_autocast_enabled(device.type) else hidden.dtype
    own, context = _biases(rows, model.config.num_attention_heads, device)
    own, context = own.to(precision), context.to(precision)
    local = local_layers(model)
    for number, layer in enumerate(bert.encoder.layer):
        hidden = layer(hidden, own if number < local else context)
    return hidden  # type: ignore[no-any-return]


def _biases(rows: Rows, heads: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """What is added to the attention: (B, 1, L, L) where only the own message counts, (B, heads, L, L) with context."""
    stretch = torch.from_numpy(rows.stretch).to(device)
    message = torch.from_numpy(rows.message).to(device)
    same = stretch[:, :, None] == stretch[:, None, :]
    back = message[:, :, None] - message[:, None, :]
    own = torch.where(same & (back == 0), 0.0, NEVER)[:, None]
    slopes = torch.from_numpy(head_slopes(heads)).to(device)[None, :, None, None]
    context = torch.where((same & (back >= 0))[:, None], -slopes * back.clamp(min=0)[:, None], NEVER)
    return own, context.clamp(min=NEVER)
