"""TurnState machine of a turn: listening, thinking, speaking, waiting. No clock, no audio, no I/O.

    IDLE --wake word--> AWAKE --speech--> LISTENING --end--> THINKING --reply--> SPEAKING --> IDLE
      \\_____speech, where no wake word is needed______/

Inputs are method calls with the time in seconds; each returns the actions to perform, in order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import inf

from satellite.core.barge_in import BargeIn, BargeInEvent, BargeInSettings, VadFrame
from satellite.core.wake_level import WakeLevel, WakeLevelSettings, WakeLoudness
from wyoming_common.audio.endpointing import (
    Endpointer,
    EndpointerSettings,
    EndpointEvent,
    Sensitivity,
)
from wyoming_common.audio.pcm import MODEL_RATE


class TurnState(StrEnum):
    IDLE = "idle"
    AWAKE = "awake"
    """The wake word was heard; the command is awaited."""
    LISTENING = "listening"
    THINKING = "thinking"
    SPEAKING = "speaking"


@dataclass(frozen=True, slots=True)
class Listen:
    """Begin a turn: send the microphone since `since` to speech-to-text, and go on."""

    since: float
    wake: str | None = None
    """The wake word that was said, if any."""


@dataclass(frozen=True, slots=True)
class EndSpeech:
    """End the utterance: no more audio belongs to it."""

    speech_end: float
    """Time of the end of speech in seconds."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Take note that nothing was said to a reply that asked something."""


@dataclass(frozen=True, slots=True)
class Abandon:
    """Stop the work of the turn, its playback included."""


@dataclass(frozen=True, slots=True)
class Duck:
    """Play the reply more quietly: there may be speech."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Interrupt the playback of the reply."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Continue the playback of the reply where it was."""


@dataclass(frozen=True, slots=True)
class Chime:
    """Play a short sound."""

    name: str


_TAIL_PAUSE_SECONDS = 0.12
"""Silence between the rest of a wake word and the command."""

Action = Listen | EndSpeech | Abandon | Duck | Pause | Resume | Chime | Unanswered


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnSettings:
    """All durations are in seconds."""

    hands_free: bool = False
    """Every utterance begins a turn; no wake word is needed."""
    pre_roll_seconds: float = 0.6
    """Audio from before speech was noticed that belongs to the turn."""
    wake_overlap_seconds: float = 0.25
    """The next word may have begun this long before the wake word is reported."""
    chime_seconds: float = 0.2
    """Length of the sound after a wake word; speech that begins after it is sent without it."""
    follow_up_seconds: float = 0.0
    """Time after a reply in which the next turn needs no wake word."""
    barge_in: bool = False
    """Whether speech interrupts a reply; a wake word always does."""
    barge_in_settings: BargeInSettings = field(default_factory=BargeInSettings)
    cancels: bool = True
    """Whether a turn that has not been answered yet can be withdrawn and said again."""
    wake_tail_seconds: float = 0.3
    """Speech that ends so soon after the report of a wake word is the rest of that word. Of 161
    recorded wake words 4 last longer (`bench.satellite one-breath`); a short command may be over
    within twice this."""
    continuation_seconds: float = 1.5
    """Speech that continues so soon after its end, before a reply, belongs to the same turn."""
    wake_level: WakeLevelSettings = field(default_factory=WakeLevelSettings)
    no_speech_seconds: float = 5.0
    max_listen_seconds: float = 30.0
    service_end_seconds: float = 2.0
    """Silence after which the fallback endpoint ends a turn that its service has not ended."""
    endpoint: EndpointerSettings = field(default_factory=EndpointerSettings)


class TurnMachine:
    """Decides what the satellite does; its owner performs the actions that each input returns."""

    def __init__(self, settings: TurnSettings, *, service_ends_turn: bool = False) -> None:
        self._settings = settings
        self.state = TurnState.IDLE
        self.service_ends_turn = service_ends_turn
        """Whether speech-to-text finds the end of the turn, before the fallback endpoint."""
        self.follow_up_seconds = settings.follow_up_seconds
        """Time after a reply in which the next turn needs no wake word; 0: none."""
        self._barge_in = BargeIn(settings.barge_in_settings)
        self._wake_level = WakeLevel(settings.wake_level)
        self._since = -inf
        self._wake_word_over = False
        self._wake: str | None = None
        self._asked = False
        self._speech_start_at: float | None = None
        self._speech_end_at: float | None = None
        self._wait()

    @property
    def needs_vad(self) -> bool:
        """Whether `voice` has an effect; at rest only a wake word has."""
        return self.state is not TurnState.IDLE or not self._endpoint.finished

    @property
    def speech_start(self) -> float | None:
        """Time at which the speech of the current turn began."""
        return self._speech_start_at

    @property
    def speech_end(self) -> float | None:
        """Time of the last speech of the current turn so far."""
        return self._speech_end_at

    def wake(
        self,
        at: float,
        name: str | None,
        delay_seconds: float = 0.0,
        loudness: WakeLoudness | None = None,
    ) -> list[Action]:
        """Take a wake word, in any state; None stands for a button or another request to listen.

        It was detected at `at`, and this was decided `delay_seconds` later. By its `loudness` the
        person who said it is told from others; None where that is not known.
        """
        actions: list[Action] = []
        if self.state in (TurnState.LISTENING, TurnState.THINKING, TurnState.SPEAKING):
            actions.append(Abandon())
        self._wake, self._wake_at = name, at if name is not None else -inf
        self._chimed_at = self._wake_at + delay_seconds + self._settings.chime_seconds
        self.state = TurnState.AWAKE
        self._asked = False
        self._wake_word_over = name is None
        self._wake_level = WakeLevel(self._settings.wake_level, loudness, at)
        self._new_endpoints(self._settings.no_speech_seconds)
        return [*actions, Chime("awake")]

    def listen_on(self, at: float) -> list[Action]:
        """Await the answer to a reply that asked something and has been played."""
        actions = self.wake(at, None)
        self._asked = True
        return actions

    def voice(self, at: float, vad: VadFrame) -> list[Action]:
        """Take a frame of the voice detector whose audio ended at `at`."""
        if self.state in (TurnState.THINKING, TurnState.SPEAKING):
            stoppable = self._settings.cancels or self.state is TurnState.SPEAKING
            return self._barged_in(at, vad) if self._settings.barge_in and stoppable else []
        if self.state is TurnState.AWAKE:
            if late := self._wake_level.late(at):
                return self._hear_again([*late, (at, vad)])
            vad = self._wake_level.hear(at, vad)
        change = self._follow(at, vad)
        match self.state, change:
            case TurnState.IDLE, EndpointEvent.STARTED:
                return self._begin()
            case TurnState.AWAKE, _ if self._endpoint.speech_start is not None:
                return self._begin_after_wake(at)
            case TurnState.AWAKE, EndpointEvent.NOTHING_SAID:
                asked = self._asked
                self._wait()
                return [Chime("done"), *([Unanswered()] if asked else [])]
        endpoint = self._fallback_endpoint if self.service_ends_turn else self._endpoint
        return self.end_speech() if endpoint.finished else []

    def _hear_again(self, frames: Sequence[tuple[float, VadFrame]]) -> list[Action]:
        """Take the frames that have waited, since no louder speech has followed the wake word."""
        self._wake_level = WakeLevel(self._settings.wake_level)
        self._new_endpoints(self._settings.no_speech_seconds)
        since = self._wake_at
        return [action for at, vad in frames if at > since for action in self.voice(at, vad)]

    def _follow(self, at: float, vad: VadFrame) -> EndpointEvent | None:
        change = self._endpoint.process(vad.probability, vad.samples)
        fallback = self._fallback_endpoint
        fallback.process(vad.probability, vad.samples)
        # The fallback endpoint knows the start and the end of speech for longer: it still follows
        # an utterance that the other one has taken for finished.
        if fallback.speech_start is not None:
            since_start = fallback.position - fallback.speech_start
            self._speech_start_at = at - since_start / MODEL_RATE
            self._speech_end_at = at - fallback.silence_seconds
        return change

    def _barged_in(self, at: float, vad: VadFrame) -> list[Action]:
        speaking = self.state is TurnState.SPEAKING
        match self._barge_in.process(vad):
            case BargeInEvent.POSSIBLE if speaking:
                return [Duck()]
            case BargeInEvent.LIKELY if speaking:
                return [Pause()]
            case BargeInEvent.FALSE_ALARM if speaking:
                return [Resume()]
            case BargeInEvent.CONFIRMED:
                return [Abandon(), *self._begin_again(at)]
        return []

    def _begin_again(self, at: float) -> list[Action]:
        """Begin a turn with the speech that interrupts the previous turn."""
        last_end = self._speech_end_at
        unanswered = self.state is TurnState.THINKING and last_end is not None
        frames = list(self._barge_in.frames)
        self._wake, self._wake_at, self._chimed_at = None, -inf, -inf
        self._new_endpoints(inf)
        seconds = sum(frame.samples for frame in frames) / MODEL_RATE
        ended = at - seconds
        for frame in frames:
            ended += frame.samples / MODEL_RATE
            self._follow(ended, frame)
        if self._speech_start_at is None:
            self._speech_start_at, self._speech_end_at = at - seconds, at
        continues = (
            unanswered
            and last_end is not None
            and self._speech_start_at - last_end <= self._settings.continuation_seconds
        )
        if not continues:
            self._since = self._speech_start_at - self._settings.pre_roll_seconds
        self._barge_in.reset()
        self.state = TurnState.LISTENING
        return [Listen(self._since)]

    def end_speech(self) -> list[Action]:
        """End the utterance, for any reason."""
        if self.state is not TurnState.LISTENING:
            return []
        self.state = TurnState.THINKING
        self._barge_in.reset()
        assert self._speech_end_at is not None
        return [EndSpeech(self._speech_end_at)]

    def transcript(self, text: str) -> list[Action]:
        """Take the transcript, which may come before the end of the utterance was noticed."""
        actions = self.end_speech()
        if self.state is TurnState.THINKING and not text:
            self._wait()
        return actions

    def speaking(self) -> list[Action]:
        """Take note that a reply or an announcement has begun to play."""
        if self.state in (TurnState.IDLE, TurnState.THINKING):
            self.state = TurnState.SPEAKING
            self._barge_in.reset()
        return []

    def finished(self) -> list[Action]:
        """End the turn: its reply has been played, or it has none."""
        spoken = self.state is TurnState.SPEAKING
        if self.state in (TurnState.LISTENING, TurnState.THINKING, TurnState.SPEAKING):
            self._wait()
        if spoken and self.follow_up_seconds > 0:
            self._new_endpoints(self.follow_up_seconds)
        return []

    def stop_word(self) -> list[Action]:
        """End the turn at the stop word, which begins no other."""
        if self.state is TurnState.IDLE:
            return []
        self._wait()
        return [Abandon(), Chime("done")]

    def withdraw(self) -> list[Action]:
        """End the turn that a wake word has begun, without a sound: another satellite answers."""
        if self.state not in (TurnState.AWAKE, TurnState.LISTENING, TurnState.THINKING):
            return []
        self._wait()
        return [Abandon()]

    def failed(self) -> list[Action]:
        """End a turn that has failed."""
        self.finished()
        return [Chime("error")]

    def stop(self) -> None:
        """End the turn without a sound."""
        self._wait()

    def _begin_after_wake(self, at: float) -> list[Action]:
        """Begin if there is speech that is more than the rest of the wake word."""
        assert self._speech_end_at is not None
        tail = self._wake_at + self._settings.wake_tail_seconds
        if self._wake_word_over or self._speech_end_at > tail:
            return self._begin()
        if self._endpoint.silence_seconds >= _TAIL_PAUSE_SECONDS:
            self._wake_word_over, self._wake_at = True, at
            self._chimed_at = at + self._settings.chime_seconds
            self._new_endpoints(self._settings.no_speech_seconds)
        return []

    def _begin(self) -> list[Action]:
        assert self._speech_start_at is not None
        settings = self._settings
        chimed = self._chimed_at
        self._since = max(
            self._wake_level.onset(self._speech_start_at) - settings.pre_roll_seconds,
            self._wake_at - settings.wake_overlap_seconds,
            chimed if self._speech_start_at >= chimed else -inf,
        )
        self.state = TurnState.LISTENING
        return [Listen(self._since, self._wake)]

    def _wait(self) -> None:
        self.state = TurnState.IDLE
        self._wake = None
        self._asked = False
        self._wake_at = self._chimed_at = -inf
        self._new_endpoints(inf)
        # Without this a machine that waits for its wake word would begin on any speech.
        self._endpoint.finished = not self._settings.hands_free

    def _new_endpoints(self, no_speech_seconds: float) -> None:
        silence = self._settings.service_end_seconds
        endpoint = replace(
            self._settings.endpoint,
            no_speech_seconds=no_speech_seconds,
            turn_seconds=self._settings.max_listen_seconds,
        )
        # For turns that a service ends, in case it never does. A service judges more than
        # silence, so this endpoint waits longer, and no less after a sentence that sounds complete.
        fallback = replace(
            endpoint,
            end_seconds=dict.fromkeys(Sensitivity, silence),
            complete=1.0,
            incomplete=1.0,
            longest_end_seconds=silence,
        )
        self._endpoint, self._fallback_endpoint = Endpointer(endpoint), Endpointer(fallback)
        self._speech_start_at = self._speech_end_at = None
