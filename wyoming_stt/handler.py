"""Wyoming events of speech-to-text."""

import asyncio
import logging

from wyoming.asr import (
    Transcribe,
    Transcript,
    TranscriptChunk,
    TranscriptStart,
    TranscriptStop,
)
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.info import SelectProgram

from wyoming_common.audio import PcmFormat
from wyoming_common.errors import BadAudio, BadRequest, TooLarge
from wyoming_common.limits import Limits
from wyoming_common.service import ServiceHandler
from wyoming_common.tentative import Tentative
from wyoming_stt.partial import Agreement
from wyoming_stt.service import SttService
from wyoming_stt.session import Session

_LOGGER = logging.getLogger(__name__)


class SttHandler(ServiceHandler):
    """One connection: `transcribe`, `audio-start`, `audio-chunk`..., `audio-stop`, any of the
    first two left out. The transcript may come before `audio-stop`; what arrives after it is
    ignored until the next utterance is begun.
    """

    stage = "stt"

    def __init__(
        self,
        service: SttService,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        limits: Limits | None = None,
    ) -> None:
        super().__init__(service.info, reader, writer, limits)
        self._service = service
        self._program = 0
        self._wanted = Transcribe()
        self._session: Session | None = None
        self._heard = False
        self._seconds = 0.0
        self._answered = False
        self._refused = False
        self._agreement = Agreement()
        self._streaming = False

    @property
    def unfinished(self) -> bool:
        """Whether more audio is awaited."""
        return self._session is not None and not self._answered

    async def on_request(self, event: Event) -> None:
        if AudioChunk.is_type(event.type):
            await self._hear(AudioChunk.from_event(event))
        elif Transcribe.is_type(event.type):
            await self._expect(event)
        elif AudioStart.is_type(event.type):
            start = AudioStart.from_event(event)
            PcmFormat(start.rate, start.width, start.channels)
            await self._begin()
        elif AudioStop.is_type(event.type):
            await self._stop()
        elif SelectProgram.is_type(event.type):
            self._program = self._service.select(SelectProgram.from_event(event).name)
        else:
            _LOGGER.debug("Ignored %s", event.type)

    async def _expect(self, event: Event) -> None:
        await self._forget()
        self._answered = self._refused = True
        self._wanted = _transcribe(event)
        # A client that asks for what there is not hears of it before it sends its audio.
        await self._open()
        self._refused = False

    async def _begin(self) -> None:
        if self._refused:
            # The audio of a request that got an error for its answer, and is forgotten.
            self._refused = False
            self._wanted = Transcribe()
        elif self._session is None or self._heard:
            await self._forget()
            self._answered = False
            await self._open()

    async def _open(self) -> None:
        # Until the session stands, what arrives belongs to no utterance.
        self._answered = True
        self._heard = False
        self._seconds = 0.0
        program = self._service.select(self._wanted.name) if self._wanted.name else self._program
        self._agreement = Agreement()
        self._streaming = False
        self._session = self._service.session(
            self._wanted, program, self._tell_partial, self._tell_tentative
        )
        self._answered = False
        await self.start(self._answer(self._session))

    async def _hear(self, chunk: AudioChunk) -> None:
        if self._answered:
            return
        if self._session is None:
            await self._open()
        assert self._session is not None
        self._heard = True
        try:
            pcm_format = PcmFormat(chunk.rate, chunk.width, chunk.channels)
            self._seconds += pcm_format.seconds(len(chunk.audio))
            if self._seconds > self.limits.audio_seconds:
                raise TooLarge(f"At most {self.limits.audio_seconds:g} s of audio in one utterance")
        except (BadAudio, TooLarge):
            # One error is the answer, however much more of it comes.
            await self.stop_job()
            self._answered = True
            raise
        session, step = self._session, pcm_format.frame_bytes * pcm_format.rate
        for start in range(0, len(chunk.audio), step):
            await session.feed(chunk.audio[start : start + step], pcm_format)

    async def _stop(self) -> None:
        self._refused = False
        if self._answered:
            return
        if self._session is None:
            await self._open()
        assert self._session is not None
        self._answered = True
        await self._session.stop()

    async def _forget(self) -> None:
        if self._answered and self._job is not None:
            # Its audio is complete: a client may send the next utterance before it reads.
            await asyncio.wait([self._job])
        await self.stop_job()
        self._session = None

    async def _answer(self, session: Session) -> None:
        try:
            said = await session.run()
        finally:
            self._answered = True
            self._session = None
        _LOGGER.debug("Heard: %s", said.text)
        if self._service.partials:
            await self._tell_chunk(self._agreement.finish(said.text))
            if self._streaming:
                await self.write_event(TranscriptStop().event())
        await self.write_event(
            Transcript(text=said.text, language=said.language, context=self._wanted.context).event()
        )

    async def _tell_partial(self, text: str) -> None:
        await self._tell_chunk(self._agreement.read(text))

    async def _tell_tentative(self, text: str) -> None:
        await self.write_event(Tentative(text, self._wanted.language).event())

    async def _tell_chunk(self, text: str) -> None:
        if not text:
            return
        if not self._streaming:
            self._streaming = True
            await self.write_event(TranscriptStart(language=self._wanted.language).event())
        await self.write_event(TranscriptChunk(text=text).event())


def _transcribe(event: Event) -> Transcribe:
    wanted = Transcribe.from_event(event)
    for name in ("transcript_names", "transcript_terms"):
        given = getattr(wanted, name)
        if given is not None and not (
            isinstance(given, list) and all(isinstance(word, str) for word in given)
        ):
            raise BadRequest(f"{name}: expected a list of texts, got {given!r:.40}")
    for name in ("name", "language"):
        given = getattr(wanted, name)
        if given is not None and not isinstance(given, str):
            raise BadRequest(f"{name}: expected a text, got {given!r:.40}")
    return wanted
