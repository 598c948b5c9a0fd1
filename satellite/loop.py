"""What both modes share: the microphone drives the turn machine, and what it decides is done."""

from dataclasses import dataclass
from typing import Any

from satellite.body.control import Shows
from satellite.clock import RunClock
from satellite.config import NO_WAKE, SatelliteSettings
from satellite.devices.device import SILENCE, Frame, Microphone
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
from wyoming_common.notify import notify
from wyoming_common.telemetry import Telemetry

_WATCHDOG_SECONDS = 2.0


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

    cancels = True
    """Whether a turn that has not been answered yet can be taken back."""

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
                wake_overlap_seconds=body.ears.wake_lag_seconds,
                no_speech_seconds=settings.no_speech,
                max_listen_seconds=settings.max_listen,
                follow_up_seconds=settings.follow_up,
                cancels=self.cancels,
                barge_in=settings.barge_in and not settings.once,
            )
        )
        self._muted = self._shown_deaf = False
        self._watchdog_at = 0.0
        self._shown = self.machine.state
        self.shows: list[Shows] = []
        """Who is told how we are doing."""

    async def run(self) -> None:
        """Run until `over`."""
        async for frame in self.body.microphone.frames():
            self._hear(Frame(SILENCE, frame.at) if self.deaf else frame)
            self.look(frame)
            self._show()
            self._feed_watchdog(frame.at)
            if self.over:
                break

    @property
    def deaf(self) -> bool:
        """Whether the microphone is off."""
        return self._muted

    def heeds(self, word: str) -> bool:  # noqa: ARG002 - subclasses ask
        """Whether a wake word counts now."""
        return True

    @property
    def over(self) -> bool:
        """Whether there is nothing more to do."""
        return False

    def tell(self, event: str, **facts: Any) -> None:
        """Pass news on."""
        for one in self.shows:
            one.tell({"event": event, **facts})

    def press(self) -> None:
        """Listen now; while a reply plays: stop."""
        if self.machine.state is State.SPEAKING:
            self.stop()
        else:
            self.woken()
            self.do(self.machine.wake(self.body.clock.now(), None))

    def stop(self) -> None:
        """End whatever goes on."""
        self.woken()
        self.do(self.machine.stop_word())

    def mute(self, *, on: bool) -> None:
        """Hear nothing until unmuted; what was being said is dropped."""
        self._muted = on
        if on and self.machine.state in (State.AWAKE, State.LISTENING):
            self.do(self.machine.stop_word())

    def set_volume(self, gain: float) -> None:
        """Set the gain of everything that is played, 0 to 4."""
        self.body.player.set_volume(gain)

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
        """Play a sound of ours, unless they are turned off; a timer rings all the same."""
        if name in ("error", "timer"):
            self.tell(name)
        if self.settings.sounds or name == "timer":
            self.body.player.sound(sound(name, self.body.player.rate))

    def _feed_watchdog(self, at: float) -> None:
        # Frames that come and go are what says that a satellite lives.
        if at >= self._watchdog_at:
            self._watchdog_at = at + _WATCHDOG_SECONDS
            notify(WATCHDOG="1")

    def _show(self) -> None:
        if self.machine.state is not self._shown:
            self._shown = self.machine.state
            self.tell(self._shown.value)
        if self.deaf is not self._shown_deaf:
            self._shown_deaf = self.deaf
            self.tell("muted" if self._shown_deaf else "unmuted")

    def _hear(self, frame: Frame) -> None:
        far = self.body.player.take_reference()
        heard = self.body.ears.hear(frame, far, attentive=self.machine.attentive)
        tell_heard(self.telemetry, heard, self.body.ears.wake_scores)
        if self.machine.state is State.LISTENING:
            self.feed(heard.frame.pcm)
        if heard.wake is not None and self.heeds(heard.wake):
            self.woken()
            self.tell("wake", word=heard.wake)
            if heard.wake in self.settings.stop_word:
                self.do(self.machine.stop_word())
            else:
                self.do(self.machine.wake(frame.at, heard.wake))
        for voice in heard.voices:
            self.do(self.machine.voice(voice.at, voice.hearing))
