"""The turn: when we listen, think, speak and wait. No clock, no audio, no I/O.

    IDLE --wake word--> AWAKE --speech--> LISTENING --end--> THINKING --reply--> SPEAKING --> IDLE
      \\_____speech, where no wake word is needed______/

Inputs are method calls with the time in seconds; each returns what is to be done, in order.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import inf

from satellite.barge_in import BargeIn, BargeInSettings, Hearing, Talk
from wyoming_common.audio import MODEL_RATE
from wyoming_common.endpoint import Change, Endpoint, EndpointSettings, Sensitivity


class State(StrEnum):
    IDLE = "idle"
    AWAKE = "awake"
    """The wake word was heard, the command not yet."""
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
    """The utterance is over: no more audio belongs to it."""

    speech_end: float
    """Seconds, behind the last speech."""


@dataclass(frozen=True, slots=True)
class Abandon:
    """Stop whatever the turn is doing, its playback included."""


@dataclass(frozen=True, slots=True)
class Duck:
    """Play the reply more quietly: somebody may be speaking."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Play nothing of the reply for now."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on with the reply where it was."""


@dataclass(frozen=True, slots=True)
class Chime:
    """Play the sound of this name."""

    name: str


_TAIL_PAUSE_SECONDS = 0.12
"""Silence that parts the rest of a wake word from the command."""

Action = Listen | EndSpeech | Abandon | Duck | Pause | Resume | Chime


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnSettings:
    """Seconds."""

    hands_free: bool = False
    """Every utterance begins a turn; no wake word is needed."""
    pre_roll_seconds: float = 0.6
    """Audio from before speech was noticed that belongs to the turn."""
    wake_overlap_seconds: float = 0.25
    """How far before a wake word is reported the next word may have begun."""
    chime_seconds: float = 0.2
    """Length of the sound after a wake word; speech that begins after it is sent without it."""
    follow_up_seconds: float = 0.0
    """How long after a reply the next turn needs no wake word."""
    barge_in: bool = False
    """Whether speech interrupts a reply; a wake word always does."""
    barge_in_settings: BargeInSettings = field(default_factory=BargeInSettings)
    cancels: bool = True
    """Whether a turn that has not been answered yet can be taken back, and said anew."""
    wake_tail_seconds: float = 0.3
    """A wake word may be reported before it is over: speech that ends so soon is the rest of it. Of
    161 wake words 4 go on for longer; "what time is it" may be over within twice this."""
    go_on_seconds: float = 1.5
    """Speech that goes on so soon after its end, before a reply, belongs to the same turn."""
    no_speech_seconds: float = 5.0
    max_listen_seconds: float = 30.0
    service_end_seconds: float = 2.0
    """Silence that ends the turn when the service that decides it has said nothing."""
    endpoint: EndpointSettings = field(default_factory=EndpointSettings)


class TurnMachine:
    """Decides; whoever owns it does. Frames of a microphone and the news of a turn come in."""

    def __init__(self, settings: TurnSettings, *, service_ends_turn: bool = False) -> None:
        self._settings = settings
        self.state = State.IDLE
        self.service_ends_turn = service_ends_turn
        """Whether speech-to-text finds the end of the turn by itself; ours is then the net."""
        self._barge_in = BargeIn(settings.barge_in_settings)
        self._since = -inf
        self._parted = False
        self._wake: str | None = None
        self._speech_start_at: float | None = None
        self._speech_end_at: float | None = None
        self._wait()

    @property
    def attentive(self) -> bool:
        """Whether `voice` matters: at rest, only a wake word does."""
        return self.state is not State.IDLE or not self._endpoint.finished

    @property
    def speech_start(self) -> float | None:
        """When the current turn's speech began."""
        return self._speech_start_at

    @property
    def speech_end(self) -> float | None:
        """When the current turn's speech ended, as far as one can tell yet."""
        return self._speech_end_at

    def wake(self, at: float, name: str | None) -> list[Action]:
        """A wake word was heard, at any time; None: somebody asks us to listen without one."""
        actions: list[Action] = []
        if self.state in (State.LISTENING, State.THINKING, State.SPEAKING):
            actions.append(Abandon())
        self._wake, self._wake_at = name, at if name is not None else -inf
        self.state = State.AWAKE
        self._parted = name is None
        self._new_endpoints(self._settings.no_speech_seconds)
        return [*actions, Chime("awake")]

    def voice(self, at: float, hearing: Hearing) -> list[Action]:
        """A piece of the microphone's audio ended at `at`; this is what was heard in it."""
        if self.state in (State.THINKING, State.SPEAKING):
            heeds = self._settings.cancels or self.state is State.SPEAKING
            return self._talked_over(at, hearing) if self._settings.barge_in and heeds else []
        change = self._follow(at, hearing)
        match self.state, change:
            case State.IDLE, Change.STARTED:
                return self._begin()
            case State.AWAKE, _ if self._endpoint.speech_start is not None:
                return self._begin_after_wake(at)
            case State.AWAKE, Change.NOTHING_SAID:
                self._wait()
                return [Chime("done")]
        if (self._net if self.service_ends_turn else self._endpoint).finished:
            return self.end_speech()
        return []

    def _follow(self, at: float, hearing: Hearing) -> Change | None:
        change = self._endpoint.process(hearing.probability, hearing.samples)
        self._net.process(hearing.probability, hearing.samples)
        if self._net.speech_start is not None:
            behind = self._net.position - self._net.speech_start
            self._speech_start_at = at - behind / MODEL_RATE
            self._speech_end_at = at - self._net.silence_seconds
        return change

    def _talked_over(self, at: float, hearing: Hearing) -> list[Action]:
        speaking = self.state is State.SPEAKING
        match self._barge_in.process(hearing):
            case Talk.MAYBE if speaking:
                return [Duck()]
            case Talk.LIKELY if speaking:
                return [Pause()]
            case Talk.NONE if speaking:
                return [Resume()]
            case Talk.REAL:
                return [Abandon(), *self._begin_again(at)]
        return []

    def _begin_again(self, at: float) -> list[Action]:
        """Begin a turn with the speech that interrupts the one before."""
        last_end = self._speech_end_at
        unanswered = self.state is State.THINKING and last_end is not None
        heard = list(self._barge_in.frames)
        self._wake, self._wake_at = None, -inf
        self._new_endpoints(inf)
        seconds = sum(one.samples for one in heard) / MODEL_RATE
        ended = at - seconds
        for one in heard:
            ended += one.samples / MODEL_RATE
            self._follow(ended, one)
        if self._speech_start_at is None:
            self._speech_start_at, self._speech_end_at = at - seconds, at
        goes_on = (
            unanswered
            and last_end is not None
            and self._speech_start_at - last_end <= self._settings.go_on_seconds
        )
        if not goes_on:
            self._since = self._speech_start_at - self._settings.pre_roll_seconds
        self._barge_in.reset()
        self.state = State.LISTENING
        return [Listen(self._since)]

    def end_speech(self) -> list[Action]:
        """The utterance is over, for whatever reason."""
        if self.state is not State.LISTENING:
            return []
        self.state = State.THINKING
        self._barge_in.reset()
        assert self._speech_end_at is not None
        return [EndSpeech(self._speech_end_at)]

    def transcript(self, text: str) -> list[Action]:
        """Speech-to-text has answered, perhaps before we thought that the turn was over."""
        actions = self.end_speech()
        if self.state is State.THINKING and not text:
            self._wait()
        return actions

    def speaking(self) -> list[Action]:
        """A reply, or something that nobody asked for, has begun to play."""
        if self.state in (State.IDLE, State.THINKING):
            self.state = State.SPEAKING
            self._barge_in.reset()
        return []

    def finished(self) -> list[Action]:
        """The turn is over: its reply has been played, or there was none."""
        spoken = self.state is State.SPEAKING
        if self.state in (State.LISTENING, State.THINKING, State.SPEAKING):
            self._wait()
        if spoken and self._settings.follow_up_seconds > 0:
            self._new_endpoints(self._settings.follow_up_seconds)
        return []

    def stop_word(self) -> list[Action]:
        """The stop word was heard: it ends whatever goes on, and begins nothing."""
        if self.state is State.IDLE:
            return []
        self._wait()
        return [Abandon(), Chime("done")]

    def failed(self) -> list[Action]:
        """The turn could not be finished."""
        self.finished()
        return [Chime("error")]

    def stop(self) -> None:
        """Whatever was going on is over."""
        self._wait()

    def _begin_after_wake(self, at: float) -> list[Action]:
        """Begin if somebody speaks, and not just ends the wake word."""
        assert self._speech_end_at is not None
        tail = self._wake_at + self._settings.wake_tail_seconds
        if self._parted or self._speech_end_at > tail:
            return self._begin()
        if self._endpoint.silence_seconds >= _TAIL_PAUSE_SECONDS:
            self._parted, self._wake_at = True, at
            self._new_endpoints(self._settings.no_speech_seconds)
        return []

    def _begin(self) -> list[Action]:
        assert self._speech_start_at is not None
        settings = self._settings
        chimed = self._wake_at + settings.chime_seconds
        self._since = max(
            self._speech_start_at - settings.pre_roll_seconds,
            self._wake_at - settings.wake_overlap_seconds,
            chimed if self._speech_start_at >= chimed else -inf,
        )
        self.state = State.LISTENING
        return [Listen(self._since, self._wake)]

    def _wait(self) -> None:
        self.state = State.IDLE
        self._wake = None
        self._wake_at = -inf
        self._new_endpoints(inf)
        # Without this a machine that waits for its wake word would begin on any speech.
        self._endpoint.finished = not self._settings.hands_free

    def _new_endpoints(self, no_speech_seconds: float) -> None:
        silence = self._settings.service_end_seconds
        ours = replace(
            self._settings.endpoint,
            no_speech_seconds=no_speech_seconds,
            turn_seconds=self._settings.max_listen_seconds,
        )
        net = replace(
            ours,
            end_seconds=dict.fromkeys(Sensitivity, silence),
            complete=1.0,
            incomplete=1.0,
            longest_end_seconds=silence,
        )
        self._endpoint, self._net = Endpoint(ours), Endpoint(net)
        self._speech_start_at = self._speech_end_at = None
