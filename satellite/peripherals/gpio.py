"""Lights and buttons on the pins of a Raspberry Pi, through gpiozero."""

import asyncio
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Self

from satellite.peripherals.control import Controls, SatelliteEvent
from wyoming_common.config.install_hints import how_to_install
from wyoming_common.errors import ConfigError, MissingDependency

_BLINK = {
    "awake": (0.1, 0.1),
    "listening": (1.0, 0.0),
    "thinking": (0.25, 0.25),
    "speaking": (0.6, 0.2),
    "error": (0.05, 0.05),
    "timer": (0.1, 0.4),
    "muted": (0.05, 1.95),
}
"""Seconds on and off for each event; the light is off for any other."""


class Gpio:
    """One light for the state, a button to listen and a button to mute.

    Pins are BCM numbers; 0 means not connected. On the ReSpeaker 2-Mics HAT the button is pin 17.
    """

    def __init__(self, controls: Controls, led: int, button: int, mute_button: int) -> None:
        self._controls = controls
        self._pins = (led, button, mute_button)
        self._muted = False
        self._light: Any = None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._stack = ExitStack()
        try:
            self._open()
        except BaseException:
            self._stack.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stack.close()

    def on_event(self, event: SatelliteEvent) -> None:
        """Show an event on the light."""
        name = str(event["event"])
        self._muted = name == "muted" or (self._muted and name != "unmuted")
        if self._light is None:
            return
        on, off = _BLINK.get("muted" if self._muted else name, (0.0, 0.0))
        if not on:
            self._light.off()
        elif not off:
            self._light.on()
        else:
            self._light.blink(on, off)

    def _open(self) -> None:
        try:
            import gpiozero
        except ModuleNotFoundError as err:
            raise MissingDependency(
                "Lights and buttons need the package 'gpiozero': "
                f"{how_to_install('gpio')}, and pip install lgpio"
            ) from err
        led, button, mute = self._pins
        try:
            # On other machines than a Pi gpiozero warns of each pin library that it has tried.
            with warnings.catch_warnings(action="ignore"):
                gpiozero.Device.ensure_pin_factory()
            if led:
                self._light = self._stack.enter_context(gpiozero.LED(led))
            self._button(gpiozero, button, self._controls.press)
            self._button(gpiozero, mute, self._toggle_mute)
        except gpiozero.GPIOZeroError as err:
            raise ConfigError(f"gpio: cannot use pins {led}, {button}, {mute}: {err}") from err

    def _button(self, gpiozero: Any, pin: int, act: Callable[[], None]) -> None:
        if pin:
            button = self._stack.enter_context(gpiozero.Button(pin, bounce_time=0.03))
            # gpiozero calls from its own thread.
            button.when_pressed = lambda: self._loop.call_soon_threadsafe(act)

    def _toggle_mute(self) -> None:
        self._controls.mute(on=not self._muted)
