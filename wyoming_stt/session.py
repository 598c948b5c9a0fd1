"""One utterance on its way from audio to text."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from wyoming_common.audio import PcmFormat
from wyoming_common.endpoint import FINAL, Change
from wyoming_common.errors import ServiceError
from wyoming_common.smart_turn import TurnModel
from wyoming_common.trace import current_span
from wyoming_common.worker import ModelThread
from wyoming_stt.audio_queue import AudioQueue
from wyoming_stt.completeness import completeness
from wyoming_stt.engine import Request, SttEngine, Transcription
from wyoming_stt.listener import Listener, Pcm, Piece
from wyoming_stt.vad import SpeechModel
from wyoming_stt.vocabulary import vocabulary

_LOGGER = logging.getLogger(__name__)

_WASTE = 0.3
"""Seconds of dropped decoding a second of audio may cost, beyond `_FREE_WASTE_SECONDS`."""
_FREE_WASTE_SECONDS = 1.0
_STILL_SECONDS = 0.12
"""Silence after soft speech in a pause from which the pause is decoded once more, with it."""
_TURN_SILENCE_SECONDS = 0.18
"""Silence that a turn model is used to hear before it is asked."""
_CROWDED = 4
"""Requests at the model from which nothing is decoded that may be dropped."""
_PARTIAL_SAMPLES = 16_000
"""New speech that makes a partial text worth its decode."""


@dataclass
class Spent:
    """What a service has decoded, in seconds of its models' time."""

    total_seconds: float = 0.0
    used_seconds: float = 0.0
    """Part of it whose text was sent; the rest was decoded at pauses after which speech went on,
    or for partial texts"""


@dataclass(frozen=True, slots=True)
class Tools:
    """What the sessions of one model share."""

    model: ModelThread[SttEngine]
    ears: ModelThread[SpeechModel]
    turn: ModelThread[TurnModel] | None
    """Judges pauses; None leaves that to silence and words."""
    spent: Spent
    clock: Callable[[], float] = time.monotonic
    """Seconds, steady"""
    wake: Callable[[SttEngine], None] | None = None
    """Brings a model that rests back while its user still speaks"""


@dataclass(frozen=True, slots=True)
class _Read:
    said: Transcription
    seconds: float
    """Of the model's time"""


class _Guess:
    """A decode of the speech so far, begun at a pause."""

    def __init__(self, piece: Piece, decode: Coroutine[Any, Any, _Read]) -> None:
        self.piece = piece
        self.decode = asyncio.create_task(decode)
        self.opinion: asyncio.Task[None] | None = None
        self.telling: asyncio.Task[None] | None = None

    async def drop(self) -> None:
        parts = (self.decode, self.opinion, self.telling)
        tasks = [task for task in parts if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        # Looked at, so that a failure of a decode nobody needs is not reported as lost.
        if not self.decode.cancelled():
            self.decode.exception()


class Session:
    """Listens, decodes at pauses, and ends with the transcription.

    At a pause the speech so far is decoded in full. If the pause becomes the end, the text
    is there already; if speech goes on, the decode is dropped.
    """

    def __init__(
        self,
        request: Request,
        listener: Callable[[SpeechModel], Listener],
        tools: Tools,
        on_partial: Callable[[str], Awaitable[None]] | None = None,
        on_tentative: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        """`on_partial` is told the text so far, now and then; `on_tentative` is told at a pause
        what would be the transcription if it were the end, and "" when it is not.
        """
        self._request = request
        self._make_listener = listener
        self._tools = tools
        self._on_partial = on_partial
        self._on_tentative = on_tentative
        self._supposed = ""
        self._queue = AudioQueue()
        self._texts: list[Transcription] = []
        self._guess: _Guess | None = None
        self._decoded_seconds = 0.0
        self._used_seconds = 0.0
        self._reading: asyncio.Task[None] | None = None
        self._read_end = 0

    async def feed(self, data: bytes, pcm_format: PcmFormat) -> None:
        """Hand over audio; waits while too much of it waits already."""
        await self._queue.put(Pcm(data, pcm_format, self._tools.clock()))

    async def stop(self) -> None:
        """Say that no more audio follows."""
        await self._queue.close()

    async def run(self) -> Transcription:
        """Return what was said once the turn has ended or `stop` was called."""
        self._listener = await self._tools.ears.call(self._make_listener)
        waking = self._wake()
        try:
            while parts := await self._queue.get():
                changes = await self._hear(partial(self._listener.feed, parts))
                if changes and changes[-1] in FINAL:
                    self._stamp_end_of_speech()
                    break
            else:
                await self._hear(self._listener.finish)
            await self._stop_reading()
            return await self._finish()
        finally:
            await self._queue.close()
            await self._stop_reading()
            await self._drop()
            if waking is not None:
                waking.cancel()
                await asyncio.wait([waking])

    def _wake(self) -> asyncio.Task[None] | None:
        wake = self._tools.wake
        return None if wake is None else asyncio.create_task(self._wake_model(wake))

    async def _wake_model(self, wake: Callable[[SttEngine], None]) -> None:
        try:
            await self._tools.model.call(wake)
        except ServiceError as err:
            _LOGGER.debug("The model did not load ahead of its use: %s", err)

    async def _hear(self, listen: Callable[[], list[Change]]) -> list[Change]:
        changes = await self._tools.ears.call(lambda _: listen())
        for window in self._listener.windows():
            await self._drop()
            self._use(await self._transcribe(window))
        if Change.RESUMED in changes:
            await self._drop()
            await self._suppose("")
        if self._listener.live:
            if self._listener.paused:
                await self._use_pause(begins=Change.PAUSED in changes)
            elif self._on_partial is not None:
                self._read_along()
        return changes

    async def _use_pause(self, *, begins: bool) -> None:
        heard = self._listener.tail()
        if heard is None:
            return
        guess = self._guess
        # Speech that dies away softly outlasts the frame at which the pause was noticed.
        outdated = guess is not None and guess.piece.spoken_until < heard.spoken_until
        still = self._listener.still_seconds >= _STILL_SECONDS
        if ((begins and guess is None) or (outdated and still)) and self._may_guess(heard):
            await self._drop()
            guess = self._guess = _Guess(heard, self._transcribe(heard))
            if self._on_tentative is not None:
                guess.telling = asyncio.create_task(self._tell_tentative(guess))
        if guess is None or guess.opinion is not None:
            return
        if self._listener.silence_seconds >= _TURN_SILENCE_SECONDS:
            guess.opinion = asyncio.create_task(self._judge(guess, heard))

    def _may_guess(self, heard: Piece) -> bool:
        allowed = _FREE_WASTE_SECONDS + _WASTE * heard.end / 16_000
        wasted = self._decoded_seconds - self._used_seconds
        return wasted <= allowed and self._tools.model.waiting < _CROWDED

    async def _judge(self, guess: _Guess, heard: Piece) -> None:
        """Tell the endpoint how complete the turn is, as that becomes known."""
        language = self._request.language
        sounds: float | None = None
        try:
            if self._tools.turn is not None:
                sounds = await self._tools.turn.call(lambda model: model.completeness(heard.audio))
                await self._tell(completeness(sounds, None, language))
            said = (await asyncio.shield(guess.decode)).said
            await self._tell(completeness(sounds, said.text, said.language or language))
            if self._on_partial is not None:
                await self._on_partial(self._so_far(said))
        except ServiceError as err:
            _LOGGER.debug("No opinion on a pause: %s", err)

    async def _tell_tentative(self, guess: _Guess) -> None:
        try:
            await self._suppose(self._so_far((await asyncio.shield(guess.decode)).said))
        except ServiceError as err:
            _LOGGER.debug("Nothing supposed: %s", err)

    async def _suppose(self, text: str) -> None:
        if self._on_tentative is not None and text != self._supposed:
            self._supposed = text
            await self._on_tentative(text)

    async def _tell(self, opinion: float | None) -> None:
        if opinion is not None:
            await self._tools.ears.call(lambda _: self._listener.judge(opinion))

    def _read_along(self) -> None:
        """Decode the speech so far for a partial text, while the model has nothing to do."""
        piece = self._listener.tail()
        reading = self._reading is not None and not self._reading.done()
        if piece is None or reading or self._guess is not None or self._tools.model.waiting:
            return
        if piece.end - self._read_end >= _PARTIAL_SAMPLES:
            self._read_end = piece.end
            self._reading = asyncio.create_task(self._read(piece))

    async def _read(self, piece: Piece) -> None:
        assert self._on_partial is not None
        try:
            await self._on_partial(self._so_far((await self._transcribe(piece)).said))
        except ServiceError as err:
            _LOGGER.debug("No partial text: %s", err)

    def _so_far(self, last: Transcription) -> str:
        return _join([*self._texts, last]).text

    async def _finish(self) -> Transcription:
        piece = self._listener.tail()
        guess = self._guess
        if (
            piece is not None
            and guess is not None
            and guess.piece.spoken_until >= piece.spoken_until
        ):
            current_span().note(decoded_at_pause=True)
            self._use(await asyncio.shield(guess.decode))
        elif piece is not None:
            await self._drop()
            self._use(await self._transcribe(piece))
        return _join(self._texts)

    def _stamp_end_of_speech(self) -> None:
        silence = self._listener.silence_seconds if self._listener.live else 0.0
        current_span().ready(at=self._tools.clock() - silence)

    def _use(self, read: _Read) -> None:
        self._texts.append(read.said)
        self._used_seconds += read.seconds
        self._tools.spent.used_seconds += read.seconds

    async def _transcribe(self, piece: Piece) -> _Read:
        def run(engine: SttEngine) -> _Read:
            began = self._tools.clock()
            try:
                said = engine.transcribe(piece.audio, self._request)
                text = vocabulary(self._request.words).correct(said.text)
                return _Read(replace(said, text=text), self._tools.clock() - began)
            finally:
                # Here, because a decode that was dropped goes on to its end.
                seconds = self._tools.clock() - began
                self._decoded_seconds += seconds
                self._tools.spent.total_seconds += seconds

        return await self._tools.model.call(run)

    async def _drop(self) -> None:
        guess, self._guess = self._guess, None
        if guess is not None:
            await guess.drop()

    async def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])


def _join(parts: list[Transcription]) -> Transcription:
    text = " ".join(part.text for part in parts if part.text)
    language = next((part.language for part in parts if part.language), None)
    return Transcription(text=text, language=language)
