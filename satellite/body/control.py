"""News of the satellite to whoever shows it, and orders from whoever pushes a button."""

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from wyoming_common.errors import BadRequest

_LOGGER = logging.getLogger(__name__)

News = Mapping[str, Any]
"""`event` (a state: idle, awake, listening, thinking, speaking; or wake, error, timer, muted,
unmuted) and what belongs to it."""


class Shows(AbstractAsyncContextManager[Any], Protocol):
    """Takes the news; must return at once."""

    def tell(self, news: News) -> None:
        """Take one piece of news."""
        ...


class Controls(Protocol):
    """What a satellite can be told to do."""

    def press(self) -> None:
        """Listen now; while a reply plays or a timer rings: stop."""
        ...

    def stop(self) -> None:
        """End whatever goes on."""
        ...

    def mute(self, *, on: bool) -> None:
        """Hear nothing until unmuted."""
        ...

    def set_volume(self, gain: float) -> None:
        """Set the gain of everything that is played, 0 to 4."""
        ...


def obey(controls: Controls, order: Mapping[str, Any]) -> None:
    """Do what an order says: {"do": "press" | "stop" | "mute" | "unmute" | "volume", "gain": 0.5}.

    Raises BadRequest for one that is none.
    """
    simple: dict[str, Callable[[], None]] = {
        "press": controls.press,
        "stop": controls.stop,
        "mute": lambda: controls.mute(on=True),
        "unmute": lambda: controls.mute(on=False),
    }
    what = order.get("do")
    if what == "volume":
        gain = order.get("gain")
        if not isinstance(gain, int | float) or isinstance(gain, bool) or not 0 <= gain <= 4:
            raise BadRequest(f"gain: expected 0 to 4, got {gain!r:.40}")
        controls.set_volume(float(gain))
    elif isinstance(what, str) and what in simple:
        simple[what]()
    else:
        raise BadRequest(f"do: expected {', '.join(simple)} or volume, got {what!r:.40}")
