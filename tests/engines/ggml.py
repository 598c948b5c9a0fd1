"""Writes a whisper.cpp model from a CTranslate2 one: real weights for tests of that engine.

Formats: https://github.com/OpenNMT/CTranslate2 (`ModelSpec._serialize`, `model.bin` version 6)
and https://github.com/ggml-org/whisper.cpp (`models/convert-pt-to-ggml.py`).
"""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor
from numpy.typing import NDArray

Tensors = dict[str, NDArray[np.float32]]
_TYPES = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2"}


def convert(folder: Path, out: Path) -> Path:
    """Write the model in `folder` as a GGML file `out`, and return `out`."""
    tensors = _read(folder / "model.bin")
    words, state = tensors["decoder/embeddings/weight"].shape
    layers = sum(name.endswith("/ffn/linear_0/bias") for name in tensors) // 2
    heads = state // 64
    with out.open("wb") as file:
        sizes = (words, 1500, state, heads, layers, 448, state, heads, layers, 80, 1)
        file.write(struct.pack("<I11i", 0x67676D6C, *sizes))
        filters = FeatureExtractor.get_mel_filters(16_000, 400, 80).astype("<f4")
        file.write(struct.pack("<2i", *filters.shape))
        file.write(filters.tobytes())
        _write_vocabulary(file, folder, 50_256 if words < 51_865 else 50_257)
        for name, values in _named(tensors, layers):
            _write_tensor(file, name, values)
    return out


def _read(path: Path) -> Tensors:
    data = path.read_bytes()
    at = 0

    def take(form: str) -> tuple[int, ...]:
        nonlocal at
        values = struct.unpack_from("<" + form, data, at)
        at += struct.calcsize("<" + form)
        return values

    def text() -> str:
        nonlocal at
        (length,) = take("H")
        at += length
        return data[at - length : at - 1].decode()

    take("I")
    text()
    take("I")
    tensors: Tensors = {}
    for _ in range(take("I")[0]):
        name = text()
        shape = take("I" * take("B")[0])
        kind, size = take("BI")
        values = np.frombuffer(data[at : at + size], _TYPES[kind])
        tensors[name] = values.reshape(shape).astype(np.float32)
        at += size
    return tensors


def _named(tensors: Tensors, layers: int) -> Iterator[tuple[str, NDArray[np.float32]]]:
    yield "encoder.positional_embedding", tensors["encoder/position_encodings/encodings"]
    for conv in ("conv1", "conv2"):
        yield f"encoder.{conv}.weight", tensors[f"encoder/{conv}/weight"]
        yield f"encoder.{conv}.bias", tensors[f"encoder/{conv}/bias"][:, np.newaxis]
    yield "decoder.positional_embedding", tensors["decoder/position_encodings/encodings"]
    yield "decoder.token_embedding.weight", tensors["decoder/embeddings/weight"]
    for side, last in (("encoder", "ln_post"), ("decoder", "ln")):
        yield from _norm(tensors, f"{side}/layer_norm", f"{side}.{last}")
        for layer in range(layers):
            source, target = f"{side}/layer_{layer}", f"{side}.blocks.{layer}"
            yield from _attention(tensors, f"{source}/self_attention", f"{target}.attn")
            if side == "decoder":
                yield from _attention(tensors, f"{source}/attention", f"{target}.cross_attn")
            yield from _norm(tensors, f"{source}/ffn/layer_norm", f"{target}.mlp_ln")
            for number, place in enumerate((0, 2)):
                for part in ("weight", "bias"):
                    yield (
                        f"{target}.mlp.{place}.{part}",
                        tensors[f"{source}/ffn/linear_{number}/{part}"],
                    )


def _norm(tensors: Tensors, source: str, target: str) -> Iterator[tuple[str, NDArray[np.float32]]]:
    yield f"{target}.weight", tensors[f"{source}/gamma"]
    yield f"{target}.bias", tensors[f"{source}/beta"]


def _attention(
    tensors: Tensors, source: str, target: str
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    yield from _norm(tensors, f"{source}/layer_norm", f"{target}_ln")
    linears = 1 + max(n for n in range(3) if f"{source}/linear_{n}/weight" in tensors)
    for part in ("weight", "bias"):
        joined = np.concatenate(
            [tensors[f"{source}/linear_{number}/{part}"] for number in range(linears - 1)]
        )
        for name, values in zip(("query", "key", "value"), np.split(joined, 3), strict=True):
            if (name, part) != ("key", "bias"):  # Whisper's keys have none
                yield f"{target}.{name}.{part}", values
        yield f"{target}.out.{part}", tensors[f"{source}/linear_{linears - 1}/{part}"]


def _write_vocabulary(file: BinaryIO, folder: Path, count: int) -> None:
    model = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    of_char = _bytes_of_chars()
    by_id = {number: word for word, number in model["vocab"].items()}
    file.write(struct.pack("<i", count))
    for number in range(count):
        raw = bytes(of_char[char] for char in by_id[number])
        file.write(struct.pack("<i", len(raw)) + raw)


def _bytes_of_chars() -> dict[str, int]:
    """GPT-2 writes every byte as a printable character; return the way back."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    other = [byte for byte in range(256) if byte not in plain]
    return {chr(b): b for b in plain} | {chr(256 + n): b for n, b in enumerate(other)}


def _write_tensor(file: BinaryIO, name: str, values: NDArray[np.float32]) -> None:
    half = values.ndim > 1 and values.shape[-1] > 1 and "positional" not in name
    raw = name.encode()
    file.write(struct.pack("<3i", values.ndim, len(raw), int(half)))
    file.write(struct.pack(f"<{values.ndim}i", *reversed(values.shape)))
    file.write(raw)
    file.write(values.astype("<f2" if half else "<f4").tobytes())
