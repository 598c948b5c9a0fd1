"""Composition of a satellite from its settings, and its run."""

import asyncio
import logging
from contextlib import AsyncExitStack

from satellite.audio.devices import open_microphone, open_speaker
from satellite.audio.frontend import FrontEnd, FrontEndSettings, NoFrontEnd, WebRtc
from satellite.audio.pipeline import AudioPipeline
from satellite.audio.player import Player
from satellite.config import SatelliteSettings
from satellite.core.clock import RunClock
from satellite.drivers.driver import Devices
from satellite.drivers.home_assistant import HomeAssistantDriver
from satellite.drivers.satellite import Satellite, make_turn_machine
from satellite.drivers.standalone import StandaloneDriver, check_settings, make_directory
from satellite.peripherals.control import Controls, Peripheral
from satellite.rooms.group import make_group
from satellite.wake import make_wake
from satellite.wake.household import RemoteWakeVoices
from satellite.wake.wake_recorder import WakeRecorder
from satellite.wyoming.trace_server import serve_traces
from wyoming_common.audio.vad import SILERO
from wyoming_common.http.metrics import open_telemetry
from wyoming_common.net.sockets import client_tls
from wyoming_common.process.sd_notify import notify
from wyoming_common.registry import import_class

_LOGGER = logging.getLogger(__name__)


async def run(settings: SatelliteSettings) -> None:
    """Run until cancelled, until a recording is over, or for one turn.

    Raises a ServiceError for a problem that the user can solve, and with `once` for a turn that
    has failed.
    """
    clock = RunClock()
    player = Player(settings.speaker_rate, settings.volume)
    microphone = await asyncio.to_thread(open_microphone, settings, clock)
    speaker = open_speaker(settings, player, clock)
    audio = await asyncio.to_thread(_make_audio_pipeline, settings)
    async with AsyncExitStack() as stack:
        telemetry = await stack.enter_async_context(
            open_telemetry(settings, settings.program(), settings.allow)
        )
        devices = Devices(clock, microphone, player, audio, telemetry)
        driver: StandaloneDriver | HomeAssistantDriver
        if settings.mode == "standalone":
            check_settings(settings)
            directory = await stack.enter_async_context(make_directory(settings))
            driver = StandaloneDriver(settings, devices, directory)
        else:
            driver = HomeAssistantDriver(settings, devices)
        machine = make_turn_machine(settings, devices, driver)
        recorder = WakeRecorder(settings.data_dir[0]) if settings.record_wakes else None
        if recorder is not None:
            stack.push_async_callback(asyncio.to_thread, recorder.close)
        group = make_group(settings, clock)
        voices: RemoteWakeVoices | None = None
        if settings.wake_voices:
            tls = client_tls(settings.tls_ca, settings.tls_cert, settings.tls_key)
            voices = RemoteWakeVoices(settings.wake_voices, tls)
            await stack.enter_async_context(voices)
        satellite = Satellite(settings, devices, machine, driver, recorder, group, voices)
        await stack.enter_async_context(audio)
        clock.start()
        await stack.enter_async_context(speaker)
        await stack.enter_async_context(microphone)
        await stack.enter_async_context(driver)
        uri = ""
        if not isinstance(driver, StandaloneDriver):
            uri = driver.uri
        elif not settings.once:
            uri = await stack.enter_async_context(serve_traces(settings, telemetry))
        if group is not None:
            await stack.enter_async_context(group)
        for peripheral in _make_peripherals(settings, satellite):
            await stack.enter_async_context(peripheral)
            stack.enter_context(satellite.events.observed(peripheral.on_event))
        _LOGGER.info("Listening")
        notify(READY="1", X_URI=uri)
        stack.callback(notify, STOPPING="1")
        await satellite.run()


def _make_audio_pipeline(settings: SatelliteSettings) -> AudioPipeline:
    words = tuple(dict.fromkeys(settings.wake + settings.stop_word))
    tls = client_tls(settings.tls_ca, settings.tls_cert, settings.tls_key)
    wake = make_wake(
        settings.wake_engine,
        words,
        settings.wake_sensitivity,
        settings.wake_uri,
        tls,
        settings.data_dir,
    )
    return AudioPipeline(
        import_class(SILERO, "Voice detection", "satellite")(),
        wake,
        _make_front_end(settings),
        memory_seconds=settings.max_listen,
    )


def _make_front_end(settings: SatelliteSettings) -> FrontEnd:
    room = settings.mic.startswith("portaudio") and settings.speaker.startswith("portaudio")
    echo = settings.echo_cancellation == "on" or (settings.echo_cancellation == "auto" and room)
    if not (echo or settings.noise_suppression or settings.auto_gain):
        return NoFrontEnd()
    stages = FrontEndSettings(echo=echo, noise=settings.noise_suppression, gain=settings.auto_gain)
    return WebRtc(stages, settings.speaker_rate)


def _make_peripherals(settings: SatelliteSettings, controls: Controls) -> list[Peripheral]:
    peripherals: list[Peripheral] = []
    if settings.event_command:
        from satellite.peripherals.command import EventCommand

        peripherals.append(EventCommand(settings.event_command))
    if settings.event_uri:
        from satellite.peripherals.websocket import EventSocket

        peripherals.append(
            EventSocket(settings.event_uri, controls, settings.allow, settings.event_origin)
        )
    pins = (settings.led_pin, settings.button_pin, settings.mute_pin)
    if any(pins):
        from satellite.peripherals.gpio import Gpio

        peripherals.append(Gpio(controls, *pins))
    return peripherals
