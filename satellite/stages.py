"""What is said to each service, and what is understood of its answers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.handle import Handled, HandledChunk, HandledStop, NotHandled
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
    SynthesizeVoice,
)

from satellite.link import Link, ServiceFailed
from wyoming_common.audio import MODEL_RATE
from wyoming_common.errors import ServiceError, TimedOut
from wyoming_common.tentative import TENTATIVE, Tentative

_CHUNK_BYTES = int(0.1 * MODEL_RATE) * 2
"""Most audio in one event."""


class Utterance:
    """Audio of one utterance, kept whole so that another service can be given it again.

    Mono s16le at 16 kHz. Past `most_seconds` more is dropped.
    """

    def __init__(self, most_seconds: float) -> None:
        self._pcm = bytearray()
        self._most = int(most_seconds * MODEL_RATE) * 2
        self._grown = asyncio.Event()
        self.over = False

    def feed(self, pcm: bytes) -> None:
        """Add audio, unless the utterance is over."""
        if not self.over and len(self._pcm) < self._most:
            self._pcm += pcm
            self._grown.set()

    def end(self) -> None:
        """Say that nothing more will come."""
        self.over = True
        self._grown.set()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield all of it from its beginning, as it grows."""
        sent = 0
        while sent < len(self._pcm) or not self.over:
            self._grown.clear()
            if sent == len(self._pcm):
                await self._grown.wait()
            chunk = bytes(self._pcm[sent : sent + _CHUNK_BYTES])
            sent += len(chunk)
            if chunk:
                yield chunk


class Text:
    """The words of a reply as they come, kept whole as well."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._grown = asyncio.Event()
        self.over = False

    @property
    def whole(self) -> str:
        """Everything there is so far."""
        return "".join(self._parts)

    def add(self, words: str) -> None:
        """Add words, cut anywhere."""
        self._parts.append(words)
        self._grown.set()

    def end(self) -> None:
        """Say that nothing more will come."""
        self.over = True
        self._grown.set()

    async def parts(self) -> AsyncIterator[str]:
        """Yield all of it from its beginning, as it grows."""
        sent = 0
        while sent < len(self._parts) or not self.over:
            self._grown.clear()
            if sent == len(self._parts):
                await self._grown.wait()
            words = "".join(self._parts[sent:])
            sent = len(self._parts)
            if words:
                yield words

    async def begun(self) -> bool:
        """Wait for the first word; False when the reply ends without one."""
        while not self.whole.strip() and not self.over:
            self._grown.clear()
            await self._grown.wait()
        return bool(self.whole.strip())


async def transcribe(
    link: Link,
    utterance: Utterance,
    *,
    language: str | None,
    context: dict[str, Any],
    listen_seconds: float,
    seconds: float,
    on_tentative: Callable[[str], Awaitable[None]],
) -> str:
    """Stream an utterance to speech-to-text as it grows and return the transcript.

    `on_tentative` is told what the service takes it to be at a pause, "" when speech goes on.
    The service may answer before the utterance is over. After it is over the answer may take
    `seconds`; the utterance may take `listen_seconds`.
    """
    loop = asyncio.get_running_loop()
    async with _deadline(link, "no transcript in time", listen_seconds + seconds) as limit:

        async def send() -> None:
            # The side that reads notices a failure too, and may find a transcript before it.
            with suppress(ServiceError):
                request = Transcribe(language=language, context={**context, TENTATIVE: True})
                await link.send(request.event(), seconds)
                await link.send(AudioStart(MODEL_RATE, 2, 1).event(), seconds)
                async for pcm in utterance.chunks():
                    await link.send(AudioChunk(MODEL_RATE, 2, 1, pcm).event(), seconds)
                await link.send(AudioStop().event(), seconds)
            limit.reschedule(loop.time() + seconds)

        async with _beside(send()):
            while not Transcript.is_type((event := await _next(link, "transcript")).type):
                if Tentative.is_type(event.type):
                    await on_tentative((_text(link, event) or "").strip())
    return (_text(link, event) or "").strip()


async def suppose(
    link: Link, text: str, *, language: str | None, context: dict[str, Any], seconds: float
) -> None:
    """Tell the conversation service what it is probably about to be asked."""
    await link.send(Tentative(text, language, context).event(), seconds)


async def think(
    link: Link,
    text: str,
    on_words: Callable[[str], None],
    *,
    language: str | None,
    context: dict[str, Any],
    seconds: float,
) -> None:
    """Ask the conversation service and pass its words on as they come.

    At most `seconds` may go by without any.
    """
    request = Transcript(text=text, language=language, context=context)
    await link.send(request.event(), seconds)
    streamed = False
    while True:
        event = await link.receive(seconds, "word of the reply")
        if HandledChunk.is_type(event.type):
            streamed = True
            on_words(_text(link, event) or "")
        elif Handled.is_type(event.type) or NotHandled.is_type(event.type):
            if not streamed:
                on_words(_text(link, event) or "")
            return
        elif HandledStop.is_type(event.type) and streamed:
            return


async def speak(
    link: Link,
    text: Text,
    on_audio: Callable[[AudioChunk], Awaitable[None]],
    *,
    streaming: bool,
    voice: str | None,
    context: dict[str, Any],
    seconds: float,
) -> None:
    """Have a text spoken as it comes and pass the audio on.

    `streaming` says whether the service takes text in pieces. Once the text is whole, at most
    `seconds` may go by without any audio.
    """
    loop = asyncio.get_running_loop()
    chosen = SynthesizeVoice(name=voice) if voice else None
    last = SynthesizeStopped if streaming else AudioStop
    async with _deadline(link, "no sound of the reply in time", None) as limit:

        async def send() -> None:
            with suppress(ServiceError):
                if streaming:
                    await link.send(SynthesizeStart(chosen, context=context).event(), seconds)
                async for words in text.parts():
                    if streaming:
                        await link.send(SynthesizeChunk(words).event(), seconds)
                stop = (
                    SynthesizeStop()
                    if streaming
                    else Synthesize(text.whole, chosen, context=context)
                )
                await link.send(stop.event(), seconds)
            limit.reschedule(loop.time() + seconds)

        async with _beside(send()) as sending:
            while not last.is_type((event := await _next(link, "sound of the reply")).type):
                if AudioChunk.is_type(event.type):
                    # Time that the audio waits for the speaker is not the service's.
                    limit.reschedule(None)
                    await on_audio(_chunk(link, event))
                    if sending.done():
                        limit.reschedule(loop.time() + seconds)


async def _next(link: Link, waiting_for: str) -> Event:
    return await link.receive(None, waiting_for)


def _text(link: Link, event: Event) -> str | None:
    text = event.data.get("text")
    if text is not None and not isinstance(text, str):
        raise ServiceFailed(f"{link.name}: {event.type} without a text")
    return text


def _chunk(link: Link, event: Event) -> AudioChunk:
    try:
        return AudioChunk.from_event(event)
    except (KeyError, TypeError, ValueError, AssertionError) as err:
        raise ServiceFailed(f"{link.name}: sent audio without its format") from err


@asynccontextmanager
async def _beside(work: Any) -> AsyncIterator[asyncio.Task[None]]:
    """Run `work` beside the block and end it with the block."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


@asynccontextmanager
async def _deadline(
    link: Link, problem: str, seconds: float | None
) -> AsyncIterator[asyncio.Timeout]:
    try:
        async with asyncio.timeout(seconds) as limit:
            yield limit
    except TimeoutError as err:
        raise TimedOut(f"{link.name}: {problem}") from err
