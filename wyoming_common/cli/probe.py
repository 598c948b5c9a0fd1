"""Ask a service for a real piece of work, which also warms it up."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.error import Error
from wyoming.event import Event, Eventable
from wyoming.handle import Handled, NotHandled
from wyoming.tts import Synthesize

import wyoming_common.data
from wyoming_common.audio import MODEL_RATE, read_audio
from wyoming_common.errors import TimedOut, Unavailable

QUESTION = Path(wyoming_common.data.__path__[0]) / "question.wav"
_CHUNK_BYTES = 3200


async def probe(kind: str, uri: str, seconds: float = 120.0) -> float:
    """Put one small question to a service (`stt`, `llm` or `tts`); returns the seconds it took.

    Raises Unavailable when it fails or hangs up, TimedOut when it takes longer than `seconds`.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        async with asyncio.timeout(seconds), AsyncClient.from_uri(uri) as client:
            for event in _questions(kind):
                await client.write_event(event)
            while (answer := await client.read_event()) is not None:
                if any(last.is_type(answer.type) for last in _ANSWERS[kind]):
                    return loop.time() - began
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
