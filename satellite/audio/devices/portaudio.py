"""PortAudio devices: the microphone and speaker of the machine (ALSA, PulseAudio, PipeWire)."""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Self

from satellite.audio.devices.device import FRAME_BYTES, FRAME_SECONDS, SILENCE, Frame
from satellite.audio.devices.workarounds import renew_device_list
from satellite.audio.player import Player
from satellite.core.clock import RunClock
from wyoming_common.audio.pcm import MODEL_RATE, PcmConverter, PcmFormat, Reframer
from wyoming_common.config.install_hints import how_to_install
from wyoming_common.errors import ConfigError, MissingDependency, ServiceError

_LOGGER = logging.getLogger(__name__)

_MAX_WAITING_FRAMES = 200
_LOST_SECONDS = 3.0
"""A device that is silent for this time counts as unplugged. PulseAudio pauses for up to two
seconds, the size of its buffer, when a stream begins on a sink that was idle."""
_RETRY_SECONDS = 2.0
_LATENCY_SECONDS = 0.04
"""Latency asked of each device. With PortAudio's own "low" the ALSA plugin of PulseAudio stalls
when both are open: a third of the callbacks, the first after two seconds."""


def sound_library() -> Any:
    """Import sounddevice. Raises MissingDependency when it or PortAudio is not installed."""
    try:
        import sounddevice
    except ModuleNotFoundError as err:
        raise MissingDependency(
            f"The microphone and the speaker need sounddevice: {how_to_install('satellite')}"
        ) from err
    except OSError as err:
        raise MissingDependency(
            "The microphone and the speaker need PortAudio: sudo apt install libportaudio2"
        ) from err
    return sounddevice


def find_device(name: str, kind: str) -> int | None:
    """Return the index of the device whose name contains `name`; None means the default.

    `kind` is "input" or "output". Raises ConfigError, which names the devices.
    """
    sounddevice = sound_library()
    devices = [
        (index, device["name"])
        for index, device in enumerate(sounddevice.query_devices())
        if device[f"max_{kind}_channels"] > 0
    ]
    word = "mic" if kind == "input" else "speaker"
    if not devices:
        raise ConfigError(f"{word}: this machine has no sound {kind}; use file:PATH or pipe")
    if not name:
        return None
    for index, device in devices:
        if name.lower() == device.lower():
            return index
    for index, device in devices:
        if name.lower() in device.lower():
            return index
    known = ", ".join(repr(device) for _, device in devices)
    raise ConfigError(f"{word}: no device is called '{name}'; use one of {known}")


class _DeviceList:
    """PortAudio's list of devices, made when it is initialised; initialising again ends streams."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.age = 0
        """Number of renewals."""

    def renew(self, age: int) -> None:
        """List the devices again, unless that has been done since `age`."""
        sounddevice = sound_library()
        with self._lock:
            if self.age == age:
                self.age += 1
                renew_device_list(sounddevice)


_DEVICES = _DeviceList()


class _Stream:
    """A PortAudio stream that is opened again when its device comes back."""

    word = ""

    def __init__(self, name: str, clock: RunClock) -> None:
        self._name = name
        self._clock = clock
        self._stream: Any = None
        self._age = _DEVICES.age

    def _open(self) -> Any:
        raise NotImplementedError

    def _reopen(self) -> bool:
        """Try to open the device again; blocks for some 100 ms."""
        sounddevice = sound_library()
        self._close()
        with suppress(sounddevice.PortAudioError, ServiceError):
            # A stream that ended because the other one renewed the list must not renew it too.
            _DEVICES.renew(self._age)
            self._age = _DEVICES.age
            self._stream = self._open()
            return True
        return False

    def _close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            with suppress(Exception):
                stream.close()

    async def _first_open(self) -> None:
        sounddevice = sound_library()
        try:
            self._stream = await asyncio.to_thread(self._open)
        except sounddevice.PortAudioError as err:
            raise ConfigError(
                f"{self.word}: cannot open '{self._name or 'default'}': {err}"
            ) from err


class PortAudioMicrophone(_Stream):
    """Microphone that gives silence while it is unplugged."""

    word = "mic"

    def __init__(self, name: str, clock: RunClock) -> None:
        super().__init__(name, clock)
        self._waiting: deque[Frame] = deque(maxlen=_MAX_WAITING_FRAMES)
        self._arrived = asyncio.Event()
        self.ended = False

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        await self._first_open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self._close)

    async def frames(self) -> AsyncIterator[Frame]:
        """Yield frames as they come from the device."""
        while True:
            try:
                async with asyncio.timeout(_LOST_SECONDS):
                    await self._arrived.wait()
            except TimeoutError:
                async for frame in self._silence_until_back():
                    yield frame
            self._arrived.clear()
            while self._waiting:
                yield self._waiting.popleft()

    async def _silence_until_back(self) -> AsyncIterator[Frame]:
        _LOGGER.warning("mic: the device was unplugged; waiting for it")
        attempt: asyncio.Task[bool] | None = None
        next_try = at = self._clock.now()
        try:
            while not self._arrived.is_set():
                if attempt is None and self._clock.now() >= next_try:
                    attempt = asyncio.create_task(asyncio.to_thread(self._reopen))
                if attempt is not None and attempt.done():
                    attempt, next_try = None, self._clock.now() + _RETRY_SECONDS
                at += FRAME_SECONDS
                await self._clock.until(at)
                yield Frame(SILENCE, at)
        finally:
            if attempt is not None:
                await asyncio.wait([attempt])
        _LOGGER.warning("mic: the device is back")

    def _open(self) -> Any:
        sounddevice = sound_library()
        device = find_device(self._name, "input")
        rate = MODEL_RATE
        try:
            sounddevice.check_input_settings(device, 1, "int16", samplerate=rate)
        except sounddevice.PortAudioError:
            rate = int(sounddevice.query_devices(device, "input")["default_samplerate"])
        converter = PcmConverter(PcmFormat(rate, 2, 1))
        reframer = Reframer(FRAME_BYTES)

        def arrived(data: Any, _count: int, _times: Any, _status: Any) -> None:
            at = time.monotonic()
            for pcm in reframer.feed(converter.feed(bytes(data))):
                self._waiting.append(Frame(pcm, self._clock.at(at)))
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._arrived.set)

        stream = sounddevice.RawInputStream(
            rate, rate // 100, device, 1, "int16", latency=_LATENCY_SECONDS, callback=arrived
        )
        stream.start()
        return stream


class PortAudioSpeaker(_Stream):
    """Speaker that drops what it should play while it is unplugged."""

    word = "speaker"

    def __init__(self, name: str, player: Player, clock: RunClock) -> None:
        super().__init__(name, clock)
        self._player = player
        self._pulled_at = 0.0

    @property
    def rate(self) -> int:
        return self._player.rate

    async def __aenter__(self) -> Self:
        await self._first_open()
        self._pulled_at = time.monotonic()
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
        await asyncio.to_thread(self._close)

    async def _watch(self) -> None:
        """Read the player in place of an unplugged device, so that replies end, and look for it."""
        while True:
            await asyncio.sleep(_LOST_SECONDS / 4)
            if time.monotonic() - self._pulled_at < _LOST_SECONDS:
                continue
            _LOGGER.warning("speaker: the device was unplugged; waiting for it")
            while not await asyncio.to_thread(self._reopen):
                until = self._clock.now() + _RETRY_SECONDS
                while (at := self._clock.now()) < until:
                    self._player.read(self.rate // 100, at)
                    await self._clock.until(at + FRAME_SECONDS)
            self._pulled_at = time.monotonic()
            _LOGGER.warning("speaker: the device is back")

    def _open(self) -> Any:
        sounddevice = sound_library()
        device = find_device(self._name, "output")
        rate, channels = self._player.rate, 1
        resampler: PcmConverter | None = None
        try:
            sounddevice.check_output_settings(device, 1, "int16", samplerate=rate)
        except sounddevice.PortAudioError:
            defaults = sounddevice.query_devices(device, "output")
            rate = int(defaults["default_samplerate"])
            channels = min(2, int(defaults["max_output_channels"]))
            resampler = PcmConverter(PcmFormat(self._player.rate, 2, 1), rate)
        waiting = bytearray()

        def wanted(out: Any, count: int, times: Any, _status: Any) -> None:
            self._pulled_at = time.monotonic()
            delay = max(0.0, times.outputBufferDacTime - times.currentTime)
            at = self._clock.at(self._pulled_at) + delay
            while len(waiting) < count * 2:
                pcm = self._player.read(
                    count if resampler is None else self._player.rate // 100, at
                )
                waiting.extend(pcm if resampler is None else resampler.feed(pcm))
            block = bytes(waiting[: count * 2])
            del waiting[: count * 2]
            out[:] = block if channels == 1 else _twice(block)

        stream = sounddevice.RawOutputStream(
            rate, 0, device, channels, "int16", latency=_LATENCY_SECONDS, callback=wanted
        )
        stream.start()
        return stream


def _twice(mono: bytes) -> bytes:
    import numpy as np

    return np.repeat(np.frombuffer(mono, "<i2"), 2).tobytes()
