"""Microphone and speaker of a satellite under test, as pipes."""

import asyncio
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.homeassistant.client import MAX_WAITING_SECONDS
from tests.homeassistant.installation import PORTS
from tests.homeassistant.machines import BOX, Program
from tests.homeassistant.pipeline import RATE, Recording

SPEAKER_RATE = 22_050
_STEP_SECONDS = 0.02
_LOUD = 300
"""Amplitude from which the speaker plays something; silence is 0."""


@dataclass(slots=True)
class Microphone:
    """Gives the satellite what is said in the room, in real time; silence otherwise."""

    program: Program
    waiting: deque[bytes] = field(default_factory=deque)
    closed: threading.Event = field(default_factory=threading.Event)
    said_at: float = 0.0
    """Time of the last sample of the last recording, on the monotonic clock."""

    def open(self) -> None:
        threading.Thread(target=self._run, daemon=True).start()

    def close(self) -> None:
        self.closed.set()

    async def say(self, said: Recording) -> float:
        """Say something, and return when its speech had ended."""
        step = int(_STEP_SECONDS * RATE) * 2
        end = said.speech_end()
        self.said_at = 0.0
        self.waiting.extend(said.pcm[at : at + step] for at in range(0, len(said.pcm), step))
        async with asyncio.timeout(MAX_WAITING_SECONDS):
            while self.waiting:  # noqa: ASYNC110 - a thread empties it
                await asyncio.sleep(_STEP_SECONDS)
        return time.monotonic() - (len(said.pcm) / 2 / RATE - end)

    def _run(self) -> None:
        step = int(_STEP_SECONDS * RATE) * 2
        due = time.monotonic()
        while not self.closed.is_set():
            part = self.waiting.popleft() if self.waiting else b""
            try:
                self.program.stdin.write(part + bytes(step - len(part)))
                self.program.stdin.flush()
            except (OSError, ValueError):
                pass  # the satellite is being restarted
            due += _STEP_SECONDS
            time.sleep(max(0.0, due - time.monotonic()))


@dataclass(slots=True)
class Speaker:
    """Audio that the satellite has played: mono s16le, sample 0 at its start."""

    path: Path
    mark: int = 0
    """Bytes that were there when the test last looked."""

    def forget(self) -> None:
        """Look only at what is played from here on."""
        self.mark = self.path.stat().st_size // 2 * 2

    def loud_seconds(self) -> float:
        """Return how many seconds of sound there were since `forget`."""
        return float(np.count_nonzero(self._loud())) * _STEP_SECONDS

    async def plays(self) -> float:
        """Wait for a sound, and return when it began."""
        async with asyncio.timeout(MAX_WAITING_SECONDS):
            while not self._loud().any():  # noqa: ASYNC110 - another process plays
                await asyncio.sleep(_STEP_SECONDS)
        return time.monotonic()

    async def falls_silent(self, seconds: float = 1.0) -> None:
        """Wait until nothing has been played for `seconds`."""
        quiet = int(seconds / _STEP_SECONDS)
        async with asyncio.timeout(MAX_WAITING_SECONDS):
            while True:
                loud = self._loud()
                if len(loud) > quiet and not loud[-quiet:].any():
                    return
                await asyncio.sleep(_STEP_SECONDS)

    def _loud(self) -> np.ndarray:
        with self.path.open("rb") as file:
            file.seek(self.mark)
            data = file.read()
        samples = np.frombuffer(data[: len(data) // 2 * 2], "<i2")
        window = int(_STEP_SECONDS * SPEAKER_RATE)
        whole = samples[: len(samples) // window * window].reshape(-1, window)
        return np.asarray(np.abs(whole.astype(np.int32)).max(axis=1, initial=0) > _LOUD)


def satellite(directory: Path) -> tuple[Program, Microphone, Speaker]:
    """Return a satellite on the second machine, with its microphone and speaker."""
    output = directory / "speaker.pcm"
    output.touch()
    uri = f"tcp://{BOX.address}:{PORTS['satellite']}"
    program = Program(
        "satellite",
        BOX,
        [
            "satellite",
            *("--uri", uri, "--name", "Rig", "--area", "Kitchen", "--wake", "okay_nabu"),
            *("--mic", "pipe", "--speaker", "pipe", "--speaker-rate", str(SPEAKER_RATE)),
            "--no-sounds",
        ],
        directory,
        feeds=True,
        output=output,
    )
    return program, Microphone(program), Speaker(output)
