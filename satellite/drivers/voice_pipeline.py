"""Voice pipeline of one standalone turn: speech, transcript, reply and its audio, streamed."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from wyoming.audio import AudioChunk

from satellite.audio.player import Player
from satellite.wyoming.calls import (
    TextStream,
    UtteranceStream,
    converse,
    interim_replies,
    send_interim_speech,
    send_interim_transcript,
    synthesize,
    transcribe,
)
from satellite.wyoming.directory import SERVICE_NAMES, ServiceCandidate, ServiceDirectory
from satellite.wyoming.link import Link
from wyoming_common.audio.pcm import PcmConverter, PcmFormat
from wyoming_common.errors import BadAudio, ServiceError, TimedOut, Unavailable
from wyoming_common.protocol.spoken_by import SPEAKER
from wyoming_common.protocol.unanswered import UNANSWERED
from wyoming_common.telemetry.trace import Trace

T = TypeVar("T")

_MAX_AHEAD_SECONDS = 60.0
"""Reply audio that may wait to be played; beyond it the service has to wait."""
_KINDS = {"stt": "asr", "llm": "handle", "tts": "tts"}
"""Kind of service that does each stage."""
_POLL_SECONDS = 0.01
_MAX_INTERIM_SECONDS = 0.5
"""Limit for sending an interim transcript: the final one may wait behind it."""
_STUCK_SECONDS = 5.0
"""A speaker that plays nothing for this time, while there is audio, is stuck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoicePipelineSettings:
    """Those of the satellite's settings that a voice pipeline needs; all times in seconds."""

    language: str | None = None
    voice: str | None = None
    listen_seconds: float = 35.0
    """Longest audio of one utterance, its pre-roll included; more is not sent."""
    stt_seconds: float = 15.0
    llm_seconds: float = 60.0
    tts_seconds: float = 20.0


@dataclass(slots=True)
class PipelineResult:
    """Result of a turn so far."""

    transcript: str = ""
    reply: str = ""
    audio_seconds: float = 0.0
    """Length of the reply's audio that has arrived."""
    synthesized: bool = False
    """Whether the audio of the whole reply has arrived."""
    wants_silence: bool = False
    """Whether the conversation service wants to know if nothing is said to the reply."""


class VoicePipeline:
    """Feed `utterance` while `run` runs; cancelling `run` hangs up on every service at once."""

    def __init__(
        self,
        directory: ServiceDirectory,
        player: Player,
        settings: VoicePipelineSettings,
        trace: Trace,
        context: dict[str, Any],
        on_transcript: Callable[[str], bool],
    ) -> None:
        """`on_transcript` takes the transcript and returns whether it is to be answered."""
        self.utterance = UtteranceStream(settings.listen_seconds)
        self.result = PipelineResult()
        self.trace = trace
        self._directory = directory
        self._player = player
        self._settings = settings
        self._context = {**context, "turn_id": trace.id}
        self._on_transcript = on_transcript
        self._text = TextStream()
        self._has_answered: set[str] = set()
        self._used: dict[str, ServiceCandidate] = {}
        self._links = AsyncExitStack()
        self._connecting: dict[str, asyncio.Task[tuple[ServiceCandidate, Link]]] = {}
        self._interim = ""
        self._interim_speech = ""
        self._relaying: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Run the whole turn. Raises a ServiceError when a stage fails."""
        async with self._links:
            # The connections are opened while the user speaks: no stage waits for them later.
            for kind in SERVICE_NAMES:
                self._connecting[kind] = asyncio.create_task(self._connect(kind))
            try:
                text = await self._with_service("asr", self._transcribe)
                await self._end_relaying()
                self.result.transcript = text
                if self._on_transcript(text) and text:
                    await self._reply(text)
            finally:
                await self._end_relaying()
                await self._end_connecting()
                self._report_waits()

    async def run_unanswered(self) -> None:
        """Tell the conversation service that nothing was said, and say what it answers, if it does.

        Raises a ServiceError when a stage fails.
        """
        self._context = {**self._context, UNANSWERED: True}
        async with self._links:
            for kind in ("handle", "tts"):
                self._connecting[kind] = asyncio.create_task(self._connect(kind))
            try:
                await self._reply("")
            finally:
                await self._end_connecting()

    async def _connect(self, kind: str) -> tuple[ServiceCandidate, Link]:
        """Reach the first service of a kind that can be reached."""
        failure: Unavailable | None = None
        for service in self._directory.candidates(kind):
            link = self._directory.link(service)
            try:
                await self._links.enter_async_context(link)
            except Unavailable as err:
                self._directory.failed(service)
                failure = err
            else:
                self._used[kind] = service
                return service, link
        raise failure or Unavailable(f"The {SERVICE_NAMES[kind]} service has left the network")

    def _report_waits(self) -> None:
        for stage in self.trace.stages:
            service = self._used.get(_KINDS.get(stage.name, ""))
            if service is not None and stage.wait is not None:
                self._directory.answered(service, stage.wait)

    async def _end_connecting(self) -> None:
        for task in self._connecting.values():
            task.cancel()
        # Their exceptions are dropped: a service that was never needed may be down.
        await asyncio.gather(*self._connecting.values(), return_exceptions=True)

    async def _with_service(
        self, kind: str, work: Callable[[ServiceCandidate, Link], Coroutine[Any, Any, T]]
    ) -> T:
        """Do the work of a stage; once more if its service goes away before it has answered."""
        service, link = await self._connecting[kind]
        try:
            return await work(service, link)
        except Unavailable:
            self._directory.failed(service)
            if kind in self._has_answered:
                raise
            return await work(*await self._connect(kind))

    async def _transcribe(self, _service: ServiceCandidate, link: Link) -> str:
        self.trace.begin("stt")
        text, speaker = await transcribe(
            link,
            self.utterance,
            language=self._settings.language,
            context=self._context,
            listen_seconds=self._settings.listen_seconds,
            seconds=self._settings.stt_seconds,
            on_interim=self._send_interim_transcript,
        )
        self._note_speaker(speaker)
        self.trace.end("stt")
        return text

    def _open_link(self, kind: str) -> Link | None:
        """Return the connection to a service if it is open by now."""
        ready = self._connecting[kind]
        if not ready.done() or ready.cancelled() or ready.exception() is not None:
            return None
        return ready.result()[1]

    def _note_speaker(self, speaker: str | None) -> None:
        """Tell the services from now on who speaks, as far as that is known."""
        if speaker is not None:
            self._context = {**self._context, SPEAKER: speaker}

    async def _send_interim_transcript(self, text: str, speaker: str | None = None) -> None:
        """Let the conversation service begin, and the voice with what that will reply."""
        self._interim = text
        self._note_speaker(speaker)
        link = self._open_link("handle")
        if link is None:
            return
        # A service that is gone fails the turn when it is asked for the reply.
        with suppress(ServiceError):
            if not text:
                await self._send_interim_speech("", whole=False)
            await send_interim_transcript(
                link,
                text,
                language=self._settings.language,
                context=self._context,
                seconds=_MAX_INTERIM_SECONDS,
            )
        if self._relaying is None:
            self._relaying = asyncio.create_task(self._relay_interim_replies(link))

    async def _relay_interim_replies(self, link: Link) -> None:
        """Send text-to-speech the beginning of the reply to the present interim transcript."""
        with suppress(ServiceError):
            async for reply in interim_replies(link):
                if reply.transcript == self._interim:
                    await self._send_interim_speech(reply.text, whole=reply.whole)

    async def _send_interim_speech(self, text: str, *, whole: bool) -> None:
        link = self._open_link("tts")
        if link is None or (not text and not self._interim_speech):
            return
        self._interim_speech = text
        await send_interim_speech(
            link, text, whole=whole, voice=self._settings.voice, seconds=_MAX_INTERIM_SECONDS
        )

    async def _end_relaying(self) -> None:
        relaying, self._relaying = self._relaying, None
        if relaying is not None:
            relaying.cancel()
            await asyncio.gather(relaying, return_exceptions=True)

    async def _reply(self, text: str) -> None:
        """Answer, and play the answer; one that breaks off is played as far as it came."""
        broken: ServiceError | None = None

        async def answer() -> None:
            nonlocal broken
            try:
                await self._answer(text)
            except ServiceError as err:
                if "handle" not in self._has_answered:
                    raise
                broken = err

        await _run_together(answer(), self._say())
        if broken is not None:
            raise broken

    async def _answer(self, text: str) -> None:
        def on_words(words: str) -> None:
            self._has_answered.add("handle")
            self.trace.first("llm")
            self.result.reply += words
            self._text.add(words)

        async def work(_service: ServiceCandidate, link: Link) -> None:
            self.result.wants_silence = await converse(
                link,
                text,
                on_words,
                language=self._settings.language,
                context=self._context,
                seconds=self._settings.llm_seconds,
            )

        self.trace.begin("llm")
        try:
            await self._with_service("handle", work)
        finally:
            self._text.end()
        self.trace.end("llm")

    async def _say(self) -> None:
        if not await self._text.begun():
            return
        self.trace.begin("tts")
        self._player.begin()
        try:
            await self._with_service("tts", self._speak)
        finally:
            self._player.finish()
        self.result.synthesized = True
        self.trace.end("tts", audio_seconds=round(self.result.audio_seconds, 3))
        await self._played()

    async def _speak(self, service: ServiceCandidate, link: Link) -> None:
        converter: PcmConverter | None = None

        async def on_audio(chunk: AudioChunk) -> None:
            nonlocal converter
            self._has_answered.add("tts")
            self.trace.first("tts")
            if converter is None:
                converter = _converter(link, chunk, self._player.rate)
            self._play(converter.feed(chunk.audio))
            ahead = self._player.buffered_seconds - _MAX_AHEAD_SECONDS
            await asyncio.sleep(max(0.0, ahead))

        await synthesize(
            link,
            self._text,
            on_audio,
            streaming=any(program.supports_synthesize_streaming for program in service.info.tts),
            voice=self._settings.voice,
            context=self._context,
            seconds=self._settings.tts_seconds,
        )
        if converter is not None:
            self._play(converter.flush())

    def _play(self, pcm: bytes) -> None:
        self._player.write(pcm)
        self.result.audio_seconds += len(pcm) / 2 / self._player.rate

    async def _played(self) -> None:
        """Wait until the speaker has played the reply. Raises TimedOut when it is stuck."""
        loop = asyncio.get_running_loop()
        heard, since = -1.0, loop.time()
        while self._player.active:
            if (now_heard := self._player.playback.heard_seconds) > heard:
                heard, since = now_heard, loop.time()
            elif loop.time() - since > _STUCK_SECONDS:
                self._player.begin()
                self._player.finish()
                raise TimedOut(f"speaker: has played nothing for {_STUCK_SECONDS:g} s")
            await asyncio.sleep(_POLL_SECONDS)


def _converter(link: Link, chunk: AudioChunk, rate: int) -> PcmConverter:
    try:
        return PcmConverter(PcmFormat(chunk.rate, chunk.width, chunk.channels), rate)
    except BadAudio as err:
        raise BadAudio(f"{link.name}: {err}") from err


async def _run_together(*work: Coroutine[Any, Any, None]) -> None:
    """Run all at once; when one fails the others are cancelled, and its failure is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for coroutine in work:
                group.create_task(coroutine)
    except BaseExceptionGroup as failures:
        expected, bugs = failures.split(ServiceError)
        if bugs is None and expected is not None:
            raise expected.exceptions[0] from None
        raise
