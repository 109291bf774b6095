"""A tiny checkpoint of the shipped model's architecture, made by the tests: random weights, a vocabulary of letters."""

import json
import string
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertForSequenceClassification

from classifiers.labels import LABELS
from classifiers.toxicity.checkpoint import ANY, save_checkpoint
from classifiers.toxicity.conversation import PUPIL_MARKS, ROLE_MARKS

SPECIALS = ("<s>", "<pad>", "</s>", "<unk>")


def tiny_tokenizer(folder: Path) -> Path:
    """Write tokenizer.json and tokenizer_config.json of a vocabulary of single letters and the speaker marks."""
    words = ["▁" + mark for mark in (*PUPIL_MARKS, *ROLE_MARKS.values())]
    letters = [*string.ascii_letters, *string.digits, *" .,!?'▁"]
    vocabulary = [(piece, -2.0) for piece in dict.fromkeys((*SPECIALS, *words, *letters))]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.add_special_tokens(list(SPECIALS))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tokenizer.json"
    tokenizer.save(str(path))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"}))
    return path


def tiny_config(vocabulary: int) -> Any:  # noqa: ANN401  # transformers' own classes are not typed
    """Four layers of 48, four heads; the lower two local."""
    names = [*map(str, LABELS), ANY]
    config: Any = BertConfig(
        vocab_size=vocabulary,
        hidden_size=48,
        num_hidden_layers=4,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=256,
        pad_token_id=1,
        layer_norm_eps=1e-12,
        id2label=dict(enumerate(names)),
        label2id={name: at for at, name in enumerate(names)},
        problem_type="multi_label_classification",
    )
    config.local_layers = 2
    return config


def _classifier(config: Any) -> Any:  # noqa: ANN401
    return BertForSequenceClassification(config)  # type: ignore[no-untyped-call]


def tiny_base(folder: Path) -> Path:
    """A base folder for training, as `vangnet base` makes a real one."""
    path = tiny_tokenizer(folder)
    torch.manual_seed(3)
    size = Tokenizer.from_file(str(path)).get_vocab_size()
    _classifier(tiny_config(size)).bert.save_pretrained(folder)
    return folder


def tiny_checkpoint(folder: Path) -> Path:
    """A checked checkpoint folder with random weights, big enough to tell inputs apart."""
    path = tiny_tokenizer(folder.with_name(folder.name + "-tokenizer"))
    torch.manual_seed(5)
    model = _classifier(tiny_config(Tokenizer.from_file(str(path)).get_vocab_size()))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, 0.2)
    save_checkpoint(model, path, folder)
    return folder
