"""Wyoming requests to the three services, and the parsing of their answers."""

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

from satellite.wyoming.link import Link, ServiceFailed
from wyoming_common.audio.pcm import MODEL_RATE
from wyoming_common.errors import ServiceError, TimedOut
from wyoming_common.protocol.interim_reply import (
    WANTS_INTERIM_REPLY,
    InterimReply,
    InterimSpeech,
)
from wyoming_common.protocol.interim_transcript import WANTS_INTERIM, InterimTranscript
from wyoming_common.protocol.spoken_by import SPEAKER
from wyoming_common.protocol.unanswered import UNANSWERED

_MAX_CHUNK_BYTES = int(0.1 * MODEL_RATE) * 2
"""Audio of one event: 0.1 s."""


class UtteranceStream:
    """Audio of one utterance as it grows, kept whole so that it can be sent again.

    Mono s16le at 16 kHz. Beyond `max_seconds` more is dropped.
    """

    def __init__(self, max_seconds: float) -> None:
        self._pcm = bytearray()
        self._max_bytes = int(max_seconds * MODEL_RATE) * 2
        self._grown = asyncio.Event()
        self.over = False

    def feed(self, pcm: bytes) -> None:
        """Add audio, unless the utterance is over."""
        if not self.over and len(self._pcm) < self._max_bytes:
            self._pcm += pcm
            self._grown.set()

    def end(self) -> None:
        """End it: nothing more will come."""
        self.over = True
        self._grown.set()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield everything from the beginning, as it grows."""
        sent = 0
        while sent < len(self._pcm) or not self.over:
            self._grown.clear()
            if sent == len(self._pcm):
                await self._grown.wait()
            chunk = bytes(self._pcm[sent : sent + _MAX_CHUNK_BYTES])
            sent += len(chunk)
            if chunk:
                yield chunk


class TextStream:
    """Text of a reply as it grows, kept whole so that it can be sent again."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._grown = asyncio.Event()
        self.over = False

    @property
    def whole(self) -> str:
        """All text so far."""
        return "".join(self._parts)

    def add(self, words: str) -> None:
        """Add words, cut anywhere."""
        self._parts.append(words)
        self._grown.set()

    def end(self) -> None:
        """End it: nothing more will come."""
        self.over = True
        self._grown.set()

    async def parts(self) -> AsyncIterator[str]:
        """Yield everything from the beginning, as it grows."""
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
    utterance: UtteranceStream,
    *,
    language: str | None,
    context: dict[str, Any],
    listen_seconds: float,
    seconds: float,
    on_interim: Callable[[str, str | None], Awaitable[None]],
) -> tuple[str, str | None]:
    """Stream an utterance to speech-to-text as it grows; return the transcript and its speaker.

    `on_interim` takes the service's interim transcript at a pause, "" when speech continues, and
    the speaker. That is None where the service knows no voices.
    The service may answer before the utterance is over. After it is over the answer may take
    `seconds`; the utterance may take `listen_seconds`.
    """
    loop = asyncio.get_running_loop()
    async with _deadline(link, "no transcript in time", listen_seconds + seconds) as limit:

        async def send() -> None:
            # The reading side notices a failure too, and may find a transcript before it.
            with suppress(ServiceError):
                request = Transcribe(language=language, context={**context, WANTS_INTERIM: True})
                await link.send(request.event(), seconds)
                await link.send(AudioStart(MODEL_RATE, 2, 1).event(), seconds)
                async for pcm in utterance.chunks():
                    await link.send(AudioChunk(MODEL_RATE, 2, 1, pcm).event(), seconds)
                await link.send(AudioStop().event(), seconds)
            limit.reschedule(loop.time() + seconds)

        async with _beside(send()):
            while not Transcript.is_type((event := await _next(link, "transcript")).type):
                if InterimTranscript.is_type(event.type):
                    await on_interim((_text(link, event) or "").strip(), _speaker(event))
    return (_text(link, event) or "").strip(), _speaker(event)


def _speaker(event: Event) -> str | None:
    context = event.data.get("context")
    speaker = context.get(SPEAKER) if isinstance(context, dict) else None
    return speaker if isinstance(speaker, str) else None


async def send_interim_transcript(
    link: Link, text: str, *, language: str | None, context: dict[str, Any], seconds: float
) -> None:
    """Send the conversation service the transcript that is probably coming."""
    asked = {**context, WANTS_INTERIM_REPLY: True}
    await link.send(InterimTranscript(text, language, asked).event(), seconds)


async def interim_replies(link: Link) -> AsyncIterator[InterimReply]:
    """Yield what the conversation service will reply to interim transcripts.

    Ends by cancellation, or by the error that `Link.receive` raises.
    """
    while True:
        event = await link.receive(None, "interim reply", resumable=True)
        if InterimReply.is_type(event.type):
            try:
                yield InterimReply.from_event(event)
            except (KeyError, TypeError) as err:
                raise ServiceFailed(f"{link.name}: sent a {event.type} event without text") from err


async def send_interim_speech(
    link: Link, text: str, *, whole: bool, voice: str | None, seconds: float
) -> None:
    """Send text-to-speech what will probably be spoken, "" to take it back."""
    chosen = {"name": voice} if voice else None
    await link.send(InterimSpeech(text, whole, chosen).event(), seconds)


async def converse(
    link: Link,
    text: str,
    on_words: Callable[[str], None],
    *,
    language: str | None,
    context: dict[str, Any],
    seconds: float,
) -> bool:
    """Ask the conversation service, and pass its words on as they come.

    Returns whether it wants to know if nothing is said to its reply.
    Raises TimedOut after `seconds` without a word.
    """
    request = Transcript(text=text, language=language, context=context)
    await link.send(request.event(), seconds)
    streamed = wants = False
    while True:
        event = await link.receive(seconds, "word of the reply")
        if HandledChunk.is_type(event.type):
            streamed = True
            on_words(_text(link, event) or "")
        elif Handled.is_type(event.type) or NotHandled.is_type(event.type):
            given = event.data.get("context")
            wants = isinstance(given, dict) and given.get(UNANSWERED) is True
            if not streamed:
                on_words(_text(link, event) or "")
            return wants
        elif HandledStop.is_type(event.type) and streamed:
            return wants


async def synthesize(
    link: Link,
    text: TextStream,
    on_audio: Callable[[AudioChunk], Awaitable[None]],
    *,
    streaming: bool,
    voice: str | None,
    context: dict[str, Any],
    seconds: float,
) -> None:
    """Synthesize a text as it comes, and pass the audio on.

    `streaming` says whether the service takes text in pieces. Raises TimedOut when, once the text
    is whole, `seconds` go by without audio.
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
                    # The time for which audio waits for the speaker is not the service's.
                    limit.reschedule(None)
                    await on_audio(_chunk(link, event))
                    if sending.done():
                        limit.reschedule(loop.time() + seconds)


async def _next(link: Link, waiting_for: str) -> Event:
    return await link.receive(None, waiting_for)


def _text(link: Link, event: Event) -> str | None:
    text = event.data.get("text")
    if text is not None and not isinstance(text, str):
        raise ServiceFailed(f"{link.name}: sent a {event.type} event without text")
    return text


def _chunk(link: Link, event: Event) -> AudioChunk:
    try:
        return AudioChunk.from_event(event)
    except (KeyError, TypeError, ValueError, AssertionError) as err:
        raise ServiceFailed(
            f"{link.name}: sent an audio-chunk event without a valid format"
        ) from err


@asynccontextmanager
async def _beside(work: Any) -> AsyncIterator[asyncio.Task[None]]:
    """Run `work` beside the block and cancel it at the end of the block."""
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
