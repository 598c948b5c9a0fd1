"""Rig of a satellite: file devices on a virtual clock, and detectors without a model."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import soundfile

from satellite.audio.devices.files import FileMicrophone, FileSpeaker
from satellite.audio.pipeline import AudioPipeline
from satellite.audio.player import Player
from satellite.config import SatelliteSettings
from satellite.core.clock import RunClock
from satellite.core.turn import TurnMachine
from satellite.drivers.driver import Devices, TurnDriver
from satellite.drivers.satellite import Satellite, make_turn_machine
from satellite.drivers.wyoming import WyomingDriver
from satellite.wake.engine import NoWake, WakeDetector
from satellite.wyoming.ha_connections import AWAY_SECONDS
from wyoming_common.audio.pcm import MODEL_RATE
from wyoming_common.telemetry.recorder import Telemetry

SPEECH = 10_000
"""Peak that LoudIsSpeech takes for speech."""
WAKE = 32_000
"""Peak that WakeIsVeryLoud takes for its wake word."""
_LOOP_TURNS = 4
"""Turns of the event loop for each step of time, in which data passes between two sockets."""

DriverT = TypeVar("DriverT", bound=TurnDriver)


class VirtualClock(RunClock):
    """Time that passes as fast as the event loop turns, and stands still while anything runs.

    The load of the machine has no effect.
    """

    def __init__(self) -> None:
        super().__init__(lambda: 0.0)
        self._now = 0.0
        self._waiters: list[tuple[float, int, asyncio.Future[None]]] = []
        self._number = count()
        self._driver: asyncio.Task[None] | None = None

    def now(self) -> float:
        return self._now

    async def until(self, at: float) -> None:
        if at <= self._now:
            await asyncio.sleep(0)
            return
        waiter = asyncio.get_running_loop().create_future()
        heappush(self._waiters, (at, next(self._number), waiter))
        if self._driver is None or self._driver.done():
            self._driver = asyncio.create_task(self._drive())
        await waiter

    async def _drive(self) -> None:
        while self._waiters:
            at = self._waiters[0][0]
            for _ in range(_LOOP_TURNS):
                await asyncio.sleep(0)
            self._now = max(self._now, at)
            while self._waiters and self._waiters[0][0] <= self._now:
                _, _, waiter = heappop(self._waiters)
                if not waiter.done():
                    waiter.set_result(None)


class LoudIsSpeech:
    """Voice detector that takes every frame louder than a whisper for speech."""

    def process_chunk(self, audio: bytes) -> float:
        return 1.0 if np.abs(np.frombuffer(audio, "<i2")).max() > 3000 else 0.0

    def reset(self) -> None:
        pass


class WakeIsVeryLoud:
    """Wake detector that reports its word at the end of a stretch of clipped samples."""

    frame_samples = 160
    lag_seconds = 0.25

    @property
    def scores(self) -> Mapping[str, float]:
        return {"computer": float(self._loud)}

    @property
    def thresholds(self) -> Mapping[str, float]:
        return {"computer": 0.5}

    def __init__(self, after_first: str = "computer") -> None:
        self._loud = False
        self._word, self._after_first = "computer", after_first

    def process(self, frame: bytes) -> str | None:
        was, self._loud = self._loud, bool(np.abs(np.frombuffer(frame, "<i2")).max() > 30000)
        if not was or self._loud:
            return None
        word, self._word = self._word, self._after_first
        return word

    def reset(self) -> None:
        self._loud = False


def audio(*pieces: tuple[float, int]) -> bytes:
    """Return tones of (seconds, peak) one after the other, mono s16le at 16 kHz."""
    parts = []
    for seconds, peak in pieces:
        time_ = np.arange(int(seconds * MODEL_RATE)) / MODEL_RATE
        parts.append((np.sin(2 * np.pi * 200 * time_) * peak).astype("<i2").tobytes())
    return b"".join(parts)


def write_wav(path: Path, pcm: bytes, rate: int = MODEL_RATE) -> Path:
    soundfile.write(path, np.frombuffer(pcm, "<i2"), rate)
    return path


def played(folder: Path) -> list[tuple[float, float]]:
    """Return the stretches of sound that the speaker has played: (start, end) in seconds."""
    samples, rate = soundfile.read(folder / "speaker.wav", dtype="int16")
    loud = np.flatnonzero(np.abs(samples) > 500)
    if not len(loud):
        return []
    cuts = np.flatnonzero(np.diff(loud) > rate * 0.05)
    starts = [loud[0], *loud[cuts + 1]]
    ends = [*loud[cuts], loud[-1]]
    return [(start / rate, end / rate) for start, end in zip(starts, ends, strict=True)]


def sounding(folder: Path) -> float:
    """Return the seconds of sound that the speaker has played, without gaps."""
    return sum(end - start for start, end in played(folder))


@dataclass(frozen=True, slots=True)
class SatelliteRig(Generic[DriverT]):
    """A satellite on file devices: `folder`/mic.wav and `folder`/speaker.wav."""

    satellite: Satellite
    driver: DriverT
    devices: Devices
    folder: Path

    @property
    def machine(self) -> TurnMachine:
        return self.satellite.machine

    @property
    def clock(self) -> RunClock:
        return self.devices.clock

    @property
    def telemetry(self) -> Telemetry:
        return self.devices.telemetry


@asynccontextmanager
async def file_devices(
    folder: Path, heard: Sequence[tuple[float, int]], wake: WakeDetector | None, clock: RunClock
) -> AsyncIterator[Devices]:
    """Devices whose microphone hears `heard`."""
    write_wav(folder / "mic.wav", audio(*heard))
    player = Player(22_050)
    microphone = FileMicrophone(folder / "mic.wav", clock)
    clock.start()
    async with FileSpeaker(folder / "speaker.wav", player, clock):
        pipeline = AudioPipeline(LoudIsSpeech(), wake or NoWake())
        telemetry = Telemetry("satellite", clock=clock.now)
        yield Devices(clock, microphone, player, pipeline, telemetry)


def rig(
    settings: SatelliteSettings, devices: Devices, driver: DriverT, folder: Path
) -> SatelliteRig[DriverT]:
    """Return a rig whose satellite is still to be run."""
    machine = make_turn_machine(settings, devices, driver)
    return SatelliteRig(Satellite(settings, devices, machine, driver), driver, devices, folder)


@asynccontextmanager
async def wyoming_satellite(
    folder: Path,
    heard: Sequence[tuple[float, int]],
    *flags: str,
    wake: WakeDetector | None = None,
    clock: RunClock | None = None,
    away_seconds: float = AWAY_SECONDS,
) -> AsyncIterator[SatelliteRig[WyomingDriver]]:
    """A running satellite for Home Assistant, on a free port."""
    settings = SatelliteSettings.load(
        [
            "--uri=tcp://127.0.0.1:0",
            "--no-zeroconf",
            f"--wake={'computer' if wake else 'none'}",
            *flags,
        ]
    )
    async with AsyncExitStack() as stack:
        devices = await stack.enter_async_context(
            file_devices(folder, heard, wake, clock or VirtualClock())
        )
        driver = WyomingDriver(settings, devices, away_seconds=away_seconds)
        made = rig(settings, devices, driver, folder)
        await stack.enter_async_context(driver)
        task = asyncio.create_task(made.satellite.run())
        stack.push_async_callback(_end, task)
        yield made


async def _end(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
