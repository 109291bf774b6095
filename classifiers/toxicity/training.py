"""Fine-tunes the encoder on the corpus: every line judged in its conversation, ten labels and "any" at once.

The learning rate is held after a warm-up and runs out over the last part, so a run can be lengthened or shortened
without starting again. A second head on the mean of each message's tokens learns beside the one that ships (on its
first token, the standard classification head): the mean learns much faster, and pulls the encoder along.
"""

import json
import math
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from transformers import AutoConfig, AutoModelForSequenceClassification
from transformers.utils import logging as transformers_logging

from classifiers.corpus.load import TRAIN, VALIDATION, CorpusLine, load_corpus
from classifiers.errors import TrainingError
from classifiers.labels import LABELS
from classifiers.toxicity.checkpoint import ANY, save_checkpoint
from classifiers.toxicity.conversation import LOCAL_LAYERS, ConversationTokenizer, Rows
from classifiers.toxicity.figures import summaries
from classifiers.toxicity.torch_encoder import encode
from classifiers.toxicity.training_data import OUTPUTS, Batch, Conversation, EpochMaker, conversations, target

CHECKPOINT = "checkpoint.pt"
HISTORY = "history.jsonl"


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that decides what is learned."""

    epochs: float = 7.0
    learning_rate: float = 2.5e-4
    head_rate: float = 5.0
    """Times the learning rate, for the two heads."""
    warmup_steps: int = 100
    decay: float = 0.6
    """Share of the run over which the learning rate falls to nothing."""
    row_tokens: int = 384
    batch_rows: int = 4
    noise: float = 0.15
    """Share of messages with typing noise."""
    cut: float = 0.25
    """Share of conversations cut in two."""
    any_weight: float = 3.0
    """Weight of "a mentor would want to see it" beside 1 for each label."""
    mean_weight: float = 0.5
    """Share of the loss that the head on the mean bears."""
    dropout: float = 0.05
    layers: int = 12
    """How many of the base's layers are kept, from the bottom."""
    seed: int = 1


class TwoHeads(nn.Module):
    """A standard sequence classifier, and beside it the head on the mean."""

    def __init__(self, model: Any) -> None:  # noqa: ANN401  # transformers' own classes are not typed
        super().__init__()
        self.model = model
        width = model.config.hidden_size
        self.mean_pooler = nn.Linear(width, width)
        self.mean_classifier = nn.Linear(width, OUTPUTS)

    def encode(self, rows: Rows, device: torch.device) -> tuple[Tensor, Tensor]:
        """First token's vector and mean of the own tokens of each judged message, both (M, width)."""
        hidden = encode(self.model, rows)
        flat = hidden.reshape(-1, hidden.shape[-1])
        first = torch.from_numpy(rows.first).to(device)
        sizes = torch.from_numpy(rows.sizes()).to(device)
        # Sums over a message as differences of running sums; in fp32, since they grow long.
        running = torch.cat([flat.new_zeros(1, flat.shape[1], dtype=torch.float32), flat.float().cumsum(0)])
        return flat[first], (running[first + sizes] - running[first]) / sizes[:, None]

    def heads(self, first: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of both heads, (M, OUTPUTS) each."""
        model = self.model
        on_first = model.classifier(model.dropout(torch.tanh(model.bert.pooler.dense(first))))
        on_mean = self.mean_classifier(model.dropout(torch.tanh(self.mean_pooler(mean))))
        return on_first, on_mean

    def forward(self, rows: Rows, device: torch.device) -> tuple[Tensor, Tensor]:
        """`encode`, then `heads`."""
        return self.heads(*self.encode(rows, device))


@dataclass(slots=True)
class Progress:
    """Where a run stands."""

    step: int = 0
    epoch: int = 0
    batch: int = 0
    """Next batch of the epoch."""


def train(
    base: Path,
    work: Path,
    out: Path,
    plan: Plan,
    *,
    threads: int | None = None,
    report: Callable[[Progress, int, float], None] = lambda *_: None,
    log: Callable[[str], None] = lambda _: None,
    lines: Sequence[CorpusLine] | None = None,
) -> dict[str, float]:
    """Train, or go on where a killed run stopped, and write the checkpoint folder.

    Args:
        base: The pretrained encoder's folder (`vangnet base` makes it).
        work: Where the run keeps its state; a folder with state goes on from there.
        out: The checkpoint folder to write: config.json, tokenizer.json, model.safetensors (fp16).
        plan: What decides the result. A run that goes on may be given another number of epochs.
        threads: CPU threads; all cores by default.
        report: Called after each step with where it stands, the steps in all and the running loss.
        log: Takes one line of text an epoch.
        lines: The corpus, when it is not the repository's.

    Returns:
        The validation figures at the end.

    Raises:
        TrainingError: The base is missing or unfit, or the state belongs to another plan.
    """
    if not (base / "config.json").is_file():
        raise TrainingError(f"no base model in {base}; make it with `vangnet base`")
    torch.set_num_threads(threads or os.cpu_count() or 1)
    torch.manual_seed(plan.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    tokenizer = ConversationTokenizer(Tokenizer.from_file(str(base / "tokenizer.json")))
    corpus = load_corpus() if lines is None else lines
    training = conversations([line for line in corpus if line.split == TRAIN])
    validation = conversations([line for line in corpus if line.split == VALIDATION])
    maker = EpochMaker(tokenizer, plan.row_tokens, plan.batch_rows)
    net = TwoHeads(_load(base, plan)).to(device)
    optimizer = make_optimizer(net, plan)
    progress = Progress()
    work.mkdir(parents=True, exist_ok=True)
    if (work / CHECKPOINT).exists():
        progress = resume(work / CHECKPOINT, net, optimizer)
        log(f"going on at epoch {progress.epoch + 1}, batch {progress.batch}")
    else:
        _start_heads(net, maker, training, plan, device)
    figures: dict[str, float] = {}
    for epoch in range(progress.epoch, math.ceil(plan.epochs)):
        batches = maker.epoch(training, random.Random(plan.seed * 1000 + epoch), noise=plan.noise, cut=plan.cut)  # noqa: S311
        end = min(len(batches), round((plan.epochs - epoch) * len(batches)))
        total = round(plan.epochs * len(batches))
        net.train()
        for loss in _steps(net, optimizer, batches[progress.batch : end], plan, progress, total, device):
            report(progress, total, loss)
            if progress.step % 300 == 0:
                save_state(work / CHECKPOINT, net, optimizer, progress)
        progress.epoch, progress.batch = epoch + 1, 0
        save_state(work / CHECKPOINT, net, optimizer, progress)
        figures = _validate(net, maker, validation, device)
        log(f"epoch {epoch + 1}: " + ", ".join(f"{name} {value:.3f}" for name, value in figures.items()))
        with (work / HISTORY).open("a") as history:
            history.write(json.dumps({"epoch": epoch + 1, "plan": asdict(plan), **figures}) + "\n")
        save_checkpoint(net.model, base / "tokenizer.json", out)
    return figures


def _load(base: Path, plan: Plan) -> Any:  # noqa: ANN401
    # Its report on the missing head is no news: the head is what is trained.
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    names = [*map(str, LABELS), ANY]
    config = AutoConfig.from_pretrained(
        base,
        num_labels=OUTPUTS,
        problem_type="multi_label_classification",
        id2label=dict(enumerate(names)),
        label2id={name: at for at, name in enumerate(names)},
        hidden_dropout_prob=plan.dropout,
        attention_probs_dropout_prob=0.0,
        classifier_dropout=0.1,
    )
    config.num_hidden_layers = min(plan.layers, config.num_hidden_layers)
    config.local_layers = min(LOCAL_LAYERS, config.num_hidden_layers // 2)
    return AutoModelForSequenceClassification.from_pretrained(base, config=config, dtype=torch.float32)


def make_optimizer(net: nn.Module, plan: Plan) -> torch.optim.Optimizer:
    """AdamW over a network, its heads (`pooler`, `classifier`) at their own rate."""
    decayed: list[nn.Parameter] = []
    plain: list[nn.Parameter] = []
    heads: list[nn.Parameter] = []
    for name, parameter in net.named_parameters():
        if "pooler" in name or "classifier" in name:
            heads.append(parameter)
        else:
            (decayed if parameter.ndim > 1 else plain).append(parameter)
    groups = [
        {"params": decayed, "weight_decay": 0.01, "scale": 1.0},
        {"params": plain, "weight_decay": 0.0, "scale": 1.0},
        {"params": heads, "weight_decay": 0.0, "scale": plan.head_rate},
    ]
    return torch.optim.AdamW(groups, lr=plan.learning_rate, betas=(0.9, 0.98), eps=1e-6, fused=True)


def rate(plan: Plan, step: int, total: int) -> float:
    """Learning rate of a step: up, level, then down to nothing over the last `decay` of the run."""
    level = plan.learning_rate * min(1.0, (step + 1) / max(1, plan.warmup_steps))
    left = (total - step) / max(1.0, plan.decay * total)
    return level * min(1.0, max(0.0, left))


@torch.no_grad()
def _start_heads(
    net: TwoHeads, maker: EpochMaker, training: Sequence[Conversation], plan: Plan, device: torch.device
) -> None:
    """Let both heads start from standardized features and the labels' own odds: the base's space is narrow."""
    rng = random.Random(plan.seed)  # noqa: S311
    sample = rng.sample(list(training), min(400, len(training)))
    net.eval()
    with torch.autocast(device.type, torch.bfloat16):
        vectors = [net.encode(batch.rows, device) for batch in maker.epoch(sample, rng)[:6]]
    frequency = np.mean([target(line) for group in training for line in group.lines], axis=0).clip(1e-4, 1 - 1e-4)
    odds = torch.tensor(np.log(frequency / (1 - frequency)), dtype=torch.float32)
    layers = ((net.model.bert.pooler.dense, net.model.classifier), (net.mean_pooler, net.mean_classifier))
    for features, (dense, classifier) in zip(zip(*vectors, strict=True), layers, strict=True):
        values = torch.cat([part.float() for part in features])
        mean, deviation = values.mean(0), values.std(0).clamp(min=1e-3)
        # Half a deviation stays in the straight part of tanh.
        dense.weight.copy_(torch.diag(0.5 / deviation))
        dense.bias.copy_(-0.5 * mean / deviation)
        classifier.weight.normal_(0, 0.01)
        classifier.bias.copy_(odds)


def _steps(
    net: TwoHeads,
    optimizer: torch.optim.Optimizer,
    batches: Sequence[Batch],
    plan: Plan,
    progress: Progress,
    total: int,
    device: torch.device,
) -> Iterator[float]:
    weights = torch.ones(OUTPUTS, device=device)
    weights[-1] = plan.any_weight
    for batch in batches:
        for group in optimizer.param_groups:
            group["lr"] = rate(plan, progress.step, total) * group["scale"]
        targets = torch.from_numpy(batch.targets).to(device)
        with torch.autocast(device.type, torch.bfloat16):
            both = net(batch.rows, device)
        on_first, on_mean = (
            (binary_cross_entropy_with_logits(logits.float(), targets, reduction="none") * weights).sum(1).mean()
            for logits in both
        )
        loss = (1 - plan.mean_weight) * on_first + plan.mean_weight * on_mean
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        progress.step += 1
        progress.batch += 1
        yield float(loss.detach())


@torch.no_grad()
def predict(
    net: TwoHeads, maker: EpochMaker, groups: Sequence[Conversation], device: torch.device
) -> tuple[NDArray[np.float32], NDArray[np.float32], list[CorpusLine]]:
    """Probabilities of both heads, (M, OUTPUTS) each, and the line behind each row."""
    net.eval()
    first, mean = [], []
    lines: list[CorpusLine] = []
    for batch in maker.epoch(groups, random.Random(0)):  # noqa: S311
        with torch.autocast(device.type, torch.bfloat16):
            on_first, on_mean = net(batch.rows, device)
        first.append(torch.sigmoid(on_first.float()).cpu().numpy())
        mean.append(torch.sigmoid(on_mean.float()).cpu().numpy())
        lines += batch.lines
    return np.concatenate(first), np.concatenate(mean), lines


def _validate(
    net: TwoHeads, maker: EpochMaker, validation: Sequence[Conversation], device: torch.device
) -> dict[str, float]:
    first, mean, lines = predict(net, maker, validation, device)
    targets = np.array([target(line) for line in lines])
    talk = np.array([line.thread is not None for line in lines])
    figures = summaries(targets, first, talk)
    of_mean = summaries(targets, mean, talk)
    return figures | {f"{name}_mean_head": value for name, value in of_mean.items() if name.endswith("_ap")}


def save_state(path: Path, net: nn.Module, optimizer: torch.optim.Optimizer, progress: Progress) -> None:
    """Write where a run stands, whole or not at all."""
    state = {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "progress": asdict(progress)}
    fresh = path.with_suffix(".new")
    torch.save(state, fresh)
    fresh.replace(path)


def resume(path: Path, net: nn.Module, optimizer: torch.optim.Optimizer) -> Progress:
    """Load where a run stood.

    Raises:
        TrainingError: The state is damaged or belongs to another plan.
    """
    started = time.time()
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        net.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimizer"])
        return Progress(**state["progress"])
    except (RuntimeError, KeyError, ValueError, EOFError) as error:
        age = int(started - path.stat().st_mtime)
        raise TrainingError(
            f"the state in {path} ({age} s old) does not fit this plan or is damaged; delete it to start again"
        ) from error
