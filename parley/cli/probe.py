"""Readiness probe: one small real request to a service, which also warms it up."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.error import Error
from wyoming.event import Event, Eventable
from wyoming.handle import Handled, NotHandled
from wyoming.tts import Synthesize

import parley.data
from wyoming_common.audio.pcm import MODEL_RATE, read_audio
from wyoming_common.errors import TimedOut, Unavailable

QUESTION = Path(parley.data.__path__[0]) / "question.wav"
_CHUNK_BYTES = 3200


async def probe(kind: str, uri: str, seconds: float = 120.0) -> float:
    """Send one small request to a service (`stt`, `llm` or `tts`); return its seconds.

    Raises Unavailable when it fails or hangs up, TimedOut when it takes longer than `seconds`.
    """
    began = time.monotonic()
    await _ask(kind, uri, _questions(kind), seconds)
    return time.monotonic() - began


async def ask_llm(uri: str, text: str, seconds: float) -> str:
    """Send `text` to a conversation service; return its reply. Raises as `probe` does."""
    answer = await _ask("llm", uri, [Transcript(text).event()], seconds)
    return str(answer.data.get("text") or "")


async def _ask(kind: str, uri: str, questions: Sequence[Event], seconds: float) -> Event:
    try:
        async with asyncio.timeout(seconds), AsyncClient.from_uri(uri) as client:
            for event in questions:
                await client.write_event(event)
            while (answer := await client.read_event()) is not None:
                if any(last.is_type(answer.type) for last in _ANSWERS[kind]):
                    return Event(answer.type, answer.data)
                if Error.is_type(answer.type):
                    raise Unavailable(f"{kind} ({uri}): {Error.from_event(answer).text}")
    except TimeoutError as err:
        raise TimedOut(f"{kind} ({uri}): no answer within {seconds:g} s") from err
    except (OSError, ValueError, KeyError) as err:
        raise Unavailable(f"{kind} ({uri}): {str(err) or type(err).__name__}") from err
    raise Unavailable(f"{kind} ({uri}): hung up without an answer")


_ANSWERS: dict[str, tuple[type[Eventable], ...]] = {
    "stt": (Transcript,),
    "llm": (Handled, NotHandled),
    "tts": (AudioStop,),
}


def _questions(kind: str) -> Sequence[Event]:
    if kind == "tts":
        return [Synthesize("Ready.").event()]
    if kind == "llm":
        return [Transcript("Hello.").event()]
    pcm, _ = read_audio(QUESTION)
    chunks = [pcm[at : at + _CHUNK_BYTES] for at in range(0, len(pcm), _CHUNK_BYTES)]
    return [
        Transcribe().event(),
        AudioStart(MODEL_RATE, 2, 1).event(),
        *(AudioChunk(MODEL_RATE, 2, 1, chunk).event() for chunk in chunks),
        AudioStop().event(),
    ]
