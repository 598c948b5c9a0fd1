"""Recordings of the user: how the phrase is said at home, and what was wrongly taken for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wyoming_common.audio.pcm import MODEL_RATE, read_audio, to_float
from wyoming_common.audio.vad import SILERO, VAD_FRAME_SAMPLES, VoiceDetector
from wyoming_common.errors import BadAudio, ConfigError
from wyoming_common.registry import import_class

Floats = NDArray[np.float32]
MAX_RECORDINGS = 200
MAX_SECONDS = 6.0
"""Longest recording of one phrase, with the silence around it."""
_MIN_PROBABILITY = 0.4
_MARGIN_SAMPLES = int(0.06 * MODEL_RATE)
_MIN_SPEECH_SECONDS = 0.2
_SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3")


@dataclass(frozen=True, slots=True)
class OwnRecordings:
    """Clips at 16 kHz, -1 to 1, without the silence around the speech."""

    phrase: list[Floats]
    false_alarms: list[Floats]


def sound_files(folder: Path) -> list[Path]:
    """Return the sound files of a folder, sorted; none where there is no such folder."""
    if not folder.is_dir():
        return []
    files = (path for path in sorted(folder.iterdir()) if path.suffix.lower() in _SUFFIXES)
    return list(files)[-MAX_RECORDINGS:]


def samples_of(folder: Path) -> list[Floats]:
    """Return the recordings in the folder that a user has named.

    Raises ConfigError for a folder without any, BadAudio for one that does not hold the phrase.
    """
    files = sound_files(folder)
    if not files:
        raise ConfigError(f"--samples: {folder} holds no sound files ({', '.join(_SUFFIXES)})")
    return [speech_of(path) for path in files]


def kept_recordings(folder: Path) -> OwnRecordings:
    """Return what the page and daily use have kept for a wake word.

    Files that cannot be read are left out.
    """
    return OwnRecordings(list(_readable(folder / "right")), list(_readable(folder / "wrong")))


def _readable(folder: Path) -> Iterator[Floats]:
    for path in sound_files(folder):
        try:
            yield speech_of(path)
        except BadAudio:
            continue


def speech_of(path: Path) -> Floats:
    """Return the speech in a recording of one phrase. Raises BadAudio."""
    pcm, _ = read_audio(path)
    seconds = len(pcm) / 2 / MODEL_RATE
    if seconds > MAX_SECONDS:
        raise BadAudio(
            f"{path}: lasts {seconds:.0f} s; expected the phrase said once, within "
            f"{MAX_SECONDS:.0f} s"
        )
    return spoken(pcm, str(path))


def spoken(pcm: bytes, name: str, vad: VoiceDetector | None = None) -> Floats:
    """Return the speech in mono s16le PCM at 16 kHz, its loudest sample 1.

    Raises BadAudio for a recording without speech; `name` is what the error calls the recording.
    """
    detector: VoiceDetector = vad or import_class(SILERO, "Voice detection", "satellite")()
    size = VAD_FRAME_SAMPLES * 2
    # The detector needs some sound before it is sure.
    padded = bytes(8 * size) + pcm + bytes(8 * size)
    voiced = [
        number
        for number in range(len(padded) // size)
        if detector.process_chunk(padded[number * size : (number + 1) * size]) >= _MIN_PROBABILITY
    ]
    if (len(voiced)) * VAD_FRAME_SAMPLES < _MIN_SPEECH_SECONDS * MODEL_RATE:
        raise BadAudio(
            f"{name}: no speech in it; expected the phrase said once, near the microphone"
        )
    sound = to_float(padded)
    first = max(0, voiced[0] * VAD_FRAME_SAMPLES - _MARGIN_SAMPLES)
    clip = sound[first : (voiced[-1] + 1) * VAD_FRAME_SAMPLES]
    return clip / max(1e-4, float(np.abs(clip).max()))
