"""Makes the smallest models that sherpa-onnx loads: they say LOUD while they hear something.

What a streaming one has to have is in `online-zipformer2-ctc-model.cc` of
https://github.com/k2-fsa/sherpa-onnx.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_THRESHOLD = -6.0
"""Mean log energy of a Mel band; silence lies at -15.9, a loud tone near 0."""


_CHUNK = 32
"""Feature frames a streaming model takes at a time, of the 45 it sees."""
_SEEN = 45
_LEFT = 8
_WIDTH = 8
_STATES = {
    "cached_key_0": [_LEFT, 1, _WIDTH],
    "cached_nonlin_attn_0": [1, 1, _LEFT, 3 * _WIDTH // 4],
    "cached_val1_0": [_LEFT, 1, _WIDTH],
    "cached_val2_0": [_LEFT, 1, _WIDTH],
    "cached_conv1_0": [1, _WIDTH, 3],
    "cached_conv2_0": [1, _WIDTH, 3],
    "embed_states": [1, 128, 3, 19],
}
"""States of one encoder layer, which this model only passes on."""
_SIZES = ("encoder_dims", "query_head_dims", "value_head_dims")


def make_ctc(folder: Path) -> Path:
    """Write `model.onnx` and `tokens.txt` of a zipformer2_ctc model into `folder`."""
    lengths = [
        helper.make_node("Add", ["x_lens", "three"], ["rounded"]),
        helper.make_node("Div", ["rounded", "four"], ["log_probs_len"]),
    ]
    graph = helper.make_graph(
        [*_ears(), *lengths],
        "loud",
        [_float("x", ["N", "T", 80]), _count("x_lens")],
        [_float("log_probs", ["N", "U", 2]), _count("log_probs_len")],
        _constants(2**31 - 1),
    )
    return _write(folder, graph, {"model_type": "zipformer2_ctc"})


def make_streaming_ctc(folder: Path) -> Path:
    """Write those of a streaming zipformer2_ctc model, which carries its state, into `folder`."""
    states = [_float(name, shape) for name, shape in _STATES.items()]
    after = [_float(f"new_{name}", shape) for name, shape in _STATES.items()]
    kept = [
        helper.make_node("Identity", [name], [f"new_{name}"])
        for name in (*_STATES, "processed_lens")
    ]
    graph = helper.make_graph(
        [*_ears(), *kept],
        "loud",
        [_float("x", [1, _SEEN, 80]), *states, _count("processed_lens")],
        [_float("log_probs", [1, _CHUNK // 4, 2]), *after, _count("new_processed_lens")],
        _constants(_CHUNK),
    )
    metadata = {
        "model_type": "zipformer2",
        "num_heads": "1",
        "num_encoder_layers": "1",
        "cnn_module_kernels": "7",
        "left_context_len": str(_LEFT),
        "T": str(_SEEN),
        "decode_chunk_len": str(_CHUNK),
    }
    return _write(folder, graph, metadata | dict.fromkeys(_SIZES, str(_WIDTH)))


def _ears() -> list[onnx.NodeProto]:
    """Compare the loudest band of every fourth frame with a threshold."""
    return [
        helper.make_node("Slice", ["x", "starts", "ends", "axes", "steps"], ["every4"]),
        helper.make_node("ReduceMax", ["every4", "last"], ["loudest"], keepdims=1),
        helper.make_node("Sub", ["loudest", "threshold"], ["loud"]),
        helper.make_node("Neg", ["loud"], ["quiet"]),
        helper.make_node("Concat", ["quiet", "loud"], ["logits"], axis=2),
        helper.make_node("LogSoftmax", ["logits"], ["log_probs"], axis=2),
    ]


def _constants(frames: int) -> list[onnx.TensorProto]:
    values = {
        "starts": np.array([0]),
        "ends": np.array([frames]),
        "axes": np.array([1]),
        "steps": np.array([4]),
        "four": np.array(4),
        "three": np.array(3),
        "last": np.array([2]),
    }
    whole = [
        numpy_helper.from_array(value.astype(np.int64), name) for name, value in values.items()
    ]
    return [*whole, numpy_helper.from_array(np.array(_THRESHOLD, np.float32), "threshold")]


def _float(name: str, shape: Sequence[int | str]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _count(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.INT64, ["N"])


def _write(folder: Path, graph: onnx.GraphProto, metadata: dict[str, str]) -> Path:
    (folder / "tokens.txt").write_text("<blk> 0\n▁LOUD 1\n", encoding="utf-8")
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, metadata)
    onnx.save(model, str(folder / "model.onnx"))
    return folder
