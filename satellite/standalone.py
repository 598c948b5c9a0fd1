"""Standalone mode: the satellite finds the services and runs the whole loop itself."""

import asyncio
import logging
import uuid
from contextlib import AsyncExitStack

from satellite.clock import RunClock
from satellite.config import NO_WAKE, SatelliteSettings
from satellite.devices import open_microphone, open_speaker
from satellite.devices.device import FRAME_SECONDS, Frame, Microphone
from satellite.ears import Ears
from satellite.exchange import Exchange, ExchangeSettings
from satellite.player import Player
from satellite.report import TurnReport, print_report
from satellite.services import Services
from satellite.sounds import sound
from satellite.turn import (
    Abandon,
    Action,
    Chime,
    EndSpeech,
    Listen,
    State,
    TurnMachine,
    TurnSettings,
)
from satellite.wake import make_wake
from wyoming_common.errors import ConfigError, ServiceError
from wyoming_common.notify import notify
from wyoming_common.trace import Trace
from wyoming_common.vad import Silero

_LOGGER = logging.getLogger(__name__)

_AFTER_END_SECONDS = 2.0
"""Silence after the end of a recording in which a turn may still begin."""


class NothingHeard(ServiceError):
    """The recording is over and nobody has spoken."""

    code = "nothing-heard"


async def run_standalone(settings: SatelliteSettings) -> None:
    """Run until cancelled, until the recording is over, or for one turn.

    Raises a ServiceError for what a user can cause, and with `once` for a turn that failed.
    """
    _check(settings)
    clock = RunClock()
    player = Player(settings.speaker_rate, settings.volume)
    microphone = await asyncio.to_thread(open_microphone, settings, clock)
    speaker = open_speaker(settings, player, clock)
    ears = await asyncio.to_thread(_make_ears, settings)
    async with AsyncExitStack() as stack:
        services = await stack.enter_async_context(
            Services(
                {"asr": settings.stt, "handle": settings.llm, "tts": settings.tts},
                settings.discover_timeout,
                settings.connect_timeout,
            )
        )
        clock.start()
        await stack.enter_async_context(speaker)
        await stack.enter_async_context(microphone)
        loop = await stack.enter_async_context(
            Conversation(settings, clock, player, microphone, ears, services)
        )
        _LOGGER.info("Listening")
        notify(READY="1")
        await loop.run()


def _check(settings: SatelliteSettings) -> None:
    if settings.json_lines and settings.speaker == "pipe":
        raise ConfigError("json: standard output is the speaker's already; use --speaker file:PATH")


def _make_ears(settings: SatelliteSettings) -> Ears:
    return Ears(Silero(), make_wake(settings.wake_engine, settings.wake))


class Conversation:
    """Drives the turn machine with the microphone and does what it decides."""

    def __init__(
        self,
        settings: SatelliteSettings,
        clock: RunClock,
        player: Player,
        microphone: Microphone,
        ears: Ears,
        services: Services,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._player = player
        self._microphone = microphone
        self._ears = ears
        self._services = services
        self._machine = TurnMachine(
            TurnSettings(
                hands_free=not settings.wake or NO_WAKE in settings.wake,
                pre_roll_seconds=settings.pre_roll,
                no_speech_seconds=settings.no_speech,
                max_listen_seconds=settings.max_listen,
            ),
            service_ends_turn=self._service_ends_turn(),
        )
        self._exchange_settings = ExchangeSettings(
            language=settings.language,
            voice=settings.voice,
            connect_seconds=settings.connect_timeout,
            listen_seconds=settings.max_listen + settings.pre_roll,
            stt_seconds=settings.stt_timeout,
            llm_seconds=settings.llm_timeout,
            tts_seconds=settings.tts_timeout,
        )
        self._conversation_id = uuid.uuid4().hex
        self._turn: _Turn | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._turns = 0
        self._over = False

    async def __aenter__(self) -> "Conversation":
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._turn is not None:
            self._abandon()
        await asyncio.gather(*self._ending, return_exceptions=True)

    async def run(self) -> None:
        """Run until there is nothing more to hear, or the one turn asked for is done."""
        silence = 0.0
        async for frame in self._microphone.frames():
            self._hear(frame)
            self._look_at_turn()
            silence = silence + FRAME_SECONDS if self._microphone.ended and self._idle else 0.0
            if self._over or silence > _AFTER_END_SECONDS:
                break
        if not self._turns:
            raise NothingHeard(f"mic: nobody was heard to speak in {self._settings.mic}")

    @property
    def _idle(self) -> bool:
        return self._turn is None and self._machine.state in (State.IDLE, State.AWAKE)

    def _hear(self, frame: Frame) -> None:
        heard = self._ears.hear(frame)
        if self._machine.state is State.LISTENING and self._turn is not None:
            self._turn.exchange.utterance.feed(frame.pcm)
        if heard.wake is not None:
            self._do(self._machine.wake(frame.at, heard.wake))
        for voice in heard.voices:
            self._do(self._machine.voice(voice.at, voice.probability, voice.samples))

    def _do(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Listen(since, _):
                    self._listen(since)
                case EndSpeech():
                    self._end_speech()
                case Abandon():
                    self._abandon()
                case Chime(name) if self._settings.sounds:
                    self._player.sound(sound(name, self._player.rate))

    def _listen(self, since: float) -> None:
        speech_start = self._machine.speech_start
        assert speech_start is not None
        trace = Trace(self._clock.now)
        trace.zero = speech_start
        trace.begin("listening", at=0.0)
        exchange = Exchange(
            self._services,
            self._player,
            self._exchange_settings,
            trace,
            {"conversation_id": self._conversation_id},
            self._heard_text,
        )
        exchange.utterance.feed(self._ears.since(since))
        self._turn = _Turn(exchange, speech_start)

    def _service_ends_turn(self) -> bool:
        return any(
            not program.requires_external_vad
            for service in self._services.candidates("asr")[:1]
            for program in service.info.asr[:1]
        )

    def _heard_text(self, text: str) -> None:
        self._do(self._machine.transcript(text))

    def _end_speech(self) -> None:
        turn = self._turn
        if turn is None:
            return
        turn.exchange.utterance.end()
        turn.stamp_end(self._machine.speech_end)

    def _abandon(self) -> None:
        turn, self._turn = self._turn, None
        if turn is None:
            return
        self._player.stop()
        turn.task.cancel()
        self._ending.add(turn.task)
        turn.task.add_done_callback(self._ending.discard)
        self._report(turn, interrupted=True)

    def _look_at_turn(self) -> None:
        turn = self._turn
        if turn is None:
            return
        if self._machine.state is State.THINKING and turn.playback_began(self._player):
            self._do(self._machine.speaking())
        if not turn.task.done():
            return
        self._turn = None
        self._machine.service_ends_turn = self._service_ends_turn()
        turn.playback_ended(self._player)
        failure = turn.task.exception()
        if failure is not None and not isinstance(failure, ServiceError):
            raise failure
        self._do(self._machine.finished() if failure is None else self._machine.failed())
        if failure is not None:
            _LOGGER.error("%s", failure)
        self._report(turn, error=failure)
        if self._over and failure is not None:
            raise failure

    def _report(
        self, turn: "_Turn", error: ServiceError | None = None, *, interrupted: bool = False
    ) -> None:
        outcome = turn.exchange.outcome
        if not outcome.transcript and error is None:
            # A noise that was taken for speech is no turn.
            return
        self._turns += 1
        self._over = self._settings.once
        report = TurnReport(
            turn.exchange.trace,
            turn.began_at,
            outcome.transcript,
            outcome.reply.strip(),
            None if error is None else str(error),
            interrupted,
        )
        if self._settings.speaker != "pipe":
            print_report(report, as_json=self._settings.json_lines)


class _Turn:
    """A turn under way, and the stamps of its trace that the devices give."""

    def __init__(self, exchange: Exchange, began_at: float) -> None:
        self.exchange = exchange
        self.began_at = began_at
        self.task = asyncio.create_task(exchange.run())

    def stamp_end(self, speech_end: float | None) -> None:
        """The utterance is over; its last speech was at `speech_end`."""
        trace = self.exchange.trace
        at = trace.now() if speech_end is None else speech_end - self.began_at
        trace.end("listening", at=at)
        trace.ready("stt", at=at)
        trace.begin("end-of-turn", at=at)
        trace.end("end-of-turn")

    def playback_began(self, player: Player) -> bool:
        """Stamp the first sample of the reply if it has been played."""
        started = player.playback.started_at
        if started is None:
            return False
        self.exchange.trace.begin("playback", at=started - self.began_at)
        return True

    def playback_ended(self, player: Player) -> None:
        """Stamp the last sample of the reply."""
        if self.playback_began(player):
            playback = player.playback
            ended = playback.ended_at
            self.exchange.trace.end(
                "playback",
                at=None if ended is None else ended - self.began_at,
                heard_seconds=round(playback.heard_seconds, 3),
                underruns=playback.underruns,
            )
