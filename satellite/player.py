"""Mixes what the speaker plays: one reply as a stream, and short sounds over it.

Pull-driven: a device asks for samples when it needs them, from any thread. All audio is mono
s16le at the speaker's rate.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from satellite.jitter import JitterBuffer

_RAMP_SECONDS = 0.008
"""A gain change is spread over this, so that it does not click."""
_MOST_BUFFERED_SECONDS = 600.0
_MOST_SOUNDS = 8
_REFERENCE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Playback:
    """How far the current or last reply is."""

    started_at: float | None = None
    """Seconds since the start of the run when its first sample is heard."""
    heard_seconds: float = 0.0
    """How much of the reply has been played."""
    ended_at: float | None = None
    """When its last sample was heard, or it was stopped."""
    underruns: int = 0
    """Gaps because no audio had arrived."""


class _Ramp:
    """A gain that moves to its target over `_RAMP_SECONDS`."""

    def __init__(self, rate: int, gain: float) -> None:
        self._step = 1.0 / (_RAMP_SECONDS * rate)
        self._gain = gain
        self.target = gain

    @property
    def silent(self) -> bool:
        return self._gain == 0.0 == self.target

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


class Player:
    """Thread-safe; every method returns at once.

    `catch_up` is called before each change, so that a device without a thread of its own
    first pulls what was due until then: a change takes effect at the instant it is made.
    """

    def __init__(self, rate: int, volume: float = 1.0) -> None:
        self.rate = rate
        self.catch_up: Callable[[], None] = lambda: None
        self._lock = threading.Lock()
        self._reply: deque[bytes] = deque()
        self._buffered = 0
        self._open = False
        self._jitter = JitterBuffer()
        self._now = 0.0
        self._stopping = False
        self._paused = False
        self._playback = Playback()
        self._sounds: deque[NDArray[np.float32]] = deque(maxlen=_MOST_SOUNDS)
        self._volume = _Ramp(rate, volume)
        self._duck = _Ramp(rate, 1.0)
        self._reference: deque[bytes] = deque()
        self._reference_bytes = 0

    def begin(self) -> None:
        """Begin a reply, dropping what is left of the one before."""
        self.catch_up()
        with self._lock:
            self._drop()
            self._playback = Playback()
            self._open = True
            self._jitter.begin()
            self._stopping = self._paused = False
            self._duck = _Ramp(self.rate, 1.0)

    def write(self, pcm: bytes) -> None:
        """Add to the reply. Past ten minutes of audio waiting, more is dropped."""
        self.catch_up()
        with self._lock:
            if not pcm or not self._open or self._stopping:
                return
            if self._buffered / 2 / self.rate < _MOST_BUFFERED_SECONDS:
                self._reply.append(pcm)
                self._buffered += len(pcm)
                self._jitter.arrived(len(pcm) / 2 / self.rate, self._now)

    def finish(self) -> None:
        """Say that the reply is whole; it ends when it has been played."""
        self.catch_up()
        with self._lock:
            self._open = False
            self._jitter.finish()
            self._end_if_played(None)

    def stop(self) -> None:
        """Fade the reply out within 8 ms and drop the rest."""
        self.catch_up()
        with self._lock:
            self._open = False
            if self._playback.started_at is None or self._playback.ended_at is not None:
                self._drop()
            else:
                self._stopping = True
                self._duck.target = 0.0

    def duck(self, gain: float) -> None:
        """Play the reply at this gain, 0 to 1, until told otherwise."""
        self.catch_up()
        with self._lock:
            if not self._stopping and not self._paused:
                self._duck.target = gain

    def pause(self) -> None:
        """Fade out within 8 ms and keep the rest of the reply for `resume`."""
        self.catch_up()
        with self._lock:
            self._paused = True
            if not self._stopping:
                self._duck.target = 0.0

    def resume(self) -> None:
        """Go on where a pause was made, at full level; undoes ducking as well."""
        self.catch_up()
        with self._lock:
            self._paused = False
            if not self._stopping:
                self._duck.target = 1.0

    def set_volume(self, gain: float) -> None:
        """Set the gain of everything; 0 mutes."""
        self.catch_up()
        with self._lock:
            self._volume.target = gain

    def sound(self, pcm: bytes) -> None:
        """Play a short sound over the reply, at once."""
        self.catch_up()
        with self._lock:
            self._sounds.append(np.frombuffer(pcm, "<i2").astype(np.float32))

    @property
    def playback(self) -> Playback:
        """How far the current or last reply is."""
        with self._lock:
            return self._playback

    @property
    def active(self) -> bool:
        """Whether a reply is being played, or anything of it is still to come."""
        with self._lock:
            return self._open or bool(self._reply) or self._stopping

    @property
    def sounding(self) -> bool:
        """Whether anything at all is being played: a reply or a sound."""
        with self._lock:
            return self._open or bool(self._reply) or self._stopping or bool(self._sounds)

    @property
    def buffered_seconds(self) -> float:
        """Reply audio that waits to be played."""
        with self._lock:
            return self._buffered / 2 / self.rate

    def read(self, samples: int, at: float) -> bytes:
        """Return the next `samples` to play, silence where nothing plays.

        `at` is when the first of them is heard, in seconds since the start of the run.
        """
        with self._lock:
            self._now = at
            mix = self._read_reply(samples, at)
            self._mix_sounds(mix)
            loud = self._volume.apply(mix)
            pcm = np.clip(loud, -32768, 32767).astype("<i2").tobytes()
            self._keep_reference(pcm)
            return pcm

    def take_reference(self) -> bytes:
        """Return what has been played since the last call, at most two seconds of it."""
        with self._lock:
            pcm = b"".join(self._reference)
            self._reference.clear()
            self._reference_bytes = 0
            return pcm

    def _read_reply(self, samples: int, at: float) -> NDArray[np.float32]:
        mix = np.zeros(samples, np.float32)
        buffered = self._buffered / 2 / self.rate
        held = self._open and not self._jitter.may_play(buffered, at)
        if (self._paused and self._duck.silent) or held:
            if self._stopping:
                self._drop()
                self._end(at)
            return mix
        pcm = self._pop(samples * 2)
        count = len(pcm) // 2
        if count:
            mix[:count] = self._duck.apply(np.frombuffer(pcm, "<i2").astype(np.float32))
            self._advance(count, at)
        if self._stopping and (self._duck.silent or count < samples):
            self._drop()
            self._end(at + samples / self.rate)
        elif count < samples:
            if self._open and self._playback.started_at is not None:
                self._jitter.starved()
                self._playback = replace(self._playback, underruns=self._jitter.underruns)
            self._end_if_played(at + count / self.rate)
        return mix

    def _pop(self, size: int) -> bytes:
        parts = []
        while size and self._reply:
            head = self._reply.popleft()
            if len(head) > size:
                self._reply.appendleft(head[size:])
                head = head[:size]
            parts.append(head)
            size -= len(head)
            self._buffered -= len(head)
        return b"".join(parts)

    def _advance(self, count: int, at: float) -> None:
        was = self._playback
        self._playback = replace(
            was,
            started_at=at if was.started_at is None else was.started_at,
            heard_seconds=was.heard_seconds + count / self.rate,
            ended_at=None,
        )

    def _end_if_played(self, at: float | None) -> None:
        if self._open or self._reply or self._playback.started_at is None:
            return
        was = self._playback
        self._end(was.started_at + was.heard_seconds if at is None and was.started_at else at)

    def _end(self, at: float | None) -> None:
        was = self._playback
        self._stopping = False
        if was.ended_at is None and was.started_at is not None:
            self._playback = replace(was, ended_at=at)

    def _drop(self) -> None:
        self._reply.clear()
        self._buffered = 0

    def _mix_sounds(self, mix: NDArray[np.float32]) -> None:
        for _ in range(len(self._sounds)):
            sound = self._sounds.popleft()
            head, rest = sound[: len(mix)], sound[len(mix) :]
            mix[: len(head)] += head
            if len(rest):
                self._sounds.append(rest)

    def _keep_reference(self, pcm: bytes) -> None:
        self._reference.append(pcm)
        self._reference_bytes += len(pcm)
        while self._reference_bytes > _REFERENCE_SECONDS * self.rate * 2:
            self._reference_bytes -= len(self._reference.popleft())
