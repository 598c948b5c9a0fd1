"""Scores of wake words over a recording, as the satellite would give them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from satellite.wake import make_wake
from satellite.wake.engine import WakeDetector
from wyoming_common.audio.pcm import MODEL_RATE, read_audio

_LEAD_SECONDS = 2.0
_TAIL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class RecordingScore:
    """Score and detections of a word in a recording."""

    best: float
    """Highest score, 0 to 1."""
    detections: tuple[float, ...]
    """Seconds from the beginning of the recording at which the word was detected."""


def score_recording(
    word: str, path: Path, data_dirs: Sequence[Path] = (), engine: str = "open"
) -> RecordingScore:
    """Return the score of one wake word over a sound file.

    Raises ConfigError for an unknown word, BadAudio for a file that is not sound.
    """
    pcm, _ = read_audio(path)
    return score_pcm(make_wake(engine, (word,), 0.5, "", data_dirs=data_dirs), pcm)


def score_pcm(detector: WakeDetector, pcm: bytes) -> RecordingScore:
    """Return the score of mono s16le PCM at 16 kHz, with silence around it."""
    silence = (bytes(int(seconds * MODEL_RATE) * 2) for seconds in (_LEAD_SECONDS, _TAIL_SECONDS))
    padded = pcm.join(silence)
    size = detector.frame_samples * 2
    best, detections = 0.0, []
    for begin in range(0, len(padded) - size + 1, size):
        found = detector.process(padded[begin : begin + size])
        best = max(best, *detector.scores.values(), 0.0)
        if found is not None:
            detections.append((begin + size) / 2 / MODEL_RATE - _LEAD_SECONDS)
    return RecordingScore(best, tuple(detections))
