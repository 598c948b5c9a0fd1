"""State machine of a turn that Home Assistant runs. No clock, no audio, no I/O: times come in.

    IDLE --listen--> STREAMING --end of speech--> TRANSCRIBING --transcript--> ANSWERING
      --text of the reply--> SYNTHESIZING --audio--> REPLYING --end of audio--> PLAYING --> IDLE

A connection that is lost while the utterance is not yet transcribed leads to WAITING_FOR_HA: the
utterance is kept and sent again when Home Assistant is back. Audio that comes unrequested, as an
announcement does, leads to REPLYING from any state. Inputs are method calls; each returns the
actions to perform, in order.
"""

from dataclasses import dataclass
from enum import Enum


class HaState(Enum):
    IDLE = "idle"
    """No pipeline of ours runs and no reply is left to play."""
    STREAMING = "streaming"
    """The pipeline runs and takes the microphone's audio."""
    WAITING_FOR_HA = "waiting for Home Assistant"
    """The utterance is kept until Home Assistant connects again."""
    TRANSCRIBING = "transcribing"
    """The whole utterance has been sent; its transcript is awaited."""
    ANSWERING = "answering"
    """The transcript has come; the answer is awaited."""
    SYNTHESIZING = "synthesizing"
    """The text of the answer has come; its audio is awaited."""
    REPLYING = "replying"
    """Audio of a reply arrives."""
    PLAYING = "playing"
    """All audio of the reply has arrived and is being played."""


class Outcome(Enum):
    """End of a turn."""

    REPLIED = "replied"
    NO_REPLY = "no reply"
    """The pipeline has sent no answer: one without text-to-speech, or an agent that is silent."""
    NOTHING_SAID = "nothing said"
    DROPPED = "dropped"
    """Home Assistant has muted the satellite."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StartPipeline:
    """Have Home Assistant run its pipeline on the utterance so far and on what follows."""


@dataclass(frozen=True, slots=True)
class EndAudio:
    """Tell Home Assistant that the utterance is whole."""


@dataclass(frozen=True, slots=True)
class FinishReply:
    """Treat the audio that has arrived as the whole reply, and play it to its end."""


@dataclass(frozen=True, slots=True)
class CutReply:
    """Stop playing the reply."""


@dataclass(frozen=True, slots=True)
class ReportPlayed:
    """Tell Home Assistant that the reply has been played."""


@dataclass(frozen=True, slots=True)
class SignalCutOff:
    """Play the error sound: the reply has ended before it was whole."""

    problem: str


@dataclass(frozen=True, slots=True)
class ServiceEndsTurn:
    """Let the turn machine wait for Home Assistant to end the utterance, or not wait."""

    on: bool


@dataclass(frozen=True, slots=True)
class PassSpeechEnd:
    """Tell the turn machine that the utterance is over."""


@dataclass(frozen=True, slots=True)
class PassTranscript:
    """Give the turn machine the transcript."""

    text: str


@dataclass(frozen=True, slots=True)
class PassSpeaking:
    """Tell the turn machine that a reply is heard."""


@dataclass(frozen=True, slots=True)
class EndTurn:
    """Tell the turn machine that the turn is over."""

    outcome: Outcome
    problem: str = ""
    """Text for a person, where the outcome was not wanted."""


HaAction = (
    StartPipeline
    | EndAudio
    | FinishReply
    | CutReply
    | ReportPlayed
    | SignalCutOff
    | ServiceEndsTurn
    | PassSpeechEnd
    | PassTranscript
    | PassSpeaking
    | EndTurn
)

_QUIET_ERRORS = frozenset(
    {"stt-no-text-recognized", "wake-word-timeout", "duplicate_wake_up_detected"}
)
"""Home Assistant's error codes that are no failure: nothing was said, or another satellite answers.
https://www.home-assistant.io/integrations/assist_pipeline"""


@dataclass(frozen=True, slots=True, kw_only=True)
class HaTurnSettings:
    """Seconds to wait for each answer of Home Assistant."""

    transcript_seconds: float = 15.0
    reply_seconds: float = 60.0
    speech_seconds: float = 20.0
    reconnect_seconds: float = 10.0
    """Time for which an utterance that is over is kept for Home Assistant to come back."""


class HaTurn:
    """One turn at a time; the owner performs the actions that each input returns."""

    def __init__(self, settings: HaTurnSettings | None = None) -> None:
        self._settings = settings or HaTurnSettings()
        self.state = HaState.IDLE
        self._deadline: float | None = None
        self._speech_over = False
        self._discarding = False
        """Whether audio of a reply that was cut still arrives."""

    def listen(self, at: float, *, connected: bool) -> list[HaAction]:
        """Begin a turn with an utterance; a reply that is left to play is cut."""
        actions: list[HaAction] = [*self._cut_reply(), ServiceEndsTurn(True)]
        self._speech_over = False
        if not connected:
            self._to(HaState.WAITING_FOR_HA, at)
            return actions
        self._to(HaState.STREAMING, at)
        return [*actions, StartPipeline()]

    def end_speech(self, at: float) -> list[HaAction]:
        """Take note that the utterance is over."""
        match self.state:
            case HaState.STREAMING:
                self._to(HaState.TRANSCRIBING, at)
                return [EndAudio()]
            case HaState.WAITING_FOR_HA:
                self._speech_over = True
                self._to(HaState.WAITING_FOR_HA, at)
        return []

    def abandon(self, at: float) -> list[HaAction]:
        """Forget the turn. Home Assistant cancels its pipeline when the next one begins."""
        # Home Assistant would wait for the rest of this utterance beside the next turn.
        ends: list[HaAction] = [EndAudio()] if self.state is HaState.STREAMING else []
        actions = [*ends, *self._cut_reply()]
        self._to(HaState.IDLE, at)
        return actions

    def connected(self, at: float) -> list[HaAction]:
        """Send the utterance that has waited for Home Assistant, if there is one."""
        if self.state is not HaState.WAITING_FOR_HA:
            return []
        if not self._speech_over:
            self._to(HaState.STREAMING, at)
            return [StartPipeline()]
        self._to(HaState.TRANSCRIBING, at)
        return [StartPipeline(), EndAudio()]

    def disconnected(self, at: float) -> list[HaAction]:
        """Keep an utterance that is not yet transcribed; play what has arrived of a reply."""
        self._discarding = False
        match self.state:
            case HaState.STREAMING | HaState.TRANSCRIBING:
                self._speech_over = self.state is HaState.TRANSCRIBING
                self._to(HaState.WAITING_FOR_HA, at)
                # Home Assistant starts its voice detection again with the next pipeline.
                return [ServiceEndsTurn(True)]
            case HaState.ANSWERING | HaState.SYNTHESIZING:
                return self._end(Outcome.FAILED, at, "Home Assistant went away before its reply")
            case HaState.REPLYING:
                return self._cut_off(at, "Home Assistant went away in its reply")
        return []

    def muted(self, at: float) -> list[HaAction]:
        """Drop the turn, because Home Assistant wants to hear no more of it."""
        return [*self._cut_reply(), *self._end(Outcome.DROPPED, at)]

    def voice_started(self) -> list[HaAction]:
        """Take note that Home Assistant's own voice detection runs.

        Its speech-to-text then does not find the end of the utterance; ours finds it sooner.
        """
        return [ServiceEndsTurn(False)] if self.state is HaState.STREAMING else []

    def voice_stopped(self) -> list[HaAction]:
        """Take note that Home Assistant has found the end of the utterance."""
        return [PassSpeechEnd()] if self.state is HaState.STREAMING else []

    def transcript(self, text: str, at: float) -> list[HaAction]:
        """Take the transcript, which may come before the end of the utterance was noticed."""
        if self.state not in (HaState.STREAMING, HaState.TRANSCRIBING):
            return []
        self._to(HaState.ANSWERING if text else HaState.IDLE, at)
        return [PassTranscript(text)]

    def synthesize(self, at: float) -> list[HaAction]:
        """Take note that the text of the answer is there."""
        if self.state is HaState.ANSWERING:
            self._to(HaState.SYNTHESIZING, at)
        return []

    def reply_started(self, at: float) -> list[HaAction]:
        """Take note that audio of a reply, or of an announcement, begins to arrive."""
        before = self.state
        self._discarding = False
        self._to(HaState.REPLYING, at)
        match before:
            case HaState.STREAMING | HaState.WAITING_FOR_HA:
                return [PassSpeechEnd()]
            case HaState.IDLE:
                # An announcement is not awaited: speech into it interrupts from the start.
                return [PassSpeaking()]
        return []

    def reply_audio(self, at: float) -> bool:
        """Return whether audio that has arrived is to be played."""
        if self.state is not HaState.REPLYING:
            return False
        self._to(HaState.REPLYING, at)
        return True

    def reply_finished(self, at: float) -> list[HaAction]:
        """Take note that all audio of the reply has arrived."""
        if self._discarding:
            self._discarding = False
            return [ReportPlayed()]
        if self.state is not HaState.REPLYING:
            return []
        self._to(HaState.PLAYING, at)
        return [FinishReply()]

    def playback_started(self) -> list[HaAction]:
        """Take note that the reply is heard; may be repeated."""
        return [PassSpeaking()] if self.state in (HaState.REPLYING, HaState.PLAYING) else []

    def playback_ended(self, at: float) -> list[HaAction]:
        """Take note that the player has nothing left to play; may be repeated."""
        if self.state is not HaState.PLAYING:
            return []
        return [ReportPlayed(), *self._end(Outcome.REPLIED, at)]

    def run_ended(self, at: float) -> list[HaAction]:
        """Take note that the pipeline has ended, and sends nothing more."""
        awaiting = (HaState.STREAMING, HaState.TRANSCRIBING, HaState.ANSWERING)
        return self._end(Outcome.NO_REPLY, at) if self.state in awaiting else []

    def error(self, code: str, text: str, at: float) -> list[HaAction]:
        """Take Home Assistant's report that its pipeline has ended with an error."""
        match self.state:
            case HaState.IDLE | HaState.PLAYING:
                # It is about a pipeline that we have given up, or that has done its work.
                return []
            case HaState.REPLYING:
                return self._cut_off(at, text)
        if code in _QUIET_ERRORS:
            return self._end(Outcome.NOTHING_SAID, at, text)
        return self._end(Outcome.FAILED, at, text)

    def tick(self, at: float) -> list[HaAction]:
        """Give up what has not come in time; called often."""
        if self._deadline is None or at <= self._deadline:
            return []
        match self.state:
            case HaState.WAITING_FOR_HA:
                return self._end(Outcome.FAILED, at, "Home Assistant cannot be reached")
            case HaState.ANSWERING:
                return self._end(Outcome.NO_REPLY, at)
            case HaState.REPLYING:
                return self._cut_off(at, "Home Assistant has sent no more speech in time")
        awaited = "transcript" if self.state is HaState.TRANSCRIBING else "speech"
        return self._end(Outcome.FAILED, at, f"Home Assistant has sent no {awaited} in time")

    def _to(self, state: HaState, at: float) -> None:
        self.state = state
        settings = self._settings
        seconds: float | None = None
        match state:
            case HaState.WAITING_FOR_HA if self._speech_over:
                seconds = settings.reconnect_seconds
            case HaState.TRANSCRIBING:
                seconds = settings.transcript_seconds
            case HaState.ANSWERING:
                seconds = settings.reply_seconds
            case HaState.SYNTHESIZING | HaState.REPLYING:
                seconds = settings.speech_seconds
        self._deadline = None if seconds is None else at + seconds

    def _end(self, outcome: Outcome, at: float, problem: str = "") -> list[HaAction]:
        self._to(HaState.IDLE, at)
        return [EndTurn(outcome, problem)]

    def _cut_off(self, at: float, problem: str) -> list[HaAction]:
        self._to(HaState.PLAYING, at)
        return [FinishReply(), SignalCutOff(problem)]

    def _cut_reply(self) -> list[HaAction]:
        match self.state:
            case HaState.REPLYING:
                # Home Assistant is told at the end of what it still sends.
                self._discarding = True
                return [CutReply()]
            case HaState.PLAYING:
                return [CutReply(), ReportPlayed()]
        return []
