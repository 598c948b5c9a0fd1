"""Front end of the microphone: echo cancellation, noise suppression and gain control."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from satellite.audio.devices.device import FRAME_BYTES, FRAME_SAMPLES
from wyoming_common.audio.pcm import MODEL_RATE, PcmConverter, PcmFormat, Reframer
from wyoming_common.config.install_hints import how_to_install
from wyoming_common.errors import MissingDependency


class FrontEnd(Protocol):
    """Processor of the microphone's signal, 10 ms of mono s16le at 16 kHz at a time."""

    def process(self, near: bytes, far: bytes) -> bytes:
        """Return the microphone's frame `near`, cleaned.

        `far` is what the speaker has played since the last call, mono s16le at its own rate.
        """
        ...


class NoFrontEnd:
    """Front end that changes nothing, for a speaker that cannot reach the microphone."""

    def process(self, near: bytes, far: bytes) -> bytes:  # noqa: ARG002 - the protocol's
        return near


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontEndSettings:
    """Stages of the front end that are on."""

    echo: bool = True
    noise: bool = False
    gain: bool = False


_ECHO_FRAMES = 200
"""Frames for which echo is looked for after the speaker's last sound: the longest delay between
speaker and microphone, half a second, and the reverberation of a large room, with room to spare."""


class WebRtc:
    """WebRTC audio processing (AEC3 and friends) through LiveKit; 0.14 ms of CPU a frame.

    https://github.com/livekit/python-sdks. The echo canceller finds the delay between the
    speaker and the microphone by itself, up to about half a second. With echo cancellation alone
    the microphone's frames pass unprocessed while the far end is silent: there is no echo, and the
    canceller keeps what it has learned.
    """

    def __init__(self, settings: FrontEndSettings, speaker_rate: int) -> None:
        try:
            from livekit import rtc
        except ModuleNotFoundError as err:
            raise MissingDependency(
                f"Echo cancellation needs the package 'livekit': {how_to_install('satellite')}, "
                "or use --echo-cancellation off"
            ) from err
        self._frame: Any = rtc.AudioFrame
        self._apm = rtc.AudioProcessingModule(
            echo_cancellation=settings.echo,
            noise_suppression=settings.noise,
            high_pass_filter=True,
            auto_gain_control=settings.gain,
        )
        self._to_16_khz = PcmConverter(PcmFormat(speaker_rate, 2, 1))
        self._far = Reframer(FRAME_BYTES)
        self._only_echo = not settings.noise and not settings.gain
        self._echo_frames_left = 0

    def process(self, near: bytes, far: bytes) -> bytes:
        """Return the frame without echo, rumble and, where asked for, noise."""
        if self._only_echo and not self._may_hold_echo(far):
            return near
        for block in self._far.feed(self._to_16_khz.feed(far)):
            self._apm.process_reverse_stream(self._wrap(block))
        frame = self._wrap(near)
        self._apm.process_stream(frame)
        return bytes(frame.data.cast("B"))

    def _may_hold_echo(self, far: bytes) -> bool:
        if is_silent(far):
            self._echo_frames_left = max(0, self._echo_frames_left - 1)
        else:
            self._echo_frames_left = _ECHO_FRAMES
        return self._echo_frames_left > 0

    def _wrap(self, pcm: bytes) -> Any:
        return self._frame(bytearray(pcm), MODEL_RATE, 1, FRAME_SAMPLES)


_WINDOW = np.hanning(FRAME_SAMPLES).astype(np.float32)
_LOWEST_BIN = 3
"""Bins of 100 Hz; hum, rumble and a microphone's offset are below."""
_SCALE = 2.0 / (FRAME_SAMPLES * float(np.dot(_WINDOW, _WINDOW)))


def speech_power(frame: bytes) -> float:
    """Return the mean square of one frame above 300 Hz; 1 is one step of 16 bits."""
    return float(speech_powers(frame)[0])


def speech_powers(frames: bytes) -> NDArray[np.float32]:
    """Return the `speech_power` of each of several frames, shape [frames]."""
    samples = np.frombuffer(frames, "<i2").reshape(-1, FRAME_SAMPLES) * _WINDOW
    spectra = np.fft.rfft(samples)[:, _LOWEST_BIN:]
    powers: NDArray[np.float32] = (np.abs(spectra) ** 2).sum(axis=1) * _SCALE
    return powers


def is_silent(pcm: bytes) -> bool:
    """Return whether every sample is zero."""
    return not pcm.strip(b"\0")


def power(pcm: bytes) -> float:
    """Return the mean square of mono s16le PCM; 1 is one step of 16 bits."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    return float(np.dot(samples, samples)) / max(1, samples.size)
