"""When somebody has begun to speak, pauses, and has finished: decided on speech probabilities.

No clock, no audio, no I/O: time is counted in samples of the stream.
"""

from dataclasses import dataclass, field
from enum import Enum, StrEnum

from wyoming_common.audio import MODEL_RATE


class Sensitivity(StrEnum):
    """How soon silence ends a turn, in the words of Wyoming's `transcribe`."""

    DEFAULT = "default"
    RELAXED = "relaxed"
    AGGRESSIVE = "aggressive"


class Change(Enum):
    """What a frame changed."""

    STARTED = "started"
    """Somebody has begun to speak; follows a few frames after the first sound."""
    PAUSED = "paused"
    """A silence long enough to be the end: the time to ask a turn model, or to decode."""
    RESUMED = "resumed"
    """The pause was none: speech goes on."""
    ENDED = "ended"
    """The turn is over; the silence after it was long enough."""
    TOO_LONG = "too-long"
    """The turn is over because a turn may not last longer."""
    NOTHING_SAID = "nothing-said"
    """Nobody has spoken for as long as one may wait."""


FINAL = frozenset({Change.ENDED, Change.TOO_LONG, Change.NOTHING_SAID})
"""After one of these the endpoint says nothing more until `reset`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSettings:
    """Seconds of audio unless said otherwise."""

    speech: float = 0.5
    """Probability from which a frame is speech."""
    silence: float = 0.35
    """Probability below which a frame is silence once somebody speaks."""
    start_seconds: float = 0.09
    """Speech within `start_window_seconds` that makes a beginning; a click is shorter."""
    start_window_seconds: float = 0.3
    pause_seconds: float = 0.12
    """Silence reported as a pause. Longer ones are hardly rarer in what people say: 1.24 a command
    at 0.12 s, 1.17 at 0.18 s, the end included."""
    end_seconds: dict[Sensitivity, float] = field(
        default_factory=lambda: {
            Sensitivity.AGGRESSIVE: 0.35,
            Sensitivity.DEFAULT: 0.6,
            Sensitivity.RELAXED: 1.0,
        }
    )
    """Silence that ends a turn of which nothing else is known."""
    complete: float = 0.7
    incomplete: float = 1.8
    """Factors on it when a turn model is sure that the speaker has, or has not, finished."""
    hesitation: float = 1.5
    """A turn ends only after this many times the longest pause its speaker has made."""
    longest_end_seconds: float = 1.5
    """No pause needs to be longer, whatever the factors say."""
    no_speech_seconds: float = 7.0
    turn_seconds: float = 60.0


class Endpoint:
    """Fed one speech probability a frame, tells what it changed."""

    def __init__(
        self,
        settings: EndpointSettings | None = None,
        sensitivity: Sensitivity = Sensitivity.DEFAULT,
        rate: int = MODEL_RATE,
    ) -> None:
        self._settings = settings or EndpointSettings()
        self._sensitivity = sensitivity
        self._rate = rate
        self.reset()

    def reset(self) -> None:
        """Begin a new turn at sample 0."""
        self.position = 0
        """Samples processed so far."""
        self.speech_start: int | None = None
        """First sample of speech; None before Change.STARTED."""
        self.speech_end = 0
        """Sample behind the last speech."""
        self.speech_samples = 0
        """Samples that were speech, pauses left out."""
        self.paused = False
        self.finished = False
        self._candidates: list[tuple[int, int]] = []
        self._longest_pause = 0
        self._completeness: float | None = None

    @property
    def silence_seconds(self) -> float:
        """Silence since the last speech, or since the beginning."""
        return (self.position - self.speech_end) / self._rate

    @property
    def needed_seconds(self) -> float:
        """Silence that ends the turn, by what is known so far."""
        settings = self._settings
        base = settings.end_seconds[self._sensitivity]
        needed = base
        if self._completeness is not None:
            span = settings.incomplete - settings.complete
            needed *= settings.incomplete - span * self._completeness
        hesitation = settings.hesitation * self._longest_pause / self._rate
        return max(min(max(needed, hesitation), settings.longest_end_seconds), base * 0.5)

    def judge(self, completeness: float) -> None:
        """Say how complete the turn sounds at the pause in progress, 0 to 1.

        Holds until speech resumes; does nothing while nobody pauses.
        """
        if self.paused:
            self._completeness = min(max(completeness, 0.0), 1.0)

    def process(self, probability: float, samples: int, *, may_end: bool = True) -> Change | None:
        """Take the next frame: `samples` long, speech with `probability`.

        While `may_end` is false no turn ends, whatever the silence: for audio that did not
        arrive in real time, where the sender has more of it already.
        """
        if self.finished:
            return None
        begin = self.position
        self.position += samples
        change = (
            self._before_speech(probability, begin)
            if self.speech_start is None
            else self._in_turn(probability, samples, may_end=may_end)
        )
        if change is None and may_end:
            change = self._limits()
        self.finished = change in FINAL
        return change

    def _before_speech(self, probability: float, begin: int) -> Change | None:
        window = self.position - round(self._settings.start_window_seconds * self._rate)
        self._candidates = [frame for frame in self._candidates if frame[0] >= window]
        if probability < self._settings.speech:
            return None
        self._candidates.append((begin, self.position))
        heard = sum(end - start for start, end in self._candidates)
        if heard < self._settings.start_seconds * self._rate:
            return None
        self.speech_start = self._candidates[0][0]
        self.speech_end = self.position
        self.speech_samples = heard
        return Change.STARTED

    def _in_turn(self, probability: float, samples: int, *, may_end: bool) -> Change | None:
        # The higher threshold counts once a pause is reported: a breath must not undo it.
        settings = self._settings
        if probability >= (settings.speech if self.paused else settings.silence):
            return self._heard(samples)
        if not self.paused and self.silence_seconds >= settings.pause_seconds:
            self.paused = True
            return Change.PAUSED
        if self.paused and may_end and self.silence_seconds >= self.needed_seconds:
            return Change.ENDED
        return None

    def _heard(self, samples: int) -> Change | None:
        was_paused, self.paused = self.paused, False
        if was_paused:
            self._longest_pause = max(
                self._longest_pause, self.position - samples - self.speech_end
            )
            self._completeness = None
        self.speech_end = self.position
        self.speech_samples += samples
        return Change.RESUMED if was_paused else None

    def _limits(self) -> Change | None:
        if self.speech_start is None:
            waited = self.position / self._rate
            return Change.NOTHING_SAID if waited >= self._settings.no_speech_seconds else None
        spoken = (self.position - self.speech_start) / self._rate
        return Change.TOO_LONG if spoken >= self._settings.turn_seconds else None
