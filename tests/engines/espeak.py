"""Voices of many languages: eSpeak NG as a library, speaking into an array.

https://github.com/espeak-ng/espeak-ng/blob/master/src/include/espeak-ng/speak_lib.h
"""

import ctypes
from collections.abc import Callable
from functools import cache

import numpy as np
import soxr
from numpy.typing import NDArray

_SYNCHRONOUS = 2
_RATE_PARAMETER = 1
_UTF8 = 1
_CHARACTERS = 1
_Sink = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


@cache
def _library() -> tuple[ctypes.CDLL, int]:
    import espeakng_loader  # type: ignore[import-untyped]

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    data = espeakng_loader.get_data_path().encode()
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, data, 0)
    assert rate > 0
    return library, rate


def speak(text: str, voice: str, words_a_minute: int = 130) -> NDArray[np.float32]:
    """Return `text` as spoken by `voice` ("de", "fr-fr"): mono, 16 kHz, -1 to 1."""
    library, rate = _library()
    heard: list[NDArray[np.int16]] = []

    def take(samples: "ctypes._Pointer[ctypes.c_short]", count: int, _events: int) -> int:
        if count > 0:
            heard.append(np.ctypeslib.as_array(samples, (count,)).astype(np.int16))
        return 0

    sink: Callable[..., int] = _Sink(take)
    library.espeak_SetSynthCallback(sink)
    assert library.espeak_SetVoiceByName(voice.encode()) == 0, voice
    library.espeak_SetParameter(_RATE_PARAMETER, words_a_minute, 0)
    said = text.encode()
    status = library.espeak_Synth(
        said, ctypes.c_size_t(len(said) + 1), 0, _CHARACTERS, 0, _UTF8, None, None
    )
    assert status == 0
    library.espeak_Synchronize()
    samples = np.concatenate(heard).astype(np.float32) / 32768
    return np.asarray(soxr.resample(samples, rate, 16_000), np.float32)
