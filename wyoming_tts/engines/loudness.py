"""One gain for a whole reply: a sentence cannot be measured before its first word is heard."""

import numpy as np
from numpy.typing import NDArray

_TARGET = 0.9
"""Where the loudest sample of ordinary speech ends up, of 1."""
_KNEE = 0.85
"""Above it samples are bent towards 1 instead of being cut."""


class Limiter:
    """Brings a voice whose speech peaks at `peak` to the target, times `volume`."""

    def __init__(self, peak: float, volume: float = 1.0) -> None:
        self._gain = _TARGET / max(peak, 1e-3) * volume

    def __call__(self, audio: NDArray[np.float32]) -> bytes:
        """Return audio in -1 to 1, shape [samples], as s16le."""
        loud = audio * self._gain
        level = np.abs(loud)
        over = level > _KNEE
        if over.any():
            bent = _KNEE + (1 - _KNEE) * np.tanh((level[over] - _KNEE) / (1 - _KNEE))
            loud[over] = np.sign(loud[over]) * bent
        return (loud * 32767).astype("<i2").tobytes()
