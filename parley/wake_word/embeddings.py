"""Speech embeddings of a sound, as the satellite makes them of its stream."""

import numpy as np
from numpy.typing import NDArray

from satellite.wake.speech_embedding import STEP_SAMPLES, EmbeddingStream
from satellite.wake.trained_words import EMBEDDING_SIZE

Floats = NDArray[np.float32]
SPAN_SAMPLES = 12_400
"""Samples that one embedding is made of."""
_BLOCK = 25 * STEP_SAMPLES
"""Samples whose layers fit into the cache of a processor."""


def speech_embeddings(sound: Floats) -> Floats:
    """Return an embedding for every 80 ms, shape [n, 96]; `sound` in 16-bit values.

    Embedding n is of the SPAN_SAMPLES from n * STEP_SAMPLES on. Safe to call from several threads.
    """
    stream = EmbeddingStream()
    found = [stream.feed(sound[at : at + _BLOCK]) for at in range(0, len(sound), _BLOCK)]
    return np.concatenate([np.zeros((0, EMBEDDING_SIZE), np.float32), *found])
