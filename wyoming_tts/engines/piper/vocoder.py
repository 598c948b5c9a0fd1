"""Windowed vocoder: a short first window, then as long ones as the sound in hand allows."""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Run = Callable[[Mapping[str, Floats]], Floats]
"""Runs a graph on its inputs by name and returns its one output."""

MIN_WINDOW_FRAMES = 16
"""0.19 s at 22,050 Hz; on a machine that is busy or slow up to three times as much."""
MIN_FIRST_FRAMES = 10
"""Of the first window on a machine that is known to be fast: it has the second one in time."""
_AT_EASE = 0.1
"""Share of the time that computing takes where the first window may be MIN_WINDOW_FRAMES."""
MAX_WINDOW_FRAMES = 256
"""3 s, half as much again for the last window: also how late a cancelled reply stops computing."""
_FLOW_STEP = 320
"""Frames that the flow goes on by, once the first window is heard: it costs a quarter of the
decoder, and twice the frames around each step."""
_MAX_GROWTH = 16
"""Longest window, as a multiple of the one before: one measurement may have been lucky."""
_WORTH_HALVING = 4
"""Halos in a window from which on two halves, each with its own halos, take less time at once."""
_SHARE = 0.4
"""Of the time until the speaker runs dry, what the next window may take to compute."""


@dataclass(frozen=True, slots=True)
class Halo:
    """Frames that a graph must see on either side of a window for it to sound as the whole."""

    flow: int
    decoder: int


class Cost:
    """Seconds that a frame took lately, those around a window counted as well.

    Forgets slow moments slowly, for they come again.
    """

    def __init__(self) -> None:
        self.seconds = 0.0

    def note(self, seconds: float) -> None:
        self.seconds = max(seconds, 0.7 * self.seconds + 0.3 * seconds)


class WindowScheduler:
    """Chooses the length of each window so that the sound does not run out.

    Long windows cost less, for the frames around each are computed twice; short ones are ready
    sooner. A fast machine takes two windows for a sentence, a slow one doubles them. `ahead` are
    the seconds of sound that the listener still has, `around` the frames computed about a window.
    """

    def __init__(
        self,
        frame_seconds: float,
        clock: Callable[[], float] = time.perf_counter,
        cost: Cost | None = None,
        ahead: float = 0.0,
        around: int = 0,
    ) -> None:
        self._frame_seconds = frame_seconds
        self._clock = clock
        self._cost = cost or Cost()
        self._around = around
        self._playback_began = clock()
        self._sent = ahead / frame_seconds  # frames
        self._last = MAX_WINDOW_FRAMES if ahead > 0 else 0

    def next(self, left: int) -> int:
        """Return how many of the `left` frames to compute now."""
        if not self._last:
            load = self._cost.seconds / self._frame_seconds / _AT_EASE
            least = MIN_FIRST_FRAMES if load else MIN_WINDOW_FRAMES
            size = max(least, int(MIN_WINDOW_FRAMES * min(load, 3.0)))
        else:
            ahead = self._sent * self._frame_seconds - (self._clock() - self._playback_began)
            affordable = int(_SHARE * max(ahead, 0.0) / max(self._cost.seconds, 1e-6))
            affordable -= self._around
            size = max(
                MIN_WINDOW_FRAMES, min(affordable, _MAX_GROWTH * self._last, MAX_WINDOW_FRAMES)
            )
        # A short rest costs less with this window than as one of its own.
        return left if left - size < max(MIN_WINDOW_FRAMES, size // 2) else size

    def computed(self, frames: int, seconds: float) -> None:
        """Note what the last window took, just before it is heard."""
        if not self._last:
            self._playback_began = self._clock()
        self._last = frames
        self._sent += frames
        self._cost.note(seconds / (frames + self._around))


@dataclass(slots=True)
class Begun:
    """A passage of which a beginning is spoken while the rest is not known, or not encoded yet."""

    encoded: dict[str, Floats] = field(default_factory=dict)
    """Output of the encoder for the beginning, which stays as it is."""
    latents: Floats | None = None
    """Output of the flow for the first of these frames, which does not depend on later ones"""
    sent: int = 0
    """Frames whose sound has been given"""
    scheduler: WindowScheduler | None = None

    @property
    def frames(self) -> int:
        """Number of frames that stay."""
        return max((tensor.shape[-1] for tensor in self.encoded.values()), default=0)


class WindowedVocoder:
    """Flow and decoder of a voice, run over windows of frames.

    With `half_decoder`, the decoder for half the cores, the halves of a long window are computed
    side by side: the last layers have few channels and long rows, which one run shares out badly.
    """

    def __init__(
        self,
        flow: Run,
        decoder: Run,
        latent: str,
        hop: int,
        rate: int,
        halo: Halo,
        half_decoder: Run | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._half_decoder = half_decoder
        self._beside = ThreadPoolExecutor(1, "vocoder")
        self._flow = flow
        self._decoder = decoder
        self._latent = latent
        self._hop = hop
        self._rate = rate
        self._halo = halo
        self._clock = clock
        self._cost = Cost()

    @property
    def at_ease(self) -> bool:
        """Whether the machine has lately computed sound much faster than it is heard."""
        return 0 < self._cost.seconds <= _AT_EASE * self._hop / self._rate

    @property
    def reach(self) -> int:
        """Frames behind a window that its sound depends on."""
        return self._halo.flow + self._halo.decoder

    def __call__(
        self,
        encoded: Mapping[str, Floats],
        constant: Mapping[str, Floats],
        ahead: float = 0.0,
        begun: Begun | None = None,
        settled: int | None = None,
    ) -> Iterator[Floats]:
        """Yield audio, shape [samples], -1 to 1.

        `encoded` is what the encoder gave; tensors whose last axis is frames are windowed,
        others passed on. `constant` are further inputs of the voice, as its speaker. `begun`
        carries on where an earlier call has ended. Of `encoded` the first `settled` frames will
        stay as they are, by default all: the sound that depends on others is left for later.
        """
        begun = begun or Begun()
        total = max(tensor.shape[-1] for tensor in encoded.values())
        limit, exact = total, total
        if settled is not None:
            limit, exact = settled - self.reach, settled - self._halo.flow
        inputs = {**encoded, **constant}
        latents = _Latents(self._flow, inputs, total, self._halo.flow, exact, begun.latents)
        scheduler = begun.scheduler or WindowScheduler(
            *(self._hop / self._rate, self._clock, self._cost, ahead), 2 * self._halo.decoder
        )
        begun.scheduler = scheduler
        while (start := begun.sent) < limit:
            end = start + scheduler.next(limit - start)
            began = self._clock()
            audio = self._window(latents, constant, start, end, total)
            scheduler.computed(end - start, self._clock() - began)
            begun.sent = end
            begun.latents = latents.done
            yield audio

    def _window(
        self, latents: "_Latents", constant: Mapping[str, Floats], start: int, end: int, total: int
    ) -> Floats:
        reach = self._halo.decoder
        frames = latents.until(min(total, end + reach))

        def part(decoder: Run, start: int, end: int) -> Floats:
            low, high = max(0, start - reach), min(total, end + reach)
            audio = decoder({self._latent: frames[..., low:high], **constant}).reshape(-1)
            return audio[(start - low) * self._hop : (end - low) * self._hop]

        if self._half_decoder is None or end - start < _WORTH_HALVING * reach:
            return part(self._decoder, start, end)
        middle = (start + end) // 2
        second = self._beside.submit(part, self._half_decoder, middle, end)
        first = part(self._half_decoder, start, middle)
        return np.concatenate((first, second.result()))


class _Latents:
    """The flow's output, computed only as far as it is asked for."""

    def __init__(
        self,
        flow: Run,
        inputs: Mapping[str, Floats],
        total: int,
        reach: int,
        most: int,
        done: Floats | None = None,
    ) -> None:
        """`most` is the number of frames that may be computed, `done` the first of them."""
        self._flow = flow
        self._inputs = inputs
        self._total = total
        self._reach = reach
        self._most = most
        self._done = [] if done is None else [done]
        self._frames = 0 if done is None else done.shape[-1]

    @property
    def done(self) -> Floats:
        """The frames computed so far, shape [1, channels, frames]."""
        if len(self._done) > 1:
            self._done = [np.concatenate(self._done, axis=-1)]
        return self._done[0]

    def until(self, frame: int) -> Floats:
        """Return the first `frame` frames or some more, shape [1, channels, frames]."""
        start = self._frames
        if start < frame:
            if start:
                frame = min(self._most, max(frame, start + _FLOW_STEP))
            low, high = max(0, start - self._reach), min(self._total, frame + self._reach)
            window = self._flow(
                {
                    name: tensor[..., low:high] if tensor.shape[-1:] == (self._total,) else tensor
                    for name, tensor in self._inputs.items()
                }
            )
            self._done.append(window[..., start - low : frame - low])
            self._frames = frame
        return self.done
