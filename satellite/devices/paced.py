"""A speaker without a clock of its own: pulls from the player as the run's time passes."""

import asyncio
from typing import Self

from satellite.clock import RunClock
from satellite.devices.device import FRAME_SECONDS
from satellite.player import Player

_MOST_AT_ONCE_SECONDS = 0.1


class PacedSpeaker:
    """Sample n is heard n / rate seconds after the start of the run, exactly.

    Subclasses say what becomes of the samples in `play`.
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
        """Pull and play everything that is due by now."""
        due = int(self._clock.now() * self.rate)
        most = int(_MOST_AT_ONCE_SECONDS * self.rate)
        while self._pulled < due:
            samples = min(due - self._pulled, most)
            self.play(self._player.read(samples, self._pulled / self.rate))
            self._pulled += samples

    def play(self, pcm: bytes) -> None:
        """Take samples that are heard now."""
        raise NotImplementedError

    async def _run(self) -> None:
        while True:
            await self._clock.until((self._pulled / self.rate) + FRAME_SECONDS)
            self.advance()
