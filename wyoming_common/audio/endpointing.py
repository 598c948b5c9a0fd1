"""Endpointing: the start, the pauses and the end of an utterance, from speech probabilities.

No clock, no audio, no I/O: time is counted in samples of the stream.
"""

from dataclasses import dataclass, field
from enum import Enum, StrEnum

from wyoming_common.audio.pcm import MODEL_RATE


class Sensitivity(StrEnum):
    """Sensitivity to silence, in the words of Wyoming's `transcribe`: how soon it ends a turn."""

    DEFAULT = "default"
    RELAXED = "relaxed"
    AGGRESSIVE = "aggressive"


class EndpointEvent(Enum):
    """An event of the utterance that a frame brought about."""

    STARTED = "started"
    """Speech has begun; follows a few frames after the first sound."""
    PAUSED = "paused"
    """A silence that may be the end: the time to ask a turn model, or to decode."""
    RESUMED = "resumed"
    """Speech goes on after a pause."""
    ENDED = "ended"
    """The utterance is over; the silence after it was long enough."""
    TOO_LONG = "too-long"
    """The utterance is over because it may not last longer."""
    NOTHING_SAID = "nothing-said"
    """No speech has come within the time that it may take."""


FINAL = frozenset({EndpointEvent.ENDED, EndpointEvent.TOO_LONG, EndpointEvent.NOTHING_SAID})
"""After one of these the endpoint says nothing more until `reset`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointerSettings:
    """Seconds of audio unless said otherwise."""

    speech: float = 0.5
    """Probability from which a frame is speech."""
    silence: float = 0.35
    """Probability below which a frame is silence once speech has begun."""
    start_seconds: float = 0.09
    """Speech within `start_window_seconds` that makes a start; a click is shorter."""
    start_window_seconds: float = 0.3
    pause_seconds: float = 0.12
    """Silence that is reported as a pause. Longer ones are hardly rarer: 1.24 a command at 0.12 s,
    1.17 at 0.18 s, the end included."""
    end_seconds: dict[Sensitivity, float] = field(
        default_factory=lambda: {
            Sensitivity.AGGRESSIVE: 0.35,
            Sensitivity.DEFAULT: 0.6,
            Sensitivity.RELAXED: 1.0,
        }
    )
    """Silence that ends an utterance of which nothing else is known."""
    complete: float = 0.55
    incomplete: float = 2.33
    """Factors on `end_seconds` at a completeness of 1 and of 0; below 0 the factor grows on."""
    hesitation: float = 1.5
    """An utterance ends only after this many times the longest pause its speaker has made."""
    longest_end_seconds: float = 1.8
    """Upper bound of the silence that ends an utterance, after all factors."""
    others_end_seconds: float = 0.9
    """The same while others talk: a television that is taken for the speaker now and then would
    otherwise hold the utterance open"""
    no_speech_seconds: float = 7.0
    turn_seconds: float = 60.0


class Endpointer:
    """Endpointer of one utterance, fed one speech probability a frame."""

    def __init__(
        self,
        settings: EndpointerSettings | None = None,
        sensitivity: Sensitivity = Sensitivity.DEFAULT,
        rate: int = MODEL_RATE,
    ) -> None:
        self._settings = settings or EndpointerSettings()
        self._sensitivity = sensitivity
        self._rate = rate
        self.reset()

    def reset(self) -> None:
        """Begin a new utterance at sample 0."""
        self.position = 0
        """Samples processed so far."""
        self.speech_start: int | None = None
        """First sample of speech; None before EndpointEvent.STARTED."""
        self.speech_end = 0
        """Sample behind the last speech."""
        self.speech_samples = 0
        """Samples that were speech, pauses left out."""
        self.others_talk = False
        """Whether others talk in the pause in progress"""
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
        """Silence that ends the utterance, by what is known so far."""
        settings = self._settings
        base = settings.end_seconds[self._sensitivity]
        needed = base
        if self._completeness is not None:
            span = settings.incomplete - settings.complete
            needed *= settings.incomplete - span * self._completeness
        hesitation = settings.hesitation * self._longest_pause / self._rate
        longest = settings.longest_end_seconds
        if self.others_talk:
            longest = max(settings.others_end_seconds, base)
        return max(min(max(needed, hesitation), longest), base * 0.5)

    def judge(self, completeness: float) -> None:
        """Set how complete the utterance is at the pause in progress, -1 to 1.

        0 is surely unfinished; below that its speaker may have to think. Holds until speech
        resumes; does nothing outside a pause.
        """
        if self.paused:
            self._completeness = min(max(completeness, -1.0), 1.0)

    def retract(self, end: int) -> None:
        """Take back speech behind the sample `end`: it was not the speaker's."""
        if self.speech_start is not None and not self.finished:
            self.speech_end = max(min(self.speech_end, end), self.speech_start)
            self.others_talk = True

    def process(
        self, probability: float, samples: int, *, may_end: bool = True
    ) -> EndpointEvent | None:
        """Take the next frame: `samples` long, speech with `probability`.

        Returns the event that it brought about, if any. While `may_end` is false no silence ends
        the utterance: for audio that arrives faster than real time, so that more of it is there.
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

    def _before_speech(self, probability: float, begin: int) -> EndpointEvent | None:
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
        return EndpointEvent.STARTED

    def _in_turn(self, probability: float, samples: int, *, may_end: bool) -> EndpointEvent | None:
        # The higher threshold counts once a pause is reported: a breath must not undo it.
        settings = self._settings
        if probability >= (settings.speech if self.paused else settings.silence):
            return self._heard(samples)
        if not self.paused and self.silence_seconds >= settings.pause_seconds:
            self.paused = True
            return EndpointEvent.PAUSED
        if self.paused and may_end and self.silence_seconds >= self.needed_seconds:
            return EndpointEvent.ENDED
        return None

    def _heard(self, samples: int) -> EndpointEvent | None:
        was_paused, self.paused = self.paused, False
        self.others_talk = False
        if was_paused:
            self._longest_pause = max(
                self._longest_pause, self.position - samples - self.speech_end
            )
            self._completeness = None
        self.speech_end = self.position
        self.speech_samples += samples
        return EndpointEvent.RESUMED if was_paused else None

    def _limits(self) -> EndpointEvent | None:
        if self.speech_start is None:
            waited = self.position / self._rate
            return (
                EndpointEvent.NOTHING_SAID if waited >= self._settings.no_speech_seconds else None
            )
        spoken = (self.position - self.speech_start) / self._rate
        return EndpointEvent.TOO_LONG if spoken >= self._settings.turn_seconds else None
