"""Speculative speech: the beginning of a text, synthesised before it is certain to be spoken."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from wyoming_common.errors import ServiceError
from wyoming_common.process.spare import has_spare_power
from wyoming_tts.synthesis.spoken_text import PassageQueue, SpokenText
from wyoming_tts.synthesis.synthesizer import SpeechStats, VoiceRequest

_LOGGER = logging.getLogger(__name__)

MAX_PIECES_AHEAD: Final = 3
"""Windows of the voice, the first of 0.2 s, the next of 3 s at most."""
MAX_CHARACTERS_AHEAD: Final = 300
_MAX_IDLE_SECONDS: Final = 10.0
"""Speech that is not taken in this time is dropped."""
_MAX_WASTED_SHARE: Final = 0.3
"""Seconds of dropped synthesis per second of all synthesis, beyond `_FREE_WASTED_SECONDS`."""
_FREE_WASTED_SECONDS: Final = 1.0


def may_speculate(stats: SpeechStats) -> bool:
    """Whether more may be synthesised that may be dropped."""
    most = _FREE_WASTED_SECONDS + _MAX_WASTED_SHARE * stats.total_seconds
    return stats.wasted_seconds <= most and has_spare_power()


class SpeculativeSpeech:
    """The sound of a growing text, made by a task of its own up to a bound until it is taken."""

    def __init__(
        self, passages: PassageQueue, request: VoiceRequest, sound: SpokenText, stats: SpeechStats
    ) -> None:
        """Begin; `sound` speaks `passages` by `request`. `stats` learns of what is dropped."""
        self.text = ""
        self.whole = False
        self.passages = passages
        self.request = request
        self._sound = sound
        self._stats = stats
        self._before = stats.total_seconds
        self._pieces: asyncio.Queue[bytes | ServiceError | None] = asyncio.Queue(MAX_PIECES_AHEAD)
        self._limit: asyncio.Timeout | None = None
        self._taken = self._over = False
        self._task = asyncio.create_task(self._fill())

    async def suppose(self, text: str, *, whole: bool) -> bool:
        """Take what will probably be spoken so far; False where that begins otherwise."""
        text = text[:MAX_CHARACTERS_AHEAD]
        if self._over or not text.startswith(self.text) or (self.whole and text != self.text):
            return False
        more, self.text = text[len(self.text) :], text
        await self.passages.feed(more)
        if whole and not self.whole and len(text) < MAX_CHARACTERS_AHEAD:
            self.whole = True
            await self.passages.finish()
        return True

    def agrees(self, text: str, *, whole: bool) -> bool | None:
        """Whether `text`, which is certain, is spoken here; None where more of it must be known.

        `whole`: nothing follows.
        """
        if self._over:
            return False
        if self.whole:
            if text.strip() == self.text.strip():
                return True if whole else None
            return None if self.text.startswith(text) and not whole else False
        if text.startswith(self.text):
            return True
        return None if self.text.startswith(text) and not whole else False

    def take(self) -> None:
        """Make this the sound that is heard."""
        self._taken = True
        if self._limit is not None:
            self._limit.reschedule(None)

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield the sound once it is taken. Raises the ServiceError of its synthesis."""
        while (piece := await self._pieces.get()) is not None:
            if isinstance(piece, ServiceError):
                raise piece
            yield piece

    async def drop(self) -> float:
        """End the synthesis within one window; return the seconds of work thrown away."""
        self._over = True
        self._task.cancel()
        await asyncio.wait([self._task])
        if self._taken:
            return 0.0
        self._taken = True
        wasted = self._stats.total_seconds - self._before
        self._stats.wasted_seconds += wasted
        return wasted

    async def _fill(self) -> None:
        try:
            async with aclosing(self._sound.pieces()) as pieces:
                async for pcm in pieces:
                    await self._put(pcm)
            await self._put(None)
        except ServiceError as err:
            await self._put(err)
        except TimeoutError:
            self._over = True
            _LOGGER.debug("Speculative speech was not wanted")
        except Exception:
            _LOGGER.exception("Speculative speech failed")
            failure = ServiceError("Internal error, see the service log")
            failure.code = "internal"
            await self._put(failure)

    async def _put(self, piece: bytes | ServiceError | None) -> None:
        async with asyncio.timeout(None if self._taken else _MAX_IDLE_SECONDS) as self._limit:
            await self._pieces.put(piece)
        self._limit = None
