"""Checks a GGUF file before llama.cpp maps it: reading past a file's end kills the process.

https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wyoming_common.errors import ModelError

_SCALARS: Final = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of a metadata value by type."""
_STRING, _ARRAY = 8, 9
_MAX_ENTRIES: Final = 1 << 24
"""Entries of a table; no real file comes near."""


@dataclass(slots=True)
class _Reader:
    data: mmap.mmap
    at: int = 0

    def number(self, form: str) -> int:
        value: int = struct.unpack_from(form, self.data, self.at)[0]
        self.at += struct.calcsize(form)
        return value

    def count(self) -> int:
        value = self.number("<Q")
        if value > _MAX_ENTRIES:
            raise ValueError(f"a table of {value} entries")
        return value

    def string(self) -> bytes:
        size = self.number("<Q")
        if self.at + size > len(self.data):
            raise ValueError("a text past the end")
        self.at += size
        return self.data[self.at - size : self.at]

    def skip(self, kind: int, depth: int = 0) -> None:
        if kind == _STRING:
            self.string()
        elif kind == _ARRAY and depth < 4:
            element, size = self.number("<I"), self.count()
            if element in _SCALARS:
                self.at += _SCALARS[element] * size
            else:
                for _ in range(size):
                    self.skip(element, depth + 1)
        elif kind in _SCALARS:
            self.at += _SCALARS[kind]
        else:
            raise ValueError(f"a value of type {kind}")


def check_gguf(path: Path) -> frozenset[int]:
    """Return the formats of a GGUF file's tensors, as numbers of ggml_type.

    Raises ModelError unless the file is whole.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(4)
            if magic != b"GGUF":
                raise ModelError(f"model: expected a GGUF file, got something else in {path}")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                needed, formats = _last_byte(_Reader(data, 4))
                size = len(data)
    except OSError as err:
        raise ModelError(f"model: cannot read {path}: {err.strerror}") from err
    except (ValueError, struct.error, OverflowError) as err:
        raise ModelError(f"model: {path} is cut short or corrupt ({err})") from err
    if size < needed:
        raise ModelError(
            f"model: {path} is cut short: expected at least {needed} bytes, got {size}"
        )
    return formats


def _last_byte(reader: _Reader) -> tuple[int, frozenset[int]]:
    """Return how long the file must be for the tensors of its header, and their formats."""
    version = reader.number("<I")
    if version not in (2, 3):
        raise ValueError(f"version {version}")
    tensors, pairs = reader.count(), reader.count()
    alignment = 32
    for _ in range(pairs):
        key, kind = reader.string(), reader.number("<I")
        before = reader.at
        reader.skip(kind)
        if key == b"general.alignment" and kind == 4:
            alignment = struct.unpack_from("<I", reader.data, before)[0]
    if alignment == 0 or alignment & (alignment - 1):
        raise ValueError(f"alignment {alignment}")
    found = [_tensor_end(reader) for _ in range(tensors)]
    start = (reader.at + alignment - 1) // alignment * alignment
    end = max((end for end, _ in found), default=0)
    return start + end, frozenset(kind for _, kind in found)


def _tensor_end(reader: _Reader) -> tuple[int, int]:
    """Return where a tensor ends behind the header, and its format."""
    reader.string()
    sizes = [reader.number("<Q") for _ in range(min(reader.number("<I"), 8))]
    kind, offset = reader.number("<I"), reader.number("<Q")
    elements = 1
    for size in sizes:
        elements *= size
    if kind not in _BLOCKS:
        return offset, kind
    per_block, block_bytes = _BLOCKS[kind]
    return offset + elements // per_block * block_bytes, kind


_BLOCKS: Final = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34),
    9: (32, 40), 10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210),
    15: (256, 292), 16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18),
    21: (256, 110), 22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8),
    28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17),
}  # fmt: skip
"""Elements and bytes of a block by tensor type (GGML_QUANT_SIZES of the `gguf` package)."""
