"""Measures ways of scoring the same conversations, in turns within one run, by processor time and by the clock."""

import multiprocessing
import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from classifiers.corpus.conversations import CONTEXT_MESSAGES, utterance
from classifiers.corpus.load import TEST, CorpusLine, load_corpus
from classifiers.engine import open_scorer
from classifiers.findings import ScoringInput, Utterance
from classifiers.staged import Shortcuts
from classifiers.toxicity.context_memory import ContextMemory
from classifiers.toxicity.encoder import LONGEST_STRETCH, EncoderModel
from classifiers.toxicity.evaluation_thresholds import NATURAL_RATE

AT_ONCE = 30
"""Conversations that go on at the same time."""
CHILD_SECONDS = 6.0

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Way:
    """What one way of scoring reached."""

    messages: int
    cpu_rate: float
    """Messages in a second of processor time."""
    wall_rate: float


@dataclass(frozen=True, slots=True)
class Found:
    """Everything measured in one process."""

    ways: dict[str, Way]
    alone_ms: tuple[float, float]
    """p50 and p99 of one message, by the clock."""
    loaded_ms: tuple[float, float]
    """The same of a whole batch."""
    peak_gops: float
    """Int8 operations the core does in a second, in billions."""
    share_of_limit: float
    """Of it, what the model's products alone use while it scores."""
    tokens_read: float
    tokens_reused: float
    labelled: float
    """Share of the messages that bear a label."""


@dataclass(frozen=True, slots=True)
class Several:
    """What processes of the engine alone take."""

    one_rate: float
    two_rate: float
    scaling: float
    resident_bytes: int


def stream(seed: int = 1) -> Iterator[tuple[ScoringInput, bool]]:
    """Messages of test conversations at the natural rate of trouble, many conversations at once, endlessly.

    Yields:
        The message with its conversation, and whether it bears a label.
    """
    chosen = natural(seed)
    rng = random.Random(seed)  # noqa: S311
    turn = 0
    while True:
        waiting = [(turn, number) for number in range(len(chosen))]
        rng.shuffle(waiting)
        turn += 1
        open_: list[Iterator[tuple[ScoringInput, bool]]] = []
        while waiting or open_:
            while waiting and len(open_) < AT_ONCE:
                again, number = waiting.pop()
                open_.append(_told(chosen[number], f"{again}/{number}", again * 1e6 + number * 7.0))
            place = rng.randrange(len(open_))
            found = next(open_[place], None)
            if found is None:
                del open_[place]
            else:
                yield found


def natural(seed: int) -> list[list[CorpusLine]]:
    """Whole test conversations, troubled ones left out until labels are as rare as in life."""
    threads: dict[str, list[CorpusLine]] = {}
    for line in load_corpus():
        if line.split == TEST and line.conversation is not None:
            threads.setdefault(line.conversation, []).append(line)
    peaceful = [lines for lines in threads.values() if not any(line.labels for line in lines)]
    troubled = [lines for lines in threads.values() if any(line.labels for line in lines)]
    random.Random(seed).shuffle(troubled)  # noqa: S311
    messages, labels = sum(map(len, peaceful)), 0
    chosen = [*peaceful]
    for lines in troubled:
        more = sum(bool(line.labels) for line in lines)
        if labels + more <= NATURAL_RATE * (messages + len(lines)):
            chosen.append(lines)
            messages, labels = messages + len(lines), labels + more
    return chosen


def _told(lines: Sequence[CorpusLine], name: str, start: float) -> Iterator[tuple[ScoringInput, bool]]:
    said: list[Utterance] = []
    for line in lines:
        one = utterance(line)
        one = replace(one, author=f"{name}:{one.author}", sent=start + (one.sent or float(len(said))))
        yield ScoringInput(one, tuple(said[-CONTEXT_MESSAGES:])), bool(line.labels)
        said.append(one)


class _Watch:
    """Adds up what one way takes."""

    def __init__(self, score: Callable[[list[ScoringInput]], object]) -> None:
        self._score = score
        self.messages, self.cpu, self.wall = 0, 0.0, 0.0
        self.each: list[float] = []

    def take(self, batch: list[ScoringInput]) -> None:
        cpu, wall = time.process_time(), time.perf_counter()
        self._score(batch)
        self.cpu += time.process_time() - cpu
        took = time.perf_counter() - wall
        self.wall += took
        self.each.append(1000 * took)
        self.messages += len(batch)

    def way(self) -> Way:
        return Way(self.messages, self.messages / self.cpu, self.messages / self.wall)

    def percentiles(self) -> tuple[float, float]:
        p50, p99 = np.percentile(self.each, (50, 99))
        return float(p50), float(p99)


def measure(folder: Path, rounds: int, size: int, tell: Tell) -> Found:
    """Let every way score the same batches in turns, after one batch to warm up.

    Args:
        folder: A checkpoint of ours.
        rounds: Batches measured.
        size: Messages a batch.
        tell: Takes a line about what is going on.

    Raises:
        ModelError: The checkpoint is missing or damaged.
    """
    import torch  # noqa: PLC0415

    from classifiers.toxicity.onnx_runtime import open_runtime  # noqa: PLC0415

    torch.set_num_threads(1)
    tell("loading the model in every runtime")
    runtime = open_runtime(folder)
    remembering = EncoderModel.load(folder, runtime=runtime, memory=ContextMemory())
    rereading = EncoderModel.load(folder, runtime=runtime)
    reference = EncoderModel.load(folder)
    engine, single = open_scorer(folder), open_scorer(folder)
    pipe = _pipeline(folder)
    ways = {
        "pipeline, batch 1": _Watch(lambda batch: pipe([_joined(one) for one in batch], batch_size=1)),
        "pipeline, batch 32": _Watch(lambda batch: pipe([_joined(one) for one in batch], batch_size=32)),
        "PyTorch, bucketed": _Watch(reference.score),
        "ONNX Runtime, batch 1": _Watch(lambda batch: [rereading.score([one]) for one in batch]),
        "ONNX Runtime, bucketed": _Watch(rereading.score),
        "model, context remembered": _Watch(remembering.score),
        "engine, from strings": _Watch(engine.score),
    }
    alone = _Watch(single.score)
    source = stream()
    marks: list[bool] = []
    before = (0, 0)
    # The first batches fill the memory as a running worker's is, and are not counted.
    for number in range(-3, rounds):
        found = [next(source) for _ in range(size)]
        batch = [one for one, _ in found]
        if number < -1:
            remembering.score(batch)
            engine.score(batch)
            single.score(batch)
            continue
        tell(f"batch {number + 1} of {rounds}")
        if number == 0:
            for way in (*ways.values(), alone):
                way.messages, way.cpu, way.wall, way.each = 0, 0.0, 0.0, []
            before = (remembering.counts.read, remembering.counts.reused)
        marks += [mark for _, mark in found]
        for way in ways.values():
            way.take(batch)
        for one in batch:
            alone.take([one])
    model = ways["model, context remembered"]
    read, reused = remembering.counts.read - before[0], remembering.counts.reused - before[1]
    peak = int8_peak()
    return Found(
        ways={name: way.way() for name, way in ways.items()},
        alone_ms=alone.percentiles(),
        loaded_ms=ways["engine, from strings"].percentiles(),
        peak_gops=peak / 1e9,
        share_of_limit=read * _operations(folder) / model.cpu / peak,
        tokens_read=read / model.messages,
        tokens_reused=reused / model.messages,
        labelled=float(np.mean(marks)),
    )


def _pipeline(folder: Path) -> Any:  # noqa: ANN401  # transformers' own
    """The usual call on the same checkpoint."""
    from transformers import (  # noqa: PLC0415
        BertForSequenceClassification,
        PreTrainedTokenizerFast,
        TextClassificationPipeline,
    )

    # transformers' constructors carry no types.
    fast: Any = PreTrainedTokenizerFast
    usual: Any = TextClassificationPipeline
    tokenizer = fast(tokenizer_file=str(folder / "tokenizer.json"), pad_token="<pad>")  # noqa: S106
    tokenizer.model_max_length = LONGEST_STRETCH
    model: Any = BertForSequenceClassification.from_pretrained(folder, dtype="float32")
    model.eval()
    pipe = usual(model=model, tokenizer=tokenizer, top_k=None, function_to_apply="sigmoid", device=-1)
    return lambda texts, batch_size: pipe(texts, batch_size=batch_size, truncation=True)


def _joined(one: ScoringInput) -> str:
    """The same text in: the conversation and then the message."""
    return "\n".join(said.text for said in (*one.before, one.message))


def _operations(folder: Path) -> int:
    """Int8 operations of one token in the encoder's constant products."""
    import json  # noqa: PLC0415

    config = json.loads((folder / "config.json").read_text())
    width, wide = config["hidden_size"], config["intermediate_size"]
    return int(config["num_hidden_layers"] * 2 * (4 * width * width + 2 * width * wide))


def int8_peak(seconds: float = 1.0) -> float:
    """Operations a second of this core on an int8 product of the encoder's shape."""
    import onnxruntime  # noqa: PLC0415
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415

    rows, width, wide = 256, 384, 1536
    weight = np.random.default_rng(1).integers(-127, 127, (width, wide), np.int8)
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["x", "w"], ["y"])],
        "peak",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, [rows, width])],
        [helper.make_tensor_value_info("y", TensorProto.INT32, [rows, wide])],
        [numpy_helper.from_array(weight, "w")],
    )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    content = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10).SerializeToString()
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    feeds = {"x": np.full((rows, width), 7, np.uint8)}
    session.run(None, feeds)
    best, spent = 0.0, 0.0
    while spent < seconds:
        start = time.process_time()
        for _ in range(20):
            session.run(None, feeds)
        took = time.process_time() - start
        spent += took
        best = max(best, 20 * 2.0 * rows * width * wide / took)
    return best


def measure_processes(folder: Path, tell: Tell) -> Several:
    """One process of the engine, then two at once, each with one thread: rates by the clock and memory."""
    rates: list[float] = []
    resident = 0
    for number in (1, 2):
        tell(f"{number} process{'es' if number > 1 else ''} of the engine alone")
        with ProcessPoolExecutor(number, mp_context=multiprocessing.get_context("spawn")) as pool:
            found = list(pool.map(_run_engine, [(folder, seed) for seed in range(number)]))
        rates.append(sum(rate for rate, _ in found))
        resident = max(resident, *(one for _, one in found))
    return Several(rates[0], rates[1], rates[1] / rates[0], resident)


def _run_engine(job: tuple[Path, int]) -> tuple[float, int]:
    """Messages a second by the clock and resident bytes of a process that only scores."""
    folder, seed = job
    scorer = open_scorer(folder, shortcuts=Shortcuts())
    source = stream(seed)
    for _ in range(2):
        scorer.score([next(source)[0] for _ in range(64)])
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < CHILD_SECONDS:
        scorer.score([next(source)[0] for _ in range(64)])
        done += 64
    return done / (time.perf_counter() - start), psutil.Process().memory_info().rss
