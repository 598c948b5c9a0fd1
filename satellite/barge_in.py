"""Whether somebody talks over the reply. No clock, no audio, no I/O.

The first sign of speech ducks the reply, a clear one pauses it, real speech stops it for good;
when it was none, the reply goes on where it was. A pause that turns out wrong costs little, so
it comes early; the decision to stop is made in the silence of the pause, when the echo has died.
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
    sure: float = 0.5
    """Probability from which one frame is enough to pause, in a room that is known."""
    window_seconds: float = 0.2
    likely_seconds: float = 0.03
    """Speech within the window that pauses the reply..."""
    likely_unknown_seconds: float = 0.09
    """...while it is not known what the echo of this room sounds like."""
    known_seconds: float = 1.0
    """Audible reply in which nothing sounds like speech, after which the room is known."""
    real_window_seconds: float = 0.8
    real_seconds: float = 0.3
    """Speech within the window that is real."""
    after_seconds: float = 0.1
    """Speech in the silence of the pause, echo excluded, without which nothing is real..."""
    clear: float = 0.5
    """...and its probability, which nothing that is played lowers any more."""
    echo_delay_seconds: float = 0.15
    """The longest way of the reply through the speaker, the room and the microphone."""
    echo_decay_db: float = 75.0
    """How much an echo falls in a second; 60 dB in 0.8 s is a room with bare walls."""
    none_seconds: float = 0.45
    """Silence after a sign of speech that says it was none."""
    echo_gate_db: float = -12.0
    """What is left of the microphone's signal behind the echo canceller; less is echo..."""
    sure_gate_db: float = -25.0
    """...and so much less where the room is known and the frame is sure."""
    near_db: float = -12.0
    """So much left, and `near_over_db` more than the echo alone leaves, is somebody or something in
    the room..."""
    near_over_db: float = 10.0
    near_level_db: float = -12.0
    """...if it is no quieter than this, against the echo."""
    near_clear_db: float = 6.0
    """So much more of it is listened to more closely, whatever it is."""
    near_pause_db: float = 8.0
    """So much more of it for two frames pauses the reply: a voice detector that has heard nothing
    but echoes is slow to believe that somebody speaks."""
    near_maybe: float = 0.05
    """Probability from which a frame of something in the room may be speech..."""
    near_likely: float = 0.12
    """...and from which it pauses the reply: speech begins softly, and under an echo."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """One frame of the voice detector."""

    probability: float
    samples: int
    left_db: float
    """Power behind the echo canceller, against the microphone's; 0 where there is none."""
    far: bool
    """Whether the speaker plays, or has just played, anything to hear."""
    level_db: float = 0.0
    """Power of the microphone's signal, in front of the echo canceller, over one step."""


_LOUD_FRAMES = 2
_LOUD_DB = 3.0
"""How far below the usual level a reply is still loud enough to tell what an echo leaves."""


class BargeIn:
    """Fed while a reply plays, and while it is paused."""

    def __init__(self, settings: BargeInSettings | None = None) -> None:
        self._settings = settings or BargeInSettings()
        self._calm_seconds = 0.0
        self._left_db = self._level_db = 0.0
        self.reset()

    def reset(self) -> None:
        """A new reply begins; what is known of the room stays known."""
        self._state: Talk | None = None
        self._frames: deque[tuple[int, bool]] = deque()
        self._silence = 0.0
        self._paused = self._after = 0.0
        self._echo_db = -inf
        self._loud_frames = 0
        self.frames: deque[Hearing] = deque(maxlen=200)
        """What was heard since the first sign of speech."""

    @property
    def known(self) -> bool:
        """Whether the reply has been heard in this room for a while without seeming speech."""
        return self._calm_seconds >= self._settings.known_seconds

    def process(self, hearing: Hearing) -> Talk | None:
        """Take the next frame and say what it changed."""
        settings = self._settings
        seconds = hearing.samples / MODEL_RATE
        speech = self._is_speech(hearing)
        self._frames.append((hearing.samples, speech))
        near = self._near_db(hearing) if hearing.far else -inf
        self._loud_frames = self._loud_frames + 1 if near > settings.near_pause_db else 0
        if hearing.far and hearing.probability < settings.speech and self._state is None:
            self._learn(hearing, seconds)
        if self._state is Talk.LIKELY:
            self._paused += seconds
            if self._paused <= settings.echo_delay_seconds:
                # What was played last is still on its way.
                self._echo_db = max(self._echo_db, hearing.level_db)
            elif hearing.probability >= settings.clear and hearing.level_db > self._echo_left_db:
                self._after += seconds
        elif self._state is not Talk.REAL:
            # The loudest of the last tenths of a second is what now dies away.
            self._echo_db = max(hearing.level_db, self._echo_db - settings.echo_decay_db * seconds)
        while self._length() > settings.real_window_seconds * MODEL_RATE:
            self._frames.popleft()
        self._silence = 0.0 if speech else self._silence + seconds
        if self._state is not None or speech:
            self.frames.append(hearing)
        return self._next(hearing, speech=speech, near=near)

    def _is_speech(self, hearing: Hearing) -> bool:
        settings = self._settings
        sure = self.known and hearing.probability >= settings.sure
        gate = settings.sure_gate_db if sure else settings.echo_gate_db
        heard = not hearing.far or hearing.left_db > gate
        return heard and hearing.probability >= settings.speech

    def _learn(self, hearing: Hearing, seconds: float) -> None:
        """Note what the reply alone sounds like in this room."""
        known = self._settings.known_seconds
        self._calm_seconds = min(self._calm_seconds + seconds, known)
        part = seconds / known
        self._level_db += part * (hearing.level_db - self._level_db)
        if hearing.level_db >= self._level_db - _LOUD_DB:
            # Where the reply pauses there is no echo, and all is left.
            self._left_db += 2 * part * (hearing.left_db - self._left_db)

    def _near_db(self, hearing: Hearing) -> float:
        """How far above what the echo alone leaves this is; below 0 it may be the echo."""
        settings = self._settings
        usual = self._left_db
        if not self.known or usual >= settings.near_db:
            return -inf
        left = hearing.left_db - max(settings.near_db, usual + settings.near_over_db)
        level = hearing.level_db + hearing.left_db - self._level_db - settings.near_level_db
        return min(left, level)

    def _next(self, hearing: Hearing, *, speech: bool, near: float) -> Talk | None:
        settings = self._settings
        if self._state in (None, Talk.MAYBE) and near > 0:
            if hearing.probability >= settings.near_likely or self._loud_frames >= _LOUD_FRAMES:
                self._silence = 0.0
                return self._to(Talk.LIKELY)
            maybe = hearing.probability >= settings.near_maybe or near > settings.near_clear_db
            if self._state is None and maybe:
                # Played more quietly, it can be told what it is.
                self._silence = 0.0
                return self._to(Talk.MAYBE)
        if self._state is None and speech:
            sure = self.known and hearing.probability >= settings.sure
            return self._to(Talk.LIKELY if sure else Talk.MAYBE)
        if self._state is Talk.MAYBE and speech:
            needed = settings.likely_seconds if self.known else settings.likely_unknown_seconds
            if self._speech_in(settings.window_seconds) >= needed:
                return self._to(Talk.LIKELY)
        spoken = self._speech_in(settings.real_window_seconds)
        enough = spoken >= settings.real_seconds and self._after >= settings.after_seconds
        if self._state is Talk.LIKELY and speech and enough:
            return self._to(Talk.REAL)
        waits = self._state in (Talk.MAYBE, Talk.LIKELY)
        return self._forget() if waits and self._silence >= settings.none_seconds else None

    def _forget(self) -> Talk:
        if self._state is Talk.LIKELY:
            # A room that fools us is not known.
            self._calm_seconds = 0.0
        self.frames.clear()
        self._state = None
        self._paused = self._after = 0.0
        return Talk.NONE

    @property
    def _echo_left_db(self) -> float:
        """The loudest that an echo can still be."""
        settings = self._settings
        dying = max(0.0, self._paused - settings.echo_delay_seconds)
        return self._echo_db - settings.echo_decay_db * dying

    def _to(self, state: Talk) -> Talk:
        self._state = state
        return state

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
