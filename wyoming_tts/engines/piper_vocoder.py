"""Sound in windows: the first one soon, the next ones long enough to cost little."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Run = Callable[[Mapping[str, Floats]], Floats]
"""Runs a graph on its inputs by name and returns its one output."""

FIRST_FRAMES = 16
"""0.19 s: a Raspberry Pi still computes the second window while the first is heard."""
MOST_FRAMES = 160
"""1.9 s, which is also how late a cancelled reply stops computing."""
_FLOW_GROWTH = 4
_FLOW_MOST = 640


@dataclass(frozen=True, slots=True)
class Halo:
    """Frames that a graph must see on either side of a window for it to sound as the whole."""

    flow: int
    decoder: int


def windows(total: int) -> Iterator[tuple[int, int]]:
    """Yield where windows over `total` frames start and end. Each is twice as long as the last,
    up to MOST_FRAMES; what would be left over as less than a first window goes with the last.
    """
    start, size = 0, FIRST_FRAMES
    while start < total:
        end = start + size
        if total - end < FIRST_FRAMES:
            end = total
        yield start, end
        start, size = end, min(2 * size, MOST_FRAMES)


class WindowedVocoder:
    """Flow and decoder of a voice, run over windows of frames."""

    def __init__(self, flow: Run, decoder: Run, latent: str, hop: int, halo: Halo) -> None:
        self._flow = flow
        self._decoder = decoder
        self._latent = latent
        self._hop = hop
        self._halo = halo

    def __call__(
        self, encoded: Mapping[str, Floats], constant: Mapping[str, Floats]
    ) -> Iterator[Floats]:
        """Yield audio, shape [samples], -1 to 1.

        `encoded` is what the encoder gave; tensors whose last axis is frames are windowed,
        others passed on. `constant` are further inputs of the voice, as its speaker.
        """
        total = max(tensor.shape[-1] for tensor in encoded.values())
        latents = _Latents(self._flow, {**encoded, **constant}, total, self._halo.flow)
        reach = self._halo.decoder
        for start, end in windows(total):
            low, high = max(0, start - reach), min(total, end + reach)
            frames = latents.until(high)[..., low:high]
            audio = self._decoder({self._latent: frames, **constant}).reshape(-1)
            yield audio[(start - low) * self._hop : (end - low) * self._hop]


class _Latents:
    """The flow's output, computed only as far as it is asked for, in growing steps."""

    def __init__(self, flow: Run, inputs: Mapping[str, Floats], total: int, reach: int) -> None:
        self._flow = flow
        self._inputs = inputs
        self._total = total
        self._reach = reach
        self._done: list[Floats] = []
        self._frames = 0
        self._step = 0

    def until(self, frame: int) -> Floats:
        """Return at least the first `frame` frames, shape [1, channels, frames]."""
        while self._frames < frame:
            start = self._frames
            end = min(self._total, max(frame, start + self._step))
            low, high = max(0, start - self._reach), min(self._total, end + self._reach)
            window = self._flow(
                {
                    name: tensor[..., low:high] if tensor.shape[-1:] == (self._total,) else tensor
                    for name, tensor in self._inputs.items()
                }
            )
            self._done.append(window[..., start - low : end - low])
            self._frames = end
            self._step = min(_FLOW_GROWTH * max(self._step, end - start), _FLOW_MOST)
        if len(self._done) > 1:
            self._done = [np.concatenate(self._done, axis=-1)]
        return self._done[0]
