"""Interface between the satellite and the driver that runs its turns."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from satellite.audio.devices.device import Frame, Microphone
from satellite.audio.pipeline import AudioPipeline
from satellite.audio.player import Player
from satellite.core.clock import RunClock
from satellite.core.turn import Action, Listen, TurnMachine
from wyoming_common.telemetry.recorder import Telemetry


@dataclass(frozen=True, slots=True)
class Devices:
    """The devices of one satellite, and the audio pipeline and telemetry that go with them."""

    clock: RunClock
    microphone: Microphone
    player: Player
    audio: AudioPipeline
    telemetry: Telemetry


class TurnHost(Protocol):
    """The satellite as its driver sees it."""

    @property
    def machine(self) -> TurnMachine:
        """The turn machine: a driver gives it news of the turn and performs what it returns."""
        ...

    sounds: bool
    """Whether short sounds are played, apart from the ringing of a timer."""

    @property
    def microphone_off(self) -> bool:
        """Whether the microphone is muted."""
        ...

    def press(self) -> None:
        """Listen now; stop the reply where one plays."""
        ...

    def mute(self, *, on: bool) -> None:
        """Mute the microphone, or unmute it."""
        ...

    def perform(self, actions: Iterable[Action]) -> None:
        """Carry out actions of the turn machine, in order."""
        ...

    def play_sound(self, name: str) -> None:
        """Play one of the short sounds of `satellite.audio.sounds`."""
        ...


class TurnDriver(Protocol):
    """One way to run a turn, such as Home Assistant's pipeline. Every method returns at once."""

    @property
    def cancels(self) -> bool:
        """Whether a turn that has not been answered yet can be withdrawn and said again."""
        ...

    @property
    def microphone_off(self) -> bool:
        """Whether the other side wants to hear nothing at all."""
        ...

    @property
    def finished(self) -> bool:
        """Whether the satellite has nothing left to do."""
        ...

    def attach(self, host: TurnHost) -> None:
        """Take the satellite to drive turns for; called once, before any other method."""
        ...

    def accepts(self, wake_word: str) -> bool:
        """Return whether the other side wants to hear this wake word now."""
        ...

    def acknowledge(self) -> None:
        """Silence a timer that rings, because the user is there."""
        ...

    def listen(self, turn: Listen) -> None:
        """Begin a turn."""
        ...

    def feed(self, pcm: bytes) -> None:
        """Take 10 ms of the utterance: mono s16le at 16 kHz."""
        ...

    def end_speech(self) -> None:
        """Take note that the utterance is over."""
        ...

    def unanswered(self) -> None:
        """Take note that nothing was said to a reply that asked something."""
        ...

    def abandon(self) -> None:
        """Stop the work of the turn; its playback has been stopped already."""
        ...

    def tick(self, frame: Frame) -> None:
        """Follow the course of the turn; called with every frame of the microphone, each 10 ms."""
        ...

    def check_result(self) -> None:
        """Raise the ServiceError that the run has ended with, if it has failed."""
        ...
