"""Sound of a text, passage by passage, with the silences between them."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from wyoming_common.model_thread import ModelThread
from wyoming_tts.engine import Opening
from wyoming_tts.synthesis.passage_queue import PassageQueue
from wyoming_tts.synthesis.synthesizer import Synthesizer, VoiceRequest
from wyoming_tts.text.sentences import Passage

_EMPTY_REPLY_SECONDS: Final = 0.05
"""Silence for text without a sound: clients take a reply without audio for a failure."""


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
