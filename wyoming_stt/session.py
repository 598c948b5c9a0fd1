"""One utterance on its way from audio to text."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from wyoming_common.audio import PcmFormat
from wyoming_common.endpoint import FINAL, Change
from wyoming_common.trace import current_span
from wyoming_common.worker import ModelThread
from wyoming_stt.engine import Request, SttEngine, Transcription
from wyoming_stt.listener import Listener, Pcm, Piece
from wyoming_stt.vad import SpeechModel

_LOGGER = logging.getLogger(__name__)

_WAITING_BYTES = 4 * 1024 * 1024
"""Audio of one client that waits to be heard; past it the client is read no further."""


class AudioQueue:
    """Audio on its way from a connection to its session; bounded, closed by the sender."""

    def __init__(self, limit: int = _WAITING_BYTES) -> None:
        self._limit = limit
        self._parts: list[Pcm] = []
        self._size = 0
        self._open = True
        self._changed = asyncio.Condition()

    async def put(self, part: Pcm) -> None:
        """Append audio; waits while the queue is full. Does nothing once it is closed."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._size < self._limit or not self._open)
            if self._open:
                self._parts.append(part)
                self._size += len(part.data)
                self._changed.notify_all()

    async def get(self) -> list[Pcm]:
        """Return all that waits, at least one part; an empty list once closed and empty."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._parts or not self._open)
            parts, self._parts, self._size = self._parts, [], 0
            self._changed.notify_all()
            return parts

    async def close(self) -> None:
        """Say that nothing follows."""
        async with self._changed:
            self._open = False
            self._changed.notify_all()


@dataclass
class Spent:
    """What decoding during speech has cost a service."""

    kept_seconds: float = 0.0
    """Seconds of decoding whose text was used"""
    dropped_seconds: float = 0.0
    """Seconds of decoding that was dropped because speech went on"""


@dataclass
class _Decode:
    """The latest decode of the tail, running or done."""

    piece: Piece
    task: "asyncio.Task[Transcription]"
    started: float = field(default_factory=time.monotonic)


class Session:
    """Listens, decodes at pauses, and ends with the transcription.

    At a pause the speech so far is decoded in full. If the pause becomes the end, the text
    is there already; if speech goes on, the decode is dropped.
    """

    def __init__(
        self,
        request: Request,
        listener: Callable[[SpeechModel], Listener],
        model: ModelThread[SttEngine],
        ears: ModelThread[SpeechModel],
        spent: Spent,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._request = request
        self._make_listener = listener
        self._model = model
        self._ears = ears
        self._spent = spent
        self._clock = clock
        self._queue = AudioQueue()
        self._texts: list[Transcription] = []
        self._decode: _Decode | None = None

    async def feed(self, data: bytes, pcm_format: PcmFormat) -> None:
        """Hand over audio; waits while too much of it waits already."""
        await self._queue.put(Pcm(data, pcm_format, self._clock()))

    async def stop(self) -> None:
        """Say that no more audio follows."""
        await self._queue.close()

    async def run(self) -> Transcription:
        """Return what was said once the turn has ended or `stop` was called."""
        self._listener = await self._ears.call(self._make_listener)
        try:
            while parts := await self._queue.get():
                changes = await self._hear(partial(self._listener.feed, parts))
                if changes and changes[-1] in FINAL:
                    self._stamp_end_of_speech()
                    break
            else:
                await self._hear(self._listener.finish)
            return await self._finish()
        finally:
            await self._queue.close()
            await self._drop()

    async def _hear(self, listen: Callable[[], list[Change]]) -> list[Change]:
        changes = await self._ears.call(lambda _: listen())
        for window in self._listener.windows():
            await self._drop()
            self._texts.append(await self._transcribe(window))
        if not changes:
            return changes
        if not self._listener.paused:
            await self._drop()
        elif self._listener.live and Change.PAUSED in changes:
            self._begin()
        return changes

    def _begin(self) -> None:
        piece = self._listener.tail()
        if piece is not None and (self._decode is None or self._decode.piece.end != piece.end):
            self._decode = _Decode(piece, asyncio.create_task(self._transcribe(piece)))

    async def _finish(self) -> Transcription:
        piece = self._listener.tail()
        if piece is not None:
            begun = self._decode
            if begun is not None and begun.piece.end >= piece.end:
                self._texts.append(await begun.task)
                current_span().note(decoded_at_pause=True)
                self._spent.kept_seconds += self._clock() - begun.started
                self._decode = None
            else:
                await self._drop()
                self._texts.append(await self._transcribe(piece))
        return _join(self._texts)

    def _stamp_end_of_speech(self) -> None:
        silence = self._listener.silence_seconds if self._listener.live else 0.0
        current_span().ready(at=self._clock() - silence)

    async def _transcribe(self, piece: Piece) -> Transcription:
        return await self._model.call(lambda engine: engine.transcribe(piece.audio, self._request))

    async def _drop(self) -> None:
        begun, self._decode = self._decode, None
        if begun is None:
            return
        self._spent.dropped_seconds += self._clock() - begun.started
        begun.task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.wait([begun.task])


def _join(parts: list[Transcription]) -> Transcription:
    text = " ".join(part.text for part in parts if part.text)
    language = next((part.language for part in parts if part.language), None)
    return Transcription(text=text, language=language)
