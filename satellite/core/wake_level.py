"""Loudness after a wake word, by which the person who said it is told from others. Pure.

A television or a person in the background talks on behind the wake word, and would begin the turn
before the order does. Where others were heard before the wake word, speech that is clearly softer
than it waits: it begins the turn only if no louder speech follows for some seconds, and then with
all that was said, so a softer order comes late and is not lost.
"""

from collections import deque
from dataclasses import dataclass, replace
from math import inf, log10

from satellite.core.barge_in import VadFrame

_SPEECH_PROBABILITY = 0.5


@dataclass(frozen=True, slots=True)
class WakeLoudness:
    """Levels around a wake word in dB; 0 dB is one step of 16 bits."""

    word_db: float
    """Of the loudest 0.2 s of the word"""
    before_db: float
    """Of the loudest 0.2 s of the two seconds before it"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeLevelSettings:
    """Bounds that tell the person who said the wake word from others."""

    below_db: float = 9.0
    """Level below that of the wake word from which on speech is another person's"""
    before_db: float = 22.0
    """Level below it from which on what was there before is no talker: most rooms are quieter"""
    seconds: float = 3.0
    """Time after the wake word for which softer speech waits"""
    level_frames: int = 6
    """Frames of the voice detector of which a level is the mean"""
    onset_seconds: float = 1.2
    """Softer speech right before louder speech that is the beginning of the same sentence, at most:
    what has gone on for longer is another person's"""
    onset_gap_seconds: float = 0.2
    """Silence within such a beginning, at most"""


class WakeLevel:
    """Follows the frames of the voice detector behind one wake word."""

    def __init__(
        self,
        settings: WakeLevelSettings,
        loudness: WakeLoudness | None = None,
        at: float = -inf,
    ) -> None:
        """`at`: time of the wake word; without its loudness everyone counts."""
        self._ends_at = self._least_db = -inf
        if loudness is not None and loudness.before_db >= loudness.word_db - settings.before_db:
            self._ends_at = at + settings.seconds
            self._least_db = loudness.word_db - settings.below_db
        self._settings = settings
        self._powers: deque[float] = deque(maxlen=settings.level_frames)
        self._waiting: list[tuple[float, VadFrame]] = []
        self._run_at = self._last_soft_at = -inf

    def hear(self, at: float, vad: VadFrame) -> VadFrame:
        """Return the frame that ended at `at` as it counts: one that waits is silence."""
        if at >= self._ends_at:
            return vad
        self._waiting.append((at, vad))
        self._powers.append(10 ** (vad.level_db / 10))
        level = 10 * log10(sum(self._powers) / len(self._powers))
        if level >= self._least_db:
            return vad
        if vad.probability >= _SPEECH_PROBABILITY:
            if at - self._last_soft_at > self._settings.onset_gap_seconds:
                self._run_at = at
            self._last_soft_at = at
        return replace(vad, probability=0.0)

    def onset(self, at: float) -> float:
        """Return where a sentence has begun whose first loud speech is at `at`.

        It begins before `at` where softer speech leads up to it and is short.
        """
        leads = at - self._last_soft_at <= self._settings.onset_gap_seconds
        short = at - self._run_at <= self._settings.onset_seconds
        return min(at, self._run_at) if leads and short else at

    def late(self, at: float) -> list[tuple[float, VadFrame]]:
        """Return the frames that have waited, as they were, once the time is over."""
        if at < self._ends_at:
            return []
        waiting, self._waiting = self._waiting, []
        return waiting
