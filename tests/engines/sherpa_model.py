"""Makes the smallest model that sherpa-onnx loads: it says LOUD while it hears something."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_THRESHOLD = -6.0
"""Mean log energy of a Mel band; silence lies at -15.9, a loud tone near 0."""


def make_ctc(folder: Path) -> Path:
    """Write `model.onnx` and `tokens.txt` of a zipformer2_ctc model into `folder`."""
    (folder / "tokens.txt").write_text("<blk> 0\n▁LOUD 1\n", encoding="utf-8")
    constants = {
        "starts": np.array([0]),
        "ends": np.array([2**31 - 1]),
        "axes": np.array([1]),
        "steps": np.array([4]),
        "four": np.array(4),
        "three": np.array(3),
        "threshold": np.array(_THRESHOLD, np.float32),
        "last": np.array([2]),
    }
    nodes = [
        helper.make_node("Slice", ["x", "starts", "ends", "axes", "steps"], ["every4"]),
        helper.make_node("ReduceMax", ["every4", "last"], ["loudest"], keepdims=1),
        helper.make_node("Sub", ["loudest", "threshold"], ["loud"]),
        helper.make_node("Neg", ["loud"], ["quiet"]),
        helper.make_node("Concat", ["quiet", "loud"], ["logits"], axis=2),
        helper.make_node("LogSoftmax", ["logits"], ["log_probs"], axis=2),
        helper.make_node("Add", ["x_lens", "three"], ["rounded"]),
        helper.make_node("Div", ["rounded", "four"], ["log_probs_len"]),
    ]
    graph = helper.make_graph(
        nodes,
        "loud",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", "T", 80]),
            helper.make_tensor_value_info("x_lens", TensorProto.INT64, ["N"]),
        ],
        [
            helper.make_tensor_value_info("log_probs", TensorProto.FLOAT, ["N", "U", 2]),
            helper.make_tensor_value_info("log_probs_len", TensorProto.INT64, ["N"]),
        ],
        [
            numpy_helper.from_array(
                value if value.dtype == np.float32 else value.astype(np.int64), name
            )
            for name, value in constants.items()
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    entry = model.metadata_props.add()
    entry.key, entry.value = "model_type", "zipformer2_ctc"
    onnx.save(model, str(folder / "model.onnx"))
    return folder
