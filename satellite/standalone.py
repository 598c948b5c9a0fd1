"""Standalone mode: the satellite finds the services and runs the whole loop itself."""

import asyncio
import logging
import uuid
from typing import Any, Self

from satellite.config import SatelliteSettings
from satellite.devices.device import FRAME_SECONDS, Frame
from satellite.exchange import Exchange, ExchangeSettings
from satellite.heard import heard_text
from satellite.loop import Body, Loop
from satellite.phrases import is_only, is_stop
from satellite.player import Player
from satellite.report import TurnReport, print_report
from satellite.services import Services
from satellite.telling import tell_turn
from satellite.turn import Listen, State
from wyoming_common.errors import ConfigError, ServiceError
from wyoming_common.listening import client_tls
from wyoming_common.trace import Trace

_LOGGER = logging.getLogger(__name__)

_AFTER_END_SECONDS = 2.0
"""Silence after the end of a recording in which a turn may still begin."""


class NothingHeard(ServiceError):
    """The recording is over and nobody has spoken."""

    code = "nothing-heard"


def check(settings: SatelliteSettings) -> None:
    """Raise ConfigError for settings that exclude each other."""
    if settings.json_lines and settings.speaker == "pipe":
        raise ConfigError("json: standard output is the speaker's already; use --speaker file:PATH")


def find_services(settings: SatelliteSettings) -> Services:
    """Return the services that the settings name, still to be entered."""
    uris = {"asr": settings.stt, "handle": settings.llm, "tts": settings.tts}
    tls = client_tls(settings.tls_ca, settings.tls_cert, settings.tls_key)
    return Services(uris, settings.discover_timeout, settings.connect_timeout, tls)


class Conversation(Loop):
    """Turns with the three services; leaving the block ends the one under way."""

    def __init__(self, settings: SatelliteSettings, body: Body, services: Services) -> None:
        super().__init__(settings, body)
        self._services = services
        self._exchange_settings = ExchangeSettings(
            language=settings.language,
            voice=settings.voice,
            listen_seconds=settings.max_listen + settings.pre_roll,
            stt_seconds=settings.stt_timeout,
            llm_seconds=settings.llm_timeout,
            tts_seconds=settings.tts_timeout,
        )
        self._conversation_id = uuid.uuid4().hex
        self._turn: _Turn | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._heard: str | None = None
        self._interrupting = False
        self._wake: str | None = None
        self._turns = 0
        self._silence = 0.0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._turn is not None:
            self._hang_up(self._turn)
        await asyncio.gather(*self._ending, return_exceptions=True)

    async def run(self) -> None:
        """Run until there is nothing more to hear, or the one turn asked for is done.

        Raises NothingHeard when there was no turn at all, and with `once` the ServiceError
        that ended the turn.
        """
        await super().run()
        if not self._turns:
            raise NothingHeard(f"mic: nobody was heard to speak in {self.settings.mic}")

    @property
    def over(self) -> bool:
        """Whether the one turn asked for is done, or a recording is over and all is quiet."""
        done = self.settings.once and self._turns > 0
        return done or self._silence > _AFTER_END_SECONDS

    def listen(self, turn: Listen) -> None:
        """Connect to the services and stream the utterance to speech-to-text."""
        began_at = self.machine.speech_start
        self._wake = turn.wake
        assert began_at is not None
        self.machine.service_ends_turn = self._service_ends_turn()
        trace = Trace(self.body.clock.now)
        trace.zero = began_at
        trace.begin("listening", at=0.0)
        exchange = Exchange(
            self._services,
            self.body.player,
            self._exchange_settings,
            trace,
            self._context(),
            self._understood,
        )
        exchange.utterance.feed(self.body.ears.since(turn.since))
        self._turn = _Turn(exchange, began_at)

    def _context(self) -> dict[str, Any]:
        heard, self._heard = self._heard, None
        context = {"conversation_id": self._conversation_id}
        return context if heard is None else {**context, "heard": heard}

    def _understood(self, text: str) -> bool:
        if self._wake is not None and is_only(self._wake, text):
            # The command is still to come: this was no turn.
            if self._turn is not None:
                self._turn.exchange.outcome.transcript = ""
            self.do(self.machine.wake(self.body.clock.now(), None))
            return False
        self.do(self.machine.transcript(text))
        # Said into a reply it is meant for the reply, which is silent by now.
        return not (self._interrupting and is_stop(text))

    def feed(self, pcm: bytes) -> None:
        """Take the next audio of the utterance."""
        if self._turn is not None:
            self._turn.exchange.utterance.feed(pcm)

    def end_speech(self) -> None:
        """Tell speech-to-text that the utterance is over."""
        if self._turn is not None:
            self._turn.exchange.utterance.end()
            self._turn.stamp_end(self.machine.speech_end)

    def abandon(self) -> None:
        """Hang up on the services, which cancels what they do."""
        turn, self._turn = self._turn, None
        self._interrupting = turn is not None
        if turn is not None:
            self._hang_up(turn)
            outcome, playback = turn.exchange.outcome, self.body.player.playback
            if outcome.reply:
                self._heard = heard_text(
                    outcome.reply,
                    playback.heard_seconds if turn.playing else 0.0,
                    outcome.audio_seconds,
                    whole=outcome.spoken,
                )
            self._report(turn, interrupted=True)

    def look(self, frame: Frame) -> None:  # noqa: ARG002 - the loop's
        """Notice that the reply has begun to play, and that the turn is over."""
        turn = self._turn
        if turn is None:
            quiet = self.machine.state in (State.IDLE, State.AWAKE)
            ended = self.body.microphone.ended and quiet
            self._silence = self._silence + FRAME_SECONDS if ended else 0.0
            return
        if self.machine.state is State.THINKING and turn.playback_began(self.body.player):
            self.do(self.machine.speaking())
        if turn.task.done():
            self._turn = None
            self._interrupting = False
            self._finish(turn)

    def _finish(self, turn: "_Turn") -> None:
        turn.playback_ended(self.body.player)
        failure = turn.task.exception()
        if failure is not None and not isinstance(failure, ServiceError):
            raise failure
        self.do(self.machine.finished() if failure is None else self.machine.failed())
        self._report(turn, failure)
        if failure is not None:
            if self.settings.once:
                raise failure
            _LOGGER.error("%s", failure)

    def _hang_up(self, turn: "_Turn") -> None:
        turn.task.cancel()
        self._ending.add(turn.task)
        turn.task.add_done_callback(self._ending.discard)

    def _service_ends_turn(self) -> bool:
        return any(
            not program.requires_external_vad
            for service in self._services.candidates("asr")[:1]
            for program in service.info.asr[:1]
        )

    def _report(
        self, turn: "_Turn", error: ServiceError | None = None, *, interrupted: bool = False
    ) -> None:
        outcome = turn.exchange.outcome
        if not outcome.transcript and error is None:
            # A noise that was taken for speech is no turn.
            return
        self._turns += 1
        report = TurnReport(
            turn.exchange.trace,
            turn.began_at,
            outcome.transcript,
            outcome.reply.strip(),
            None if error is None else str(error),
            interrupted,
        )
        tell_turn(self.telemetry, report)
        if self.settings.speaker != "pipe":
            print_report(report, as_json=self.settings.json_lines)


class _Turn:
    """A turn under way, and the stamps of its trace that the devices give."""

    def __init__(self, exchange: Exchange, began_at: float) -> None:
        self.exchange = exchange
        self.began_at = began_at
        self.playing = False
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
        # Until audio has come the player tells of the reply before.
        if started is None or not self.exchange.outcome.audio_seconds:
            return False
        self.playing = True
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
