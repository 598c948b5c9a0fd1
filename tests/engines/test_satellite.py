"""Satellite with real detectors and the real services, each a process of its own."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from parley.cli.probe import QUESTION
from parley.supervise.processes import ChildProcess, ProgramSpec
from wyoming_common.models import ModelStore

pytestmark = pytest.mark.timeout(180)

_MODULES = {"stt": "wyoming_stt", "llm": "wyoming_llm", "tts": "wyoming_tts"}
_MODELS = ("tiny.en", "smollm2-135m-instruct", "en_US-joe-medium")


@asynccontextmanager
async def _services() -> AsyncIterator[dict[str, ChildProcess]]:
    """The three services on free ports of this machine, without announcement."""
    async with AsyncExitStack() as stack:
        arguments = ("--uri", "tcp://127.0.0.1:0", "--no-zeroconf")
        children = await asyncio.gather(
            *(
                ChildProcess.start(ProgramSpec(name, module, arguments))
                for name, module in _MODULES.items()
            )
        )
        for child in children:
            stack.push_async_callback(child.stop)
        yield dict(zip(_MODULES, children, strict=True))


async def _ask(
    services: dict[str, ChildProcess], mic: Path, speaker: Path, *flags: str
) -> tuple[int, list[dict[str, Any]], str]:
    """Return the satellite's exit status, its turns and its last line of complaint."""
    uris = [word for name, child in services.items() for word in (f"--{name}", child.uri)]
    run = ("--mode", "standalone", "--wake", "none", "--once", "--json")
    devices = ("--mic", f"file:{mic}", "--speaker", f"file:{speaker}")
    program = ProgramSpec(
        "satellite", "satellite", (*run, *devices, *uris, *flags), capture=True, says_ready=False
    )
    child = await ChildProcess.start(program)
    try:
        output = await child.output()
        return (
            await child.wait(),
            [json.loads(line) for line in output.splitlines()],
            child.last_line,
        )
    finally:
        await child.stop()


def _wait_for(path: Path) -> None:
    while not path.exists():
        time.sleep(0.01)


async def test_a_spoken_question_gets_a_spoken_answer(store: ModelStore, tmp_path: Path) -> None:
    for model in _MODELS:
        await asyncio.to_thread(store.ensure, model)

    async with _services() as services:
        status, [turn], _ = await _ask(services, QUESTION, tmp_path / "reply.wav")
        samples, rate = soundfile.read(tmp_path / "reply.wav", dtype="int16")
        # Speech recognition reads the answer back: it is speech, whole and in the right order.
        start = int(turn["trace"]["at_ms"] / 1000 * rate)
        soundfile.write(tmp_path / "again.wav", samples[start:], rate)
        _, [again], _ = await _ask(services, tmp_path / "again.wav", tmp_path / "other.wav")

    assert status == 0
    assert "dog" in turn["transcript"].lower()
    assert "cat" in turn["transcript"].lower()
    assert turn["error"] is None
    stages = {stage["stage"]: stage for stage in turn["trace"]["stages"]}
    began = (turn["trace"]["at_ms"] + stages["playback"]["start_ms"]) / 1000
    assert not np.any(samples[: int((began - 0.01) * rate)])
    assert np.abs(samples[int(began * rate) :]).max() > 1000
    said, heard = (set(text.lower().split()) for text in (turn["reply"], again["transcript"]))
    assert len(said & heard) >= min(3, len(heard) // 2)


async def test_a_service_that_is_killed_in_the_middle_is_named(
    store: ModelStore, tmp_path: Path
) -> None:
    for model in _MODELS:
        await asyncio.to_thread(store.ensure, model)

    async with _services() as services:
        asking = asyncio.create_task(_ask(services, QUESTION, tmp_path / "reply.wav"))
        await asyncio.to_thread(_wait_for, tmp_path / "reply.wav")
        await services["llm"].stop()
        status, _, complaint = await asking

    assert status == 1
    assert complaint.startswith("conversation (tcp://")
