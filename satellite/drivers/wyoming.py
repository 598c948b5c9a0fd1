"""Driver for Home Assistant over Wyoming: it connects to the satellite and runs its pipeline."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Self

from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event
from wyoming.pipeline import PipelineStage, RunPipeline
from wyoming.satellite import PauseSatellite, RunSatellite
from wyoming.snd import Played
from wyoming.wake import Detection

from satellite.audio.devices.device import Frame
from satellite.config import SatelliteSettings
from satellite.core.ha_turn import EndAudio, HaAction, HaState, ReportPlayed, StartPipeline
from satellite.core.turn import Listen, TurnState
from satellite.drivers.driver import Devices, TurnHost
from satellite.drivers.turn_bridge import TurnBridge
from satellite.wyoming.ha_connections import (
    AWAY_SECONDS,
    DEAD_SECONDS,
    HaConnection,
    HaConnections,
)
from satellite.wyoming.timer_events import TIMER_EVENTS, apply_timer_event
from wyoming_common.audio.pcm import PcmFormat
from wyoming_common.errors import Refused
from wyoming_common.net.sockets import OnClient

_LOGGER = logging.getLogger(__name__)


class WyomingDriver:
    """Turns that Home Assistant runs; entering the block opens the ports and announces them."""

    cancels = False
    """Home Assistant runs a pipeline to its end once it has begun."""
    finished = False

    def __init__(
        self,
        settings: SatelliteSettings,
        devices: Devices,
        *,
        away_seconds: float = AWAY_SECONDS,
        by_first_byte: Mapping[int, OnClient] | None = None,
        refusal: Callable[[], Refused | None] = lambda: None,
    ) -> None:
        """`by_first_byte` takes clients of another protocol, `refusal` may turn away Wyoming's."""
        self._refusal = refusal
        self._devices = devices
        self._connections = HaConnections(
            settings,
            self,
            devices.telemetry,
            away_seconds=away_seconds,
            by_first_byte=by_first_byte,
        )
        self._bridge = TurnBridge(settings, devices)
        self._turn = self._bridge.turn
        self._handlers: dict[str, Callable[[Event], None]] = {
            "run-pipeline": self._on_run_pipeline,
            "voice-started": lambda _: self._perform(self._turn.voice_started()),
            "voice-stopped": lambda _: self._perform(self._turn.voice_stopped()),
            "transcript": self._on_transcript,
            "synthesize": self._on_synthesize,
            "audio-start": self._on_audio_start,
            "audio-chunk": self._on_audio_chunk,
            "audio-stop": lambda _: self._perform(self._turn.reply_finished(self._now)),
            "error": self._on_error,
        }

    async def __aenter__(self) -> Self:
        await self._connections.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._connections.__aexit__(*exc)

    @property
    def uri(self) -> str:
        """Address at which Home Assistant connects."""
        return self._connections.uri

    @property
    def uris(self) -> Mapping[str, str]:
        """Addresses of the wake words that have a pipeline of their own."""
        return self._connections.uris

    @property
    def connected(self) -> bool:
        """Whether Home Assistant is connected and has not muted the current pipeline."""
        return self._connections.current is not None

    @property
    def microphone_off(self) -> bool:
        """Whether Home Assistant has muted every pipeline."""
        return self._connections.all_muted

    def attach(self, host: TurnHost) -> None:
        """Take the satellite to drive turns for."""
        self._host = host
        self._bridge.attach(host)

    def accepts(self, wake_word: str) -> bool:
        """Return whether Home Assistant has not muted the pipeline of a wake word."""
        return not self._connections.is_muted(wake_word)

    def acknowledge(self) -> None:
        """Silence a timer that rings."""
        self._bridge.timers.silence()

    def listen(self, turn: Listen) -> None:
        """Ask Home Assistant to run the pipeline of the wake word on the utterance."""
        self._connections.choose(turn.wake)
        self._perform(self._bridge.listen(turn, connected=self.connected))

    def feed(self, pcm: bytes) -> None:
        """Send the microphone's audio, and keep it for a connection that breaks."""
        if self._bridge.feed(pcm):
            self._send_audio(pcm)

    def end_speech(self) -> None:
        """Tell Home Assistant that the utterance is over."""
        self._perform(self._bridge.end_speech())

    def unanswered(self) -> None:
        """Do nothing: Home Assistant runs a pipeline for speech alone."""

    def abandon(self) -> None:
        """Forget the turn."""
        self._perform(self._bridge.abandon())

    def tick(self, frame: Frame) -> None:
        """Follow the playback, and give up what has not come in time."""
        self._perform(self._bridge.tick(frame))
        for connection in self._connections:
            if connection.silent_seconds > DEAD_SECONDS and not connection.writer.is_closing():
                _LOGGER.warning(
                    "Home Assistant has sent nothing for %g s; hanging up", DEAD_SECONDS
                )
                connection.drop()

    def check_result(self) -> None:
        """Do nothing: the satellite runs until it is stopped."""

    def refusal(self) -> Refused | None:
        """Return why no client is served at present; None: all are."""
        return self._refusal()

    def received(self, connection: HaConnection, event: Event) -> None:
        """Act on an event. Raises ValueError and the like for a malformed one."""
        if RunSatellite.is_type(event.type):
            self._connect(connection)
        elif connection not in self._connections:
            return
        elif PauseSatellite.is_type(event.type):
            self._mute(connection)
        elif event.type in TIMER_EVENTS:
            apply_timer_event(self._bridge.timers, event, self._now)
        elif (handle := self._handlers.get(event.type)) is not None and self._routes(connection):
            handle(event)

    def lost(self, connection: HaConnection) -> None:
        """Take note that a connection has ended; Home Assistant comes back."""
        if connection not in self._connections:
            return
        was_current = connection is self._connections.current
        self._connections.remove(connection)
        _LOGGER.warning("Home Assistant has disconnected; waiting for it")
        if was_current:
            self._perform(self._turn.disconnected(self._now))

    @property
    def _now(self) -> float:
        return self._bridge.now

    def _connect(self, connection: HaConnection) -> None:
        self._connections.connect(connection)
        _LOGGER.info("Home Assistant has connected")
        if connection is self._connections.current:
            self._perform(self._turn.connected(self._now))

    def _mute(self, connection: HaConnection) -> None:
        _LOGGER.info("Home Assistant has muted the satellite")
        was_current = connection is self._connections.current
        self._connections.mute(connection)
        self._bridge.timers.silence()
        if was_current and self._host.machine.state is not TurnState.IDLE:
            self._perform(self._turn.muted(self._now))

    def _routes(self, connection: HaConnection) -> bool:
        """Return whether events of a connection count: one turn runs at a time."""
        if not self._connections.is_current(connection):
            busy = self._host.machine.state is not TurnState.IDLE
            if busy or self._turn.state is not HaState.IDLE:
                return False
            self._connections.switch_to(connection)
        return True

    def _on_run_pipeline(self, _event: Event) -> None:
        self._host.perform(self._host.machine.wake(self._now, None))

    def _on_transcript(self, event: Event) -> None:
        text = Transcript.from_event(event).text or ""
        self._perform(self._turn.transcript(text, self._now))

    def _on_synthesize(self, event: Event) -> None:
        self._bridge.synthesize(str(event.data.get("text") or ""))
        self._perform(self._turn.synthesize(self._now))

    def _on_audio_start(self, event: Event) -> None:
        start = AudioStart.from_event(event)
        self._bridge.reply.begin(PcmFormat(start.rate, start.width, start.channels))
        self._bridge.trace.audio()
        self._perform(self._turn.reply_started(self._now))

    def _on_audio_chunk(self, event: Event) -> None:
        chunk = AudioChunk.from_event(event)
        if self._turn.reply_audio(self._now):
            self._bridge.reply.add(chunk.audio)

    def _on_error(self, event: Event) -> None:
        error = Error.from_event(event)
        self._perform(self._bridge.error(error.code or "", error.text))

    def _perform(self, actions: Iterable[HaAction]) -> None:
        for action in actions:
            match action:
                case StartPipeline():
                    self._start_pipeline()
                case EndAudio():
                    self._send(AudioStop().event())
                case ReportPlayed():
                    self._send(Played().event())
                case _:
                    self._bridge.pass_on(action)

    def _start_pipeline(self) -> None:
        # No name takes back an earlier one, which would make the turn a duplicate.
        self._send(Detection(name=self._bridge.wake_word).event())
        self._send(RunPipeline(PipelineStage.ASR, PipelineStage.TTS).event())
        self._send_audio(bytes(self._bridge.utterance))

    def _send(self, event: Event) -> None:
        if (connection := self._connections.current) is not None:
            connection.send(event)

    def _send_audio(self, pcm: bytes) -> None:
        if (connection := self._connections.current) is not None:
            connection.send_audio(pcm)
