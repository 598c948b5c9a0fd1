"""Driver for standalone turns, with services that the satellite finds itself."""

import asyncio
import logging
import uuid
from collections.abc import Coroutine
from typing import Any, Self

from satellite.audio.devices.device import FRAME_SECONDS, Frame
from satellite.audio.player import Player
from satellite.config import NO_WAKE, SatelliteSettings
from satellite.core.question import asks
from satellite.core.spoken_prefix import spoken_prefix
from satellite.core.stop_phrases import is_only, is_stop
from satellite.core.turn import Listen, TurnState
from satellite.drivers.driver import Devices, TurnHost
from satellite.drivers.voice_pipeline import VoicePipeline, VoicePipelineSettings
from satellite.telemetry.turn_report import TurnReport, print_report
from satellite.telemetry.turn_telemetry import record_turn
from satellite.wyoming.directory import ServiceDirectory
from wyoming_common.errors import ConfigError, ServiceError
from wyoming_common.net.sockets import client_tls
from wyoming_common.telemetry.trace import Trace

_LOGGER = logging.getLogger(__name__)

_MAX_SILENCE_SECONDS = 2.0
"""Silence after the end of a recording in which a turn may still begin."""


class NoSpeech(ServiceError):
    """A recording without speech."""

    code = "nothing-heard"


def check_settings(settings: SatelliteSettings) -> None:
    """Raise ConfigError for settings that exclude each other."""
    if settings.json_lines and settings.speaker == "pipe":
        raise ConfigError(
            "json: standard output already carries the speaker's audio; use --speaker file:PATH"
        )


def make_directory(settings: SatelliteSettings) -> ServiceDirectory:
    """Return the directory of the services that the settings name, still to be entered."""
    uris = {"asr": settings.stt, "handle": settings.llm, "tts": settings.tts}
    tls = client_tls(settings.tls_ca, settings.tls_cert, settings.tls_key)
    return ServiceDirectory(uris, settings.discover_timeout, settings.connect_timeout, tls)


class StandaloneDriver:
    """Turns with the three services; leaving the block ends the turn in progress."""

    cancels = True
    microphone_off = False

    def __init__(
        self, settings: SatelliteSettings, devices: Devices, directory: ServiceDirectory
    ) -> None:
        self._settings = settings
        self._devices = devices
        self._directory = directory
        self._pipeline_settings = VoicePipelineSettings(
            language=settings.language,
            voice=settings.voice,
            listen_seconds=settings.max_listen + settings.pre_roll,
            stt_seconds=settings.stt_timeout,
            llm_seconds=settings.llm_timeout,
            tts_seconds=settings.tts_timeout,
        )
        hands_free = not settings.wake or NO_WAKE in settings.wake
        self._listens_on = settings.listen_on and not settings.once and not hands_free
        self._conversation_id = uuid.uuid4().hex
        self._turn: _Turn | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._heard_reply: str | None = None
        self._interrupting = False
        self._wake_word: str | None = None
        self._turns = 0
        self._wants_silence = False
        self._silence_seconds = 0.0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._turn is not None:
            self._hang_up(self._turn)
        await asyncio.gather(*self._ending, return_exceptions=True)

    @property
    def finished(self) -> bool:
        """Whether the only turn has ended, or a recording is over and no turn has followed."""
        once = self._settings.once and self._turns > 0
        return once or self._silence_seconds > _MAX_SILENCE_SECONDS

    def check_result(self) -> None:
        """Raise NoSpeech if the run had no turn."""
        if not self._turns:
            raise NoSpeech(f"mic: no speech found in {self._settings.mic}")

    def attach(self, host: TurnHost) -> None:
        """Take the satellite to drive turns for."""
        self._host = host

    def accepts(self, wake_word: str) -> bool:  # noqa: ARG002 - the protocol's
        """Return True: every wake word counts."""
        return True

    def acknowledge(self) -> None:
        """Do nothing: no timers ring."""

    def listen(self, turn: Listen) -> None:
        """Connect to the services and stream the utterance to speech-to-text."""
        began_at = self._host.machine.speech_start
        self._wake_word = turn.wake
        assert began_at is not None
        if self._turn is not None:
            # It tells that nothing was said, which is not so any longer.
            self._hang_up(self._turn)
        self._host.machine.service_ends_turn = self._service_ends_turn()
        pipeline = self._pipeline(began_at)
        pipeline.trace.begin("listening", at=0.0)
        pipeline.utterance.feed(self._devices.audio.since(turn.since))
        self._turn = _Turn(pipeline, began_at, pipeline.run())

    def unanswered(self) -> None:
        """Tell the conversation service that nothing was said to its question, if it cares."""
        if self._wants_silence and self._turn is None:
            now = self._devices.clock.now()
            pipeline = self._pipeline(now)
            self._turn = _Turn(pipeline, now, pipeline.run_unanswered(), silent=True)

    def _pipeline(self, began_at: float) -> VoicePipeline:
        trace = Trace(self._devices.clock.now)
        trace.zero = began_at
        return VoicePipeline(
            self._directory,
            self._devices.player,
            self._pipeline_settings,
            trace,
            self._context(),
            self._take_transcript,
        )

    def feed(self, pcm: bytes) -> None:
        """Stream more of the utterance."""
        if self._turn is not None:
            self._turn.pipeline.utterance.feed(pcm)

    def end_speech(self) -> None:
        """Tell speech-to-text that the utterance is over."""
        if self._turn is not None:
            self._turn.pipeline.utterance.end()
            self._turn.stamp_end_of_speech(self._host.machine.speech_end)

    def abandon(self) -> None:
        """Hang up on the services, which cancels their work."""
        turn, self._turn = self._turn, None
        self._interrupting = turn is not None
        if turn is None:
            return
        self._hang_up(turn)
        result, playback = turn.pipeline.result, self._devices.player.playback
        if result.reply:
            self._heard_reply = spoken_prefix(
                result.reply,
                playback.heard_seconds if turn.playing else 0.0,
                result.audio_seconds,
                whole=result.synthesized,
            )
        self._report(turn, interrupted=True)

    def tick(self, frame: Frame) -> None:  # noqa: ARG002 - the protocol's
        """Follow the playback of the reply and the end of the turn."""
        turn, machine = self._turn, self._host.machine
        if turn is None:
            quiet = machine.state in (TurnState.IDLE, TurnState.AWAKE)
            ended = self._devices.microphone.ended and quiet
            self._silence_seconds = self._silence_seconds + FRAME_SECONDS if ended else 0.0
            return
        thinks = machine.state is TurnState.THINKING
        silent = turn.silent and machine.state is TurnState.IDLE
        if (thinks or silent) and turn.playback_began(self._devices.player):
            self._host.perform(machine.speaking())
        if turn.task.done():
            self._turn = None
            self._interrupting = False
            self._finish(turn)

    def _context(self) -> dict[str, Any]:
        heard, self._heard_reply = self._heard_reply, None
        context = {"conversation_id": self._conversation_id}
        return context if heard is None else {**context, "heard": heard}

    def _take_transcript(self, text: str) -> bool:
        """Return whether the transcript is to be answered."""
        machine = self._host.machine
        if self._wake_word is not None and is_only(self._wake_word, text):
            # The command is still to come: this was no turn.
            if self._turn is not None:
                self._turn.pipeline.result.transcript = ""
            self._host.perform(machine.wake(self._devices.clock.now(), None))
            return False
        self._host.perform(machine.transcript(text))
        # A stop phrase over a reply is meant for the reply, which is silent by now.
        return not (self._interrupting and is_stop(text))

    def _finish(self, turn: "_Turn") -> None:
        turn.stamp_end_of_playback(self._devices.player)
        failure = turn.task.exception()
        if failure is not None and not isinstance(failure, ServiceError):
            raise failure
        machine = self._host.machine
        spoken = machine.state is TurnState.SPEAKING
        if failure is not None and turn.silent:
            # The person has said nothing: no sound is awaited.
            _LOGGER.warning("%s", failure)
            return
        self._host.perform(machine.finished() if failure is None else machine.failed())
        self._report(turn, failure)
        self._wants_silence = turn.pipeline.result.wants_silence
        if spoken and failure is None and self._listens_on and asks(turn.pipeline.result.reply):
            self._host.perform(machine.listen_on(self._devices.clock.now()))
        if failure is not None:
            if self._settings.once:
                raise failure
            _LOGGER.error("%s", failure)

    def _hang_up(self, turn: "_Turn") -> None:
        turn.task.cancel()
        self._ending.add(turn.task)
        turn.task.add_done_callback(self._ending.discard)

    def _service_ends_turn(self) -> bool:
        return any(
            not program.requires_external_vad
            for service in self._directory.candidates("asr")[:1]
            for program in service.info.asr[:1]
        )

    def _report(
        self, turn: "_Turn", error: ServiceError | None = None, *, interrupted: bool = False
    ) -> None:
        result = turn.pipeline.result
        if not result.transcript and error is None:
            # A noise that was taken for speech is no turn.
            return
        self._turns += 1
        report = TurnReport(
            turn.pipeline.trace,
            turn.began_at,
            result.transcript,
            result.reply.strip(),
            None if error is None else str(error),
            interrupted,
        )
        record_turn(self._devices.telemetry, report)
        if self._settings.speaker != "pipe":
            print_report(report, as_json=self._settings.json_lines)


class _Turn:
    """A turn in progress, and the stamps of its trace that the devices give."""

    def __init__(
        self,
        pipeline: VoicePipeline,
        began_at: float,
        work: Coroutine[Any, Any, None],
        *,
        silent: bool = False,
    ) -> None:
        """`silent`: nothing was said."""
        self.pipeline = pipeline
        self.began_at = began_at
        self.playing = False
        self.silent = silent
        self.task = asyncio.create_task(work)

    def stamp_end_of_speech(self, speech_end: float | None) -> None:
        """Stamp the end of the utterance, whose last speech was at `speech_end`."""
        trace = self.pipeline.trace
        at = trace.now() if speech_end is None else speech_end - self.began_at
        trace.end("listening", at=at)
        trace.ready("stt", at=at)
        trace.begin("end-of-turn", at=at)
        trace.end("end-of-turn")

    def playback_began(self, player: Player) -> bool:
        """Stamp the first sample of the reply if it has been played."""
        started = player.playback.started_at
        # Before audio has arrived the player reports the previous reply.
        if started is None or not self.pipeline.result.audio_seconds:
            return False
        self.playing = True
        self.pipeline.trace.begin("playback", at=started - self.began_at)
        return True

    def stamp_end_of_playback(self, player: Player) -> None:
        """Stamp the last sample of the reply."""
        if self.playback_began(player):
            playback = player.playback
            ended = playback.ended_at
            self.pipeline.trace.end(
                "playback",
                at=None if ended is None else ended - self.began_at,
                heard_seconds=round(playback.heard_seconds, 3),
                underruns=playback.underruns,
            )
