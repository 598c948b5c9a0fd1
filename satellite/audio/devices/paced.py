"""Speaker without a clock of its own, paced by the clock of the run."""

import asyncio
from typing import Self

from satellite.audio.devices.device import FRAME_SECONDS
from satellite.audio.player import Player
from satellite.core.clock import RunClock

_MAX_BLOCK_SECONDS = 0.1


class PacedSpeaker:
    """Sample n is heard n / rate seconds after the start of the run, exactly.

    Subclasses take the samples in `play`.
    """

    def __init__(self, player: Player, clock: RunClock) -> None:
        self._player = player
        self._clock = clock
        self._pulled = 0

    @property
    def rate(self) -> int:
        return self._player.rate

    async def __aenter__(self) -> Self:
        self._player.catch_up = self.advance
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
        self.advance()
        self._player.catch_up = lambda: None

    def advance(self) -> None:
        """Read and play everything that is due by now."""
        due = int(self._clock.now() * self.rate)
        most = int(_MAX_BLOCK_SECONDS * self.rate)
        while self._pulled < due:
            samples = min(due - self._pulled, most)
            self.play(self._player.read(samples, self._pulled / self.rate))
            self._pulled += samples

    def play(self, pcm: bytes) -> None:
        """Take samples that are due now."""
        raise NotImplementedError

    async def _run(self) -> None:
        while True:
            await self._clock.until((self._pulled / self.rate) + FRAME_SECONDS)
            self.advance()
