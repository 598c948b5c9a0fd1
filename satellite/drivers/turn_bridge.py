"""Common part of both drivers for Home Assistant: the state, audio, timers and trace of a turn.

It stands between the state machine of a Home Assistant turn and the turn machine of the satellite;
the drivers themselves only speak their protocol.
"""

import logging

from satellite.audio.devices.device import Frame
from satellite.audio.reply_stream import ReplyStream
from satellite.config import SatelliteSettings
from satellite.core.ha_turn import (
    CutReply,
    EndTurn,
    FinishReply,
    HaAction,
    HaState,
    HaTurn,
    HaTurnSettings,
    Outcome,
    PassSpeaking,
    PassSpeechEnd,
    PassTranscript,
    ServiceEndsTurn,
    SignalCutOff,
)
from satellite.core.question import asks
from satellite.core.timers import Timers
from satellite.core.turn import Listen
from satellite.drivers.driver import Devices, TurnHost
from satellite.telemetry.pipeline_trace import PipelineTrace
from wyoming_common.audio.pcm import MODEL_RATE

_LOGGER = logging.getLogger(__name__)

_MAX_UTTERANCE_BYTES = 300 * MODEL_RATE * 2

PassedAction = (
    ServiceEndsTurn
    | PassSpeechEnd
    | PassTranscript
    | PassSpeaking
    | SignalCutOff
    | FinishReply
    | CutReply
    | EndTurn
)
"""Actions of HaTurn that are the same over any protocol."""


class TurnBridge:
    """One turn at a time. Its inputs return actions; `pass_on` performs those of any protocol."""

    def __init__(self, settings: SatelliteSettings, devices: Devices) -> None:
        self._devices = devices
        self._listens_on = settings.listen_on
        self._player = devices.player
        self.turn = HaTurn(
            HaTurnSettings(
                transcript_seconds=settings.stt_timeout,
                reply_seconds=settings.llm_timeout,
                speech_seconds=settings.tts_timeout,
                reconnect_seconds=settings.resume_timeout,
            )
        )
        self.reply = ReplyStream(devices.player)
        self.timers = Timers()
        self.trace = PipelineTrace(devices.telemetry, devices.clock.now)
        self.utterance = bytearray()
        """Audio of the utterance so far, kept for a connection that breaks."""
        self.wake_word: str | None = None
        """Wake word that has begun the turn."""
        self.asks = False
        """Whether the reply asks something, so that the satellite listens on after it."""
        self._host: TurnHost

    def attach(self, host: TurnHost) -> None:
        """Take the satellite to drive turns for."""
        self._host = host

    @property
    def now(self) -> float:
        """Seconds since the start of the run."""
        return self._devices.clock.now()

    def listen(self, turn: Listen, *, connected: bool) -> list[HaAction]:
        """Begin a turn with the audio since the turn's begin."""
        self.wake_word = turn.wake
        self.asks = False
        self.utterance = bytearray(self._devices.audio.since(turn.since))
        start = self._host.machine.speech_start
        self.trace.begin(self.now if start is None else start)
        return self.turn.listen(self.now, connected=connected)

    def feed(self, pcm: bytes) -> bool:
        """Keep the microphone's audio; return whether it is to be sent as well."""
        if len(self.utterance) < _MAX_UTTERANCE_BYTES:
            self.utterance += pcm
        return self.turn.state is HaState.STREAMING

    def end_speech(self) -> list[HaAction]:
        """Take note that the utterance is over."""
        self.trace.end_speech(self._host.machine.speech_end)
        return self.turn.end_speech(self.now)

    def synthesize(self, text: str) -> None:
        """Take the text of the reply."""
        self.trace.synthesize(text)
        if self._listens_on and asks(text):
            self.asks = True

    def abandon(self) -> list[HaAction]:
        """Forget the turn."""
        self.trace.end(self._player.playback, interrupted=True)
        self.asks = False
        return self.turn.abandon(self.now)

    def tick(self, frame: Frame) -> list[HaAction]:
        """Follow the playback, ring a timer, and give up what has not come in time."""
        actions: list[HaAction] = []
        if self._player.playback.started_at is not None:
            actions += self.turn.playback_started()
        if not self._player.active:
            actions += self.turn.playback_ended(frame.at)
        actions += self.turn.tick(frame.at)
        if self.timers.rings(frame.at):
            self._host.play_sound("timer")
        return actions

    def error(self, code: str, text: str) -> list[HaAction]:
        """Take Home Assistant's report that its pipeline has ended with an error."""
        actions = self.turn.error(code, text, self.now)
        if not actions:
            _LOGGER.info("Home Assistant, of an earlier turn: %s", text)
        return actions

    def pass_on(self, action: PassedAction) -> None:
        """Tell the turn machine, the player and the trace about an action."""
        match action:
            case SignalCutOff(problem):
                _LOGGER.error("Reply cut off: %s", problem)
                self._host.play_sound("error")
            case FinishReply():
                self.reply.finish()
            case CutReply():
                self.reply.cut()
            case EndTurn(outcome, problem):
                self._end(outcome, problem)
            case _:
                self._tell_machine(action)

    def _tell_machine(
        self, action: ServiceEndsTurn | PassSpeechEnd | PassTranscript | PassSpeaking
    ) -> None:
        host, machine = self._host, self._host.machine
        match action:
            case ServiceEndsTurn(on):
                machine.service_ends_turn = on
            case PassSpeechEnd():
                host.perform(machine.end_speech())
            case PassTranscript(text):
                host.perform(machine.transcript(text))
                self.trace.transcript(text)
            case PassSpeaking():
                host.perform(machine.speaking())

    def _end(self, outcome: Outcome, problem: str) -> None:
        host, machine = self._host, self._host.machine
        asked, self.asks = self.asks, False
        match outcome:
            case Outcome.REPLIED:
                self.trace.end(self._player.playback)
                host.perform(machine.finished())
                if asked:
                    host.perform(machine.listen_on(self.now))
            case Outcome.NO_REPLY:
                # A pipeline without text-to-speech ends like this.
                _LOGGER.info("Home Assistant has sent no reply")
                self.trace.end()
                machine.stop()
            case Outcome.NOTHING_SAID:
                _LOGGER.info("Home Assistant: %s", problem)
                self.trace.drop()
                machine.stop()
                host.play_sound("done")
            case Outcome.DROPPED:
                self.trace.end(interrupted=True)
                machine.stop()
            case Outcome.FAILED:
                _LOGGER.error("Turn failed: %s", problem)
                self.trace.end(error=problem)
                host.perform(machine.failed())
