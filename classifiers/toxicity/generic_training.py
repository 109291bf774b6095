"""Fine-tunes any transformers encoder on the corpus, for schools with a machine that can run a larger one.

The standard way: the conversation before a message and the message as two texts, a standard classification head, ten
labels and "any" at once. The shipped encoder reads conversations in a way of its own and costs a quarter (`training`);
plan, learning rate, figures and state of a run are the same here.
"""

import json
import math
import os
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils import logging as transformers_logging

from classifiers.corpus.conversations import scoring_inputs
from classifiers.corpus.load import TRAIN, VALIDATION, CorpusLine, load_corpus
from classifiers.errors import TrainingError
from classifiers.findings import ScoringInput
from classifiers.toxicity.augmentation import augment
from classifiers.toxicity.conversation import BOS, EOS, PAD, ConversationTokenizer
from classifiers.toxicity.figures import summaries
from classifiers.toxicity.other_models.label_map import TARGETS, write_own_map
from classifiers.toxicity.other_models.text_pair import PairTokenizer, as_pair
from classifiers.toxicity.training import (
    CHECKPOINT,
    HISTORY,
    Plan,
    Progress,
    make_optimizer,
    rate,
    resume,
    save_state,
)
from classifiers.toxicity.training_data import OUTPUTS, target

MOST_TOKENS = 128
"""Of the conversation and the message together."""
PLAN = Plan(epochs=3.0, learning_rate=3e-5, head_rate=10.0, warmup_steps=300, decay=0.9, batch_rows=32, layers=48)
"""What suits a pretrained encoder of usual size. `row_tokens`, `cut`, `mean_weight` and `dropout` say nothing here."""
POOL = 50
"""So many batches are sorted by length together."""

Example = tuple[ScoringInput, list[float]]
"""A message in its conversation and what the model should say of it."""


def fits_conversations(base: Path) -> bool:
    """True for a base that `training` can use: a BERT with the speakers' marks and our special tokens."""
    try:
        kind = json.loads((base / "config.json").read_text(encoding="utf-8")).get("model_type")
        tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
        ConversationTokenizer(tokenizer)
    except Exception:  # noqa: BLE001  # the tokenizers' reader raises bare exceptions; any of them means: not ours
        return False
    return kind == "bert" and [tokenizer.token_to_id(one) for one in ("<s>", "<pad>", "</s>")] == [BOS, PAD, EOS]


def train_generic(
    base: Path,
    work: Path,
    out: Path,
    plan: Plan = PLAN,
    *,
    name: str = "",
    threads: int | None = None,
    report: Callable[[Progress, int, float], None] = lambda *_: None,
    log: Callable[[str], None] = lambda _: None,
    lines: Sequence[CorpusLine] | None = None,
) -> dict[str, float]:
    """Train, or go on where a killed run stopped, and write a folder that `VANGNET_MODEL` takes.

    Args:
        base: Folder of a pretrained encoder of any architecture.
        work: Where the run keeps its state; a folder with state goes on from there.
        out: The folder to write: a standard checkpoint in fp16 and its label map.
        plan: What decides the result.
        name: The base's hub id, for the record.
        threads: CPU threads; all cores by default.
        report: Called after each step with where it stands, the steps in all and the running loss.
        log: Takes one line of text an epoch.
        lines: The corpus, when it is not the repository's.

    Returns:
        The validation figures at the end, named as those of `training.train`.

    Raises:
        TrainingError: The base cannot be loaded, or the state belongs to another plan.
    """
    torch.set_num_threads(threads or os.cpu_count() or 1)
    torch.manual_seed(plan.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    corpus = load_corpus() if lines is None else lines
    training = [line for line in corpus if line.split == TRAIN]
    validation = [line for line in corpus if line.split == VALIDATION]
    net, tokenizer = _load(base, plan)
    pairs = PairTokenizer(tokenizer, MOST_TOKENS, context=True)
    net = net.to(device)
    optimizer = make_optimizer(net, plan)
    progress = Progress()
    work.mkdir(parents=True, exist_ok=True)
    if (work / CHECKPOINT).exists():
        progress = resume(work / CHECKPOINT, net, optimizer)
        log(f"going on at epoch {progress.epoch + 1}, batch {progress.batch}")
    else:
        _start_head(net, training)
    steps = math.ceil(len(training) / plan.batch_rows)
    total = round(plan.epochs * steps)
    figures: dict[str, float] = {}
    for epoch in range(progress.epoch, math.ceil(plan.epochs)):
        rng = random.Random(plan.seed * 1000 + epoch)  # noqa: S311
        batches = _batches(training, rng, plan)[progress.batch : min(steps, round((plan.epochs - epoch) * steps))]
        net.train()
        for loss in _steps(net, optimizer, pairs, batches, plan, progress, total):
            report(progress, total, loss)
            if progress.step % 300 == 0:
                save_state(work / CHECKPOINT, net, optimizer, progress)
        progress.epoch, progress.batch = epoch + 1, 0
        save_state(work / CHECKPOINT, net, optimizer, progress)
        figures = _validate(net, pairs, validation)
        log(f"epoch {epoch + 1}: " + ", ".join(f"{name} {value:.3f}" for name, value in figures.items()))
        with (work / HISTORY).open("a") as history:
            history.write(json.dumps({"epoch": epoch + 1, "plan": asdict(plan), **figures}) + "\n")
        _save(net, tokenizer, name or base.name, out)
    return figures


def _load(base: Path, plan: Plan) -> tuple[Any, Any]:
    # Its report on the missing head is no news: the head is what is trained.
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        config = AutoConfig.from_pretrained(
            base,
            local_files_only=True,
            num_labels=OUTPUTS,
            problem_type="multi_label_classification",
            id2label=dict(enumerate(TARGETS)),
            label2id={name: at for at, name in enumerate(TARGETS)},
        )
        config.num_hidden_layers = min(plan.layers, config.num_hidden_layers)
        net = AutoModelForSequenceClassification.from_pretrained(
            base, config=config, dtype=torch.float32, local_files_only=True, ignore_mismatched_sizes=True
        )
        return net, AutoTokenizer.from_pretrained(base, local_files_only=True)
    except Exception as error:
        raise TrainingError(
            f"{base} holds no encoder that transformers can load ({type(error).__name__}); it needs config.json, the "
            "tokenizer's files and whole weights"
        ) from error


@torch.no_grad()
def _start_head(net: Any, training: Sequence[CorpusLine]) -> None:  # noqa: ANN401
    """Let the outputs start from the labels' own odds, so that the first steps do not spend themselves on rarity."""
    outputs = [part for part in net.modules() if isinstance(part, nn.Linear) and part.out_features == OUTPUTS]
    frequency = np.mean([target(line) for line in training], axis=0).clip(1e-4, 1 - 1e-4)
    outputs[-1].bias.copy_(torch.tensor(np.log(frequency / (1 - frequency)), dtype=torch.float32))


def _batches(lines: Sequence[CorpusLine], rng: random.Random, plan: Plan) -> list[list[Example]]:
    """Every line once, some misspelled, in batches of about the same length."""
    examples = list(zip(scoring_inputs(lines), map(target, lines), strict=True))
    rng.shuffle(examples)
    examples = [(_noisy(one, rng) if rng.random() < plan.noise else one, truth) for one, truth in examples]
    pool = plan.batch_rows * POOL
    batches = []
    for start in range(0, len(examples), pool):
        near = sorted(examples[start : start + pool], key=lambda example: _length(example[0]))
        batches += [near[at : at + plan.batch_rows] for at in range(0, len(near), plan.batch_rows)]
    rng.shuffle(batches)
    return batches


def _noisy(one: ScoringInput, rng: random.Random) -> ScoringInput:
    return replace(one, message=replace(one.message, text=augment(one.message.text, rng)))


def _length(one: ScoringInput) -> int:
    return sum(len(said.text) for said in (*one.before, one.message))


def _steps(
    net: Any,  # noqa: ANN401
    optimizer: torch.optim.Optimizer,
    pairs: PairTokenizer,
    batches: Sequence[Sequence[Example]],
    plan: Plan,
    progress: Progress,
    total: int,
) -> Iterator[float]:
    weights = torch.ones(OUTPUTS, device=net.device)
    weights[-1] = plan.any_weight
    for batch in batches:
        for group in optimizer.param_groups:
            group["lr"] = rate(plan, progress.step, total) * group["scale"]
        targets = torch.tensor([truth for _, truth in batch], dtype=torch.float32, device=net.device)
        logits = _logits(net, pairs, [one for one, _ in batch])
        loss = (binary_cross_entropy_with_logits(logits, targets, reduction="none") * weights).sum(1).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        progress.step += 1
        progress.batch += 1
        yield float(loss.detach())


def _logits(net: Any, pairs: PairTokenizer, inputs: Sequence[ScoringInput]) -> torch.Tensor:  # noqa: ANN401
    """(messages, OUTPUTS); of a message with too many tokens the first piece is read."""
    given = [as_pair(one) for one in inputs]
    first = [parts[0] for parts in pairs.pieces([text for _, text in given])]
    tokens = pairs.tensors([(context, text) for (context, _), text in zip(given, first, strict=True)]).to(net.device)
    with torch.autocast(net.device.type, torch.bfloat16):
        logits: torch.Tensor = net(**tokens).logits.float()
    return logits


@torch.no_grad()
def _validate(net: Any, pairs: PairTokenizer, lines: Sequence[CorpusLine]) -> dict[str, float]:  # noqa: ANN401
    net.eval()
    inputs = list(scoring_inputs(lines))
    order = sorted(range(len(inputs)), key=lambda at: _length(inputs[at]))
    scores: NDArray[np.float32] = np.zeros((len(inputs), OUTPUTS), np.float32)
    for start in range(0, len(order), 64):
        batch = order[start : start + 64]
        scores[batch] = torch.sigmoid(_logits(net, pairs, [inputs[at] for at in batch])).cpu().numpy()
    talk = np.array([line.thread is not None for line in lines])
    return summaries(np.array([target(line) for line in lines]), scores, talk)


def _save(net: Any, tokenizer: Any, name: str, out: Path) -> None:  # noqa: ANN401
    """The folder is written beside its place and then moved, so a killed run leaves the old one whole."""
    fresh = out.with_name(out.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    state = {name: value.half() if value.is_floating_point() else value for name, value in net.state_dict().items()}
    net.save_pretrained(fresh, state_dict=state)
    tokenizer.save_pretrained(fresh)
    write_own_map(fresh, name, MOST_TOKENS)
    shutil.rmtree(out, ignore_errors=True)
    fresh.rename(out)
