"""Wyoming synthesis requests, plain and streaming, one handler per client."""

import asyncio
from contextlib import aclosing
from typing import Final

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
    SynthesizeTextFormat,
    SynthesizeVoice,
)

from wyoming_common.errors import BadRequest, ServiceError
from wyoming_common.model_thread import ModelThread
from wyoming_common.net.context import ConnectionContext
from wyoming_common.net.handler import ServiceHandler
from wyoming_common.protocol.interim_reply import InterimSpeech
from wyoming_common.telemetry.trace import current_span
from wyoming_tts.config import TtsSettings
from wyoming_tts.synthesis.speculative_speech import SpeculativeSpeech, may_speculate
from wyoming_tts.synthesis.spoken_text import PassageQueue, SpokenText
from wyoming_tts.synthesis.synthesizer import Synthesizer, VoiceRequest
from wyoming_tts.text.languages import boundaries_of
from wyoming_tts.text.normalization import clean
from wyoming_tts.text.sentences import PlainScript, Script
from wyoming_tts.text.ssml import SsmlScript

_EVENT_BYTES: Final = 8192
"""Audio of one `audio-chunk`: 0.19 s at 22,050 Hz."""


class TtsHandler(ServiceHandler):
    """One client. A streaming request lasts from `synthesize-start` to `synthesize-stop`."""

    stage = "tts"

    def __init__(
        self,
        synthesizer: Synthesizer,
        model: ModelThread[Synthesizer],
        settings: TtsSettings,
        context: ConnectionContext,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        super().__init__(context, reader, writer)
        self._synthesizer = synthesizer
        self._model = model
        self._settings = settings
        self._incoming: _Intake | None = None
        self._speculation: SpeculativeSpeech | None = None

    @property
    def unfinished(self) -> bool:
        """Whether more text is awaited."""
        return self._incoming is not None

    async def on_request(self, event: Event) -> None:
        if SynthesizeStart.is_type(event.type):
            start = SynthesizeStart.from_event(_check_voice(event))
            self._incoming = await self._intake(start.text_format, start.voice, opens=True)
            await self.start(self._reply_streaming(self._incoming, start.voice))
        elif SynthesizeChunk.is_type(event.type):
            if self._incoming is None:
                raise BadRequest("synthesize-chunk: expected a synthesize-start before it")
            await self._incoming.feed(_text(event))
        elif SynthesizeStop.is_type(event.type):
            await self._stop_streaming()
        elif Synthesize.is_type(event.type) and self._incoming is None:
            whole = Synthesize.from_event(_check_voice(event))
            intake = await self._intake(whole.text_format, whole.voice, opens=False)
            await self.start(self._reply(intake, whole.voice))
            await intake.feed(_text(event))
            await intake.finish()
        elif InterimSpeech.is_type(event.type):
            await self._suppose(InterimSpeech.from_event(_check_voice(event)), _text(event))

    async def disconnect(self) -> None:
        await super().disconnect()
        await self._forget()

    async def _stop_streaming(self) -> None:
        if self._incoming is None:
            await self.write_event(SynthesizeStopped().event())
            raise BadRequest("synthesize-stop: expected a synthesize-start before it")
        incoming, self._incoming = self._incoming, None
        await incoming.finish()

    async def _suppose(self, speech: InterimSpeech, text: str) -> None:
        """Begin to speak what may be spoken, if nothing else is."""
        voice = SynthesizeVoice.from_dict(speech.voice) if speech.voice else None
        if self.busy:
            # The sound in progress may be the speech that was begun ahead.
            return
        if not text:
            await self._forget()
            return
        request = self._synthesizer.choose(voice)
        known = self._speculation
        same = known is not None and known.request == request
        if same and known is not None and await known.suppose(text, whole=speech.whole):
            return
        await self._forget()
        rate = self._synthesizer.known_rate(request)
        stats = self._synthesizer.stats
        if rate is None or self._model.waiting or not may_speculate(stats):
            return
        passages = PassageQueue(self._script(None, request, opens=True), self._settings.max_text)
        sound = self._sound(passages, request, rate)
        self._speculation = SpeculativeSpeech(passages, request, sound, stats)
        self.telemetry.count("rehearsals")
        await self._speculation.suppose(text, whole=speech.whole)

    async def _forget(self) -> None:
        speculation, self._speculation = self._speculation, None
        if speculation is not None:
            self.telemetry.count("wasted_ms", round(1000 * await speculation.drop()))

    async def _intake(
        self, text_format: str | None, voice: SynthesizeVoice | None, *, opens: bool
    ) -> "_Intake":
        """Return what takes the text of a request.

        `opens`: a sentence is begun before its end has come.
        """
        try:
            request = self._synthesizer.choose(voice)
        except ServiceError:
            # Raised again, for the client, by the job that speaks.
            request = None
        speculation = self._speculation
        if speculation is not None and (
            speculation.request != request or text_format == SynthesizeTextFormat.SSML
        ):
            await self._forget()
        script = self._script(text_format, request, opens=opens)
        passages = PassageQueue(script, self._settings.max_text, self._can_begin)
        return _Intake(passages, self._speculation)

    def _script(
        self, text_format: str | None, request: VoiceRequest | None, *, opens: bool
    ) -> Script:
        clause, language = self._settings.first_clause, request.language if request else ""
        if text_format == SynthesizeTextFormat.SSML:
            return SsmlScript(language, clause)
        opens = opens and request is not None and self._synthesizer.can_open(request)
        return PlainScript(boundaries_of(language), clause, opens=opens)

    def _can_begin(self) -> None:
        self.span.ready()

    async def _reply_streaming(self, intake: "_Intake", voice: SynthesizeVoice | None) -> None:
        # After an `error` alone, a client that streams would wait without end.
        await self._guard(self._reply(intake, voice))
        await self.write_event(SynthesizeStopped().event())

    async def _reply(self, intake: "_Intake", voice: SynthesizeVoice | None) -> None:
        try:
            await self._speak(intake, voice)
        finally:
            await self._forget()

    async def _speak(self, intake: "_Intake", voice: SynthesizeVoice | None) -> None:
        request = self._synthesizer.choose(voice)
        if not request.installed:
            # Not in the model thread: others go on speaking meanwhile.
            await asyncio.to_thread(self._synthesizer.fetch, request)
            request = self._synthesizer.choose(voice)
        rate = self._synthesizer.known_rate(request)
        if rate is None:
            rate = await self._model.call(lambda synthesizer: synthesizer.rate(request))
        await self.write_event(AudioStart(rate=rate, width=2, channels=1).event())
        sound: SpokenText | SpeculativeSpeech = self._sound(intake.passages, request, rate)
        if await intake.takes_speculation() and self._speculation is not None:
            sound = self._speculation
            current_span().note(rehearsed=True)
            self.telemetry.count("rehearsals_used")
        else:
            await self._forget()
        async with aclosing(sound.pieces()) as pieces:
            async for pcm in pieces:
                await self._write_audio(pcm, rate)
        await self.write_event(AudioStop().event())

    def _sound(self, passages: PassageQueue, request: VoiceRequest, rate: int) -> SpokenText:
        silence = self._settings.sentence_silence
        return SpokenText(passages, request, rate, self._synthesizer, self._model, silence)

    async def _write_audio(self, pcm: bytes, rate: int) -> None:
        for start in range(0, len(pcm), _EVENT_BYTES):
            audio = pcm[start : start + _EVENT_BYTES]
            await self.write_event(AudioChunk(rate=rate, width=2, channels=1, audio=audio).event())


class _Intake:
    """Text of a request, which goes to the speech that was begun ahead if it agrees with that."""

    def __init__(self, passages: PassageQueue, speculation: SpeculativeSpeech | None) -> None:
        self.passages = passages
        self._speculation = speculation
        self._text = ""
        self._taken: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if speculation is None:
            self._taken.set_result(False)

    async def feed(self, text: str) -> None:
        """Take more text."""
        await self._feed(text, whole=False)

    async def finish(self) -> None:
        """End the text."""
        await self._feed("", whole=True)
        if not (self._taken.result() and self._speculation and self._speculation.whole):
            await self.passages.finish()

    async def takes_speculation(self) -> bool:
        """Whether the speech that was begun ahead is heard, once that is known."""
        # Shielded: a job that is replaced must not cancel what the reading task still asks.
        return await asyncio.shield(self._taken)

    async def _feed(self, text: str, *, whole: bool) -> None:
        if self._taken.done() or self._speculation is None:
            if text:
                await self.passages.feed(text)
            return
        self._text = (self._text + text).lstrip()
        agrees = self._speculation.agrees(self._text, whole=whole)
        if agrees is None:
            return
        rest = self._text
        if agrees:
            self._speculation.take()
            self.passages, rest = self._speculation.passages, rest[len(self._speculation.text) :]
        self._taken.set_result(agrees)
        if rest.strip():
            await self.passages.feed(rest)


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
