"""Thread-safe player between the event loop, which controls it, and the speaker, which reads it."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from satellite.audio.mixer import Mixer, Playback

_MAX_REFERENCE_SECONDS = 2.0


class Player:
    """A mixer behind a lock; every method returns at once, from any thread.

    `catch_up` is called before each change, so that a device without a thread of its own first
    reads what was due until then: a change takes effect at the instant at which it is made.
    """

    def __init__(self, rate: int, volume: float = 1.0) -> None:
        self.rate = rate
        """Hertz of all audio, mono s16le."""
        self.catch_up: Callable[[], None] = lambda: None
        self._lock = threading.Lock()
        self._mixer = Mixer(rate, volume)
        self._reference: deque[bytes] = deque()
        self._reference_bytes = 0

    @contextmanager
    def _change(self) -> Iterator[Mixer]:
        self.catch_up()
        with self._lock:
            yield self._mixer

    def begin(self) -> None:
        """Begin a reply; what is left of the one before is dropped."""
        with self._change() as mixer:
            mixer.begin()

    def write(self, pcm: bytes) -> None:
        """Add to the reply; beyond ten minutes of audio that waits, more is dropped."""
        with self._change() as mixer:
            mixer.write(pcm)

    def finish(self) -> None:
        """Take note that the reply is whole; it ends when it has been played."""
        with self._change() as mixer:
            mixer.finish()

    def stop(self) -> None:
        """Fade the reply out within 8 ms and drop the rest."""
        with self._change() as mixer:
            mixer.stop()

    def duck(self, gain: float) -> None:
        """Play the reply at a gain of 0 to 1."""
        with self._change() as mixer:
            mixer.duck(gain)

    def pause(self) -> None:
        """Fade out within 8 ms and keep the rest of the reply for `resume`."""
        with self._change() as mixer:
            mixer.pause()

    def resume(self) -> None:
        """Continue at full level where the reply was paused or ducked."""
        with self._change() as mixer:
            mixer.resume()

    def set_volume(self, gain: float) -> None:
        """Set the gain of everything; 0 mutes."""
        with self._change() as mixer:
            mixer.set_volume(gain)

    def sound(self, pcm: bytes) -> None:
        """Play a short sound at once, over the reply."""
        with self._change() as mixer:
            mixer.sound(pcm)

    def begin_music(self) -> None:
        """Begin music; the music before is dropped."""
        with self._change() as mixer:
            mixer.begin_music()

    def write_music(self, pcm: bytes) -> None:
        """Add to the music."""
        with self._change() as mixer:
            mixer.write_music(pcm)

    def finish_music(self) -> None:
        """Take note that no more music is to come."""
        with self._change() as mixer:
            mixer.finish_music()

    def stop_music(self) -> None:
        """Drop the music."""
        with self._change() as mixer:
            mixer.stop_music()

    def pause_music(self, *, on: bool) -> None:
        """Interrupt the music, or continue it."""
        with self._change() as mixer:
            mixer.pause_music(on=on)

    @property
    def music_active(self) -> bool:
        """Whether music is being played, or is paused, or more of it is to come."""
        with self._lock:
            return self._mixer.music_active

    @property
    def music_seconds(self) -> float:
        """Music that waits to be played."""
        with self._lock:
            return self._mixer.music_seconds

    @property
    def playback(self) -> Playback:
        """Progress of the current or last reply."""
        with self._lock:
            return self._mixer.playback

    @property
    def active(self) -> bool:
        """Whether a reply is being played, or more of it is to come."""
        with self._lock:
            return self._mixer.active

    @property
    def buffered_seconds(self) -> float:
        """Reply audio that waits to be played."""
        with self._lock:
            return self._mixer.buffered_seconds

    def read(self, samples: int, at: float) -> bytes:
        """Return the next `samples` to play, silence where nothing plays; called by the speaker.

        `at` is when the first of them is heard, in seconds since the start of the run.
        """
        with self._lock:
            pcm = self._mixer.read(samples, at)
            self._reference.append(pcm)
            self._reference_bytes += len(pcm)
            while self._reference_bytes > _MAX_REFERENCE_SECONDS * self.rate * 2:
                self._reference_bytes -= len(self._reference.popleft())
            return pcm

    def take_reference(self) -> bytes:
        """Return what was played since the last call, two seconds at most: the echo's far end."""
        with self._lock:
            pcm = b"".join(self._reference)
            self._reference.clear()
            self._reference_bytes = 0
            return pcm
