"""Two wake word engines on one stream of audio."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Self

from satellite.wake.engine import WakeDetector
from wyoming_common.audio.pcm import Reframer

_FRAME_SAMPLES = 160


class TogetherWakeWords:
    """Detects the words of several detectors; the last of them wins where two detect at once."""

    frame_samples = _FRAME_SAMPLES

    def __init__(self, *detectors: WakeDetector) -> None:
        self._detectors = [(one, Reframer(one.frame_samples * 2)) for one in detectors]
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for detector, _ in self._detectors:
            if isinstance(detector, AbstractAsyncContextManager):
                await self._stack.enter_async_context(detector)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def scores(self) -> Mapping[str, float]:
        """Current score of each word, 0 to 1."""
        return {
            word: score
            for detector, _ in self._detectors
            for word, score in detector.scores.items()
        }

    @property
    def thresholds(self) -> Mapping[str, float]:
        """Score from which each word counts."""
        return {
            word: threshold
            for detector, _ in self._detectors
            for word, threshold in detector.thresholds.items()
        }

    @property
    def lag_seconds(self) -> float:
        """Delay from the end of a word to its report, of the slowest."""
        return max(detector.lag_seconds for detector, _ in self._detectors)

    def process(self, frame: bytes) -> str | None:
        """Return the wake word that ends in this frame, or None."""
        found = None
        for detector, reframer in self._detectors:
            for block in reframer.feed(frame):
                found = detector.process(block) or found
        return found

    def reset(self) -> None:
        """Forget the stream so far."""
        for detector, reframer in self._detectors:
            detector.reset()
            reframer.reset()
