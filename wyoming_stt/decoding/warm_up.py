"""Warm-up of speech-to-text with sound like that of a user's first commands."""

from typing import Final

import numpy as np

from wyoming_common.audio.pcm import MODEL_RATE
from wyoming_stt.engine import Audio, SttEngine, TranscriptionRequest

USUAL_SECONDS: Final = (1.5, 2.5, 4.0)
"""Lengths of commands; the libraries of a model prepare the first run of each size."""
_PITCH_HZ: Final = 120.0
_HARMONICS: Final = 24
_SYLLABLES_PER_SECOND: Final = 4.0


def speech_like(seconds: float, rate: int = MODEL_RATE) -> Audio:
    """Return a voiced buzz that rises and falls like syllables, shape [samples], -1 to 1.

    Nothing is said in it: it takes a recogniser the time of speech without being any.
    """
    time = np.arange(int(seconds * rate)) / rate
    harmonics = np.arange(1, _HARMONICS + 1)
    waves = np.sin(2 * np.pi * _PITCH_HZ * np.outer(time, harmonics)) / harmonics
    loudness = 0.5 - 0.5 * np.cos(2 * np.pi * _SYLLABLES_PER_SECOND * time)
    return np.asarray(0.1 * waves.sum(axis=1) * loudness, np.float32)


def warm_up(engine: SttEngine, language: str | None) -> None:
    """Decode speech of the usual lengths. Blocking. Raises what the engine raises."""
    for seconds in USUAL_SECONDS:
        engine.transcribe(speech_like(seconds), TranscriptionRequest(language=language))
