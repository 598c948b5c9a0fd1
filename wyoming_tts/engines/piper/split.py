"""Split of a Piper voice's ONNX graph into three, so that sound can be made in windows.

A voice is a VITS model (https://arxiv.org/abs/2106.06103): a text encoder with a duration
predictor, which must see the whole sentence; a normalising flow and a HiFi-GAN decoder, which
are convolutions over frames and see only some frames to either side. The cuts are found by the
structure of the graph, not by the names of its nodes.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
from onnx import helper

_NOISE = ("RandomNormalLike", "RandomNormal")


class UnsplittableVoice(Exception):
    """The graph does not have the structure of Piper's voices."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The three graphs. Tensors that pass from one to the next keep their names."""

    encoder: onnx.ModelProto
    """The inputs of the voice -> what the flow takes, of all frames."""
    flow: onnx.ModelProto
    decoder: onnx.ModelProto
    """Latent frames, float32 [1, channels, frames] -> audio, float32 [1, 1, samples]."""
    latent: str
    """Name of the tensor between flow and decoder."""
    durations: str = ""
    """Name of an output of the encoder, the frames of each phoneme; "" where it is not found."""


def split_voice(path: Path) -> Parts:
    """Cut the voice at `path`. Raises UnsplittableVoice for a graph of another shape."""
    model = onnx.load(str(path))
    graph = _Graph(model)
    latent = graph.decoder_input()
    noisy = graph.noisy_latent()
    head = graph.ancestors(noisy)
    tail = graph.ancestors(latent) - head
    between = sorted(graph.crossing(head, tail))
    given = {entry.name for entry in model.graph.input}
    if noisy not in between:
        raise UnsplittableVoice("the flow does not start at the noise")
    last = graph.ancestors(graph.output, [latent])
    durations = graph.durations(head)
    encoded = [*between, *filter(None, [durations])]
    return Parts(
        graph.part(head | graph.ancestors_of(between), sorted(given), encoded),
        graph.part(tail, [*between, *sorted(given & graph.inputs_of(tail))], [latent]),
        graph.part(last, [latent, *sorted(given & graph.inputs_of(last))], [graph.output]),
        latent,
        durations,
    )


class _Graph:
    """An ONNX graph to be queried; a node is named by its first output."""

    def __init__(self, model: onnx.ModelProto) -> None:
        graph = model.graph
        self._model = model
        self._typed = {
            entry.name: entry for entry in (*graph.input, *graph.output, *graph.value_info)
        }
        self.output = graph.output[0].name
        self._nodes = list(graph.node)
        self._place = {node.output[0]: place for place, node in enumerate(graph.node)}
        self._maker = {name: node for node in graph.node for name in node.output}
        self._users: dict[str, list[Any]] = {}
        for node in graph.node:
            for name in node.input:
                self._users.setdefault(name, []).append(node)

    def ancestors(self, tensor: str, stop: Collection[str] = ()) -> set[str]:
        """Return the nodes that `tensor` is made by, back to the inputs or to `stop`."""
        found: set[str] = set()
        open_ends = [tensor]
        while open_ends:
            name = open_ends.pop()
            node = self._maker.get(name)
            if node is None or name in stop or node.output[0] in found:
                continue
            found.add(node.output[0])
            open_ends.extend(node.input)
        return found

    def ancestors_of(self, tensors: Iterable[str]) -> set[str]:
        """Return the nodes that any of `tensors` is made by."""
        return {node for tensor in tensors for node in self.ancestors(tensor)}

    def part(
        self, nodes: set[str], inputs: Sequence[str], outputs: Sequence[str]
    ) -> onnx.ModelProto:
        """Return the model of some nodes; tensors that are inputs are not computed in it.

        Not onnx's own extractor: that one refuses tensors whose shape it cannot infer.
        """
        kept = [node for node in self._nodes if node.output[0] in nodes]
        kept += self._constants_for(kept)
        used = {name for node in kept for name in node.input}
        graph = helper.make_graph(
            sorted(kept, key=lambda node: self._place[node.output[0]]),
            self._model.graph.name,
            [self._entry(name) for name in inputs],
            [self._entry(name) for name in outputs],
            [entry for entry in self._model.graph.initializer if entry.name in used],
        )
        return helper.make_model(
            graph,
            ir_version=self._model.ir_version,
            opset_imports=self._model.opset_import,
        )

    def _constants_for(self, nodes: Sequence[Any]) -> list[Any]:
        there = {node.output[0] for node in nodes}
        makers = {
            name: self._maker[name] for node in nodes for name in node.input if name in self._maker
        }
        return [
            maker
            for name, maker in makers.items()
            if maker.op_type == "Constant" and name not in there
        ]

    def _entry(self, name: str) -> Any:
        known = self._typed.get(name)
        if known is not None:
            return known
        return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)

    def inputs_of(self, nodes: Iterable[str]) -> set[str]:
        """Return all that the nodes take in."""
        return {name for first in nodes for name in self._maker[first].input}

    def durations(self, nodes: Collection[str]) -> str:
        """Return the one tensor among `nodes` that is rounded up, as VITS does with durations."""
        found = [node.output[0] for node in self._nodes if node.op_type == "Ceil"]
        return str(found[0]) if len(found) == 1 and found[0] in nodes else ""

    def crossing(self, head: set[str], tail: set[str]) -> set[str]:
        """Return the tensors that go from the nodes of `head` to those of `tail`."""
        return {
            name
            for name in self.inputs_of(tail)
            if (node := self._maker.get(name)) is not None
            and node.output[0] in head
            and node.op_type != "Constant"
        }

    def decoder_input(self) -> str:
        """Return the input of the convolution before the first upsampling."""
        upsampling = [node for node in self._nodes if node.op_type == "ConvTranspose"]
        for node in upsampling:
            above = self.ancestors(node.input[0])
            if not any(other.output[0] in above for other in upsampling):
                return self._nearest_convolution(node.input[0])
        raise UnsplittableVoice("no upsampling decoder")

    def _nearest_convolution(self, tensor: str) -> str:
        open_ends = [tensor]
        for _ in range(16):
            node = self._maker.get(open_ends.pop(0)) if open_ends else None
            if node is None:
                continue
            if node.op_type == "Conv" and self._depends_on_noise(node.input[0]):
                return str(node.input[0])
            open_ends.extend(node.input)
        raise UnsplittableVoice("no convolution before the decoder")

    def _depends_on_noise(self, tensor: str) -> bool:
        return any(self._maker[first].op_type in _NOISE for first in self.ancestors(tensor))

    def noisy_latent(self) -> str:
        """Return the sum of the prior's mean and its noise, where the flow starts."""
        noise = [node for node in self._nodes if node.op_type in _NOISE]
        if not noise:
            raise UnsplittableVoice("no noise in the latent")
        tensor = str(noise[-1].output[0])
        for _ in range(8):
            users = self._users.get(tensor, [])
            if len(users) != 1:
                break
            tensor = str(users[0].output[0])
            if users[0].op_type == "Add":
                return tensor
        raise UnsplittableVoice("the noise is not added to the latent")
