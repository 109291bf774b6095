"""Writes the encoder as a plain ONNX graph from a checkpoint folder, without torch, and quantizes it to int8.

The graph is spelled out node by node: no tracing, so the same weights always give the same file, and ONNX Runtime needs
no fusion tool. Inputs: `ids` (B, L), `positions` (B, L), `stretch` (B, L), `message` (B, L), `first` (M) as in
`conversation.Rows`, all int64. Output: `logits` (M, 11) float32.

What earlier messages left behind comes in beside them, so that they need not be read again: for each layer N that
sees context `key.N` and `value.N` (B, heads, P, size) float16, with `past_message` (B, P) int64, the messages they
belong to (`NO_MESSAGE` where there is none). Output `memory` (2, layers, B, heads, L, size) float16: keys and values
of the tokens read now.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

from classifiers.errors import ModelError
from classifiers.toxicity.conversation import NEVER, head_slopes

OPSET = 20


class _Graph:
    """Collects nodes and weights."""

    def __init__(self, weights: dict[str, NDArray[np.float32]]) -> None:
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self._weights = weights

    def add(self, op: str, inputs: list[str], output: str, **attributes: Any) -> str:  # noqa: ANN401
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def constant(self, name: str, value: NDArray[Any]) -> str:
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def weight(self, name: str) -> NDArray[np.float32]:
        try:
            return self._weights[name].astype(np.float32)
        except KeyError as error:
            raise ModelError(f"the checkpoint lacks {name}: it is no BERT sequence classifier of ours") from error

    def linear(self, source: str, name: str, output: str) -> str:
        return self.linear_from(source, self.weight(f"{name}.weight"), self.weight(f"{name}.bias"), output)

    def linear_from(self, source: str, weight: NDArray[np.float32], bias: NDArray[np.float32], output: str) -> str:
        product = self.add("MatMul", [source, self.constant(f"{output}.w", weight.T)], f"{output}.product")
        return self.add("Add", [product, self.constant(f"{output}.b", bias)], output)

    def norm(self, source: str, name: str, output: str, epsilon: float) -> str:
        """Layer norm in plain steps: ONNX Runtime's own on the CPU is one number at a time, a third of all time."""
        weight = self.weight(f"{name}.weight")
        scale = self.constant(f"{output}.scale", weight)
        shift = self.constant(f"{output}.shift", self.weight(f"{name}.bias"))
        last = self.constant(f"{output}.axis", np.array([-1], np.int64))
        share = self.constant(f"{output}.share", np.array(1 / len(weight), np.float32))
        least = self.constant(f"{output}.least", np.array(epsilon, np.float32))
        center = self.add("Sub", [source, self.add("ReduceMean", [source, last], f"{output}.mean")], f"{output}.center")
        # The sum of squares, not the mean of a product: that would be recognized and turned into the slow form.
        squares = self.add("ReduceSumSquare", [center, last], f"{output}.squares")
        variance = self.add("Add", [self.add("Mul", [squares, share], f"{output}.spread"), least], f"{output}.variance")
        even = self.add("Div", [center, self.add("Sqrt", [variance], f"{output}.deviation")], f"{output}.even")
        return self.add("Add", [self.add("Mul", [even, scale], f"{output}.scaled"), shift], output)


@dataclass(frozen=True, slots=True)
class _Dims:
    """What every layer shares."""

    size: int
    """Numbers a head."""
    epsilon: float
    shape: str
    """Constant that splits a vector into heads."""
    flat: str
    """Constant that joins them."""


def build_graph(folder: Path) -> Any:  # noqa: ANN401  # onnx ships no precise types
    """The checkpoint as an fp32 `onnx.ModelProto`.

    Args:
        folder: A checkpoint folder: config.json and model.safetensors of a BERT sequence classifier.

    Raises:
        ModelError: The folder holds another kind of model.
    """
    config = json.loads((folder / "config.json").read_text())
    ours = config.get("model_type") == "bert" and config.get("hidden_act") == "gelu" and "local_layers" in config
    if not ours:
        raise ModelError(
            f"{folder} holds a {config.get('model_type')} model; only a conversation encoder of ours is exported"
        )
    graph = _Graph(load_file(folder / "model.safetensors"))
    width, heads, epsilon = config["hidden_size"], config["num_attention_heads"], config["layer_norm_eps"]
    dims = _Dims(
        size=width // heads,
        epsilon=epsilon,
        shape=graph.constant("heads.shape", np.array([0, 0, heads, width // heads], np.int64)),
        flat=graph.constant("flat.shape", np.array([0, 0, width], np.int64)),
    )
    hidden = _embed(graph, epsilon)
    local, context, sizes = _biases(graph, heads)
    upper = range(config["local_layers"], config["num_hidden_layers"])
    for number in range(config["num_hidden_layers"]):
        past = _Past(f"key.{number}", f"value.{number}", sizes) if number in upper else None
        bias = context if past else local
        hidden = _layer(graph, f"bert.encoder.layer.{number}", f"layer{number}", hidden, bias, dims, past)
    _memory(graph, [f"layer{number}.{part}.turned" for part in "kv" for number in upper], len(upper))
    rows = graph.add("Reshape", [hidden, graph.constant("rows.shape", np.array([-1, width], np.int64))], "rows")
    first = graph.add("Gather", [rows, "first"], "first.vectors", axis=0)
    pooled = graph.add("Tanh", [graph.linear(first, "bert.pooler.dense", "pooler")], "pooled")
    graph.linear(pooled, "classifier", "logits")
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["B", "L"])
        for name in ("ids", "positions", "stretch", "message")
    ]
    inputs += [
        helper.make_tensor_value_info("first", TensorProto.INT64, ["M"]),
        helper.make_tensor_value_info("past_message", TensorProto.INT64, ["B", "P"]),
    ]
    inputs += [
        helper.make_tensor_value_info(f"{part}.{number}", TensorProto.FLOAT16, ["B", heads, "P", dims.size])
        for part in ("key", "value")
        for number in upper
    ]
    outputs = [
        helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["M", config_outputs(config)]),
        helper.make_tensor_value_info("memory", TensorProto.FLOAT16, [2, len(upper), "B", heads, "L", dims.size]),
    ]
    model = helper.make_model(
        helper.make_graph(graph.nodes, "conversation-encoder", inputs, outputs, graph.initializers),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=10,
    )
    onnx.checker.check_model(model)
    return model


@dataclass(frozen=True, slots=True)
class _Past:
    """What the earlier messages left behind for one layer."""

    keys: str
    values: str
    sizes: str
    """How many tokens are past and how many are read now."""


def _memory(graph: _Graph, parts: list[str], layers: int) -> None:
    """Lay the keys and values of all layers, keys first, into one float16 output."""
    axis = graph.constant("memory.axis", np.array([0], np.int64))
    stacked = graph.add(
        "Concat", [graph.add("Unsqueeze", [part, axis], f"{part}.kept") for part in parts], "kept", axis=0
    )
    half = graph.add("Cast", [stacked], "kept.half", to=TensorProto.FLOAT16)
    shape = graph.add("Shape", [half], "kept.shape", start=1)
    pairs = graph.constant("memory.pairs", np.array([2, layers], np.int64))
    graph.add("Reshape", [half, graph.add("Concat", [pairs, shape], "memory.shape", axis=0)], "memory")


def config_outputs(config: dict[str, Any]) -> int:
    """How many outputs a checkpoint's configuration names."""
    return len(config["id2label"])


def _embed(graph: _Graph, epsilon: float) -> str:
    stem = "bert.embeddings"
    words = graph.constant("words", graph.weight(f"{stem}.word_embeddings.weight"))
    # Every token has type 0, so its vector is part of the positions'.
    places = (
        graph.weight(f"{stem}.position_embeddings.weight") + graph.weight(f"{stem}.token_type_embeddings.weight")[0]
    )
    word = graph.add("Gather", [words, "ids"], "word")
    place = graph.add("Gather", [graph.constant("places", places), "positions"], "place")
    return graph.norm(graph.add("Add", [word, place], "embedded"), f"{stem}.LayerNorm", "hidden", epsilon)


def _biases(graph: _Graph, heads: int) -> tuple[str, str, str]:
    """What is added to the attention, as `torch_encoder` has it, and how many tokens are past and read now.

    (B, 1, L, L) for the own message alone, (B, heads, L, P + L) with context, past tokens first.
    """
    column = graph.constant("column", np.array([2], np.int64))
    row = graph.constant("row", np.array([1], np.int64))
    sides = {}
    for name in ("stretch", "message"):
        sides[name] = [
            graph.add("Unsqueeze", [name, axis], f"{name}.{side}") for axis, side in ((column, "own"), (row, "other"))
        ]
    same = graph.add("Equal", sides["stretch"], "same.stretch")
    own = graph.add("And", [same, graph.add("Equal", sides["message"], "same.message")], "own")
    seen = graph.add("And", [same, graph.add("GreaterOrEqual", sides["message"], "not.later")], "seen")
    zero, never = graph.constant("zero", np.array(0, np.float32)), graph.constant("never", np.array(NEVER, np.float32))
    local = graph.add("Unsqueeze", [graph.add("Where", [own, zero, never], "own.only"), row], "local.bias")
    # A row that goes on from a past holds one stretch, so every past token is of it.
    past = [sides["message"][0], graph.add("Unsqueeze", ["past_message", row], "past.other")]
    seen = graph.add("Concat", [graph.add("GreaterOrEqual", past, "past.seen"), seen], "seen.all", axis=-1)
    numbers = [graph.add("Sub", pair, f"{name}.number") for name, pair in (("past", past), ("now", sides["message"]))]
    back = graph.add("Cast", [graph.add("Concat", numbers, "back.number", axis=-1)], "back", to=TensorProto.FLOAT)
    back = graph.add("Unsqueeze", [graph.add("Relu", [back], "back.or.none"), row], "back.heads")
    slopes = graph.constant("slopes", -head_slopes(heads).reshape(1, heads, 1, 1))
    fall = graph.add("Max", [graph.add("Mul", [back, slopes], "fall.steep"), never], "fall")
    context = graph.add("Where", [graph.add("Unsqueeze", [seen, row], "seen.heads"), fall, never], "context.bias")
    lengths = [graph.add("Shape", [name], f"{name}.length", start=1, end=2) for name in ("past_message", "ids")]
    return local, context, graph.add("Concat", lengths, "sizes", axis=0)


def _layer(graph: _Graph, stem: str, name: str, hidden: str, bias: str, dims: _Dims, past: _Past | None) -> str:
    attention = f"{stem}.attention"
    parts = [f"{attention}.self.{part}" for part in ("query", "key", "value")]
    weight = np.concatenate([graph.weight(f"{part}.weight") for part in parts])
    offset = np.concatenate([graph.weight(f"{part}.bias") for part in parts])
    width = weight.shape[1]
    # The scale of the scores goes into the queries' weights.
    weight[:width] /= np.sqrt(dims.size)
    offset[:width] /= np.sqrt(dims.size)
    joined = graph.linear_from(hidden, weight, offset, f"{name}.qkv")
    graph.nodes.append(
        helper.make_node(
            "Split", [joined], [f"{name}.{part}" for part in "qkv"], name=f"{name}.split", axis=-1, num_outputs=3
        )
    )
    turned = {}
    for part in "qkv":
        split = graph.add("Reshape", [f"{name}.{part}", dims.shape], f"{name}.{part}.heads")
        turned[part] = graph.add("Transpose", [split], f"{name}.{part}.turned", perm=[0, 2, 1, 3])
    mixed = _attend(graph, name, turned, bias, past)
    back = graph.add("Transpose", [mixed], f"{name}.back", perm=[0, 2, 1, 3])
    joined = graph.add("Reshape", [back, dims.flat], f"{name}.joined")
    out = graph.linear(joined, f"{attention}.output.dense", f"{name}.out")
    hidden = graph.norm(
        graph.add("Add", [out, hidden], f"{name}.attended"),
        f"{attention}.output.LayerNorm",
        f"{name}.middle",
        dims.epsilon,
    )
    wide = graph.linear(hidden, f"{stem}.intermediate.dense", f"{name}.wide")
    active = graph.add("Gelu", [wide], f"{name}.active")
    narrow = graph.linear(active, f"{stem}.output.dense", f"{name}.narrow")
    return graph.norm(
        graph.add("Add", [narrow, hidden], f"{name}.summed"), f"{stem}.output.LayerNorm", f"{name}.hidden", dims.epsilon
    )


def _attend(graph: _Graph, name: str, turned: dict[str, str], bias: str, past: _Past | None) -> str:
    """Mix the values the tokens attend to: (B, heads, L, size)."""

    def scores(keys: str, output: str) -> str:
        across = graph.add("Transpose", [keys], f"{output}.across", perm=[0, 1, 3, 2])
        return graph.add("MatMul", [turned["q"], across], output)

    if past is None:
        biased = graph.add("Add", [scores(turned["k"], f"{name}.scores"), bias], f"{name}.biased")
        weights = graph.add("Softmax", [biased], f"{name}.weights", axis=-1)
        return graph.add("MatMul", [weights, turned["v"]], f"{name}.mixed")
    keys = graph.add("Cast", [past.keys], f"{name}.past.keys", to=TensorProto.FLOAT)
    values = graph.add("Cast", [past.values], f"{name}.past.values", to=TensorProto.FLOAT)
    # Scores are joined and weights taken apart again, since they are far smaller than keys and values.
    both = [scores(keys, f"{name}.past.scores"), scores(turned["k"], f"{name}.scores")]
    biased = graph.add("Add", [graph.add("Concat", both, f"{name}.all.scores", axis=-1), bias], f"{name}.biased")
    weights = graph.add("Softmax", [biased], f"{name}.weights", axis=-1)
    halves = [f"{name}.past.weights", f"{name}.now.weights"]
    graph.nodes.append(helper.make_node("Split", [weights, past.sizes], halves, name=f"{name}.apart", axis=-1))
    mixed = [
        graph.add("MatMul", [half, side], f"{half}.mixed")
        for half, side in zip(halves, (values, turned["v"]), strict=True)
    ]
    return graph.add("Add", mixed, f"{name}.mixed")
