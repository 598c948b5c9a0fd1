"""Speaker embeddings: the Protocol of a model that makes them, and its values."""

from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from wyoming_stt.engine import Audio

Embedding = NDArray[np.float32]
"""A voice as a vector of length 1; the same voice gives vectors in about the same direction."""

MAX_SECONDS: Final = 6.0
"""Speech of which an embedding is made at most; more of it tells little more."""


class SpeakerModel(Protocol):
    """Makes embeddings. Blocking."""

    def embed(self, audio: Audio) -> Embedding:
        """Return the embedding of the speech in `audio`, mono at 16 kHz, -1 to 1."""
        ...


def unit(vector: NDArray[np.floating]) -> Embedding:
    """Return `vector` at length 1; one of zeros stays as it is."""
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)
