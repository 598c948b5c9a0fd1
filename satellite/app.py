"""Puts a satellite together and runs it."""

import asyncio
import logging
from contextlib import AsyncExitStack

from satellite import standalone
from satellite.body.control import Shows
from satellite.clock import RunClock
from satellite.config import SatelliteSettings
from satellite.devices import open_microphone, open_speaker
from satellite.door import open_door
from satellite.ears import Ears
from satellite.frontend import FrontEnd, FrontEndSettings, NoFrontEnd, WebRtc
from satellite.homeassistant import Assistant
from satellite.loop import Body, Loop
from satellite.player import Player
from satellite.wake import make_wake
from wyoming_common.errors import ConfigError
from wyoming_common.listening import client_tls
from wyoming_common.metrics import open_telemetry
from wyoming_common.notify import notify
from wyoming_common.vad import Silero

_LOGGER = logging.getLogger(__name__)


async def run(settings: SatelliteSettings) -> None:
    """Run until cancelled, until a recording is over, or for one turn.

    Raises a ServiceError for what a user can cause, and with `once` for a turn that failed.
    """
    if settings.tls_uri:
        raise ConfigError(
            "tls_uri: Home Assistant speaks plain tcp; --tls-ca is for tls:// services"
        )
    clock = RunClock()
    player = Player(settings.speaker_rate, settings.volume)
    microphone = await asyncio.to_thread(open_microphone, settings, clock)
    speaker = open_speaker(settings, player, clock)
    ears = await asyncio.to_thread(_make_ears, settings)
    async with AsyncExitStack() as stack:
        telemetry = await stack.enter_async_context(
            open_telemetry(settings, settings.program(), settings.allow)
        )
        body = Body(clock, microphone, player, ears, telemetry)
        loop: Assistant | standalone.Conversation
        if settings.mode == "standalone":
            standalone.check(settings)
            services = await stack.enter_async_context(standalone.find_services(settings))
            loop = standalone.Conversation(settings, body, services)
            if not settings.once:
                loop.uri = await stack.enter_async_context(open_door(settings, telemetry))
        else:
            loop = Assistant(settings, body)
        await stack.enter_async_context(ears)
        clock.start()
        await stack.enter_async_context(speaker)
        await stack.enter_async_context(microphone)
        await stack.enter_async_context(loop)
        loop.shows += [
            await stack.enter_async_context(show) for show in _make_shows(settings, loop)
        ]
        _LOGGER.info("Listening")
        notify(READY="1", X_URI=loop.uri)
        stack.callback(notify, STOPPING="1")
        await loop.run()


def _make_ears(settings: SatelliteSettings) -> Ears:
    words = settings.wake + settings.stop_word
    tls = client_tls(settings.tls_ca, settings.tls_cert, settings.tls_key)
    wake = make_wake(settings.wake_engine, words, settings.wake_sensitivity, settings.wake_uri, tls)
    return Ears(
        Silero(),
        wake,
        _make_front_end(settings),
        memory_seconds=settings.max_listen,
    )


def _make_shows(settings: SatelliteSettings, loop: Loop) -> list[Shows]:
    shows: list[Shows] = []
    if settings.event_command:
        from satellite.body.command import EventCommand

        shows.append(EventCommand(settings.event_command))
    if settings.event_uri:
        from satellite.body.websocket import EventSocket

        shows.append(EventSocket(settings.event_uri, loop, settings.allow, settings.event_origin))
    pins = (settings.led_pin, settings.button_pin, settings.mute_pin)
    if any(pins):
        from satellite.body.gpio import Gpio

        shows.append(Gpio(loop, *pins))
    return shows


def _make_front_end(settings: SatelliteSettings) -> FrontEnd:
    room = settings.mic.startswith("portaudio") and settings.speaker.startswith("portaudio")
    echo = settings.echo_cancellation == "on" or (settings.echo_cancellation == "auto" and room)
    if not (echo or settings.noise_suppression or settings.auto_gain):
        return NoFrontEnd()
    wanted = FrontEndSettings(echo=echo, noise=settings.noise_suppression, gain=settings.auto_gain)
    return WebRtc(wanted, settings.speaker_rate)
