"""Processor time of wake word detectors: a trained word beside built-in ones.

    python -m bench.wake_cost DATA WORD.wake

DATA is a folder with a manifest.jsonl, of which the recordings of `kind` negative are speech.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from satellite.wake import make_wake
from satellite.wake.engine import WakeDetector
from wyoming_common.audio.pcm import MODEL_RATE, read_audio

_MEASURED_SECONDS = 30
_SETTLING_SECONDS = 10
_ROUNDS = 3


def core(detector: WakeDetector, pcm: bytes) -> float:
    """Return the share of a core that the detector takes for sound after the settling."""
    size = detector.frame_samples * 2
    begun = 0.0
    for at in range(0, len(pcm) - size + 1, size):
        if at // size == _SETTLING_SECONDS * MODEL_RATE // detector.frame_samples:
            begun = time.process_time()
        detector.process(pcm[at : at + size])
    return (time.process_time() - begun) / (len(pcm) / 2 / MODEL_RATE - _SETTLING_SECONDS)


def main() -> None:
    """Measure each detector in steady noise and in speech; the least of a few rounds counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("word", type=Path)
    arguments = parser.parse_args()
    samples = (_MEASURED_SECONDS + _SETTLING_SECONDS) * MODEL_RATE
    noise = (np.random.default_rng(1).standard_normal(samples) * 30).astype("<i2").tobytes()
    lines = (arguments.data / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    speech = b""
    for entry in map(json.loads, lines):
        if entry["kind"] == "negative" and len(speech) < 2 * samples:
            speech += read_audio(arguments.data / entry["audio"])[0]
    words = (("open", str(arguments.word)), ("open", "alexa"), ("micro", "okay_nabu"))
    for engine, word in words:
        shares = [
            [core(make_wake(engine, (word,), 0.5, ""), sound) for _ in range(_ROUNDS)]
            for sound in (noise, speech[: 2 * samples])
        ]
        steady, spoken = map(min, shares)
        print(f"{word}: {steady:.2%} of a core in steady noise, {spoken:.2%} in speech", flush=True)


if __name__ == "__main__":
    main()
