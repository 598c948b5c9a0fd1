"""Sound of a text as it comes: the queue of its passages, and the silences between them."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import aclosing
from typing import Final

from wyoming_common.errors import ServiceError, TooLarge
from wyoming_common.model_thread import ModelThread
from wyoming_tts.engine import Opening
from wyoming_tts.synthesis.synthesizer import Synthesizer, VoiceRequest
from wyoming_tts.text.sentences import Passage, Script
from wyoming_tts.text.ssml import SsmlScript

_MAX_SLICE_CHARACTERS: Final = 1024
"""Text split into sentences before other clients get their turn: 2 ms for prose."""
_MAX_PASSAGES_AT_ONCE: Final = 32
"""Passages queued before other clients get their turn."""
_MAX_SECONDS_PER_CHARACTER: Final = 0.02
"""Speech takes 0.07 s: a text that comes three times as fast does not keep the listener waiting."""
_GRACE_SECONDS: Final = 0.05
"""For a text whose first words come all at once."""
_EMPTY_REPLY_SECONDS: Final = 0.05
"""Silence for text without a sound: clients take a reply without audio for a failure."""


def _nothing() -> None:
    """Do nothing."""


class PassageQueue:
    """Splits text as it comes. Bounded by its characters.

    An open passage is left out where a longer one waits already, and where text comes so slowly
    that a sentence begun before its end might break off.
    """

    def __init__(
        self,
        script: Script,
        max_characters: int,
        on_first: Callable[[], None] = _nothing,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._script = script
        self._slow = isinstance(script, SsmlScript)
        """Whether the script splits all of its text at the end."""
        self._max = max_characters
        self._on_first = on_first
        self._clock = clock
        self._begun = False
        self._taken = 0
        self._first: tuple[float, int] | None = None
        self._waiting: asyncio.Queue[Passage | ServiceError | None] = asyncio.Queue()

    async def feed(self, text: str) -> None:
        """Take more text; beyond the limit the speaking task gets TooLarge instead."""
        self._taken += len(text)
        self._first = self._first or (self._clock(), self._taken)
        if self._taken <= self._max:
            for start in range(0, len(text), _MAX_SLICE_CHARACTERS):
                await self._put(self._script.feed(text[start : start + _MAX_SLICE_CHARACTERS]))
        elif self._taken - len(text) <= self._max:
            self._waiting.put_nowait(
                TooLarge(f"text: at most {self._max} characters, got {self._taken} or more")
            )

    async def finish(self) -> None:
        """End the text."""
        rest: Iterable[Passage] = self._script.finish()
        if self._slow and self._taken > _MAX_SLICE_CHARACTERS // 2:
            rest = await asyncio.to_thread(list, rest)
        await self._put(rest)
        self._waiting.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[Passage]:
        """Yield the passages. Raises TooLarge."""
        while (item := await self._waiting.get()) is not None:
            if isinstance(item, ServiceError):
                raise item
            if not item.is_open or self._waiting.empty():
                yield item

    @property
    def _is_fast(self) -> bool:
        """Whether text comes so fast that its speech will not have to wait for it."""
        if self._first is None:
            return False
        began, characters = self._first
        seconds = self._clock() - began - _GRACE_SECONDS
        return seconds <= (self._taken - characters) * _MAX_SECONDS_PER_CHARACTER

    async def _put(self, passages: Iterable[Passage]) -> None:
        for number, passage in enumerate(passages, 1):
            if passage.is_open and not self._is_fast:
                continue
            if not self._begun:
                self._begun = True
                self._on_first()
            self._waiting.put_nowait(passage)
            if not number % _MAX_PASSAGES_AT_ONCE:
                await asyncio.sleep(0)
        # A book in one event would hold up the other clients.
        await asyncio.sleep(0)


class SpokenText:
    """The sound of passages as they come, in mono s16le PCM at `rate`."""

    def __init__(
        self,
        passages: PassageQueue,
        request: VoiceRequest,
        rate: int,
        synthesizer: Synthesizer,
        model: ModelThread[Synthesizer],
        sentence_silence: float,
    ) -> None:
        """`sentence_silence` are the seconds between two sentences."""
        self.rate = rate
        self._passages = passages
        self._request = request
        self._synthesizer = synthesizer
        self._model = model
        self._silence = sentence_silence
        self._playback = _Playback()
        self._opening: Opening | None = None

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield the sound. Raises what the engine raises, and TooLarge."""
        before = after = 0.0
        silent = True
        async for passage in self._passages:
            sounded = False
            async with aclosing(self._say(passage)) as pieces:
                async for pcm in pieces:
                    lead = b"" if sounded else _silence(before, self.rate)
                    sounded = True
                    yield self._sent(lead + pcm)
            silent = silent and not sounded
            if passage.is_open:
                before = 0.0 if sounded else before
                continue
            before = self._silence if sounded else before
            after = 0.0
            if passage.pause is not None:
                before = after = passage.pause
        if pause := max(after, _EMPTY_REPLY_SECONDS * silent):
            yield self._sent(_silence(pause, self.rate))

    async def _say(self, passage: Passage) -> AsyncGenerator[bytes, None]:
        """Yield the sound of a passage, but for what was spoken of it while it was open."""
        opening = self._opening
        if passage.is_open:
            opening = self._opening = opening or Opening()
        else:
            self._opening = None
        known = self._synthesizer.cached(passage, self._request) if opening is None else None
        if known is not None:
            # Not through the model thread: others may be keeping it busy.
            yield known
            return
        ahead = self._playback.ahead()
        async with self._model.stream(
            lambda synthesizer: synthesizer.speak(passage, self._request, ahead, opening)
        ) as pieces:
            async for pcm in pieces:
                yield pcm

    def _sent(self, pcm: bytes) -> bytes:
        self._playback.sent(len(pcm) / (2 * self.rate))
        return pcm


class _Playback:
    """Sound that a client has received of a reply and not played yet."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._seconds = 0.0

    def sent(self, seconds: float) -> None:
        """Record `seconds` of sound as sent."""
        self._begun = self._begun if self._seconds else time.monotonic()
        self._seconds += seconds

    def ahead(self) -> float:
        """Return the seconds of sound left to play, 0 before the first."""
        return max(0.0, self._seconds - (time.monotonic() - self._begun))


def _silence(seconds: float, rate: int) -> bytes:
    return bytes(2 * int(seconds * rate))
