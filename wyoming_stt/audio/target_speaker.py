"""The speaker of a turn, told from others by level: they are clearly softer. No I/O.

A television or a person in the background is farther from the microphone than the one who gives
the order. The loudest speech of a turn sets the level of its speaker; speech that stays well below
it for longer than the end of a word belongs to others.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wyoming_common.audio.pcm import MODEL_RATE
from wyoming_common.audio.vad import VAD_FRAME_SAMPLES
from wyoming_stt.engine import Audio

_FRAME_SECONDS = VAD_FRAME_SAMPLES / MODEL_RATE
_SPEECH = 0.5
"""Probability from which a frame is speech"""
_MAX_KNOWN_SAMPLES = round(0.4 * MODEL_RATE)
"""Others' speech that counts as silence at once when it is found to be theirs"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetLimits:
    """Bounds that tell the speaker of a turn from others."""

    below_db: float = 9.0
    """Level below the speaker's from which on speech is another person's"""
    level_frames: int = 6
    """Frames of which a level is the mean"""
    rise_seconds: float = 0.25
    fall_seconds: float = 4.0
    """Times in which the speaker's level follows louder and softer speech"""
    soft_seconds: float = 0.6
    """Soft speech in a row that is still the speaker's: the end of a word, an unstressed one"""
    lead_soft_seconds: float = 0.25
    """Such speech before the first loud speech"""
    known_soft_seconds: float = 0.2
    """Such speech where others have been heard in the turn"""
    known_seconds: float = 0.45
    """Loud speech that makes a level known: a first vowel that was shouted is shorter, and so are 3
    of 434 spoken commands"""
    long_seconds: float = 3.5
    """Loud speech from which on the speaker's soft speech may be longer in proportion"""
    before_seconds: float = 0.12
    after_seconds: float = 0.2
    """Sound around the speaker's loud speech that is kept: soft sounds of the same words"""


class _Level:
    """The level of the loudest speaker, in dB, as frames of speech go by."""

    def __init__(self, limits: TargetLimits) -> None:
        self._below = limits.below_db
        self._rise = _FRAME_SECONDS / limits.rise_seconds
        self._fall = _FRAME_SECONDS / limits.fall_seconds
        self.db = -np.inf

    def follow(self, db: float) -> bool:
        """Take the level of a frame of speech; returns whether it is the speaker's."""
        if db < self.db - self._below:
            return False
        if np.isinf(self.db):
            self.db = db
        self.db += (self._rise if db > self.db else self._fall) * (db - self.db)
        return True


class TargetSpeaker:
    """Follows one utterance, frame by frame of VAD_FRAME_SAMPLES samples."""

    def __init__(
        self,
        limits: TargetLimits | None = None,
        *,
        ends: bool = True,
        drops: bool = True,
    ) -> None:
        """`ends`: the turn ends with its speaker; `drops`: others are not in its segments."""
        self._limits = limits or TargetLimits()
        self._ends = ends
        self._drops = drops
        self._powers: list[float] = []
        self._speech: list[bool] = []
        self._thresholds: list[float] = []
        """Level from which a frame was the speaker's, by what was known at the time"""
        self._first = 0
        """Number of the first frame that is remembered"""
        self._level = _Level(self._limits)
        self._soft_level = _Level(self._limits)
        """Level of the soft speech since the last loud speech"""
        self._soft_seconds = 0.0
        self._loud_seconds = 0.0
        self._loud_end = 0
        self._others_since: int | None = None

    @property
    def others_since(self) -> int | None:
        """Sample from which others speak, and the speaker does not; None while that is not so.

        Never long ago when it is first known, so that the pause can still be judged.
        """
        return self._others_since

    def note(self, power: float, probability: float) -> float:
        """Take the next frame; returns the probability that the speaker of the turn speaks.

        `power` is the mean square of its samples.
        """
        self._powers.append(power)
        self._speech.append(probability >= _SPEECH)
        if probability >= _SPEECH:
            self._hear(_decibels(np.mean(self._powers[-self._limits.level_frames :])))
        self._thresholds.append(self._level.db - self._limits.below_db)
        return probability if self._others_since is None else 0.0

    def _hear(self, db: float) -> None:
        end = (self._first + len(self._powers)) * VAD_FRAME_SAMPLES
        if self._level.follow(db):
            self._loud_seconds += _FRAME_SECONDS
            self._loud_end, self._soft_seconds, self._others_since = end, 0.0, None
            self._soft_level = _Level(self._limits)
            return
        self._soft_seconds += _FRAME_SECONDS
        self._soft_level.follow(db)
        if not self._others_speak:
            return
        if self._loud_seconds < self._limits.known_seconds:
            self._take_soft_level(end)
        elif self._ends and self._others_since is None:
            self._others_since = max(self._loud_end, end - _MAX_KNOWN_SAMPLES)

    def _take_soft_level(self, end: int) -> None:
        """Take the soft speech up to the sample `end` for the speaker's own level."""
        self._level = self._soft_level
        first = max(0, self._loud_end // VAD_FRAME_SAMPLES - self._first)
        count = len(self._thresholds) - first
        self._thresholds[first:] = [self._level.db - self._limits.below_db] * count
        self._loud_seconds += self._soft_seconds
        self._loud_end, self._soft_seconds = end, 0.0
        self._soft_level = _Level(self._limits)

    @property
    def _others_speak(self) -> bool:
        return self._soft_seconds > self._max_soft_seconds

    @property
    def _max_soft_seconds(self) -> float:
        limits = self._limits
        return limits.soft_seconds * max(1.0, self._loud_seconds / limits.long_seconds)

    def forget(self, before: int) -> None:
        """Forget the frames that end before the sample `before`."""
        count = before // VAD_FRAME_SAMPLES - self._first
        if count > 0:
            del self._powers[:count]
            del self._speech[:count]
            del self._thresholds[:count]
            self._first += count

    def spans(self, start: int, end: int) -> list[tuple[int, int]]:
        """Return the stretches from sample `start` to `end` that are not only others' speech."""
        if not self._drops or not self._powers:
            return [(start, end)]
        begin = self._first * VAD_FRAME_SAMPLES
        kept = self._kept()
        found = []
        for first, last in _runs(kept):
            low = start if first == 0 else max(start, begin + first * VAD_FRAME_SAMPLES)
            high = end if last == len(kept) else min(end, begin + last * VAD_FRAME_SAMPLES)
            if low < high:
                found.append((low, high))
        return found

    def _kept(self) -> NDArray[np.bool_]:
        """Return which of the remembered frames are kept, shape [frames]."""
        limits = self._limits
        size = limits.level_frames
        means = np.convolve(self._powers, np.ones(size) / size)
        # The loudest stretch that a frame belongs to is its level.
        padded = np.concatenate([means, np.zeros(size)])
        levels = _decibels(np.lib.stride_tricks.sliding_window_view(padded, size).max(axis=1))
        speech = np.asarray(self._speech)
        later = _Level(limits)
        loud = np.zeros(len(speech), np.bool_)
        for frame in reversed(range(len(speech))):
            if speech[frame]:
                ours = later.follow(float(levels[frame]))
                loud[frame] = ours and levels[frame] >= self._thresholds[frame]
        before = round(limits.before_seconds / _FRAME_SECONDS)
        after = round(limits.after_seconds / _FRAME_SECONDS)
        near = np.convolve(loud, np.ones(before + after + 1))
        kept = near[before : before + len(loud)] > 0.5
        soft = [
            (first, last, float(speech[first:last].sum()) * _FRAME_SECONDS)
            for first, last in _runs(~kept)
        ]
        most = self._max_soft_seconds
        others = self._others_speak or any(
            seconds > (most if first else limits.lead_soft_seconds) for first, _, seconds in soft
        )
        for first, last, seconds in soft:
            if not others or seconds <= limits.known_soft_seconds:
                kept[first:last] = True
        if self._others_speak:
            kept[max(0, self._loud_end // VAD_FRAME_SAMPLES - self._first + after) :] = False
        return kept


def _decibels(power: Any) -> Any:
    """Return the level of a mean square, for a number or an array."""
    return 10 * np.log10(np.maximum(power, 1e-10))


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the first index and the one behind the last of each stretch of true flags."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]


def only(spans: list[tuple[int, int]], audio: Audio, start: int) -> Audio:
    """Return `audio`, which begins at sample `start`, with silence outside `spans`."""
    result = np.zeros_like(audio)
    for low, high in spans:
        result[low - start : high - start] = audio[low - start : high - start]
    return result
