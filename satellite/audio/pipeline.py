"""Audio pipeline of the microphone: front end, voice activity and wake word detection."""

import logging
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Self

import numpy as np

from satellite.audio.devices.device import FRAME_SECONDS, Frame
from satellite.audio.frontend import (
    FrontEnd,
    NoFrontEnd,
    is_silent,
    power,
    speech_power,
    speech_powers,
)
from satellite.core.barge_in import VadFrame, db
from satellite.core.wake_level import WakeLoudness
from satellite.wake.engine import WakeDetector
from wyoming_common.audio.pcm import MODEL_RATE, Reframer
from wyoming_common.audio.vad import VAD_FRAME_SAMPLES, VoiceDetector

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class VoiceActivity:
    """One frame of the voice detector and its time."""

    at: float
    """Seconds since the start of the run at the end of the frame."""
    vad: VadFrame


@dataclass(frozen=True, slots=True)
class FrameAnalysis:
    """Findings in one frame of the microphone."""

    frame: Frame
    """The microphone's frame behind the front end."""
    voice_activity: tuple[VoiceActivity, ...]
    """Frames of the voice detector that this frame has completed."""
    wake_word: str | None


_AUDIBLE_POWER = 60.0**2
"""Power of the far end from which it is audible in the room; 1 is one step of 16 bits."""
_REVERBERATION_FRAMES = 30
"""Frames for which a room goes on sounding."""
_LEVEL_FRAMES = 4
"""Frames over which echo levels are averaged."""
_LOUDEST_FRAMES = 20
"""Frames of the loudest part of a wake word, and of the sound before it: 0.2 s."""
_WORD_FRAMES = 100
"""Frames up to the report of a wake word that may hold it."""
_BEFORE_FRAMES = 200
"""Frames before them in which others may talk."""
_SCORE_STEP_FRAMES = 3
"""Frames of which one at least has a score: microWakeWord's are 30 ms apart."""
_MIN_WAKE_PROBABILITY = 0.2
_MAX_SPEECH_AGE_SAMPLES = int(1.5 * MODEL_RATE)
"""A wake word counts only if the voice detector has reached `_MIN_WAKE_PROBABILITY` so recently:
music, dishes and hum set off wake word models, and are no speech."""


class AudioPipeline:
    """Runs the front end and the detectors on every frame, and keeps the last audio.

    `memory_seconds` bounds the audio that `since` can return. The voice detector costs more than
    all the rest: while it is not needed its frames wait, and the last of them are processed only
    when a wake word is reported or the voice detector is needed again.
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
        self._vad_frames = Reframer(VAD_FRAME_SAMPLES * 2)
        self._vad_samples = 0
        """Samples that no frame of the voice detector has covered yet."""
        self._postponed: deque[bytes] = deque(maxlen=_MAX_SPEECH_AGE_SAMPLES // VAD_FRAME_SAMPLES)
        self._wake_frames = Reframer(wake.frame_samples * 2)
        self._memory: deque[Frame] = deque(maxlen=round(memory_seconds / FRAME_SECONDS))
        self._heard: deque[bytes] = deque(maxlen=_BEFORE_FRAMES + _WORD_FRAMES)
        """The last of the microphone in front of the front end."""
        self._power_before: deque[float] = deque(maxlen=_LEVEL_FRAMES)
        self._power_behind: deque[float] = deque(maxlen=_LEVEL_FRAMES)
        self._far_frames_left = 0
        self._speech_samples_left = 0
        self._recent_scores: deque[dict[str, float]] = deque(maxlen=_SCORE_STEP_FRAMES)
        self.last_wake_score: float | None = None
        """Score of the last wake word that counted; None for an engine without scores."""

    async def __aenter__(self) -> Self:
        if isinstance(self._wake, AbstractAsyncContextManager):
            await self._wake.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        if isinstance(self._wake, AbstractAsyncContextManager):
            await self._wake.__aexit__(None, None, None)

    def set_wake(self, wake: WakeDetector) -> None:
        """Detect other wake words from the next frame on; for detectors that run no task."""
        self._wake = wake
        self._wake_frames = Reframer(wake.frame_samples * 2)

    @property
    def wake_lag_seconds(self) -> float:
        """Delay from the end of a wake word to its report."""
        return self._wake.lag_seconds

    @property
    def wake_scores(self) -> Mapping[str, float]:
        """Current score of each wake word, 0 to 1."""
        return self._wake.scores

    def wake_progress(self, word: str) -> float | None:
        """Return the score of a wake word as a part of its threshold; None without scores.

        From 1 on it counts.
        """
        threshold = self._wake.thresholds.get(word)
        if threshold is None or not self._recent_scores:
            return None
        return max(one.get(word, 0.0) for one in self._recent_scores) / threshold

    def process(self, frame: Frame, far: bytes = b"", *, needs_vad: bool = True) -> FrameAnalysis:
        """Take the next 10 ms of the microphone, and `far`, what the speaker has played meanwhile.

        Without `needs_vad` only wake words are detected.
        """
        pcm = self._front_end.process(frame.pcm, far)
        self._heard.append(frame.pcm)
        self._measure(frame.pcm, pcm, needs_vad=needs_vad)
        audible = not is_silent(far) and power(far) > _AUDIBLE_POWER
        self._far_frames_left = (
            _REVERBERATION_FRAMES if audible else max(0, self._far_frames_left - 1)
        )
        clean = Frame(pcm, frame.at)
        self._memory.append(clean)
        self._speech_samples_left -= len(pcm) // 2
        self._vad_samples += len(pcm) // 2
        blocks = self._vad_frames.feed(pcm)
        word = None
        for block in self._wake_frames.feed(pcm):
            word = self._wake.process(block) or word
        self._recent_scores.append(dict(self._wake.scores))
        if needs_vad or word is not None:
            self._process_postponed()
            activity = tuple(self._detect(block, frame.at) for block in blocks)
        else:
            activity = ()
            self._postpone(blocks)
        if word is not None and self._speech_samples_left <= 0:
            _LOGGER.info("Ignored the wake word '%s': there was no speech", word)
            word = None
        if word is not None:
            self.last_wake_score = self._wake.scores.get(word)
        return FrameAnalysis(clean, activity, word)

    @property
    def wake_loudness(self) -> WakeLoudness | None:
        """Levels around a wake word that has just been reported; None while the speaker plays."""
        if self._far_frames_left > 0 or len(self._heard) < _WORD_FRAMES + _LOUDEST_FRAMES:
            return None
        powers = speech_powers(b"".join(self._heard))
        means = np.convolve(powers, np.full(_LOUDEST_FRAMES, 1 / _LOUDEST_FRAMES), "valid")
        before = means[: len(powers) - _WORD_FRAMES - _LOUDEST_FRAMES + 1]
        word = means[-(_WORD_FRAMES - _LOUDEST_FRAMES + 1) :]
        return WakeLoudness(db(float(word.max())), db(float(before.max())))

    def since(self, at: float) -> bytes:
        """Return the remembered audio from `at` on: whole frames, mono s16le at 16 kHz."""
        return b"".join(frame.pcm for frame in self._memory if frame.at > at)

    def _measure(self, before: bytes, behind: bytes, *, needs_vad: bool) -> None:
        if needs_vad:
            self._power_before.append(speech_power(before))
            self._power_behind.append(speech_power(behind))
        else:
            self._power_before.clear()
            self._power_behind.clear()

    def _postpone(self, blocks: Iterable[bytes]) -> None:
        for block in blocks:
            self._vad_samples -= len(block) // 2
            self._postponed.append(block)

    def _process_postponed(self) -> None:
        """Find out whether there was speech just before: too late to act on, but not to know."""
        if self._postponed:
            self._vad.reset()
            self._speech_samples_left = 0
        while self._postponed:
            block = self._postponed.popleft()
            if self._vad.process_chunk(block) >= _MIN_WAKE_PROBABILITY:
                since = sum(map(len, self._postponed)) // 2
                self._speech_samples_left = _MAX_SPEECH_AGE_SAMPLES - since

    def _detect(self, block: bytes, at: float) -> VoiceActivity:
        samples = VAD_FRAME_SAMPLES
        self._vad_samples -= samples
        left = (sum(self._power_behind) + 1.0) / (sum(self._power_before) + 1.0)
        probability = self._vad.process_chunk(block)
        if probability >= _MIN_WAKE_PROBABILITY:
            self._speech_samples_left = _MAX_SPEECH_AGE_SAMPLES
        level = db((sum(self._power_before) + 1.0) / max(1, len(self._power_before)))
        vad = VadFrame(probability, samples, db(left), self._far_frames_left > 0, level)
        return VoiceActivity(at - self._vad_samples / MODEL_RATE, vad)
