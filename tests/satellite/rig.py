"""A satellite in a test: file devices in a time of its own, detectors without a model."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from heapq import heappop, heappush
from itertools import count
from pathlib import Path

import numpy as np
import soundfile

from satellite.clock import RunClock
from satellite.config import SatelliteSettings
from satellite.devices.files import FileMicrophone, FileSpeaker
from satellite.ears import Ears
from satellite.homeassistant import Assistant
from satellite.loop import Body
from satellite.player import Player
from satellite.services import Services
from satellite.standalone import Conversation
from satellite.wake.engine import NoWake, WakeDetector
from tests.satellite.fakes import Fake
from wyoming_common.audio import MODEL_RATE
from wyoming_common.telemetry import Telemetry

_TURNS = 4
"""Turns of the event loop for each step of time: what is on its way between two sockets arrives."""


class FastClock(RunClock):
    """Time that passes as fast as the event loop turns, and stands still while anything runs.

    A machine under load changes nothing.
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
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            self._now = max(self._now, at)
            while self._waiters and self._waiters[0][0] <= self._now:
                _, _, waiter = heappop(self._waiters)
                if not waiter.done():
                    waiter.set_result(None)


class LoudIsSpeech:
    """Takes every frame louder than a whisper for speech."""

    frame_samples = 512

    def process(self, frame: bytes) -> float:
        return 1.0 if np.abs(np.frombuffer(frame, "<i2")).max() > 3000 else 0.0

    def reset(self) -> None:
        pass


class WakeIsVeryLoud:
    """Hears its word at the end of a stretch of clipped samples."""

    frame_samples = 160
    lag_seconds = 0.25

    @property
    def scores(self) -> Mapping[str, float]:
        return {"computer": float(self._loud)}

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


SPEECH = 10_000
WAKE = 32_000


@asynccontextmanager
async def conversation(
    folder: Path,
    heard: Sequence[tuple[float, int]],
    stt: Fake,
    llm: Fake,
    tts: Fake,
    *flags: str,
    wake: WakeDetector | None = None,
) -> AsyncIterator[Conversation]:
    """A conversation whose microphone hears `heard`; the speaker is `folder`/speaker.wav."""
    settings = SatelliteSettings.load(
        [
            f"--mic=file:{folder}/mic.wav",
            f"--wake={'computer' if wake else 'none'}",
            "--json",
            "--stop-word=stop",
            *flags,
        ]
    )
    write_wav(folder / "mic.wav", audio(*heard))
    clock = FastClock()
    player = Player(22_050)
    uris = {"asr": stt.uri, "handle": llm.uri, "tts": tts.uri}
    async with AsyncExitStack() as stack:
        services = await stack.enter_async_context(Services(uris, 1.0, 1.0))
        microphone = FileMicrophone(folder / "mic.wav", clock)
        clock.start()
        await stack.enter_async_context(FileSpeaker(folder / "speaker.wav", player, clock))
        ears = Ears(LoudIsSpeech(), wake or NoWake())
        telemetry = Telemetry("satellite", clock=clock.now)
        body = Body(clock, microphone, player, ears, telemetry)
        yield await stack.enter_async_context(Conversation(settings, body, services))


def played(folder: Path) -> list[tuple[float, float]]:
    """Return the stretches of sound in what the speaker played: (start, end) in seconds."""
    samples, rate = soundfile.read(folder / "speaker.wav", dtype="int16")
    loud = np.flatnonzero(np.abs(samples) > 500)
    if not len(loud):
        return []
    cuts = np.flatnonzero(np.diff(loud) > rate * 0.05)
    starts = [loud[0], *loud[cuts + 1]]
    ends = [*loud[cuts], loud[-1]]
    return [(start / rate, end / rate) for start, end in zip(starts, ends, strict=True)]


def sounding(folder: Path) -> float:
    """Return the seconds of sound in what the speaker played, gaps left out."""
    return sum(end - start for start, end in played(folder))


@asynccontextmanager
async def assistant(
    folder: Path,
    heard: Sequence[tuple[float, int]],
    *flags: str,
    wake: WakeDetector | None = None,
    clock: RunClock | None = None,
) -> AsyncIterator[Assistant]:
    """A satellite for Home Assistant that runs; its port is any, its time is its own."""
    settings = SatelliteSettings.load(
        [
            "--uri=tcp://127.0.0.1:0",
            "--no-zeroconf",
            f"--wake={'computer' if wake else 'none'}",
            *flags,
        ]
    )
    write_wav(folder / "mic.wav", audio(*heard))
    clock = clock or FastClock()
    player = Player(22_050)
    async with AsyncExitStack() as stack:
        microphone = FileMicrophone(folder / "mic.wav", clock)
        clock.start()
        await stack.enter_async_context(FileSpeaker(folder / "speaker.wav", player, clock))
        ears = Ears(LoudIsSpeech(), wake or NoWake())
        body = Body(clock, microphone, player, ears, Telemetry("satellite", clock=clock.now))
        loop = await stack.enter_async_context(Assistant(settings, body))
        task = asyncio.create_task(loop.run())
        stack.push_async_callback(_end, task)
        yield loop


async def _end(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
