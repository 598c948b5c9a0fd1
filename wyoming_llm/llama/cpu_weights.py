"""Weights of small models in a format that llama.cpp multiplies quickly on a CPU.

llama.cpp reads several tokens of a prompt at once by the tiled products of matrices in
https://github.com/ggml-org/llama.cpp/blob/master/ggml/src/ggml-cpu/llamafile/sgemm.cpp, which take
a few formats. Weights of the others are multiplied by one token after the other: on one core with
AVX2, SmolLM2 135M reads the 20 tokens of a question in 250 ms as Q4_1 and in 120 ms as Q8_0, which
holds the same numbers to one part in 250.
"""

import hashlib
import logging
import math
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from wyoming_common.errors import ModelError
from wyoming_llm.llama.gguf import check_gguf

if TYPE_CHECKING:
    from gguf import GGUFReader, GGUFWriter, ReaderTensor

_LOGGER = logging.getLogger(__name__)

SLOW_FORMATS: Final = frozenset({3, 7})
"""Q4_1 and Q5_1, by their numbers in ggml_type (ggml.h)"""
_MAX_BYTES: Final = 200_000_000
"""Larger models spend most of a turn on writing, where more bytes take longer."""
_SUFFIX: Final = ".q8_0.gguf"
_MOSTLY_Q8_0: Final = 7
"""`general.file_type` (llama_ftype in llama.h)"""
_FAILURES: Final = (OSError, ValueError, LookupError, RuntimeError, AssertionError)
"""Errors of the `gguf` package for a file that it does not understand, and of a full disk"""
_MAX_ROWS: Final = 4096
"""Rows of a tensor that are converted at a time"""


def cpu_weights(path: Path, formats: frozenset[int], folder: Path) -> Path:
    """Return the file to load for a model whose tensors have `formats`: itself, or one in Q8_0.

    The latter is written to `folder` at the first start, which takes some seconds; where that
    fails, the model is loaded as it is.
    """
    status = path.stat()
    if not formats & SLOW_FORMATS or status.st_size > _MAX_BYTES:
        return path
    identity = f"{path.resolve()}:{status.st_size}:{status.st_mtime_ns}"
    name = f"{path.stem}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}{_SUFFIX}"
    converted = folder / name
    with suppress(ModelError):
        check_gguf(converted)
        return converted
    _LOGGER.info("Converting the weights of %s for this machine's CPU, once", path.name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix="converting-") as scratch:
            written = Path(scratch, name)
            convert(path, written)
            written.replace(converted)
    except _FAILURES as err:
        _LOGGER.info("%s is loaded as it is; its weights could not be converted: %s", path, err)
        return path
    for other in folder.glob(f"{path.stem}-*{_SUFFIX}"):
        if other != converted:
            other.unlink(missing_ok=True)
    return converted


def convert(source: Path, target: Path) -> None:
    """Write the model at `source` to `target` with its slow tensors in Q8_0.

    Raises OSError, and what the `gguf` package raises for a file that it does not understand.
    """
    # Loaded here, because a start that converts nothing does not need it.
    from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter, Keys
    from gguf.quants import quant_shape_to_byte_shape

    logging.getLogger("gguf").setLevel(logging.WARNING)
    reader = GGUFReader(source)
    writer = GGUFWriter(target, reader.fields[Keys.General.ARCHITECTURE].contents())
    try:
        _copy_metadata(reader, writer)
        for tensor in reader.tensors:
            kind, shape = tensor.tensor_type, tensor.data.shape
            dtype, size = tensor.data.dtype, tensor.data.nbytes
            if kind in SLOW_FORMATS:
                kind = GGMLQuantizationType.Q8_0
                shape = quant_shape_to_byte_shape(tuple(map(int, reversed(tensor.shape))), kind)
                dtype, size = np.dtype(np.uint8), math.prod(shape)
            writer.add_tensor_info(tensor.name, shape, dtype, size, kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for tensor in reader.tensors:
            slow = tensor.tensor_type in SLOW_FORMATS
            writer.write_tensor_data(_requantized(tensor) if slow else tensor.data)
    finally:
        writer.close()


def _copy_metadata(reader: "GGUFReader", writer: "GGUFWriter") -> None:
    """Copy the metadata as scripts/gguf_new_metadata.py of the `gguf` package does."""
    from gguf import GGUFValueType, Keys

    for field in reader.fields.values():
        if field.name == Keys.General.ARCHITECTURE or field.name.startswith("GGUF."):
            continue  # the writer writes them itself
        kind = field.types[0]
        value = _MOSTLY_Q8_0 if field.name == Keys.General.FILE_TYPE else field.contents()
        element = field.types[-1] if kind == GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, value, kind, sub_type=element)


def _requantized(tensor: "ReaderTensor") -> "np.ndarray[Any, np.dtype[np.uint8]]":
    from gguf import GGMLQuantizationType
    from gguf.quants import dequantize, quantize

    rows = tensor.data.reshape(-1, tensor.data.shape[-1])
    parts = [
        quantize(
            dequantize(rows[start : start + _MAX_ROWS], tensor.tensor_type),
            GGMLQuantizationType.Q8_0,
        )
        for start in range(0, len(rows), _MAX_ROWS)
    ]
    return np.concatenate(parts)
