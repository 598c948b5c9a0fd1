"""Sentences that go through a voice and `wyoming-stt` before they are understood."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.tts import Synthesize, SynthesizeVoice

from tests.homeassistant.furnished import voice
from tests.homeassistant.hass import URL
from tests.homeassistant.installation import DATA_DIR
from tests.homeassistant.machines import Machine, Program

_TTS_PORT: Final = 10692
_STT_PORT: Final = 10693
_MAX_SECONDS: Final = 60.0
_QUIET_SECONDS: Final = 0.6
"""Silence around a sentence, as a microphone has it"""


class SpokenFront:
    """A voice and a speech-to-text service, as processes of their own."""

    def __init__(self, name: str, directory: Path, token_file: Path, flags: Sequence[str]) -> None:
        self._voice = name
        self._tts = voice(directory, _TTS_PORT)
        given = ["wyoming_stt", "--uri", f"tcp://127.0.0.1:{_STT_PORT}", "--no-zeroconf"]
        given += ["--data-dir", str(DATA_DIR), "--home-assistant", URL]
        given += ["--token-file", str(token_file), *flags]
        self._stt = Program("speech", Machine("", "127.0.0.1"), given, directory)

    async def start(self) -> None:
        """Start both services."""
        await asyncio.to_thread(self._tts.start)
        await asyncio.to_thread(self._stt.start)

    def stop(self) -> None:
        """End both services."""
        self._tts.stop()
        self._stt.stop()

    async def hear(self, text: str, language: str) -> str:
        """Return what is understood of `text` when the voice has said it."""
        async with asyncio.timeout(_MAX_SECONDS):
            return await self._transcript(await self._said(text), language)

    async def _said(self, text: str) -> list[AudioChunk]:
        chunks: list[AudioChunk] = []
        async with AsyncTcpClient("127.0.0.1", _TTS_PORT) as client:
            request = Synthesize(text, voice=SynthesizeVoice(name=self._voice))
            await client.write_event(request.event())
            while (event := await client.read_event()) is not None:
                if AudioChunk.is_type(event.type):
                    chunks.append(AudioChunk.from_event(event))
                elif AudioStop.is_type(event.type):
                    break
        return chunks

    async def _transcript(self, chunks: Sequence[AudioChunk], language: str) -> str:
        first = chunks[0]
        shape = {"rate": first.rate, "width": first.width, "channels": first.channels}
        quiet = bytes(int(first.rate * _QUIET_SECONDS) * first.width * first.channels)
        async with AsyncTcpClient("127.0.0.1", _STT_PORT) as client:
            await client.write_event(Transcribe(language=language).event())
            await client.write_event(AudioStart(**shape).event())
            for audio in (quiet, *(chunk.audio for chunk in chunks), quiet):
                await client.write_event(AudioChunk(audio=audio, **shape).event())
            await client.write_event(AudioStop().event())
            while (event := await client.read_event()) is not None:
                if Transcript.is_type(event.type):
                    return Transcript.from_event(event).text
        return ""
