"""Whether somebody talks over the reply. No clock, no audio, no I/O.

The first sign of speech ducks the reply, a second one pauses it, real speech stops it for good;
when it was none, the reply goes on where it was. A pause that turns out wrong costs little, so
it comes early; the decision to stop is made in the silence of the pause, where no echo is left.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum
from math import inf, log10

from wyoming_common.audio import MODEL_RATE


class Talk(Enum):
    """What a frame changed."""

    MAYBE = "maybe"
    """A first sign of speech: duck."""
    LIKELY = "likely"
    """It goes on: pause."""
    REAL = "real"
    """Somebody speaks: stop."""
    NONE = "none"
    """It was nothing: go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BargeInSettings:
    """Seconds of audio unless said otherwise; found on the echo recordings of `bench`."""

    speech: float = 0.25
    """Probability from which a frame is speech."""
    window_seconds: float = 0.2
    likely_seconds: float = 0.03
    """Speech within the window that pauses the reply..."""
    likely_unadapted_seconds: float = 0.15
    """...while the echo canceller does not know the room yet."""
    real_window_seconds: float = 0.8
    real_seconds: float = 0.3
    """Speech within the window that is real."""
    settle_seconds: float = 0.16
    settle_unadapted_seconds: float = 0.25
    """What is heard so soon after the pause may be the room's echo still."""
    after_seconds: float = 0.1
    """Speech behind that without which nothing is real."""
    none_seconds: float = 0.45
    """Silence after a sign of speech that says it was none."""
    echo_gate_db: float = -12.0
    """What is left of the microphone's signal behind the echo canceller; less is echo."""
    adapted_db: float = -12.0
    """The canceller takes at least this much off an echo once it knows the room."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """One frame of the voice detector."""

    probability: float
    samples: int
    left_db: float
    """Power behind the echo canceller, against the microphone's; 0 where there is none."""
    far: bool
    """Whether the speaker plays, or has just played, anything to hear."""


class BargeIn:
    """Fed while a reply plays, and while it is paused."""

    def __init__(self, settings: BargeInSettings | None = None) -> None:
        self._settings = settings or BargeInSettings()
        self._best_db = 0.0
        self.reset()

    def reset(self) -> None:
        """A new reply begins; what is known of the room stays known."""
        self._state: Talk | None = None
        self._frames: deque[tuple[int, bool]] = deque()
        self._silence = 0.0
        self._paused = self._after = 0.0
        self.frames: deque[Hearing] = deque(maxlen=200)
        """What was heard since the first sign of speech."""

    @property
    def adapted(self) -> bool:
        """Whether the echo canceller has been seen to cancel."""
        return self._best_db <= self._settings.adapted_db

    def process(self, hearing: Hearing) -> Talk | None:
        """Take the next frame and say what it changed."""
        settings = self._settings
        self._learn(hearing)
        gate = settings.echo_gate_db if hearing.far else -inf
        speech = hearing.probability >= settings.speech and hearing.left_db > gate
        self._frames.append((hearing.samples, speech))
        if self._state is Talk.LIKELY:
            self._paused += hearing.samples / MODEL_RATE
            if speech and self._paused > self._settle:
                self._after += hearing.samples / MODEL_RATE
        while self._length() > settings.real_window_seconds * MODEL_RATE:
            self._frames.popleft()
        self._silence = 0.0 if speech else self._silence + hearing.samples / MODEL_RATE
        if self._state is not None or speech:
            self.frames.append(hearing)
        return self._next(speech=speech)

    def _next(self, *, speech: bool) -> Talk | None:
        settings = self._settings
        if self._state is None:
            return self._to(Talk.MAYBE) if speech else None
        if self._state is Talk.MAYBE and speech:
            needed = settings.likely_seconds if self.adapted else settings.likely_unadapted_seconds
            if self._speech_in(settings.window_seconds) >= needed:
                return self._to(Talk.LIKELY)
        spoken = self._speech_in(settings.real_window_seconds)
        enough = spoken >= settings.real_seconds and self._after >= settings.after_seconds
        if self._state is Talk.LIKELY and speech and enough:
            return self._to(Talk.REAL)
        if self._state is not Talk.REAL and self._silence >= settings.none_seconds:
            self.frames.clear()
            self._state = None
            self._paused = self._after = 0.0
            return Talk.NONE
        return None

    @property
    def _settle(self) -> float:
        settings = self._settings
        return settings.settle_seconds if self.adapted else settings.settle_unadapted_seconds

    def _to(self, state: Talk) -> Talk:
        self._state = state
        return state

    def _learn(self, hearing: Hearing) -> None:
        if hearing.far:
            self._best_db += 0.05 * (min(hearing.left_db, self._best_db + 6) - self._best_db)

    def _length(self) -> int:
        return sum(samples for samples, _ in self._frames)

    def _speech_in(self, seconds: float) -> float:
        """Return the seconds of speech within the last `seconds`."""
        heard, left = 0, seconds * MODEL_RATE
        for samples, speech in reversed(self._frames):
            if left <= 0:
                break
            left -= samples
            heard += samples if speech else 0
        return heard / MODEL_RATE


def db(ratio: float) -> float:
    """Return a ratio of powers in decibels."""
    return 10 * log10(max(ratio, 1e-9))
