"""What is heard in the microphone: how likely speech is, and which wake word, if any."""

import logging
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Self

from satellite.barge_in import Hearing, db
from satellite.devices.device import FRAME_SECONDS, Frame
from satellite.frontend import FrontEnd, NoFrontEnd, power, speech_power
from satellite.wake.engine import WakeDetector
from wyoming_common.audio import MODEL_RATE, Reframer
from wyoming_common.vad import VoiceDetector

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Voice:
    """Speech in a piece of the microphone's audio."""

    at: float
    """Seconds since the start of the run at its end."""
    hearing: Hearing

    @property
    def probability(self) -> float:
        """The probability of speech."""
        return self.hearing.probability


@dataclass(frozen=True, slots=True)
class Heard:
    """What one frame completed."""

    frame: Frame
    """The microphone's frame behind the front end."""
    voices: tuple[Voice, ...]
    wake: str | None


_LOUD = 60.0**2
"""Power of what the speaker plays from which it can be heard in the room."""
_FAR_FRAMES = 30
"""Frames for which a room goes on sounding."""
_POWER_FRAMES = 4
_SPOKEN = 0.2
_SPOKEN_SAMPLES = int(1.5 * MODEL_RATE)
"""A wake word counts only if this probability of speech was reached so lately: music, dishes and
hum set wake word models off, and are no speech."""


class Ears:
    """Runs the front end and the detectors on every frame; keeps the last audio.

    `memory_seconds` bounds what `since` can give. The voice detector costs more than all the rest:
    while nobody attends to it, its frames wait, and the last of them are looked at only when a wake
    word is reported or somebody attends again.
    """

    def __init__(
        self,
        vad: VoiceDetector,
        wake: WakeDetector,
        front_end: FrontEnd | None = None,
        memory_seconds: float = 8.0,
    ) -> None:
        self._vad = vad
        self._wake = wake
        self._front_end = front_end or NoFrontEnd()
        self._vad_frames = Reframer(vad.frame_samples * 2)
        self._vad_samples = 0
        self._unheard: deque[bytes] = deque(maxlen=_SPOKEN_SAMPLES // vad.frame_samples)
        self._wake_frames = Reframer(wake.frame_samples * 2)
        self._memory: deque[Frame] = deque(maxlen=round(memory_seconds / FRAME_SECONDS))
        self._before: deque[float] = deque(maxlen=_POWER_FRAMES)
        self._behind: deque[float] = deque(maxlen=_POWER_FRAMES)
        self._far_left = 0
        self._spoken_left = 0

    async def __aenter__(self) -> Self:
        if isinstance(self._wake, AbstractAsyncContextManager):
            await self._wake.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        if isinstance(self._wake, AbstractAsyncContextManager):
            await self._wake.__aexit__(None, None, None)

    @property
    def wake_lag_seconds(self) -> float:
        """How long after its end a wake word is reported."""
        return self._wake.lag_seconds

    @property
    def wake_scores(self) -> Mapping[str, float]:
        """How sure the wake word engine is of each word at the moment, 0 to 1."""
        return self._wake.scores

    def hear(self, frame: Frame, far: bytes = b"", *, attentive: bool = True) -> Heard:
        """Take the next 10 ms of the microphone, and what the speaker has played meanwhile.

        `attentive`: whether it matters who speaks; otherwise only wake words are heard.
        """
        pcm = self._front_end.process(frame.pcm, far)
        self._measure(frame.pcm, pcm, attentive=attentive)
        self._far_left = _FAR_FRAMES if far and power(far) > _LOUD else max(0, self._far_left - 1)
        clean = Frame(pcm, frame.at)
        self._memory.append(clean)
        self._spoken_left -= len(pcm) // 2
        self._vad_samples += len(pcm) // 2
        blocks = self._vad_frames.feed(pcm)
        wake = None
        for block in self._wake_frames.feed(pcm):
            wake = self._wake.process(block) or wake
        if attentive or wake is not None:
            self._catch_up()
            voices = tuple(self._voice(block, frame.at) for block in blocks)
        else:
            voices = ()
            self._wait(blocks)
        if wake is not None and self._spoken_left <= 0:
            _LOGGER.info("Nobody spoke when '%s' was detected; ignored", wake)
            wake = None
        return Heard(clean, voices, wake)

    def since(self, at: float) -> bytes:
        """Return the remembered audio from `at` on: whole frames, mono s16le at 16 kHz."""
        return b"".join(frame.pcm for frame in self._memory if frame.at > at)

    def _measure(self, before: bytes, behind: bytes, *, attentive: bool) -> None:
        if attentive:
            self._before.append(speech_power(before))
            self._behind.append(speech_power(behind))
        else:
            self._before.clear()
            self._behind.clear()

    def _wait(self, blocks: Iterable[bytes]) -> None:
        for block in blocks:
            self._vad_samples -= len(block) // 2
            self._unheard.append(block)

    def _catch_up(self) -> None:
        """Look at what was heard while nobody attended: too late to act on, but not to know."""
        if self._unheard:
            self._vad.reset()
            self._spoken_left = 0
        while self._unheard:
            block = self._unheard.popleft()
            if self._vad.process(block) >= _SPOKEN:
                since = sum(map(len, self._unheard)) // 2
                self._spoken_left = _SPOKEN_SAMPLES - since

    def _voice(self, block: bytes, at: float) -> Voice:
        samples = self._vad.frame_samples
        self._vad_samples -= samples
        left = (sum(self._behind) + 1.0) / (sum(self._before) + 1.0)
        probability = self._vad.process(block)
        if probability >= _SPOKEN:
            self._spoken_left = _SPOKEN_SAMPLES
        level = db((sum(self._before) + 1.0) / max(1, len(self._before)))
        hearing = Hearing(probability, samples, db(left), self._far_left > 0, level)
        return Voice(at - self._vad_samples / MODEL_RATE, hearing)
