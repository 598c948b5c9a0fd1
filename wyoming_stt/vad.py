"""Speech probabilities for a whole stretch of audio at once.

The recogniser is often sent several seconds in one go; one call of the ONNX model then costs a
tenth of what frame by frame would.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from wyoming_common.audio import to_float
from wyoming_common.vad import Silero

FRAME_SAMPLES = 512
"""Silero's frame: 32 ms at 16 kHz."""

_CONTEXT_SAMPLES = 64
_STATE_SHAPE = (1, 1, 128)

Probabilities = NDArray[np.float32]


class SpeechProbability(Protocol):
    """Silero on one stream of mono s16le PCM at 16 kHz."""

    def process(self, frames: bytes) -> Probabilities:
        """Return the probability of speech of each frame, shape [frames].

        `frames` holds a whole number of frames.
        """
        ...


class SileroOnnx:
    """Silero VAD v6 as faster-whisper ships it. One stream; the session is shared.

    https://github.com/snakers4/silero-vad
    """

    def __init__(self, session: object) -> None:
        self._session = session
        self._h = np.zeros(_STATE_SHAPE, np.float32)
        self._c = np.zeros(_STATE_SHAPE, np.float32)
        self._context = np.zeros(_CONTEXT_SAMPLES, np.float32)

    def process(self, frames: bytes) -> Probabilities:
        """Return the probability of speech of each frame, shape [frames]."""
        if not frames:
            return np.zeros(0, np.float32)
        audio = np.concatenate([self._context, to_float(frames)])
        self._context = audio[-_CONTEXT_SAMPLES:]
        windows = np.lib.stride_tricks.sliding_window_view(audio, FRAME_SAMPLES + _CONTEXT_SAMPLES)[
            ::FRAME_SAMPLES
        ]
        speech, self._h, self._c = self._session.run(  # type: ignore[attr-defined]
            None, {"input": np.ascontiguousarray(windows), "h": self._h, "c": self._c}
        )
        return np.asarray(speech, np.float32).reshape(-1)


class SileroFrames:
    """The same interface on the frame-by-frame detector, where faster-whisper is not installed."""

    def __init__(self) -> None:
        self._detector = Silero()

    def process(self, frames: bytes) -> Probabilities:
        """Return the probability of speech of each frame, shape [frames]."""
        size = 2 * FRAME_SAMPLES
        return np.array(
            [self._detector.process(frames[at : at + size]) for at in range(0, len(frames), size)],
            np.float32,
        )


class SpeechModel(Protocol):
    """Makes one detector for every stream."""

    def stream(self) -> SpeechProbability:
        """Return a detector that has heard nothing yet."""
        ...


class SileroModel:
    """Loads Silero once; makes one detector for every stream."""

    def __init__(self) -> None:
        try:
            from faster_whisper.vad import get_vad_model

            self._session: object | None = get_vad_model().session
        except ModuleNotFoundError:
            self._session = None
            Silero()  # raises MissingDependency

    def stream(self) -> SpeechProbability:
        """Return a detector that has heard nothing yet."""
        return SileroFrames() if self._session is None else SileroOnnx(self._session)
