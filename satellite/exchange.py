"""One turn with the services: speech in, transcript, reply, speech out, each as it comes."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from wyoming.audio import AudioChunk

from satellite.link import Link
from satellite.player import Player
from satellite.services import WHAT, Service, Services
from satellite.stages import Text, Utterance, speak, suppose, think, transcribe
from wyoming_common.audio import PcmConverter, PcmFormat
from wyoming_common.errors import BadAudio, ServiceError, TimedOut, Unavailable
from wyoming_common.trace import Trace

T = TypeVar("T")

_AHEAD_SECONDS = 60.0
"""Reply audio that may wait to be played; the service is held back past it."""
_KINDS = {"stt": "asr", "llm": "handle", "tts": "tts"}
"""The kind of service that does a stage."""
_POLL_SECONDS = 0.01
_SUPPOSE_SECONDS = 0.5
"""The transcript may be waiting behind it."""
_STUCK_SECONDS = 5.0
"""A speaker that plays nothing for so long, with audio there, is stuck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeSettings:
    """See the settings of the satellite; all times in seconds."""

    language: str | None = None
    voice: str | None = None
    listen_seconds: float = 35.0
    """Audio of one utterance, what came before it included; more is not sent."""
    stt_seconds: float = 15.0
    llm_seconds: float = 60.0
    tts_seconds: float = 20.0


@dataclass(slots=True)
class Outcome:
    """What has come of a turn so far."""

    transcript: str = ""
    reply: str = ""
    audio_seconds: float = 0.0
    """Length of the reply's audio that has arrived."""
    spoken: bool = False
    """Whether that is the whole reply."""


class Exchange:
    """Feed `utterance` while `run` runs; cancelling `run` hangs up on every service at once."""

    def __init__(
        self,
        services: Services,
        player: Player,
        settings: ExchangeSettings,
        trace: Trace,
        context: dict[str, Any],
        on_transcript: Callable[[str], bool],
    ) -> None:
        """`on_transcript` is given the transcript and says whether it shall be answered."""

        self.utterance = Utterance(settings.listen_seconds)
        self.outcome = Outcome()
        self.trace = trace
        self._services = services
        self._player = player
        self._settings = settings
        self._context = {**context, "turn_id": trace.id}
        self._on_transcript = on_transcript
        self._text = Text()
        self._given: set[str] = set()
        self._asked: dict[str, Service] = {}
        self._links = AsyncExitStack()
        self._ready: dict[str, asyncio.Task[tuple[Service, Link]]] = {}

    async def run(self) -> None:
        """Go through the whole turn. Raises a ServiceError when a stage fails."""
        async with self._links:
            # The connections are opened while the person speaks: nothing waits for them later.
            for kind in WHAT:
                self._ready[kind] = asyncio.create_task(self._connect(kind))
            try:
                text = await self._with_service("asr", self._transcribe)
                self.outcome.transcript = text
                if self._on_transcript(text) and text:
                    await self._reply(text)
            finally:
                await self._end_connecting()
                self._tell_waits()

    async def _connect(self, kind: str) -> tuple[Service, Link]:
        """Reach the first service of a kind that can be reached."""
        failure: Unavailable | None = None
        for service in self._services.candidates(kind):
            link = self._services.link(service)
            try:
                await self._links.enter_async_context(link)
            except Unavailable as err:
                self._services.failed(service)
                failure = err
            else:
                self._asked[kind] = service
                return service, link
        raise failure or Unavailable(f"There is no {WHAT[kind]} service on the network any more")

    def _tell_waits(self) -> None:
        for stage in self.trace.stages:
            service = self._asked.get(_KINDS.get(stage.name, ""))
            if service is not None and stage.wait is not None:
                self._services.answered(service, stage.wait)

    async def _end_connecting(self) -> None:
        for task in self._ready.values():
            task.cancel()
        # Collects what they raised as well: a service that was never needed may be down.
        await asyncio.gather(*self._ready.values(), return_exceptions=True)

    async def _with_service(
        self, kind: str, work: Callable[[Service, Link], Coroutine[Any, Any, T]]
    ) -> T:
        """Do a stage's work; once more when its service goes away before it gave anything."""
        service, link = await self._ready[kind]
        try:
            return await work(service, link)
        except Unavailable:
            self._services.failed(service)
            if kind in self._given:
                raise
            return await work(*await self._connect(kind))

    async def _transcribe(self, _service: Service, link: Link) -> str:
        self.trace.begin("stt")
        text = await transcribe(
            link,
            self.utterance,
            language=self._settings.language,
            context=self._context,
            listen_seconds=self._settings.listen_seconds,
            seconds=self._settings.stt_seconds,
            on_tentative=self._suppose,
        )
        self.trace.end("stt")
        return text

    async def _suppose(self, text: str) -> None:
        """Let the conversation service begin, if it can be reached by now."""
        ready = self._ready["handle"]
        if not ready.done() or ready.cancelled() or ready.exception() is not None:
            return
        _, link = ready.result()
        # Whoever is not there will be missed soon enough.
        with suppress(ServiceError):
            await suppose(
                link,
                text,
                language=self._settings.language,
                context=self._context,
                seconds=_SUPPOSE_SECONDS,
            )

    async def _reply(self, text: str) -> None:
        """Answer and say it; an answer that breaks off is said as far as it came, then raised."""
        broken: ServiceError | None = None

        async def answer() -> None:
            nonlocal broken
            try:
                await self._answer(text)
            except ServiceError as err:
                if "handle" not in self._given:
                    raise
                broken = err

        await _both(answer(), self._say())
        if broken is not None:
            raise broken

    async def _answer(self, text: str) -> None:
        def on_words(words: str) -> None:
            self._given.add("handle")
            self.trace.first("llm")
            self.outcome.reply += words
            self._text.add(words)

        async def work(_service: Service, link: Link) -> None:
            await think(
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
        self.outcome.spoken = True
        self.trace.end("tts", audio_seconds=round(self.outcome.audio_seconds, 3))
        await self._played()

    async def _speak(self, service: Service, link: Link) -> None:
        converter: PcmConverter | None = None

        async def on_audio(chunk: AudioChunk) -> None:
            nonlocal converter
            self._given.add("tts")
            self.trace.first("tts")
            if converter is None:
                converter = _converter(link, chunk, self._player.rate)
            self._play(converter.feed(chunk.audio))
            ahead = self._player.buffered_seconds - _AHEAD_SECONDS
            await asyncio.sleep(max(0.0, ahead))

        await speak(
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
        self.outcome.audio_seconds += len(pcm) / 2 / self._player.rate

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
                raise TimedOut(f"speaker: plays nothing any more, for {_STUCK_SECONDS:g} s")
            await asyncio.sleep(_POLL_SECONDS)


def _converter(link: Link, chunk: AudioChunk, rate: int) -> PcmConverter:
    try:
        return PcmConverter(PcmFormat(chunk.rate, chunk.width, chunk.channels), rate)
    except BadAudio as err:
        raise BadAudio(f"{link.name}: {err}") from err


async def _both(*work: Coroutine[Any, Any, None]) -> None:
    """Run all at once; when one fails the others end, and the first failure is raised alone."""
    try:
        async with asyncio.TaskGroup() as group:
            for coroutine in work:
                group.create_task(coroutine)
    except BaseExceptionGroup as failures:
        expected, bugs = failures.split(ServiceError)
        if bugs is None and expected is not None:
            raise expected.exceptions[0] from None
        raise
