"""Events of the satellite for its peripherals, and their commands to it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, Protocol

from wyoming_common.errors import BadRequest

SatelliteEvent = Mapping[str, Any]
"""`event` (a state: idle, awake, listening, thinking, speaking; or wake, error, timer, muted,
unmuted) and the facts that belong to it."""
Observer = Callable[[SatelliteEvent], None]
"""Receives each event; must return at once."""


class EventPublisher:
    """Passes the events of the satellite to its observers."""

    def __init__(self) -> None:
        self._observers: list[Observer] = []

    @contextmanager
    def observed(self, observer: Observer) -> Iterator[None]:
        """Give `observer` every event until the block ends."""
        self._observers.append(observer)
        try:
            yield
        finally:
            self._observers.remove(observer)

    def publish(self, event: str, **facts: Any) -> None:
        """Give an event to every observer."""
        for observer in tuple(self._observers):
            observer({"event": event, **facts})


class Peripheral(AbstractAsyncContextManager[Any], Protocol):
    """A light, a screen or a program that follows the satellite's events."""

    def on_event(self, event: SatelliteEvent) -> None:
        """Take one event, without waiting."""
        ...


class Controls(Protocol):
    """Commands that a satellite takes."""

    def press(self) -> None:
        """Listen now; stop the reply where one plays, or a timer that rings."""
        ...

    def stop(self) -> None:
        """End the turn, its reply and the ringing of a timer."""
        ...

    def mute(self, *, on: bool) -> None:
        """Mute the microphone, or unmute it."""
        ...

    def set_volume(self, gain: float) -> None:
        """Set the gain of everything that is played, 0 to 4."""
        ...


def execute_command(controls: Controls, command: Mapping[str, Any]) -> None:
    """Execute {"do": "press" | "stop" | "mute" | "unmute" | "volume", "gain": 0.5}.

    Raises BadRequest for any other command, and for a gain outside 0 to 4.
    """
    simple: dict[str, Callable[[], None]] = {
        "press": controls.press,
        "stop": controls.stop,
        "mute": lambda: controls.mute(on=True),
        "unmute": lambda: controls.mute(on=False),
    }
    name = command.get("do")
    if name == "volume":
        gain = command.get("gain")
        if not isinstance(gain, int | float) or isinstance(gain, bool) or not 0 <= gain <= 4:
            raise BadRequest(f"gain: expected 0 to 4, got {gain!r:.40}")
        controls.set_volume(float(gain))
    elif isinstance(name, str) and name in simple:
        simple[name]()
    else:
        raise BadRequest(f"do: expected {', '.join(simple)} or volume, got {name!r:.40}")
