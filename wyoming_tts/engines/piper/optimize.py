"""Convolutions rewritten into a form that ONNX Runtime computes with less work.

Its fast kernels (NCHWc: https://onnxruntime.ai/docs/performance/model-optimizations) are for
images. A sequence is an image of one row, and an upsampling convolution is a plain one whose
channels are the phases of its output. That takes 30 % of the work off a decoder (x86, AVX-512).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from wyoming_tts.engines.piper.split import UnsplittableVoice

_EACH_BY_ITSELF = frozenset({"LeakyRelu", "Relu", "Tanh", "Sigmoid", "Neg", "Exp", "Identity"})
_PAIRWISE = frozenset({"Add", "Sub", "Mul", "Div"})
_ROW = "row_of_image"


def widened(part: onnx.ModelProto, sequences: Sequence[str]) -> onnx.ModelProto:
    """Return `part` with what is made from its inputs `sequences` as images.

    Each is [1, channels, frames]. The new part takes and gives the same. Raises
    UnsplittableVoice for weights that are not constants.
    """
    model = onnx.ModelProto()
    model.CopyFrom(part)
    _Widening(model, sequences).rewrite()
    return model


class _Widening:
    def __init__(self, model: onnx.ModelProto, sequences: Sequence[str]) -> None:
        self._graph = model.graph
        self._weights = {entry.name: entry for entry in model.graph.initializer}
        self._small = {node.output[0] for node in model.graph.node if _is_single_constant(node)} | {
            name for name, entry in self._weights.items() if int(np.prod(entry.dims)) == 1
        }
        self._sequences = sequences
        self._wide: dict[str, str] = {}
        """Sequences, to the name of their image."""
        self._shapes: set[str] = set()
        """Tensors that hold the shape of an image."""
        self._constants = {
            node.output[0]: _value(node) for node in model.graph.node if node.op_type == "Constant"
        } | dict(self._weights.items())
        self._nodes: list[Any] = []

    def rewrite(self) -> None:
        self._constant(_ROW, np.array([2], np.int64))
        for name in self._sequences:
            self._wide[name] = self._image(name)
        for node in list(self._graph.node):
            self._take(node)
        for entry in self._graph.output:
            if entry.name in self._wide:
                self._add("Squeeze", [self._wide[entry.name], _ROW], [entry.name])
        used = {name for node in self._nodes for name in node.input}
        kept = [entry for entry in self._graph.initializer if entry.name in used]
        del self._graph.node[:], self._graph.initializer[:], self._graph.value_info[:]
        self._graph.node.extend(self._nodes)
        self._graph.initializer.extend(kept)

    def _take(self, node: Any) -> None:
        wide = [name for name in node.input if name in self._wide]
        if node.op_type == "ConstantOfShape" and node.input[0] in self._shapes:
            self._keep(node, list(node.input))
        elif not wide:
            self._nodes.append(node)
        elif not self._as_image(node):
            for name in wide:
                self._add("Squeeze", [self._wide.pop(name), _ROW], [name])
            self._nodes.append(node)

    def _as_image(self, node: Any) -> bool:
        """Take a node over with images for sequences; false for one that wants sequences."""
        first_alone = [name for name in node.input if name in self._wide] == [node.input[0]]
        match node.op_type:
            case "Conv" if first_alone:
                self._convolve(node)
            case "ConvTranspose" if first_alone:
                self._upsample(node)
            case "Shape":
                self._shapes.add(node.output[0])
                self._add("Shape", [self._wide[node.input[0]]], list(node.output))
            case kind if kind in _EACH_BY_ITSELF or kind in _PAIRWISE:
                self._elementwise(node)
            case _ if self._is_along_channels(node):
                self._keep(node, [self._wide.get(name, name) for name in node.input])
            case _:
                return False
        return True

    def _elementwise(self, node: Any) -> None:
        inputs = [
            self._wide.get(name) or (name if name in self._small else self._image(name))
            for name in node.input
        ]
        self._keep(node, inputs)

    def _keep(self, node: Any, inputs: list[str]) -> None:
        outputs = [f"{name}_image" for name in node.output]
        self._wide |= dict(zip(node.output, outputs, strict=True))
        self._add(node.op_type, inputs, outputs, **_attributes(node))

    def _is_along_channels(self, node: Any) -> bool:
        """Whether the node cuts or joins along the second axis, which an image keeps."""
        if node.op_type == "Slice" and len(node.input) > 3:
            axes = self._constants.get(node.input[3])
            return axes is not None and numpy_helper.to_array(axes).tolist() == [1]
        if node.op_type == "Concat":
            whole = all(name in self._wide for name in node.input)
            return whole and _attributes(node).get("axis") == 1
        return node.op_type == "Split" and _attributes(node).get("axis") == 1

    def _convolve(self, node: Any) -> None:
        weights = self._weights_of(node)
        attributes = _attributes(node)
        low, high = attributes.get("pads", (0, 0))
        self._constant(f"{node.output[0]}_weights", weights[:, :, None, :])
        self._add(
            "Conv",
            [self._wide[node.input[0]], f"{node.output[0]}_weights", *node.input[2:]],
            [self._named(node)],
            kernel_shape=[1, weights.shape[-1]],
            pads=[0, low, 0, high],
            strides=[1, attributes.get("strides", (1,))[0]],
            dilations=[1, attributes.get("dilations", (1,))[0]],
            group=attributes.get("group", 1),
        )

    def _upsample(self, node: Any) -> None:
        """Output frame q * stride + r depends on input frames about q alone: r is a channel."""
        attributes = _attributes(node)
        stride, (low, high) = attributes["strides"][0], attributes.get("pads", (0, 0))
        weights = self._weights_of(node)  # [in, out, taps]
        _, channels, taps = weights.shape
        if (
            taps - low - high != stride
            or attributes.get("group", 1) != 1
            or attributes.get("dilations", (1,))[0] != 1
            or any(attributes.get("output_padding", ()))
        ):
            raise UnsplittableVoice("an upsampling that is not by its stride")
        phases, before, after = _phases(weights, stride, low)
        image, name = self._wide[node.input[0]], node.output[0]
        self._constant(f"{name}_weights", phases)
        bias = list(node.input[2:])
        if bias:
            once = numpy_helper.to_array(self._weights[bias[0]])
            bias = [f"{name}_bias"]
            self._constant(bias[0], np.tile(once, stride))
        self._constant(f"{name}_split", np.array([1, stride, channels, -1], np.int64))
        self._constant(f"{name}_join", np.array([1, channels, 1, -1], np.int64))
        steps = [f"{name}_phases", f"{name}_apart", f"{name}_woven"]
        self._add(
            "Conv",
            [image, f"{name}_weights", *bias],
            steps[:1],
            kernel_shape=[1, phases.shape[-1]],
            pads=[0, before, 0, after],
        )
        self._add("Reshape", [steps[0], f"{name}_split"], steps[1:2])
        self._add("Transpose", [steps[1]], steps[2:], perm=[0, 2, 3, 1])
        self._add("Reshape", [steps[2], f"{name}_join"], [self._named(node)])

    def _weights_of(self, node: Any) -> NDArray[np.float32]:
        entries = [entry for name in node.input[1:] if (entry := self._weights.get(name))]
        if len(entries) != len(node.input) - 1 or len(entries[0].dims) != 3:
            raise UnsplittableVoice("a convolution whose weights are computed")
        if any(entry.name == "auto_pad" and entry.s != b"NOTSET" for entry in node.attribute):
            raise UnsplittableVoice("a convolution that pads by itself")
        weights: NDArray[np.float32] = numpy_helper.to_array(entries[0])
        return weights

    def _named(self, node: Any) -> str:
        name = str(node.output[0])
        self._wide[name] = f"{name}_image"
        return self._wide[name]

    def _image(self, name: str) -> str:
        self._add("Unsqueeze", [name, _ROW], [f"{name}_as_image"])
        return f"{name}_as_image"

    def _constant(self, name: str, values: NDArray[Any]) -> None:
        self._graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(values), name))

    def _add(self, kind: str, inputs: list[str], outputs: list[str], **attributes: Any) -> None:
        self._nodes.append(helper.make_node(kind, inputs, outputs, **attributes))


def _phases(
    weights: NDArray[np.float32], stride: int, low: int
) -> tuple[NDArray[np.float32], int, int]:
    """Return weights [stride * out, in, 1, taps], and the padding before and after.

    y[q * stride + r] = sum over j of x[q - j] * w[r + low + j * stride].
    """
    count, channels, taps = weights.shape
    reach = [
        j
        for j in range(-taps, taps + 1)
        if any(0 <= r + low + j * stride < taps for r in range(stride))
    ]
    first, last = min(reach), max(reach)
    phases = np.zeros((stride, channels, count, last - first + 1), np.float32)
    for r in range(stride):
        for j in reach:
            if 0 <= r + low + j * stride < taps:
                phases[r, :, :, last - j] = weights[:, :, r + low + j * stride].T
    return phases.reshape(stride * channels, count, 1, -1), last, -first


def _attributes(node: Any) -> dict[str, Any]:
    return {entry.name: helper.get_attribute_value(entry) for entry in node.attribute}


def _value(node: Any) -> onnx.TensorProto | None:
    return next((entry.t for entry in node.attribute if entry.name == "value"), None)


def _is_single_constant(node: Any) -> bool:
    value = _value(node) if node.op_type == "Constant" else None
    return value is not None and int(np.prod(value.dims)) == 1
