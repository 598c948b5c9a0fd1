"""Export of a trained wake word to the ONNX format of openWakeWord's models.

https://github.com/dscripka/openWakeWord: input [1, n, 96], output [1, 1], a score of 0 to 1. The
satellite averages two windows before it compares with the threshold; openWakeWord has its own
`patience` for that.
"""

from pathlib import Path

import numpy as np

from satellite.wake.trained_words import TrainedWord
from wyoming_common.errors import ConfigError


def write_onnx(word: TrainedWord, path: Path) -> None:
    """Write `word` as an ONNX model. Raises ConfigError where `path` cannot be written."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes, weights = [], []

    def constant(name: str, value: object) -> str:
        weights.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(kind: str, inputs: list[str], output: str) -> str:
        nodes.append(helper.make_node(kind, inputs, [output]))
        return output

    centred = node("Sub", ["embeddings", constant("mean", word.mean)], "centred")
    scaled = node("Mul", [centred, constant("scale", word.scale)], "scaled")
    flat = node("Reshape", [scaled, constant("shape", np.array([1, -1], np.int64))], "flat")
    logits = []
    for n, layers in enumerate(word.networks):
        values = flat
        for m, (weight, bias) in enumerate(layers):
            name = f"{n}-{m}"
            inputs = [values, constant(f"weight-{name}", weight), constant(f"bias-{name}", bias)]
            values = node("Gemm", inputs, f"layer-{name}")
            if m + 1 < len(layers):
                values = node("Relu", [values], f"relu-{name}")
        logits.append(values)
    mean = node("Mean", logits, "logit")
    threshold = constant("threshold", np.array([word.threshold], np.float32))
    node("Sigmoid", [node("Sub", [mean, threshold], "margin")], "score")
    graph = helper.make_graph(
        nodes,
        "wake_word",
        [helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, [1, word.length, 96])],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, [1, 1])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    try:
        path.write_bytes(model.SerializeToString())
    except OSError as err:
        raise ConfigError(f"{path} cannot be written: {err.strerror}") from err
