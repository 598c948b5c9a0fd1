"""The first turn after *Ready* beside the next ones, in fresh starts of the services.

    python -m bench.first_turn [--services stt llm tts whole] [--starts 10] [--apps]
        [--home-prompt] [--unloaded] [--options "--temperature 0" ...]

For each start: the seconds that a person waits in the first turn and the median of the next five.
`stt`: from the end of speech to the transcript; `llm`: from a question to the first piece of its
answer; `tts`: from a text to its first sound; `whole`: mouth to ear, with all three and a satellite
that is new too. `--apps` takes the options that the Home Assistant apps begin with, `--unloaded`
lets the recogniser be unloaded before the first turn. Exits with 1 where a ratio is above its
budget.
"""

import argparse
import asyncio
import json
import re
import shlex
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile
import yaml
from wyoming.asr import Transcript
from wyoming.audio import AudioChunk
from wyoming.client import AsyncClient
from wyoming.handle import Handled, HandledChunk, NotHandled
from wyoming.tts import Synthesize

from bench.stt_live import speak, speech_end
from bench.stt_scores import Clip
from parley.cli.probe import QUESTION
from wyoming_common.audio.pcm import MODEL_RATE, read_audio

NEXT_TURNS: Final = 5
MAX_MEDIAN_RATIO: Final = 1.2
MAX_WORST_RATIO: Final = 1.5
_MAX_START_SECONDS: Final = 180.0
_MAX_TURN_SECONDS: Final = 60.0
_TAIL_SECONDS: Final = 3.0
_GAP_SECONDS: Final = 8.0
"""For a reply of two sentences"""
_UNLOADED_SECONDS: Final = 10.0
_SENTENCES: Final = (
    "The garage door is closed.",
    "Good morning, the coffee is ready.",
    "Your package has been delivered to the front door.",
)
_QUESTIONS: Final = (
    "Why is the sky blue?",
    "What do bees do in winter?",
    "How do I sleep better?",
    "Who wrote Hamlet?",
    "Why do leaves fall in autumn?",
    "What makes bread rise?",
)


@dataclass(frozen=True, slots=True)
class Stage:
    """A service, and what one turn of a user is for it."""

    module: str
    options: tuple[str, ...]
    turn: Callable[[str, int], Awaitable[float]]
    """Takes the URI and the number of the turn; returns seconds to the first output"""


async def question(uri: str, number: int) -> float:
    """Ask the conversation; return the seconds to the first piece of its answer."""
    text = _QUESTIONS[number % len(_QUESTIONS)]
    async with AsyncClient.from_uri(uri) as client, asyncio.timeout(_MAX_TURN_SECONDS):
        began = time.perf_counter()
        context = {"conversation_id": f"turn {number}"}
        await client.write_event(Transcript(text=text, context=context).event())
        first = 0.0
        while (event := await client.read_event()) is not None:
            if HandledChunk.is_type(event.type):
                first = first or time.perf_counter() - began
            if Handled.is_type(event.type):
                return first
            if NotHandled.is_type(event.type):
                raise RuntimeError(f"no answer to '{text}': {event.data}")
    raise RuntimeError(f"the service hung up on '{text}'")


async def utterance(uri: str, number: int) -> float:  # noqa: ARG001 - the same each time
    """Speak the recorded question live; return the seconds from its end to the transcript."""
    pcm, _ = read_audio(QUESTION)
    host, _, port = uri.rpartition("/")[2].rpartition(":")
    end = speech_end(pcm)
    clip = Clip(QUESTION.name, "command", "", (), pcm)
    turn = await speak(host, int(port), clip, end, _TAIL_SECONDS)
    if turn.transcript is None:
        raise RuntimeError("no transcript of the recorded question")
    return turn.transcript - end


async def sentence(uri: str, number: int) -> float:
    """Have a sentence spoken; return the seconds to its first sound."""
    text = f"{_SENTENCES[number % len(_SENTENCES)]} It is {number + 1} o'clock."
    async with AsyncClient.from_uri(uri) as client, asyncio.timeout(_MAX_TURN_SECONDS):
        began = time.perf_counter()
        await client.write_event(Synthesize(text=text).event())
        first = 0.0
        while (event := await client.read_event()) is not None:
            if AudioChunk.is_type(event.type):
                first = first or time.perf_counter() - began
            if event.type == "audio-stop":
                return first
    raise RuntimeError(f"the service hung up on '{text}'")


STAGES: Final = {
    "stt": Stage("wyoming_stt", ("--language", "en"), utterance),
    "llm": Stage("wyoming_llm", ("--http-uri", "off", "--answer-seconds", "0"), question),
    "tts": Stage("wyoming_tts", ("--cache", "0"), sentence),
}
WHOLE: Final = "whole"
APPS: Final = Path(__file__).parent.parent / "addons"


def app_options(name: str) -> dict[str, Any]:
    """Return the options with which the Home Assistant app of a service begins."""
    text = (APPS / f"parley_{name}" / "config.yaml").read_text(encoding="utf-8")
    options: dict[str, Any] = yaml.safe_load(text)["options"]
    return options


def recording_of_turns(path: Path, turns: int, gap_seconds: float) -> None:
    """Write the recorded question `turns` times, with silence for the reply behind each."""
    pcm, _ = read_audio(QUESTION)
    silence = np.zeros(int(gap_seconds * MODEL_RATE), np.int16)
    lead = np.zeros(MODEL_RATE, np.int16)
    one = np.concatenate((lead, np.frombuffer(pcm, "<i2"), silence))
    soundfile.write(path, np.tile(one, turns), MODEL_RATE)


async def whole_turns(options: dict[str, tuple[str, ...]], folder: Path) -> list[float]:
    """Start the three services and a satellite; return mouth to ear of each turn, in seconds."""
    mic = folder / "mic.wav"
    recording_of_turns(mic, NEXT_TURNS + 1, _GAP_SECONDS)
    async with AsyncExitStack() as stack:
        started_all = [
            asyncio.create_task(stack.enter_async_context(started(stage, options[name])))
            for name, stage in STAGES.items()
        ]
        uris = dict(zip(STAGES, await asyncio.gather(*started_all), strict=True))
        process = await asyncio.create_subprocess_exec(
            *(
                sys.executable,
                "-m",
                "satellite",
                "--mode",
                "standalone",
                "--wake",
                "none",
                "--json",
            ),
            *("--no-sounds", "--no-barge-in", f"--mic=file:{mic}"),
            f"--speaker=file:{folder / 'speaker.wav'}",
            *(f"--{name}={uri}" for name, uri in uris.items()),
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
    reports = [json.loads(line) for line in output.decode().splitlines() if line.startswith("{")]
    return [report["mouth_to_ear_ms"] / 1000 for report in reports if report["mouth_to_ear_ms"]]


async def measure_whole(
    options: dict[str, tuple[str, ...]], starts: int, folder: Path
) -> list[tuple[float, float]]:
    """Return the first turn and the median of the next ones, in seconds, of each start."""
    rows = []
    for _ in range(starts):
        waits = await whole_turns(options, folder)
        if len(waits) < 2:
            raise RuntimeError(f"only {len(waits)} turns were answered")
        rows.append((waits[0], statistics.median(waits[1:])))
        print(f"first {waits[0]:.3f} s, next {rows[-1][1]:.3f} s of {len(waits) - 1}")
    return rows


@asynccontextmanager
async def started(stage: Stage, options: tuple[str, ...]) -> AsyncIterator[str]:
    """Start the service afresh; yields its URI once it says that it is ready."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", stage.module, "--uri", "tcp://127.0.0.1:0", "--no-zeroconf"),
        *stage.options,
        *options,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield await _ready(process)
    finally:
        process.terminate()
        await process.wait()


async def _ready(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    lines = ""
    async with asyncio.timeout(_MAX_START_SECONDS):
        async for line in process.stderr:
            lines += line.decode()
            if found := re.search(r"Ready on (\S+)", line.decode()):
                return found[1]
    raise RuntimeError(f"the service ended: {lines[-500:]}")


async def measure(
    stage: Stage, options: tuple[str, ...], starts: int, rest: float = 0.5
) -> list[tuple[float, float]]:
    """Return the first turn and the median of the next ones, in seconds, of each start.

    `rest` are the seconds between *Ready* and the first turn.
    """
    rows = []
    for _ in range(starts):
        began = time.perf_counter()
        async with started(stage, options) as uri:
            ready = time.perf_counter() - began
            await asyncio.sleep(rest)
            first, *others = [await _paused(stage, uri, n) for n in range(NEXT_TURNS + 1)]
            rows.append((first, statistics.median(others)))
            print(f"ready after {ready:.1f} s, first {first:.3f} s, next {rows[-1][1]:.3f} s")
    return rows


async def _paused(stage: Stage, uri: str, number: int) -> float:
    await asyncio.sleep(2.0 if number else 0.0)
    return await stage.turn(uri, number)


def verdict(rows: list[tuple[float, float]]) -> tuple[str, bool]:
    """Return the ratios in a line, and whether they are within their budgets."""
    ratios = [first / others for first, others in rows]
    middle, worst = statistics.median(ratios), max(ratios)
    text = f"first turn against the next: p50 {middle:.2f}, worst {worst:.2f}"
    return text, middle <= MAX_MEDIAN_RATIO and worst <= MAX_WORST_RATIO


def home_prompt(lines: int = 70) -> str:
    """Return a system prompt of about 1,200 tokens that names a home's devices."""
    kinds = ("lamp", "fan", "blind", "heater", "speaker")
    rooms = ("hall", "kitchen", "bedroom", "study", "attic", "cellar", "garage")
    devices = "\n".join(
        f"- {kinds[n % 5]} {n} in the {rooms[n % 7]}: {'on' if n % 3 else 'off'}"
        for n in range(lines)
    )
    return f"You are the voice assistant of a home. Answer in one sentence.\nDevices:\n{devices}\n"


def options_of(arguments: argparse.Namespace, folder: Path) -> dict[str, tuple[str, ...]]:
    """Return the flags of each service."""
    given: dict[str, tuple[str, ...]] = dict.fromkeys(STAGES, ())
    for name in STAGES:
        if arguments.services == [name]:
            given[name] = tuple(shlex.split(arguments.options))
        if arguments.apps:
            config = folder / f"{name}.json"
            config.write_text(json.dumps(app_options(name)), encoding="utf-8")
            given[name] += ("--config", str(config))
    if arguments.home_prompt:
        prompt = folder / "prompt.txt"
        prompt.write_text(home_prompt() + "It is {{ time }}.", encoding="utf-8")
        given["llm"] += ("--system-prompt", f"@{prompt}")
    if arguments.unloaded:
        given["stt"] += ("--unload-after", str(_UNLOADED_SECONDS / 2.5))
    return given


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    known = [*STAGES, WHOLE]
    parser.add_argument("--services", nargs="+", choices=known, default=known)
    parser.add_argument("--starts", type=int, default=10)
    parser.add_argument(
        "--options", default="", help="further flags of the one service that is named"
    )
    parser.add_argument("--home-prompt", action="store_true", help="1,200 tokens of devices (llm)")
    parser.add_argument("--apps", action="store_true", help="options of the Home Assistant apps")
    parser.add_argument("--unloaded", action="store_true", help="unload the recogniser first (stt)")
    arguments = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as name:
        options = options_of(arguments, Path(name))
        rest = _UNLOADED_SECONDS if arguments.unloaded else 0.5
        for service in arguments.services:
            if service == WHOLE:
                work = measure_whole(options, arguments.starts, Path(name))
            else:
                work = measure(STAGES[service], options[service], arguments.starts, rest)
            rows = asyncio.run(work)
            text, within = verdict(rows)
            good = good and within
            print(f"{service}: {text}")
    sys.exit(not good)


if __name__ == "__main__":
    main()
