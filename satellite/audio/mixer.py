"""Mixer of what the speaker plays: a reply, short sounds over it, and music below it. Pure.

All audio is mono s16le at the speaker's rate. The mixer has no lock, thread or clock: its owner
serialises the calls and passes times in.
"""

from collections import deque
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from satellite.core.jitter import JitterBuffer

_RAMP_SECONDS = 0.008
"""Duration of a change of gain; a step would click."""
_MAX_BUFFERED_SECONDS = 600.0
_MAX_SOUNDS = 8
_MUSIC_UNDER_REPLY = 0.15
"""Gain of the music while a reply plays."""


@dataclass(frozen=True, slots=True)
class Playback:
    """Progress of the current or last reply."""

    started_at: float | None = None
    """Seconds since the start of the run when its first sample is heard."""
    heard_seconds: float = 0.0
    """Seconds of the reply that have been played."""
    ended_at: float | None = None
    """Seconds since the start of the run when its last sample was heard, or it was stopped."""
    underruns: int = 0
    """Gaps because no audio had arrived."""


class _Ramp:
    """Gain that moves to its target over `_RAMP_SECONDS`."""

    def __init__(self, rate: int, gain: float) -> None:
        self._step = 1.0 / (_RAMP_SECONDS * rate)
        self._gain = gain
        self.target = gain

    @property
    def silent(self) -> bool:
        return self._gain == 0.0 == self.target

    def settle(self) -> None:
        """Reach the target at once: nothing is heard meanwhile."""
        self._gain = self.target

    def apply(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._gain == self.target:
            return samples if self._gain == 1.0 else samples * np.float32(self._gain)
        way = np.arange(1, len(samples) + 1, dtype=np.float32) * np.float32(self._step)
        if self.target > self._gain:
            gains = np.minimum(self._gain + way, self.target)
        else:
            gains = np.maximum(self._gain - way, self.target)
        if len(gains):
            self._gain = float(gains[-1])
        faded: NDArray[np.float32] = samples * gains
        return faded


class _Music:
    """Music as a stream: queued, paused, and ducked under a reply."""

    def __init__(self, rate: int) -> None:
        self._gain = _Ramp(rate, 1.0)
        self._queue: deque[bytes] = deque()
        self.queued_bytes = 0
        self.arriving = self.paused = False

    @property
    def active(self) -> bool:
        return self.arriving or bool(self._queue)

    def begin(self) -> None:
        self.clear()
        self.arriving = True
        self.paused = False

    def clear(self) -> None:
        self._queue.clear()
        self.queued_bytes = 0
        self.arriving = False

    def write(self, pcm: bytes) -> None:
        if self.arriving and pcm:
            self._queue.append(pcm)
            self.queued_bytes += len(pcm)

    def mix_into(self, mix: NDArray[np.float32], *, ducked: bool) -> None:
        self._gain.target = 0.0 if self.paused else _MUSIC_UNDER_REPLY if ducked else 1.0
        if self.paused and self._gain.silent:
            return
        pcm = _pop(self._queue, len(mix) * 2)
        self.queued_bytes -= len(pcm)
        samples = np.frombuffer(pcm, "<i2").astype(np.float32)
        mix[: len(samples)] += self._gain.apply(samples)


class Mixer:
    """Samples out by `read`, in the time of the run; everything else changes what it returns."""

    def __init__(self, rate: int, volume: float = 1.0) -> None:
        self.rate = rate
        self.playback = Playback()
        self._queue: deque[bytes] = deque()
        self._queued_bytes = 0
        self._arriving = False
        self._stopping = False
        self._paused = False
        self._jitter = JitterBuffer()
        self._read_at = 0.0
        self._last_heard_at = 0.0
        self._music = _Music(rate)
        self._sounds: deque[NDArray[np.float32]] = deque(maxlen=_MAX_SOUNDS)
        self._volume = _Ramp(rate, volume)
        self._duck = _Ramp(rate, 1.0)

    @property
    def active(self) -> bool:
        """Whether a reply is being played, or more of it is to come."""
        return self._arriving or bool(self._queue) or self._stopping

    @property
    def buffered_seconds(self) -> float:
        """Reply audio that waits to be played."""
        return self._queued_bytes / 2 / self.rate

    def begin(self) -> None:
        """Begin a reply; what is left of the one before is dropped."""
        self._drop()
        self.playback = Playback()
        self._arriving = True
        self._jitter.begin()
        self._stopping = self._paused = False
        self._duck = _Ramp(self.rate, 1.0)

    def write(self, pcm: bytes) -> None:
        """Add to the reply; beyond ten minutes of audio that waits, more is dropped."""
        if not pcm or not self._arriving or self._stopping:
            return
        if self.buffered_seconds < _MAX_BUFFERED_SECONDS:
            self._queue.append(pcm)
            self._queued_bytes += len(pcm)
            self._jitter.arrived(len(pcm) / 2 / self.rate, self._read_at)

    def finish(self) -> None:
        """Take note that the reply is whole; it ends when it has been played."""
        self._arriving = False
        self._jitter.finish()
        self._end_if_played()

    def stop(self) -> None:
        """Fade the reply out within 8 ms and drop the rest."""
        self._arriving = False
        if self.playback.started_at is None or self.playback.ended_at is not None:
            self._drop()
        else:
            self._stopping = True
            self._duck.target = 0.0

    def duck(self, gain: float) -> None:
        """Play the reply at a gain of 0 to 1."""
        if not self._stopping and not self._paused:
            self._duck.target = gain

    def pause(self) -> None:
        """Fade out within 8 ms and keep the rest of the reply for `resume`."""
        self._paused = True
        if not self._stopping:
            self._duck.target = 0.0

    def resume(self) -> None:
        """Continue at full level where the reply was paused or ducked."""
        self._paused = False
        if not self._stopping:
            self._duck.target = 1.0

    def set_volume(self, gain: float) -> None:
        """Set the gain of everything; 0 mutes."""
        self._volume.target = gain

    def sound(self, pcm: bytes) -> None:
        """Play a short sound at once, over the reply."""
        self._sounds.append(np.frombuffer(pcm, "<i2").astype(np.float32))

    @property
    def music_active(self) -> bool:
        """Whether music is being played, or is paused, or more of it is to come."""
        return self._music.active

    @property
    def music_seconds(self) -> float:
        """Music that waits to be played; its source has to wait when it is much."""
        return self._music.queued_bytes / 2 / self.rate

    def begin_music(self) -> None:
        """Begin music; the music before is dropped."""
        self._music.begin()

    def write_music(self, pcm: bytes) -> None:
        """Add to the music."""
        self._music.write(pcm)

    def finish_music(self) -> None:
        """Take note that no more music is to come."""
        self._music.arriving = False

    def stop_music(self) -> None:
        """Drop the music."""
        self._music.clear()

    def pause_music(self, *, on: bool) -> None:
        """Interrupt the music, or continue it."""
        self._music.paused = on

    def read(self, samples: int, at: float) -> bytes:
        """Return the next `samples` to play, silence where nothing plays.

        `at` is when the first of them is heard, in seconds since the start of the run.
        """
        self._read_at = at
        ducked = self.active
        if not (ducked or self._music.active or self._sounds):
            self._volume.settle()
            return bytes(samples * 2)
        mix = self._read_reply(samples, at)
        self._music.mix_into(mix, ducked=ducked)
        self._mix_sounds(mix)
        return np.clip(self._volume.apply(mix), -32768, 32767).astype("<i2").tobytes()

    def _read_reply(self, samples: int, at: float) -> NDArray[np.float32]:
        mix = np.zeros(samples, np.float32)
        waits = self._arriving and not self._jitter.may_play(self.buffered_seconds, at)
        if (self._paused and self._duck.silent) or waits:
            if self._stopping:
                self._drop()
                self._end(at)
            return mix
        pcm = _pop(self._queue, samples * 2)
        self._queued_bytes -= len(pcm)
        count = len(pcm) // 2
        if count:
            mix[:count] = self._duck.apply(np.frombuffer(pcm, "<i2").astype(np.float32))
            self._advance(count, at)
        if self._stopping and (self._duck.silent or count < samples):
            self._drop()
            self._end(at + samples / self.rate)
        elif count < samples:
            if self._arriving and self.playback.started_at is not None:
                self._jitter.starved()
                self.playback = replace(self.playback, underruns=self._jitter.underruns)
            self._end_if_played()
        return mix

    def _advance(self, count: int, at: float) -> None:
        before = self.playback
        self.playback = replace(
            before,
            started_at=at if before.started_at is None else before.started_at,
            heard_seconds=before.heard_seconds + count / self.rate,
            ended_at=None,
        )
        self._last_heard_at = at + count / self.rate

    def _end_if_played(self) -> None:
        if not self._arriving and not self._queue and self.playback.started_at is not None:
            self._end(self._last_heard_at)

    def _end(self, at: float) -> None:
        self._stopping = False
        if self.playback.ended_at is None and self.playback.started_at is not None:
            self.playback = replace(self.playback, ended_at=at)

    def _drop(self) -> None:
        self._queue.clear()
        self._queued_bytes = 0

    def _mix_sounds(self, mix: NDArray[np.float32]) -> None:
        for _ in range(len(self._sounds)):
            sound = self._sounds.popleft()
            head, rest = sound[: len(mix)], sound[len(mix) :]
            mix[: len(head)] += head
            if len(rest):
                self._sounds.append(rest)


def _pop(queue: deque[bytes], size: int) -> bytes:
    """Take up to `size` bytes from the front of a queue."""
    parts = []
    while size and queue:
        head = queue.popleft()
        if len(head) > size:
            queue.appendleft(head[size:])
            head = head[:size]
        parts.append(head)
        size -= len(head)
    return b"".join(parts)
