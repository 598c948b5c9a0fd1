"""Detection of barge-in: speech of the user over the reply. No clock, no audio, no I/O.

The first sign of speech ducks the reply, a clear one pauses it, and confirmed speech stops it for
good; after a false alarm the reply continues where it was. A wrong pause costs little, so it comes
early; the decision to stop is made in the silence of the pause, when the echo has died away.

Three detectors see each frame, and `BargeIn` combines them: `SpeechInEcho` is the voice detector
behind a gate that closes on echo, `NearEndLevel` knows how loud the echo alone is in this room, and
`PauseConfirmation` looks for speech that outlasts the echo.

All default settings were tuned with `python -m bench.satellite DATA barge-in`, in rooms made of
measured impulse responses and on two recorded echo pairs: as few false stops and pauses as possible
in 20 minutes of replies without a talker, then the least time until the reply is silent for
50 talkers. Run it again after a change of the echo canceller or the voice detector.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from math import inf, log10

from wyoming_common.audio.pcm import MODEL_RATE


class BargeInEvent(Enum):
    """Change that a frame has caused."""

    POSSIBLE = "possible"
    """A first sign of speech: duck."""
    LIKELY = "likely"
    """More signs of speech: pause."""
    CONFIRMED = "confirmed"
    """Speech of the user: stop."""
    FALSE_ALARM = "false alarm"
    """No speech after all: continue the reply."""


@dataclass(frozen=True, slots=True)
class VadFrame:
    """One frame of the voice detector, and the echo levels that go with it."""

    probability: float
    """Probability of speech, 0 to 1."""
    samples: int
    left_db: float
    """Power behind the echo canceller relative to the microphone's; 0 without a canceller."""
    far: bool
    """Whether the far end is audible: the speaker plays, or has just played."""
    level_db: float = 0.0
    """Power of the microphone in front of the echo canceller; 0 dB is one step of 16 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechInEchoSettings:
    """Seconds are seconds of audio."""

    speech: float = 0.25
    """Probability from which a frame is speech."""
    sure: float = 0.5
    """Probability from which one frame is enough to pause in a known room."""
    gate_db: float = -12.0
    """A frame of which the echo canceller leaves less is echo."""
    sure_gate_db: float = -25.0
    """The same for a sure frame in a known room."""
    window_seconds: float = 0.2
    likely_seconds: float = 0.03
    """Speech within the window that makes barge-in likely in a known room."""
    likely_unknown_seconds: float = 0.09
    """The same in a room that is not known yet."""


class SpeechInEcho:
    """Voice detector behind a gate that closes on frames of which the canceller leaves little."""

    def __init__(self, settings: SpeechInEchoSettings, history_seconds: float) -> None:
        self._settings = settings
        self._max_samples = history_seconds * MODEL_RATE
        self.reset()

    def reset(self) -> None:
        """Forget all frames."""
        self._frames: deque[tuple[int, bool]] = deque()
        self._samples = 0
        self.silence_seconds = 0.0
        """Time since the last frame of speech, or since `restart_silence`."""

    def restart_silence(self) -> None:
        """Count silence from now on."""
        self.silence_seconds = 0.0

    def process(self, frame: VadFrame, *, room_known: bool) -> bool:
        """Return whether the frame is speech."""
        settings = self._settings
        gate = settings.sure_gate_db if self.is_sure(frame, room_known) else settings.gate_db
        passes = not frame.far or frame.left_db > gate
        speech = passes and frame.probability >= settings.speech
        self._frames.append((frame.samples, speech))
        self._samples += frame.samples
        while self._samples > self._max_samples:
            self._samples -= self._frames.popleft()[0]
        self.silence_seconds = 0.0 if speech else self.silence_seconds + frame.samples / MODEL_RATE
        return speech

    def is_sure(self, frame: VadFrame, room_known: bool) -> bool:
        """Return whether one frame of speech is enough to pause."""
        return room_known and frame.probability >= self._settings.sure

    def is_likely(self, room_known: bool) -> bool:
        """Return whether the last frames hold enough speech to pause."""
        settings = self._settings
        needed = settings.likely_seconds if room_known else settings.likely_unknown_seconds
        return self.speech_within(settings.window_seconds) >= needed

    def speech_within(self, seconds: float) -> float:
        """Return the seconds of speech within the last `seconds`."""
        speech_samples, left = 0, seconds * MODEL_RATE
        for samples, speech in reversed(self._frames):
            if left <= 0:
                break
            left -= samples
            speech_samples += samples if speech else 0
        return speech_samples / MODEL_RATE


@dataclass(frozen=True, slots=True, kw_only=True)
class NearEndSettings:
    """Levels in dB above what the echo alone leaves behind the canceller."""

    known_seconds: float = 1.0
    """Audible reply without signs of speech after which the room is known."""
    echo: float = 0.25
    """Probability of speech below which a frame is taken for echo alone."""
    min_left_db: float = -12.0
    """Least remainder behind the canceller that is a near end at all; in a room where the echo
    alone leaves as much, the level says nothing."""
    over_db: float = 10.0
    """Remainder above that of the echo alone."""
    level_db: float = -12.0
    """Least level, relative to the echo in front of the canceller."""
    possible_db: float = 6.0
    """Level that ducks the reply, at any probability of speech."""
    likely_db: float = 8.0
    """Level that pauses the reply after two frames: a voice detector that has seen only echo is
    slow to recognise speech."""
    possible: float = 0.05
    """Probability from which a near end of any level ducks the reply..."""
    likely: float = 0.12
    """...and from which it pauses the reply: speech begins softly, and under an echo."""


_LIKELY_FRAMES = 2
_LOUD_DB = 3.0
"""A reply that is no further below its usual level is loud enough to measure its echo."""


class NearEndLevel:
    """Level of what the microphone has besides the echo, by what the echo alone leaves."""

    def __init__(self, settings: NearEndSettings) -> None:
        self._settings = settings
        self._calm_seconds = 0.0
        self._echo_left_db = self._echo_level_db = 0.0
        self.reset()

    def reset(self) -> None:
        """Begin a new reply; what is known of the room is kept."""
        self._db = -inf
        self._loud_frames = 0

    @property
    def room_known(self) -> bool:
        """Whether enough of the reply was heard in this room without signs of speech."""
        return self._calm_seconds >= self._settings.known_seconds

    def forget_room(self) -> None:
        """Learn the room again, because it has caused a false alarm."""
        self._calm_seconds = 0.0

    def process(self, frame: VadFrame, *, idle: bool) -> None:
        """Measure a frame; while `idle`, without signs of speech, learn from it."""
        settings = self._settings
        self._db = self._measure(frame) if frame.far else -inf
        self._loud_frames = self._loud_frames + 1 if self._db > settings.likely_db else 0
        if idle and frame.far and frame.probability < settings.echo:
            self._learn(frame)

    def is_possible(self, frame: VadFrame) -> bool:
        """Return whether the frame may be speech in the room."""
        settings = self._settings
        audible = frame.probability >= settings.possible or self._db > settings.possible_db
        return self._db > 0 and audible

    def is_likely(self, frame: VadFrame) -> bool:
        """Return whether the frame is probably speech in the room."""
        loud = self._loud_frames >= _LIKELY_FRAMES
        return self._db > 0 and (frame.probability >= self._settings.likely or loud)

    def _measure(self, frame: VadFrame) -> float:
        """Return the level above the echo alone; below 0 dB it may be the echo."""
        settings = self._settings
        if not self.room_known or self._echo_left_db >= settings.min_left_db:
            return -inf
        least = max(settings.min_left_db, self._echo_left_db + settings.over_db)
        level = frame.level_db + frame.left_db - self._echo_level_db - settings.level_db
        return min(frame.left_db - least, level)

    def _learn(self, frame: VadFrame) -> None:
        known = self._settings.known_seconds
        seconds = frame.samples / MODEL_RATE
        self._calm_seconds = min(self._calm_seconds + seconds, known)
        part = seconds / known
        self._echo_level_db += part * (frame.level_db - self._echo_level_db)
        if frame.level_db >= self._echo_level_db - _LOUD_DB:
            # In a pause of the reply there is no echo, and the canceller leaves everything.
            self._echo_left_db += 2 * part * (frame.left_db - self._echo_left_db)


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseSettings:
    """Seconds are seconds of audio."""

    window_seconds: float = 0.8
    speech_seconds: float = 0.3
    """Speech within the window that is confirmed..."""
    clear_seconds: float = 0.1
    """...if this share of it is clear and louder than the echo can still be..."""
    clear: float = 0.5
    """...with this probability, which no playback lowers any more."""
    echo_delay_seconds: float = 0.15
    """Longest way of the reply through the speaker, the room and the microphone."""
    echo_decay_db: float = 75.0
    """Decay of an echo in a second; 60 dB in 0.8 s is a room with bare walls."""


class PauseConfirmation:
    """Speech in the pause of the reply, louder than the echo that dies away."""

    def __init__(self, settings: PauseSettings) -> None:
        self._settings = settings
        self.reset()

    def reset(self) -> None:
        """Begin a new reply."""
        self._echo_db = -inf
        self.end_pause()

    def end_pause(self) -> None:
        """Forget the pause, because the reply continues."""
        self._paused_seconds = self._clear_seconds = 0.0

    def process(self, frame: VadFrame, *, paused: bool) -> None:
        """Follow the echo while the reply plays, and the speech while it is paused."""
        settings = self._settings
        seconds = frame.samples / MODEL_RATE
        if not paused:
            # The loudest of the last tenths of a second is what dies away in a pause.
            decayed = self._echo_db - settings.echo_decay_db * seconds
            self._echo_db = max(frame.level_db, decayed)
            return
        self._paused_seconds += seconds
        if self._paused_seconds <= settings.echo_delay_seconds:
            # The last of the reply has not arrived yet.
            self._echo_db = max(self._echo_db, frame.level_db)
        elif frame.probability >= settings.clear and frame.level_db > self._remaining_echo_db:
            self._clear_seconds += seconds

    def is_confirmed(self, speech: SpeechInEcho) -> bool:
        """Return whether there is enough speech, and enough of it behind the echo."""
        settings = self._settings
        enough = speech.speech_within(settings.window_seconds) >= settings.speech_seconds
        return enough and self._clear_seconds >= settings.clear_seconds

    @property
    def _remaining_echo_db(self) -> float:
        """Highest level that the echo can still have."""
        settings = self._settings
        decaying = max(0.0, self._paused_seconds - settings.echo_delay_seconds)
        return self._echo_db - settings.echo_decay_db * decaying


@dataclass(frozen=True, slots=True, kw_only=True)
class BargeInSettings:
    """Settings of the three detectors and of their combination."""

    speech: SpeechInEchoSettings = field(default_factory=SpeechInEchoSettings)
    near_end: NearEndSettings = field(default_factory=NearEndSettings)
    pause: PauseSettings = field(default_factory=PauseSettings)
    false_alarm_seconds: float = 0.45
    """Silence after a sign of speech that makes it a false alarm."""


class BargeIn:
    """Combines the detectors; fed with every frame while a reply plays and while it is paused."""

    def __init__(self, settings: BargeInSettings | None = None) -> None:
        settings = settings or BargeInSettings()
        self._false_alarm_seconds = settings.false_alarm_seconds
        self._speech = SpeechInEcho(settings.speech, settings.pause.window_seconds)
        self._near_end = NearEndLevel(settings.near_end)
        self._pause = PauseConfirmation(settings.pause)
        self.reset()

    def reset(self) -> None:
        """Begin a new reply; what is known of the room is kept."""
        self._state: BargeInEvent | None = None
        self._speech.reset()
        self._near_end.reset()
        self._pause.reset()
        self.frames: deque[VadFrame] = deque(maxlen=200)
        """The frames since the first sign of speech."""

    @property
    def room_known(self) -> bool:
        """Whether enough of the reply was heard in this room without signs of speech."""
        return self._near_end.room_known

    def process(self, frame: VadFrame) -> BargeInEvent | None:
        """Take the next frame and return the change that it causes."""
        speech = self._speech.process(frame, room_known=self.room_known)
        self._near_end.process(frame, idle=self._state is None)
        if self._state is not BargeInEvent.CONFIRMED:
            self._pause.process(frame, paused=self._state is BargeInEvent.LIKELY)
        if self._state is not None or speech:
            self.frames.append(frame)
        event = self._next(frame, speech=speech)
        if event is BargeInEvent.FALSE_ALARM:
            self._end_false_alarm()
        elif event is not None:
            self._state = event
        return event

    def _next(self, frame: VadFrame, *, speech: bool) -> BargeInEvent | None:
        event = self._by_level(frame)
        if event is not None:
            self._speech.restart_silence()
        elif speech:
            event = self._by_speech(frame)
        waiting = self._state in (BargeInEvent.POSSIBLE, BargeInEvent.LIKELY)
        silent = self._speech.silence_seconds >= self._false_alarm_seconds
        return BargeInEvent.FALSE_ALARM if event is None and waiting and silent else event

    def _by_level(self, frame: VadFrame) -> BargeInEvent | None:
        idle = self._state is None
        if (idle or self._state is BargeInEvent.POSSIBLE) and self._near_end.is_likely(frame):
            return BargeInEvent.LIKELY
        # At a lower gain of the reply the detectors can tell what it is.
        return BargeInEvent.POSSIBLE if idle and self._near_end.is_possible(frame) else None

    def _by_speech(self, frame: VadFrame) -> BargeInEvent | None:
        known = self.room_known
        match self._state:
            case None:
                sure = self._speech.is_sure(frame, known)
                return BargeInEvent.LIKELY if sure else BargeInEvent.POSSIBLE
            case BargeInEvent.POSSIBLE if self._speech.is_likely(known):
                return BargeInEvent.LIKELY
            case BargeInEvent.LIKELY if self._pause.is_confirmed(self._speech):
                return BargeInEvent.CONFIRMED
        return None

    def _end_false_alarm(self) -> None:
        if self._state is BargeInEvent.LIKELY:
            self._near_end.forget_room()
        self.frames.clear()
        self._state = None
        self._pause.end_pause()


def db(ratio: float) -> float:
    """Return a ratio of powers in decibels."""
    return 10 * log10(max(ratio, 1e-9))
