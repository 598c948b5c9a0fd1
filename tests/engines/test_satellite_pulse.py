"""Satellite on a sound server: a room, a microphone in it, a speaker and its echo."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from parley.cli.probe import QUESTION
from parley.supervise.processes import ChildProcess, ProgramSpec
from tests.support.fake_services import TTS_RATE, FakeService, fake_llm, fake_stt, fake_tts
from wyoming_common.audio.pcm import read_audio

RECORDING_RATE = 16_000
_TOOLS = ("pulseaudio", "pactl", "paplay", "parec")
_PLUGINS = list(Path("/usr/lib").glob("*/alsa-lib/libasound_module_pcm_pulse.so"))

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.skipif(
        not _PLUGINS or not all(map(shutil.which, _TOOLS)),
        reason="needs pulseaudio, pulseaudio-utils and libasound2-plugins",
    ),
]

_SERVER = """
load-module module-native-protocol-unix socket={folder}/socket auth-anonymous=1
load-module module-null-sink sink_name=room rate=48000
load-module module-null-sink sink_name=speaker rate=48000
load-module module-remap-source master=room.monitor source_name=microphone
load-module module-loopback source=speaker.monitor sink=room latency_msec=40
set-default-sink speaker
set-default-source microphone
"""


@asynccontextmanager
async def _sound(folder: Path) -> AsyncIterator[dict[str, str]]:
    """A PulseAudio server whose speaker is heard in the room; yields its environment."""
    (folder / "server.pa").write_text(_SERVER.format(folder=folder))
    (folder / ".asoundrc").write_text("pcm.!default { type pulse }\nctl.!default { type pulse }\n")
    environment = {
        **os.environ,
        "HOME": str(folder),
        "XDG_RUNTIME_DIR": str(folder),
        "PULSE_SERVER": f"unix:{folder}/socket",
    }
    flags = ["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]
    async with _process(environment, "pulseaudio", *flags, "-F", str(folder / "server.pa")):
        await _until((folder / "socket").exists)
        yield environment


@asynccontextmanager
async def _process(environment: dict[str, str], *command: str) -> AsyncIterator[None]:
    null = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=null, stderr=null
    )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def _run(environment: dict[str, str], *command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    out, _ = await process.communicate()
    return out.decode()


async def _unplug(environment: dict[str, str], device: str) -> None:
    """Take a sink or a source away, with everything connected to it."""
    modules = await _run(environment, "pactl", "list", "short", "modules")
    for line in modules.splitlines():
        if f"_name={device}" in line:
            await _run(environment, "pactl", "unload-module", line.split()[0])


async def _plug_in(environment: dict[str, str], kind: str, device: str) -> None:
    """Bring it back, as what is used by default."""
    line = next(line for line in _SERVER.splitlines() if f"_name={device}" in line)
    await _run(environment, "pactl", *line.split())
    await _run(environment, "pactl", f"set-default-{kind}", device)


@asynccontextmanager
async def _recorded(environment: dict[str, str], path: Path) -> AsyncIterator[None]:
    """Record what the speaker plays."""
    record = f"parec --raw --device=speaker.monitor --rate={RECORDING_RATE} --channels=1"
    async with _process(environment, "sh", "-c", f"exec {record} > {path}"):
        yield


def _loud(path: Path) -> NDArray[np.bool_]:
    """Return which tenths of a second of a recording are loud."""
    data = path.read_bytes() if path.exists() else b""
    block = RECORDING_RATE // 10
    samples = np.abs(np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(int))
    loud: NDArray[np.bool_] = (
        samples[: len(samples) // block * block].reshape(-1, block).max(axis=1) > 5_000
    )
    return loud


def _has_fallen_silent(path: Path) -> bool:
    """Return whether a recording had sound, and a second of silence after it."""
    loud = _loud(path)
    return bool(loud.any()) and not loud[-10:].any()


@asynccontextmanager
async def _satellite(
    environment: dict[str, str], services: dict[str, FakeService], *flags: str
) -> AsyncIterator[ChildProcess]:
    uris = [f"--{name}={fake.uri}" for name, fake in services.items()]
    run = ("--mode", "standalone", "--wake", "none", "--json", *uris, *flags)
    child = await ChildProcess.start(
        ProgramSpec("satellite", "satellite", run, environment, capture=True)
    )
    try:
        yield child
    finally:
        await child.stop()


async def _turns(child: ChildProcess) -> list[dict[str, Any]]:
    await child.stop()
    return [json.loads(line) for line in (await child.output()).splitlines()]


async def _asked(llm: FakeService, times: int) -> None:
    await _until(lambda: len(llm.of("transcript")) >= times)


async def _until(true: Callable[[], bool]) -> None:
    loop = asyncio.get_running_loop()
    done = loop.create_future()

    def look() -> None:
        if true():
            done.set_result(None)
        else:
            loop.call_later(0.02, look)

    look()
    async with asyncio.timeout(15):
        await done


async def _ask_until(environment: dict[str, str], folder: Path, true: Callable[[], bool]) -> None:
    """Ask again and again: a satellite looks for a device that is back at times of its own."""
    samples, rate = soundfile.read(QUESTION, dtype="int16")
    pause = np.zeros(int(1.5 * rate), np.int16)
    soundfile.write(folder / "asked.wav", np.concatenate([samples, pause]), rate)
    async with asyncio.timeout(40):
        while not true():
            await _run(environment, "paplay", "--device=room", str(folder / "asked.wav"))


def _speech(rate: int) -> bytes:
    """Return twelve seconds of speech, as the voice of the reply."""
    return read_audio(QUESTION, rate)[0] * 3


async def test_a_question_in_the_room_is_answered_and_the_echo_of_the_answer_is_not(
    tmp_path: Path,
) -> None:
    async with AsyncExitStack() as stack:
        environment = await stack.enter_async_context(_sound(tmp_path))
        stt = await stack.enter_async_context(fake_stt("dog or cat", "what"))
        llm = await stack.enter_async_context(fake_llm("Answer", "Other"))
        tts = await stack.enter_async_context(fake_tts(voice=_speech(TTS_RATE)))
        heard = tmp_path / "speaker.raw"
        await stack.enter_async_context(_recorded(environment, heard))
        services = {"stt": stt, "llm": llm, "tts": tts}
        satellite = await stack.enter_async_context(_satellite(environment, services))

        await _run(environment, "paplay", "--device=room", str(QUESTION))
        await _asked(llm, 1)
        await _until(lambda: _has_fallen_silent(heard))
        turns = await _turns(satellite)

    assert [(turn["transcript"], turn["interrupted"]) for turn in turns] == [("dog or cat", False)]
    assert _loud(heard).sum() * 0.1 > 3.0


async def test_a_second_question_stops_the_answer_to_the_first(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        environment = await stack.enter_async_context(_sound(tmp_path))
        stt = await stack.enter_async_context(fake_stt("first", "second", "third"))
        llm = await stack.enter_async_context(fake_llm("Answer", "Other", "More"))
        tts = await stack.enter_async_context(fake_tts(voice=_speech(TTS_RATE) * 3))
        services = {"stt": stt, "llm": llm, "tts": tts}
        heard = tmp_path / "speaker.raw"
        await stack.enter_async_context(_recorded(environment, heard))
        satellite = await stack.enter_async_context(_satellite(environment, services))
        await _run(environment, "paplay", "--device=room", str(QUESTION))
        await _asked(llm, 1)
        # By then the echo canceller knows the room.
        await _until(lambda: _loud(heard).sum() * 0.1 > 2.0)

        await _run(environment, "paplay", "--device=room", str(QUESTION))

        await _asked(llm, 2)
        first, *_ = await _turns(satellite)

    assert first["interrupted"]
    assert llm.of("transcript")[1].data["text"] == "second"


async def test_a_sound_server_that_is_started_anew_is_used_again(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(AsyncExitStack())
        environment = await first.enter_async_context(_sound(tmp_path))
        stt = await stack.enter_async_context(fake_stt(*["what"] * 20))
        llm = await stack.enter_async_context(fake_llm(*["Answer"] * 20))
        tts = await stack.enter_async_context(fake_tts())
        services = {"stt": stt, "llm": llm, "tts": tts}
        await stack.enter_async_context(_satellite(environment, services))
        await _run(environment, "paplay", "--device=room", str(QUESTION))
        await _asked(llm, 1)

        await first.aclose()
        (tmp_path / "socket").unlink(missing_ok=True)
        environment = await stack.enter_async_context(_sound(tmp_path))

        await _ask_until(environment, tmp_path, lambda: len(llm.of("transcript")) >= 2)

    assert llm.of("transcript")[1].data["text"] == "what"


async def test_a_speaker_that_is_unplugged_in_a_reply_plays_again_when_it_is_back(
    tmp_path: Path,
) -> None:
    async with AsyncExitStack() as stack:
        environment = await stack.enter_async_context(_sound(tmp_path))
        stt = await stack.enter_async_context(fake_stt(*["what"] * 20))
        llm = await stack.enter_async_context(fake_llm(*["Answer"] * 20))
        tts = await stack.enter_async_context(fake_tts(voice=_speech(TTS_RATE)))
        services = {"stt": stt, "llm": llm, "tts": tts}
        before, after = tmp_path / "before.raw", tmp_path / "after.raw"
        await stack.enter_async_context(_satellite(environment, services))
        async with _recorded(environment, before):
            await _run(environment, "paplay", "--device=room", str(QUESTION))
            await _until(lambda: bool(_loud(before).any()))
            tts.left.clear()

            await _unplug(environment, "speaker")
            # The reply ends although nothing plays it.
            await _until(tts.left.is_set)
        await _plug_in(environment, "sink", "speaker")

        await stack.enter_async_context(_recorded(environment, after))
        await _ask_until(environment, tmp_path, lambda: bool(_loud(after).any()))

    assert _loud(after).any()


async def test_a_microphone_that_is_unplugged_in_a_command_hears_the_next_one_when_it_is_back(
    tmp_path: Path,
) -> None:
    async with AsyncExitStack() as stack:
        environment = await stack.enter_async_context(_sound(tmp_path))
        stt = await stack.enter_async_context(fake_stt(*["what"] * 20))
        llm = await stack.enter_async_context(fake_llm(*["Answer"] * 20))
        tts = await stack.enter_async_context(fake_tts())
        services = {"stt": stt, "llm": llm, "tts": tts}
        await stack.enter_async_context(_satellite(environment, services))
        saying = asyncio.create_task(_run(environment, "paplay", "--device=room", str(QUESTION)))
        await _until(lambda: bool(stt.of("audio-chunk")))
        stt.left.clear()

        await _unplug(environment, "microphone")
        await saying
        # The command ends although the rest of it is not heard.
        await _until(stt.left.is_set)
        before = len(llm.of("transcript"))
        await _plug_in(environment, "source", "microphone")

        await _ask_until(environment, tmp_path, lambda: len(llm.of("transcript")) > before)

    assert llm.of("transcript")[-1].data["text"] == "what"
