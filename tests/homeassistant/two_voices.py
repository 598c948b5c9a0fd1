"""Three people who say anything: the installed Piper voice with vocal tracts of three lengths.

To a speaker embedding they are three voices; `test_voices_home.py` enrols two.
"""

import io
import wave
from functools import cache
from typing import Any, Final

import numpy as np
import soundfile
import soxr

from tests.homeassistant.installation import DATA_DIR, VOICE
from tests.homeassistant.pipeline import RATE, Recording
from wyoming_common.models import ModelStore

TEMPO: Final = {"Anna": 1.22, "Ben": 1.0}
"""People who are enrolled"""
_STRANGERS: Final = {"Clara": 0.84}
_LEVEL: Final = 0.7
_SILENCE_SECONDS: Final = 0.3


@cache
def _voice() -> Any:
    from piper import PiperVoice

    return PiperVoice.load(ModelStore([DATA_DIR]).ensure(VOICE) / f"{VOICE}.onnx")


def said(person: str, text: str) -> Recording:
    """Return a person saying a text."""
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        _voice().synthesize_wav(text, file)
    sound.seek(0)
    samples, rate = soundfile.read(sound, dtype="float32")
    spoken = _LEVEL * soxr.resample(samples, rate * (TEMPO | _STRANGERS)[person], RATE)
    quiet = np.zeros(int(_SILENCE_SECONDS * RATE))
    pcm = (32767 * np.concatenate([quiet, spoken, quiet])).astype("<i2").tobytes()
    return Recording(f"{person}: {text}", text, pcm)
