"""Home Assistant mode: it connects to us, runs the pipeline, and we are its ears and mouth."""

import logging
from collections.abc import Callable, Mapping
from typing import Self

from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event
from wyoming.pipeline import PipelineStage, RunPipeline
from wyoming.satellite import PauseSatellite, RunSatellite
from wyoming.snd import Played
from wyoming.wake import Detection

from satellite.config import SatelliteSettings
from satellite.devices.device import Frame
from satellite.lines import DEAD_SECONDS, Lines
from satellite.loop import Body, Loop
from satellite.pipeline_trace import PipelineTrace
from satellite.reply import ReplyStream
from satellite.session import Session
from satellite.timers import TIMER_EVENTS, Timers, heed
from satellite.turn import Listen, State
from wyoming_common.audio import MODEL_RATE

_LOGGER = logging.getLogger(__name__)

_MOST_UTTERANCE_BYTES = 300 * MODEL_RATE * 2
_QUIET_ERRORS = frozenset(
    {"stt-no-text-recognized", "wake-word-timeout", "duplicate_wake_up_detected"}
)
"""Codes of Home Assistant that are no failure: nothing was said, or another satellite answers."""


class Assistant(Loop):
    """A Wyoming satellite; entering the block opens its port and announces it."""

    cancels = False
    """Home Assistant runs a pipeline to its end once it has begun."""

    def __init__(self, settings: SatelliteSettings, body: Body) -> None:
        super().__init__(settings, body)
        self._lines = Lines(settings, self, self.telemetry)
        self._reply = ReplyStream(body.player)
        self._timers = Timers()
        self._utterance = bytearray()
        self._wake: str | None = None
        self._transcribed = True
        self._deadline: tuple[float, str] | None = None
        self._give_up_at: float | None = None
        self._trace = PipelineTrace(self.telemetry, body.clock.now)
        self._on: dict[str, Callable[[Event], None]] = self._handlers()

    async def __aenter__(self) -> Self:
        await self._lines.__aenter__()
        self.uri = self._lines.uri
        return self

    @property
    def uris(self) -> Mapping[str, str]:
        """Where the wake words are that have a pipeline of their own."""
        return self._lines.uris

    async def __aexit__(self, *exc: object) -> None:
        await self._lines.__aexit__(*exc)

    @property
    def connected(self) -> bool:
        """Whether Home Assistant is there and wants to hear from us."""
        return self._lines.current is not None

    @property
    def deaf(self) -> bool:
        """Whether the microphone is off, here or in Home Assistant."""
        return super().deaf or self._lines.all_muted

    def heeds(self, word: str) -> bool:
        """Whether Home Assistant wants to hear this wake word."""
        return not self._lines.muted(word)

    def listen(self, turn: Listen) -> None:
        """Ask Home Assistant to run a pipeline on what is being said."""
        self._wake = turn.wake
        self._lines.choose(turn.wake)
        self._utterance = bytearray(self.body.ears.since(turn.since))
        self._transcribed = False
        self.machine.service_ends_turn = True
        self._give_up_at = None
        start = self.machine.speech_start
        self._trace.begin(self._now if start is None else start)
        self._start_pipeline()

    def woken(self) -> None:
        """Somebody is there: a timer need not ring any more."""
        self._timers.silence()

    def feed(self, pcm: bytes) -> None:
        """Pass the microphone on."""
        if len(self._utterance) < _MOST_UTTERANCE_BYTES:
            self._utterance += pcm
        if (session := self._lines.current) is not None:
            session.send_audio(pcm)

    def end_speech(self) -> None:
        """Tell Home Assistant that nothing more will come."""
        self._trace.end_speech(self.machine.speech_end)
        if (session := self._lines.current) is None:
            self._wait_for_it()
            return
        if not self._transcribed:
            session.send(AudioStop().event())
        self._expect("transcript", self.settings.stt_timeout)

    def abandon(self) -> None:
        """Forget the turn: Home Assistant cancels it when the next one begins."""
        self._trace.end(self.body.player.playback, interrupted=True)
        self._reply.cut()
        if (session := self._lines.current) is not None and not self._transcribed:
            # Home Assistant would wait for more of it, beside the next turn.
            session.send(AudioStop().event())
        self._transcribed = True
        self._deadline = None

    def look(self, frame: Frame) -> None:
        """Notice what time has brought about."""
        started = self.body.player.playback.started_at is not None
        if self.machine.state is State.THINKING and self._reply.unplayed and started:
            self.do(self.machine.speaking())
        if self._reply.played:
            self._finish_reply()
        if self._deadline is not None and frame.at > self._deadline[0]:
            self._late(self._deadline[1])
        thinking = self.machine.state is State.THINKING
        if thinking and self._give_up_at is not None and frame.at > self._give_up_at:
            self._give_up()
        if self._timers.rings(frame.at):
            self.chime("timer")
        for session in self._lines:
            if session.silent_seconds > DEAD_SECONDS and not session.writer.is_closing():
                _LOGGER.warning("Home Assistant says nothing any more; hanging up")
                session.drop()

    def received(self, session: Session, event: Event) -> None:
        """Act on an event. Raises ValueError and the like for one that is malformed."""
        if RunSatellite.is_type(event.type):
            self._connect(session)
        elif session not in self._lines:
            return
        elif PauseSatellite.is_type(event.type):
            self._paused(session)
        elif event.type in TIMER_EVENTS:
            heed(self._timers, event, self._now)
        elif (act := self._on.get(event.type)) is not None and self._heeds(session):
            act(event)

    def left(self, session: Session) -> None:
        """The connection is gone; if it was one that counts, Home Assistant comes back."""
        if session not in self._lines:
            return
        ours = session is self._lines.current
        self._lines.leave(session)
        self.machine.service_ends_turn = True
        _LOGGER.warning("Home Assistant has gone; waiting for it")
        if not ours:
            return
        if self._reply.arriving:
            # Play what there is of the reply: the sound says that it was cut off.
            self._reply.finish()
            self.chime("error")
        elif self.machine.state in (State.LISTENING, State.THINKING):
            self._wait_for_it()

    def _heeds(self, session: Session) -> bool:
        """Whether what comes on a line counts: one turn at a time."""
        if not self._lines.has_turn(session):
            if self.machine.state is not State.IDLE or self._reply.unplayed:
                return False
            self._lines.turn_to(session)
        return True

    def _connect(self, session: Session) -> None:
        self._lines.connect(session)
        _LOGGER.info("Home Assistant is here")
        if self._give_up_at is not None and session is self._lines.current:
            self._give_up_at = None
            self._start_pipeline()

    def _handlers(self) -> dict[str, Callable[[Event], None]]:
        return {
            "run-pipeline": lambda _: self.do(self.machine.wake(self._now, None)),
            "transcribe": lambda _: None,
            "voice-started": self._voice_started,
            "voice-stopped": lambda _: self.do(self.machine.end_speech()),
            "transcript": self._transcript,
            "synthesize": self._synthesize,
            "audio-start": self._audio_start,
            "audio-chunk": lambda event: self._reply.add(AudioChunk.from_event(event)),
            "audio-stop": self._audio_stop,
            "error": self._error,
        }

    @property
    def _now(self) -> float:
        return self.body.clock.now()

    def _paused(self, session: Session) -> None:
        _LOGGER.info("Home Assistant does not listen any more")
        ours = session is self._lines.current
        self._lines.pause(session)
        self._timers.silence()
        if ours and self.machine.state is not State.IDLE:
            self._reply.cut()
            self._transcribed = True
            self._deadline = None
            self.machine.stop()

    def _voice_started(self, _event: Event) -> None:
        # Its own voice detection runs, so speech-to-text waits for an end that we find sooner.
        self.machine.service_ends_turn = False

    def _transcript(self, event: Event) -> None:
        self._transcribed = True
        text = Transcript.from_event(event).text or ""
        self.do(self.machine.transcript(text))
        self._trace.transcript(text)
        self._expect("reply", self.settings.llm_timeout)

    def _synthesize(self, event: Event) -> None:
        self._trace.synthesize(str(event.data.get("text") or ""))
        self._expect("speech", self.settings.tts_timeout)

    def _audio_start(self, event: Event) -> None:
        self._trace.audio()
        start = AudioStart.from_event(event)
        self._reply.begin(start.rate, start.width, start.channels)
        self._transcribed = True
        if self.machine.state is State.IDLE:
            self.do(self.machine.speaking())
        self._expect("speech", self.settings.tts_timeout)

    def _audio_stop(self, _event: Event) -> None:
        self._reply.finish()
        self._deadline = None

    def _error(self, event: Event) -> None:
        error = Error.from_event(event)
        if self.machine.state in (State.IDLE, State.AWAKE):
            # Of a pipeline that we have given up.
            _LOGGER.info("Home Assistant: %s", error.text)
            return
        self._transcribed = True
        self._deadline = None
        if error.code in _QUIET_ERRORS:
            _LOGGER.info("Home Assistant: %s", error.text)
            self._trace.drop()
            self.machine.stop()
            self.chime("done")
        else:
            _LOGGER.error("Home Assistant: %s", error.text)
            self._trace.end(error=error.text)
            self.do(self.machine.failed())

    def _start_pipeline(self) -> None:
        """Send all there is of the utterance; wait for Home Assistant if it is not there."""
        session = self._lines.current
        if session is None:
            self._wait_for_it()
            return
        # No name takes an earlier one back: Home Assistant would take the turn for a duplicate.
        session.send(Detection(name=self._wake).event())
        session.send(RunPipeline(PipelineStage.ASR, PipelineStage.TTS).event())
        session.send_audio(bytes(self._utterance))
        if self.machine.state is State.THINKING:
            self.end_speech()

    def _wait_for_it(self) -> None:
        if self._transcribed:
            self.do(self.machine.failed())
            return
        self._deadline = None
        self._give_up_at = self._now + self.settings.resume_timeout

    def _give_up(self) -> None:
        _LOGGER.error("Home Assistant cannot be reached; nobody heard what was said")
        self._give_up_at = None
        self._transcribed = True
        self._trace.end(error="Home Assistant cannot be reached")
        self.do(self.machine.failed())

    def _expect(self, what: str, seconds: float) -> None:
        self._deadline = (self._now + seconds, what)

    def _late(self, what: str) -> None:
        self._deadline = None
        if self._reply.arriving:
            self._reply.finish()
        if what == "reply":
            # A pipeline without speech ends like this, and so does one that has no answer.
            _LOGGER.info("Home Assistant has sent no reply")
            self._trace.end()
            self.machine.stop()
        else:
            _LOGGER.error("Home Assistant has sent no %s in time", what)
            self._trace.end(error=f"no {what} in time")
            self.do(self.machine.failed())

    def _finish_reply(self) -> None:
        self._reply.tell()
        self._trace.end(self.body.player.playback)
        if (session := self._lines.current) is not None:
            session.send(Played().event())
        if self.machine.state in (State.THINKING, State.SPEAKING):
            self.do(self.machine.finished())
