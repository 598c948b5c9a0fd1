"""GGML model file check before loading: whisper.cpp ends the process on a damaged one.

Format: models/convert-pt-to-ggml.py of https://github.com/ggml-org/whisper.cpp
"""

import struct
from pathlib import Path
from typing import BinaryIO

from wyoming_common.errors import ModelError
from wyoming_stt.decoding.model_files import GGML_MAGIC

_BLOCK_BYTES = {
    0: (1, 4),
    1: (1, 2),
    2: (32, 18),
    3: (32, 20),
    6: (32, 22),
    7: (32, 24),
    8: (32, 34),
}
"""Values and bytes of a block for each tensor type: f32, f16, q4_0, q4_1, q5_0, q5_1, q8_0."""
_MAX_VOCABULARY = 200_000
_MAX_NAME_BYTES = 256


def vocabulary_size(path: Path) -> int:
    """Return the size of the model's vocabulary. Raises ModelError unless the file is whole."""
    try:
        with path.open("rb") as file:
            return _walk(file, path.stat().st_size)
    except (OSError, struct.error) as err:
        raise ModelError(f"model: {path} is cut short, or not a GGML file of whisper.cpp") from err
    except ValueError as err:
        raise ModelError(f"model: {path}: {err}") from err


def _walk(file: BinaryIO, size: int) -> int:
    magic, words, *_ = _take(file, "I11i")
    if magic != GGML_MAGIC:
        raise ValueError("not a GGML file of whisper.cpp")
    bands, bins = _take(file, "2i")
    _skip(file, 4 * bands * bins, size)
    (count,) = _take(file, "i")
    if not 0 < count <= _MAX_VOCABULARY:
        raise ValueError(f"the vocabulary has {count} words")
    for _ in range(count):
        _skip(file, _take(file, "i")[0], size)
    while file.tell() < size:
        _skip(file, _tensor_bytes(file, size), size)
    return int(words)


def _tensor_bytes(file: BinaryIO, size: int) -> int:
    dimensions, name_length, kind = _take(file, "3i")
    if not 1 <= dimensions <= 4 or not 0 < name_length <= _MAX_NAME_BYTES:
        raise ValueError("the file holds no valid tensor")
    values = 1
    for extent in _take(file, f"{dimensions}i"):
        values *= extent
    _skip(file, name_length, size)
    if kind not in _BLOCK_BYTES:
        raise ValueError(f"tensors of type {kind} are not supported")
    block, width = _BLOCK_BYTES[kind]
    return values // block * width


def _take(file: BinaryIO, form: str) -> tuple[int, ...]:
    return struct.unpack(f"<{form}", file.read(struct.calcsize(f"<{form}")))


def _skip(file: BinaryIO, count: int, size: int) -> None:
    if count < 0 or file.tell() + count > size:
        raise ValueError(f"the file is cut short at {size} bytes")
    file.seek(count, 1)
