"""What both modes share: the microphone drives the turn machine, and what it decides is done."""

from dataclasses import dataclass

from satellite.clock import RunClock
from satellite.config import NO_WAKE, SatelliteSettings
from satellite.devices.device import Frame, Microphone
from satellite.ears import Ears
from satellite.player import Player
from satellite.sounds import sound
from satellite.telling import tell_heard
from satellite.turn import (
    Abandon,
    Action,
    Chime,
    Duck,
    EndSpeech,
    Listen,
    Pause,
    Resume,
    State,
    TurnMachine,
    TurnSettings,
)
from wyoming_common.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class Body:
    """The devices and the senses of a satellite."""

    clock: RunClock
    microphone: Microphone
    player: Player
    ears: Ears
    telemetry: Telemetry


class Loop:
    """Subclasses say what a turn is: with services of our own finding, or with Home Assistant."""

    def __init__(self, settings: SatelliteSettings, body: Body) -> None:
        self.settings = settings
        self.uri = ""
        """Where others connect to us, if they do."""
        self.body = body
        self.telemetry = body.telemetry
        self.machine = TurnMachine(
            TurnSettings(
                hands_free=not settings.wake or NO_WAKE in settings.wake,
                pre_roll_seconds=settings.pre_roll,
                no_speech_seconds=settings.no_speech,
                max_listen_seconds=settings.max_listen,
                follow_up_seconds=settings.follow_up,
                barge_in=settings.barge_in and not settings.once,
            )
        )

    async def run(self) -> None:
        """Run until `over`."""
        async for frame in self.body.microphone.frames():
            self._hear(frame)
            self.look(frame)
            if self.over:
                break

    @property
    def over(self) -> bool:
        """Whether there is nothing more to do."""
        return False

    def listen(self, turn: Listen) -> None:
        """Begin a turn."""
        raise NotImplementedError

    def woken(self) -> None:
        """A wake word was heard."""

    def feed(self, pcm: bytes) -> None:
        """Take the next audio of the utterance."""
        raise NotImplementedError

    def end_speech(self) -> None:
        """The utterance is over."""
        raise NotImplementedError

    def abandon(self) -> None:
        """Stop what the turn is doing; what plays has been stopped already."""
        raise NotImplementedError

    def look(self, frame: Frame) -> None:
        """Look how the turn is getting on; called every 10 ms."""
        raise NotImplementedError

    def do(self, actions: list[Action]) -> None:
        """Do what the machine has decided."""
        for action in actions:
            match action:
                case Listen():
                    self.listen(action)
                case EndSpeech():
                    self.end_speech()
                case Abandon():
                    self.body.player.stop()
                    self.abandon()
                case Chime(name):
                    self.chime(name)
                case _:
                    self._adjust(action)

    def _adjust(self, action: Duck | Pause | Resume) -> None:
        player = self.body.player
        match action:
            case Duck():
                player.duck(self.settings.duck)
            case Pause():
                player.pause()
            case Resume():
                player.resume()

    def chime(self, name: str) -> None:
        """Play a sound of ours, unless they are turned off."""
        if self.settings.sounds:
            self.body.player.sound(sound(name, self.body.player.rate))

    def _hear(self, frame: Frame) -> None:
        heard = self.body.ears.hear(frame, self.body.player.take_reference())
        tell_heard(self.telemetry, heard)
        if self.machine.state is State.LISTENING:
            self.feed(heard.frame.pcm)
        if heard.wake is not None:
            self.woken()
            if heard.wake in self.settings.stop_word:
                self.do(self.machine.stop_word())
            else:
                self.do(self.machine.wake(frame.at, heard.wake))
        for voice in heard.voices:
            self.do(self.machine.voice(voice.at, voice.hearing))
