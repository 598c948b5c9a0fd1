"""Voice activity detection in batches: Silero on a whole stretch of audio per call.

A client may send several seconds at once; one call of the ONNX model then costs a tenth of the
calls frame by frame.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from wyoming_common.audio.pcm import to_float
from wyoming_common.audio.vad import SILERO, VAD_FRAME_SAMPLES, VoiceDetector
from wyoming_common.registry import import_class

_CONTEXT_SAMPLES = 64
_STATE_SHAPE = (1, 1, 128)

Probabilities = NDArray[np.float32]


class VadStream(Protocol):
    """Voice activity detection on one stream of mono s16le PCM at 16 kHz."""

    def process(self, frames: bytes) -> Probabilities:
        """Return the probability of speech of each frame, shape [frames].

        `frames` holds a whole number of frames.
        """
        ...


class SileroBatchStream:
    """One stream of Silero VAD v6 as faster-whisper ships it; streams share the ONNX session.

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
        windows = np.lib.stride_tricks.sliding_window_view(
            audio, VAD_FRAME_SAMPLES + _CONTEXT_SAMPLES
        )[::VAD_FRAME_SAMPLES]
        speech, self._h, self._c = self._session.run(  # type: ignore[attr-defined]
            None, {"input": np.ascontiguousarray(windows), "h": self._h, "c": self._c}
        )
        return np.asarray(speech, np.float32).reshape(-1)


class SileroFrameStream:
    """One stream of Silero frame by frame, for installations without faster-whisper."""

    def __init__(self, detector: VoiceDetector) -> None:
        self._detector = detector

    def process(self, frames: bytes) -> Probabilities:
        """Return the probability of speech of each frame, shape [frames]."""
        size = 2 * VAD_FRAME_SAMPLES
        return np.array(
            [
                self._detector.process_chunk(frames[at : at + size])
                for at in range(0, len(frames), size)
            ],
            np.float32,
        )


class VadModel(Protocol):
    """A loaded detector that serves any number of streams."""

    def stream(self) -> VadStream:
        """Return the detector of a new stream."""
        ...


class SileroModel:
    """Silero VAD, loaded once for all streams."""

    def __init__(self) -> None:
        """Load the model. Raises MissingDependency."""
        try:
            from faster_whisper.vad import get_vad_model

            self._session: object | None = get_vad_model().session
        except ModuleNotFoundError:
            self._session = None
            self._make_detector = import_class(SILERO, "Voice detection", "stt")

    def stream(self) -> VadStream:
        """Return the detector of a new stream."""
        if self._session is None:
            return SileroFrameStream(self._make_detector())
        return SileroBatchStream(self._session)
