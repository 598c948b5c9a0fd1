"""Multiplications of each stage, beside those of the unchanged model: for machines we do not have.

    python -m bench.operations [--voice FOLDER] [--speech 3]

Piper is counted while it runs, from the shapes that ONNX Runtime's profiler reports; Whisper's
encoder from its architecture (Radford et al. 2022, table 1); a language model makes one
multiplication a weight and token (Kaplan et al. 2020, section 2.1).
"""

import argparse
import json
import math
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from wyoming_common.config.settings import DEFAULT_DATA_DIR
from wyoming_common.models.store import ModelStore

_WHISPER = {"tiny.en": (4, 384), "base": (6, 512)}
"""Layers and width of the encoder."""
_MELS, _HEARD_HZ, _WHOLE_SECONDS = 80, 50, 30.0
_FRAME_SAMPLES = 256
"""Samples of one frame of Piper's decoder."""
_FIRST_FRAMES = {"flow": 50, "dec": 26}
"""Frames that `wyoming_tts` computes before the first sound."""
_PARAMETERS = {"smollm2-135m-instruct": 135e6}
_PROMPT_TOKENS, _NEW_TOKENS = 1200, 20
"""A home prompt, and what is new in it with the next question."""


def whisper(layers: int, width: int, seconds: float) -> float:
    """Return the encoder's multiplications for a length of audio."""
    frames = seconds * _HEARD_HZ
    convolutions = 2 * frames * _MELS * width * 3 + frames * width * width * 3
    # Four projections and two matrices four times as wide; then scores and their use.
    layer = frames * 12 * width * width + 2 * frames * frames * width
    return convolutions + layers * layer


def piper(voice: Path, phonemes: int = 120) -> tuple[Counter[str], float]:
    """Return multiplications by part of the model, and the seconds of speech they made."""
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(
            next(voice.glob("*.onnx")), options, providers=["CPUExecutionProvider"]
        )
        ids = np.tile(np.arange(10, 30, dtype=np.int64), phonemes // 20 + 1)[None, :phonemes]
        feeds = {
            "input": ids,
            "input_lengths": np.array([phonemes], np.int64),
            "scales": np.array([0.667, 1.0, 0.8], np.float32),
        }
        (audio,) = session.run(None, feeds)
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    found: Counter[str] = Counter()
    for event in events:
        made = multiplications(event.get("args", {}))
        if made:
            found[event["name"].split("/")[1] if "/" in event["name"] else "other"] += made
    return found, audio.size / 22_050


def multiplications(event: dict[str, Any]) -> int:
    """Return what a node of the profile has multiplied, 0 for one that is no product."""
    shapes = _shapes(event, "input_type_shape")
    outs = _shapes(event, "output_type_shape")
    if not outs or len(shapes) < 2:
        return 0
    match event.get("op_name"):
        case "Conv" | "FusedConv":
            return math.prod(outs[0]) * math.prod(shapes[1][1:])
        case "ConvTranspose":
            return math.prod(shapes[0]) * math.prod(shapes[1][1:])
        case "MatMul" | "Gemm" | "FusedMatMul":
            return math.prod(outs[0]) * shapes[0][-1]
    return 0


def _shapes(event: dict[str, Any], key: str) -> list[list[int]]:
    return [next(iter(one.values())) for one in event.get(key, [])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--voice", type=Path, help="folder of a Piper voice")
    parser.add_argument("--speech", type=float, default=3.0, help="seconds that are said")
    options = parser.parse_args()
    voice = options.voice or ModelStore([DEFAULT_DATA_DIR]).ensure("en_US-joe-medium")
    print("| stage | as it is, 10^9 | ours, 10^9 | ours of it |\n|---|---|---|---|")
    for name, (layers, width) in _WHISPER.items():
        whole = whisper(layers, width, _WHOLE_SECONDS)
        _row(f"Whisper {name}, encoder, {options.speech:g} s said", whole,
             whisper(layers, width, options.speech + 1))  # fmt: skip
    for name, parameters in _PARAMETERS.items():
        _row(f"{name}, {_PROMPT_TOKENS} tokens of prompt", parameters * _PROMPT_TOKENS,
             parameters * _NEW_TOKENS)  # fmt: skip
    parts, seconds = piper(voice)
    frames = seconds * 22_050 / _FRAME_SAMPLES
    first = sum(
        made * min(1.0, _FIRST_FRAMES[part] / frames) if part in _FIRST_FRAMES else made
        for part, made in parts.items()
    )
    _row(f"Piper medium, first sound of {seconds:.1f} s", float(parts.total()), first)
    print("\nPiper by part:", ", ".join(f"{part} {made / 1e9:.2f}" for part, made in
                                        parts.most_common(5)))  # fmt: skip


def _row(what: str, whole: float, ours: float) -> None:
    print(f"| {what} | {whole / 1e9:.2f} | {ours / 1e9:.2f} | {ours / whole:.0%} |")


if __name__ == "__main__":
    main()
