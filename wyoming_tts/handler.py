"""Wyoming events to engine calls: plain and streaming synthesis."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Final

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.info import Info
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
    SynthesizeTextFormat,
    SynthesizeVoice,
)

from wyoming_common.errors import BadRequest, ServiceError, TooLarge
from wyoming_common.limits import Limits
from wyoming_common.service import ServiceHandler
from wyoming_common.worker import ModelThread
from wyoming_tts.config import TtsSettings
from wyoming_tts.script import Passage, PlainScript, Script
from wyoming_tts.speech import Choice, Speech
from wyoming_tts.ssml import SsmlScript
from wyoming_tts.text.clean import clean

_EVENT_BYTES: Final = 8192
"""Audio of one `audio-chunk`: 0.19 s at 22,050 Hz."""
_SLICE: Final = 1024
"""Characters looked at before others get their turn: 2 ms for prose."""
_PASSAGES: Final = 32
"""Passages made of text before others get their turn"""
_NOTHING_SAID: Final = 0.05
"""Seconds of silence for text without a sound: clients take a reply of no audio for a failure."""


class TtsHandler(ServiceHandler):
    """One client. A streaming request lasts from `synthesize-start` to `synthesize-stop`."""

    stage = "tts"

    def __init__(
        self,
        info: Callable[[], Info],
        speech: Speech,
        model: ModelThread[Speech],
        settings: TtsSettings,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        limits: Limits | None = None,
    ) -> None:
        super().__init__(info, reader, writer, limits)
        self._speech = speech
        self._model = model
        self._settings = settings
        self._incoming: _Passages | None = None
        self._playback = _Playback()

    @property
    def unfinished(self) -> bool:
        """Whether more text is awaited."""
        return self._incoming is not None

    async def on_request(self, event: Event) -> None:
        if SynthesizeStart.is_type(event.type):
            start = SynthesizeStart.from_event(_check_voice(event))
            self._incoming = self._passages(start.text_format, start.voice)
            await self.start(self._reply_streaming(self._incoming, start.voice))
        elif SynthesizeChunk.is_type(event.type):
            if self._incoming is None:
                raise BadRequest("synthesize-chunk: expected a synthesize-start before it")
            await self._incoming.feed(_text(event))
        elif SynthesizeStop.is_type(event.type):
            await self._stop_streaming()
        elif Synthesize.is_type(event.type) and self._incoming is None:
            request = Synthesize.from_event(_check_voice(event))
            passages = self._passages(request.text_format, request.voice)
            await self.start(self._reply(passages, request.voice))
            await passages.feed(_text(event))
            await passages.finish()

    async def _stop_streaming(self) -> None:
        if self._incoming is None:
            await self.write_event(SynthesizeStopped().event())
            raise BadRequest("synthesize-stop: expected a synthesize-start before it")
        incoming, self._incoming = self._incoming, None
        await incoming.finish()

    def _passages(self, text_format: str | None, voice: SynthesizeVoice | None) -> "_Passages":
        clause = self._settings.first_clause
        script: Script = PlainScript(clause)
        if text_format == SynthesizeTextFormat.SSML:
            script = SsmlScript(self._speech.language(voice), clause)
        return _Passages(script, self._settings.max_text, self._can_begin)

    def _can_begin(self) -> None:
        self.span.ready()

    async def _reply_streaming(self, passages: "_Passages", voice: SynthesizeVoice | None) -> None:
        # After an `error` alone, a client that streams would wait for ever.
        await self._guard(self._reply(passages, voice))
        await self.write_event(SynthesizeStopped().event())

    async def _reply(self, passages: "_Passages", voice: SynthesizeVoice | None) -> None:
        choice = self._speech.choose(voice)
        if not choice.installed:
            # Not in the model thread: others go on speaking meanwhile.
            await asyncio.to_thread(self._speech.fetch, choice)
            choice = self._speech.choose(voice)
        rate = self._speech.known_rate(choice)
        if rate is None:
            rate = await self._model.call(lambda speech: speech.rate(choice))
        self._playback = _Playback()
        await self.write_event(AudioStart(rate=rate, width=2, channels=1).event())
        before = after = 0.0
        silent = True
        async for passage in passages:
            sounded = await self._say(passage, choice, rate, before)
            silent = silent and not sounded
            before = self._settings.sentence_silence if sounded else before
            after = 0.0
            if passage.pause is not None:
                before = after = passage.pause
        await self._write_audio(_silence(max(after, _NOTHING_SAID * silent), rate), rate)
        await self.write_event(AudioStop().event())

    async def _say(self, passage: Passage, choice: Choice, rate: int, before: float) -> bool:
        """Send a passage, `before` it so many seconds of silence; false if it has no sound."""
        known = self._speech.cached(passage, choice)
        if known is not None:
            # Not through the model thread: others may be keeping it busy.
            await self._write_audio(_silence(before, rate) + known, rate)
            return True
        sounded = False
        ahead = self._playback.ahead()
        async with self._model.stream(lambda e: e.speak(passage, choice, ahead)) as pieces:
            async for pcm in pieces:
                if not sounded:
                    await self._write_audio(_silence(before, rate), rate)
                sounded = True
                await self._write_audio(pcm, rate)
        return sounded

    async def _write_audio(self, pcm: bytes, rate: int) -> None:
        for start in range(0, len(pcm), _EVENT_BYTES):
            audio = pcm[start : start + _EVENT_BYTES]
            await self.write_event(AudioChunk(rate=rate, width=2, channels=1, audio=audio).event())
        self._playback.sent(len(pcm) / (2 * rate))


class _Playback:
    """What a client that plays a reply as it comes has still to play."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._seconds = 0.0

    def sent(self, seconds: float) -> None:
        """Note that so much sound has been sent."""
        self._begun = self._begun if self._seconds else time.monotonic()
        self._seconds += seconds

    def ahead(self) -> float:
        """Return the seconds of sound that are left, 0 before the first."""
        return max(0.0, self._seconds - (time.monotonic() - self._begun))


class _Passages:
    """What is to be spoken, from the read loop to the job. Bounded by the characters it took."""

    def __init__(self, script: Script, most: int, on_first: Callable[[], None]) -> None:
        self._script = script
        self._slow = isinstance(script, SsmlScript)
        """Whether it is read at its end, in one go."""
        self._most = most
        self._on_first = on_first
        self._begun = False
        self._taken = 0
        self._waiting: asyncio.Queue[Passage | ServiceError | None] = asyncio.Queue()

    async def feed(self, text: str) -> None:
        """Take more text; past the bound the reader gets TooLarge and the rest is dropped."""
        self._taken += len(text)
        if self._taken <= self._most:
            for start in range(0, len(text), _SLICE):
                await self._put(self._script.feed(text[start : start + _SLICE]))
        elif self._taken - len(text) <= self._most:
            self._waiting.put_nowait(
                TooLarge(f"text: at most {self._most} characters, got {self._taken} or more")
            )

    async def finish(self) -> None:
        """Say that there is no more text."""
        rest: Iterable[Passage] = self._script.finish()
        if self._slow and self._taken > _SLICE // 2:
            rest = await asyncio.to_thread(list, rest)
        await self._put(rest)
        self._waiting.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[Passage]:
        while (item := await self._waiting.get()) is not None:
            if isinstance(item, ServiceError):
                raise item
            yield item

    async def _put(self, passages: Iterable[Passage]) -> None:
        for number, passage in enumerate(passages, 1):
            if not self._begun:
                self._begun = True
                self._on_first()
            self._waiting.put_nowait(passage)
            if not number % _PASSAGES:
                await asyncio.sleep(0)
        # A book in one event would hold up the other clients.
        await asyncio.sleep(0)


def _text(event: Event) -> str:
    text = event.data["text"]
    if not isinstance(text, str):
        raise BadRequest(f"{event.type}: text: expected a string, got {type(text).__name__}")
    return clean(text)


def _check_voice(event: Event) -> Event:
    voice = event.data.get("voice") or {}
    named = voice.values() if isinstance(voice, dict) else [voice]
    if not isinstance(voice, dict) or not all(isinstance(n, str | None) for n in named):
        raise BadRequest(
            f"{event.type}: voice: expected name, language, speaker; got {voice!r:.80}"
        )
    event.data["voice"] = voice
    return event


def _silence(seconds: float, rate: int) -> bytes:
    return bytes(2 * int(seconds * rate))
