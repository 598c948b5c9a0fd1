"""Parley on a Debian for ARM 64, installed as on a Raspberry Pi, hears, answers, speaks and wakes.

script/test-arm64 makes the root, and emulates the processor where this machine has another one.
Only correctness is tested: an emulated processor tells nothing about time.
"""

import asyncio
import os
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.error import Error
from wyoming.event import Event, Eventable
from wyoming.handle import Handled
from wyoming.satellite import RunSatellite
from wyoming.tts import Synthesize
from wyoming.wake import Detection

from parley.cli.probe import QUESTION
from tests.support.debian_root import answer, inside, unpack
from wyoming_common.audio.pcm import MODEL_RATE, read_audio
from wyoming_common.models.defaults import SMALLEST_LLM

PI = Path(os.environ.get("PARLEY_ARM64", ""))
"""A Debian root for ARM 64 with Python; set by script/test-arm64."""
PROCESSOR = os.environ.get("QEMU_CPU", "max")
"""The processor that qemu emulates."""
START_SECONDS = 1500.0
REQUEST_SECONDS = 900.0
PROGRAMS = ("stt", "llm", "tts", "satellite")
PORTS = {"stt": 20_300, "llm": 20_600, "tts": 20_200, "satellite": 20_700}
"""Not the usual ones, which a Parley of this machine may have."""
FLAGS = {
    "stt": ("--model", "tiny.en"),
    "llm": ("--model", SMALLEST_LLM, "--http-uri", "off", "--max-tokens", "24"),
    "tts": ("--voice", "en_US-joe-medium"),
    "satellite": ("--mic", "pipe", "--speaker", "pipe", "--no-sounds", "--wake", "okay_nabu"),
}
SENTENCE = "The children play in the garden every evening."
PAUSE = bytes(MODEL_RATE)
"""Half a second: a reply begins with its first word, and recognisers expect air before it."""
_FRAME_BYTES = 3200

pytestmark = [
    pytest.mark.skipif(
        "PARLEY_ARM64" not in os.environ,
        reason="needs root and a Debian for ARM 64: run script/test-arm64",
    ),
    pytest.mark.timeout(5400),
    pytest.mark.asyncio(loop_scope="module"),
]


@pytest.fixture(scope="module")
def installed() -> dict[str, list[str]]:
    """Install all programs by deploy/pi.sh, from wheels alone; return the command of each unit."""
    unpack(PI / "src")
    done = subprocess.run(
        [
            *inside(PI, f"QEMU_CPU={PROCESSOR}", "PIP_ONLY_BINARY=:all:"),
            *("/src/deploy/pi.sh", *PROGRAMS),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    commands = {}
    for name in PROGRAMS:
        unit = (PI / f"etc/systemd/system/parley-{name}.service").read_text(encoding="utf-8")
        found = re.search(r"^ExecStart=(.+)$", unit, re.MULTILINE)
        assert found is not None
        commands[name] = found[1].split()
    return commands


def start(command: list[str], stdin: int) -> subprocess.Popen[bytes]:
    """Start a program in the root."""
    started = [*inside(PI, f"QEMU_CPU={PROCESSOR}"), *command]
    return subprocess.Popen(started, stdin=stdin, stdout=subprocess.DEVNULL)


@asynccontextmanager
async def serving(
    installed: dict[str, list[str]], name: str, stdin: int = subprocess.DEVNULL
) -> AsyncIterator[tuple[AsyncClient, subprocess.Popen[bytes]]]:
    """Run an installed program as its systemd unit does; yields a client of it."""
    uri = f"tcp://127.0.0.1:{PORTS[name]}"
    process = start([*installed[name], *FLAGS[name], "--uri", uri, "--no-zeroconf"], stdin)
    try:
        await answer(uri, process, START_SECONDS)
        async with AsyncClient.from_uri(uri) as client:
            yield client, process
    finally:
        process.kill()
        process.wait()
        if process.stdin is not None:
            process.stdin.close()


async def send(client: AsyncClient, *events: Eventable) -> None:
    for event in events:
        await client.write_event(event.event())


async def until(client: AsyncClient, last: type[Eventable]) -> list[Event]:
    """Return the events up to one of type `last`."""
    events: list[Event] = []
    async with asyncio.timeout(REQUEST_SECONDS):
        while (event := await client.read_event()) is not None:
            assert not Error.is_type(event.type), Error.from_event(event).text
            events.append(event)
            if last.is_type(event.type):
                return events
    raise AssertionError("the service has hung up")


async def transcript(client: AsyncClient, pcm: bytes) -> str:
    """Return the words of 16 kHz PCM in lower case."""
    await send(client, Transcribe(language="en"), AudioStart(MODEL_RATE, 2, 1))
    for at in range(0, len(pcm), _FRAME_BYTES):
        await send(client, AudioChunk(MODEL_RATE, 2, 1, pcm[at : at + _FRAME_BYTES]))
    await send(client, AudioStop())
    events = await until(client, Transcript)
    return " ".join(re.findall(r"[\w']+", Transcript.from_event(events[-1]).text.lower()))


def sound_of(events: list[Event]) -> NDArray[np.int16]:
    """Return the audio of a reply at 16 kHz."""
    chunks = [AudioChunk.from_event(event) for event in events if AudioChunk.is_type(event.type)]
    samples = np.frombuffer(b"".join(chunk.audio for chunk in chunks), "<i2")
    return np.asarray(soxr.resample(samples, chunks[0].rate, MODEL_RATE), np.int16)


async def speak(client: AsyncClient, text: str) -> NDArray[np.int16]:
    await send(client, Synthesize(text))
    return sound_of(await until(client, AudioStop))


async def test_a_spoken_sentence_and_a_recording_are_transcribed(
    installed: dict[str, list[str]],
) -> None:
    async with serving(installed, "tts") as (voice, _):
        spoken = await speak(voice, SENTENCE)
    question, _ = read_audio(QUESTION)

    async with serving(installed, "stt") as (ears, _):
        recorded = await transcript(ears, question)
        heard = await transcript(ears, PAUSE + spoken.tobytes() + PAUSE)

    assert recorded == "should i get a dog or a cat"
    assert heard == "the children play in the garden every evening"


async def test_a_question_is_answered(installed: dict[str, list[str]]) -> None:
    async with serving(installed, "llm") as (client, _):
        await send(client, Transcript("Who wrote Romeo and Juliet?"))
        events = await until(client, Handled)

    assert "Romeo" in (Handled.from_event(events[-1]).text or "")


async def test_a_wake_word_is_heard(installed: dict[str, list[str]]) -> None:
    async with serving(installed, "tts") as (voice, _):
        spoken = await speak(voice, "Okay nabu!")
    second = bytes(2 * MODEL_RATE)

    async with serving(installed, "satellite", subprocess.PIPE) as (client, process):
        assert process.stdin is not None
        await send(client, RunSatellite())
        await asyncio.to_thread(process.stdin.write, second + spoken.tobytes() + 2 * second)
        await asyncio.to_thread(process.stdin.flush)
        events = await until(client, Detection)

    assert Detection.from_event(events[-1]).name == "okay_nabu"
