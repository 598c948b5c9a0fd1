"""A person talks to the page: Chromium hears a recorded voice, real services answer, the page
plays the reply, and talking into it stops it."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr
from rapidfuzz import fuzz
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient

from parley.cli.probe import QUESTION
from parley.supervise.processes import ChildProcess, ProgramSpec
from tests.dashboard.browser import CHROMIUM, Page, chromium, microphone
from tests.dashboard.rig import Shown, dashboard

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]

MAX_ANSWER_SECONDS = 90.0
"""Generous: it only bounds a test that fails."""
_FLAGS: dict[str, tuple[str, ...]] = {
    "stt": (),
    # A reply of two words is recognised as anything, and over before it can be talked into.
    "llm": (
        "--http-uri", "off", "--temperature", "0", "--max-tokens", "40",
        "--system-prompt", "Tell a story of many sentences about animals.",
    ),
    "tts": ("--length", "2.5"),
}  # fmt: skip
RATE = 16_000

TAP = """(() => {
  // What reaches the loudspeaker is kept as well, 16 bits a sample.
  window.heard = [];
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (to, ...more) {
    if (to instanceof AudioDestinationNode && !(this instanceof ScriptProcessorNode)) {
      const tap = this.context.createScriptProcessor(4096, 1, 1);
      window.rate = this.context.sampleRate;
      tap.onaudioprocess = event => window.heard.push(Int16Array.from(
        event.inputBuffer.getChannelData(0), sample => Math.round(sample * 32767)));
      connect.call(this, tap);
      connect.call(tap, to);
    }
    return connect.call(this, to, ...more);
  };
})()"""
TAKE = """(() => {
  const all = window.heard.flatMap(block => [...new Uint8Array(block.buffer)]);
  let text = "";
  for (let at = 0; at < all.length; at += 8192)
    text += String.fromCharCode(...all.slice(at, at + 8192));
  return btoa(text);
})()"""


@asynccontextmanager
async def services() -> AsyncIterator[dict[str, str]]:
    """The three services on free ports; yields their URIs. The voice is slow."""
    async with AsyncExitStack() as stack:
        uris = {}
        for kind, flags in _FLAGS.items():
            arguments = ("--uri", "tcp://127.0.0.1:0", "--no-zeroconf", *flags)
            child = await ChildProcess.start(
                ProgramSpec(kind, f"wyoming_{kind}", arguments, echo=False)
            )
            stack.push_async_callback(child.stop)
            uris[kind] = child.uri
        yield uris


def recording(path: Path, *parts: Path | float) -> Path:
    """Write recordings and seconds of silence, one after the other."""
    pieces: list[Any] = []
    for part in parts:
        if isinstance(part, Path):
            samples, rate = soundfile.read(part, dtype="float32")
            pieces.append(soxr.resample(samples, rate, 48_000))
        else:
            pieces.append(np.zeros(int(part * 48_000), np.float32))
    soundfile.write(path, np.concatenate(pieces), 48_000, subtype="PCM_16")
    return path


@asynccontextmanager
async def talking(mic: Path) -> AsyncIterator[tuple[Shown, Page, dict[str, str]]]:
    """A page on which Talk was pressed, with the reply shown."""
    async with services() as uris:
        flags = [f"--{kind}={uri}" for kind, uri in uris.items()]
        async with (
            dashboard(*uris.values(), talk=flags) as shown,
            chromium(*microphone(mic)) as page,
        ):
            await page.open(shown.uri)
            await page.until("!document.getElementById('talk').hidden")
            await page.value(TAP)
            await page.value("document.getElementById('show-text').click()")
            await page.value("document.getElementById('talk-button').click()")
            yield shown, page, uris


async def turns(shown: Shown, count: int) -> list[dict[str, Any]]:
    """Return the turns that satellites saw, once there are `count`, the first one first."""
    async with asyncio.timeout(MAX_ANSWER_SECONDS):
        while True:
            found = [
                {"texts": record.get("texts", {}), **stage}
                for turn in shown.history.turns(None, 10)[::-1]
                for record in turn["records"]
                for stage in record["stages"]
                if stage["stage"] == "turn"
            ]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.1)


async def transcribe(uri: str, pcm: bytes) -> str:
    """Return what our speech-to-text hears in mono s16le at 16 kHz."""
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(Transcribe(language="en").event())
        await client.write_event(AudioStart(RATE, 2, 1).event())
        await client.write_event(AudioChunk(RATE, 2, 1, pcm).event())
        await client.write_event(AudioStop().event())
        while (event := await client.read_event()) is not None:
            if Transcript.is_type(event.type):
                return Transcript.from_event(event).text
    return ""


async def played(page: Page) -> "np.ndarray[Any, Any]":
    """Return what the page has played, at 16 kHz."""
    samples = np.frombuffer(base64.b64decode(await page.value(TAKE)), "<i2")
    resampled: np.ndarray[Any, Any] = soxr.resample(samples, await page.value("window.rate"), RATE)
    return resampled


def letters(text: str) -> str:
    return " ".join(re.findall(r"[a-z']+", text.lower()))


async def test_a_question_to_the_page_is_answered_aloud(tmp_path: Path) -> None:
    mic = recording(tmp_path / "mic.wav", 1.0, QUESTION, 30.0)
    async with talking(mic) as (shown, page, uris):
        (turn, *_) = await turns(shown, 1)
        sound = await played(page)
        heard = await transcribe(uris["stt"], sound[: 28 * RATE].astype("<i2").tobytes())
        state = await page.value("document.getElementById('talk-state').textContent")
        await page.value("document.getElementById('talk-button').click()")
        ended = await page.value("document.getElementById('talk-state').textContent")

    assert "failed" not in turn
    assert turn["texts"]["transcript"]
    heard, reply = letters(heard), letters(turn["texts"]["reply"])
    # A browser without time leaves words out.
    assert fuzz.token_set_ratio(heard, reply) >= 60, (heard, turn["texts"])
    assert state.startswith(("Listening", "Speaking"))
    assert ended == "Ended; the microphone is off."
    assert page.problems == []


async def test_talking_into_the_reply_stops_it_and_is_answered(tmp_path: Path) -> None:
    mic = recording(tmp_path / "mic.wav", 1.0, QUESTION, 2.0, QUESTION, 30.0)
    async with talking(mic) as (shown, _, _):
        first, second, *_ = await turns(shown, 2)

    assert first.get("cancelled") is True, (first, second)
    assert second["texts"]["transcript"]
