"""The satellite on a sound server: a room, a microphone in it, a speaker and its echo."""

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

from tests.satellite import fakes
from wyoming_common.audio import read_audio
from wyoming_common.cli.probe import QUESTION
from wyoming_common.processes import Child, Program

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
    """Take a sink or a source away, and whatever hangs on it."""
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
    record = "parec --raw --device=speaker.monitor --rate=16000 --channels=1"
    async with _process(environment, "sh", "-c", f"exec {record} > {path}"):
        yield


def _loudest(path: Path) -> int:
    data = path.read_bytes() if path.exists() else b""
    return int(np.abs(np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(int)).max(initial=0))


@asynccontextmanager
async def _satellite(
    environment: dict[str, str], services: dict[str, fakes.Fake], *flags: str
) -> AsyncIterator[Child]:
    uris = [f"--{name}={fake.uri}" for name, fake in services.items()]
    run = ("--mode", "standalone", "--wake", "none", "--json", *uris, *flags)
    child = await Child.start(Program("satellite", "satellite", run, environment, capture=True))
    try:
        yield child
    finally:
        await child.stop()


async def _turns(child: Child) -> list[dict[str, Any]]:
    await child.stop()
    return [json.loads(line) for line in (await child.output()).splitlines()]


async def _asked(llm: fakes.Fake, times: int) -> None:
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


def _speech(rate: int) -> bytes:
    """Four seconds of somebody speaking, as the voice of the reply."""
    return read_audio(QUESTION, rate)[0] * 3


async def test_a_question_in_the_room_is_answered_and_the_echo_of_the_answer_is_not(
    tmp_path: Path,
) -> None:
    async with AsyncExitStack() as stack:
        environment = await stack.enter_async_context(_sound(tmp_path))
        stt = await stack.enter_async_context(fakes.stt("dog or cat", "what"))
        llm = await stack.enter_async_context(fakes.llm("Answer", "Other"))
        tts = await stack.enter_async_context(fakes.tts(voice=_speech(fakes.TTS_RATE)))
        heard = tmp_path / "speaker.raw"
        await stack.enter_async_context(_recorded(environment, heard))
        services = {"stt": stt, "llm": llm, "tts": tts}
        satellite = await stack.enter_async_context(_satellite(environment, services))

        await _run(environment, "paplay", "--device=room", str(QUESTION))
        await _asked(llm, 1)
        await _until(lambda: _loudest(heard) > 5_000)
        await asyncio.sleep(7)
        turns = await _turns(satellite)

    assert [(turn["transcript"], turn["interrupted"]) for turn in turns] == [("dog or cat", False)]
    assert _loudest(heard) > 5_000


async def test_a_second_question_stops_the_answer_to_the_first(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        environment = await stack.enter_async_context(_sound(tmp_path))
        stt = await stack.enter_async_context(fakes.stt("first", "second", "third"))
        llm = await stack.enter_async_context(fakes.llm("Answer", "Other", "More"))
        tts = await stack.enter_async_context(fakes.tts(voice=_speech(fakes.TTS_RATE) * 3))
        services = {"stt": stt, "llm": llm, "tts": tts}
        satellite = await stack.enter_async_context(_satellite(environment, services))
        await _run(environment, "paplay", "--device=room", str(QUESTION))
        await _asked(llm, 1)
        await asyncio.sleep(4)

        await _run(environment, "paplay", "--device=room", str(QUESTION))

        await _asked(llm, 2)
        first, *_ = await _turns(satellite)

    assert first["interrupted"]
    assert llm.of("transcript")[1].data["text"] == "second"


async def test_a_sound_server_that_is_started_anew_is_used_again(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(AsyncExitStack())
        environment = await first.enter_async_context(_sound(tmp_path))
        stt = await stack.enter_async_context(fakes.stt(*["what"] * 20))
        llm = await stack.enter_async_context(fakes.llm(*["Answer"] * 20))
        tts = await stack.enter_async_context(fakes.tts())
        services = {"stt": stt, "llm": llm, "tts": tts}
        await stack.enter_async_context(_satellite(environment, services))
        await _run(environment, "paplay", "--device=room", str(QUESTION))
        await _asked(llm, 1)

        await first.aclose()
        (tmp_path / "socket").unlink(missing_ok=True)
        environment = await stack.enter_async_context(_sound(tmp_path))

        # It notices after a while; nobody says when, so somebody asks until it answers.
        async with asyncio.timeout(40):
            while len(llm.of("transcript")) < 2:
                await _run(environment, "paplay", "--device=room", str(QUESTION))
                await asyncio.sleep(1)


async def test_a_speaker_that_is_unplugged_in_a_reply_plays_again_when_it_is_back(
    tmp_path: Path,
) -> None:
    async with AsyncExitStack() as stack:
        environment = await stack.enter_async_context(_sound(tmp_path))
        stt = await stack.enter_async_context(fakes.stt(*["what"] * 20))
        llm = await stack.enter_async_context(fakes.llm(*["Answer"] * 20))
        tts = await stack.enter_async_context(fakes.tts(voice=_speech(fakes.TTS_RATE)))
        services = {"stt": stt, "llm": llm, "tts": tts}
        await stack.enter_async_context(_satellite(environment, services))
        await _run(environment, "paplay", "--device=room", str(QUESTION))
        await _asked(llm, 1)
        await asyncio.sleep(2)

        await _unplug(environment, "speaker")
        await asyncio.sleep(6)
        await _plug_in(environment, "sink", "speaker")

        await stack.enter_async_context(_recorded(environment, tmp_path / "speaker.raw"))
        async with asyncio.timeout(40):
            while _loudest(tmp_path / "speaker.raw") < 5_000:
                await _run(environment, "paplay", "--device=room", str(QUESTION))
                await asyncio.sleep(1)


async def test_a_microphone_that_is_unplugged_in_a_command_hears_the_next_one_when_it_is_back(
    tmp_path: Path,
) -> None:
    async with AsyncExitStack() as stack:
        environment = await stack.enter_async_context(_sound(tmp_path))
        stt = await stack.enter_async_context(fakes.stt(*["what"] * 20))
        llm = await stack.enter_async_context(fakes.llm(*["Answer"] * 20))
        tts = await stack.enter_async_context(fakes.tts())
        services = {"stt": stt, "llm": llm, "tts": tts}
        await stack.enter_async_context(_satellite(environment, services))
        saying = asyncio.create_task(_run(environment, "paplay", "--device=room", str(QUESTION)))
        await _until(lambda: bool(stt.of("audio-chunk")))

        await _unplug(environment, "microphone")
        await saying
        await asyncio.sleep(5)
        before = len(llm.of("transcript"))
        await _plug_in(environment, "source", "microphone")

        async with asyncio.timeout(40):
            while len(llm.of("transcript")) == before:
                await _run(environment, "paplay", "--device=room", str(QUESTION))
                await asyncio.sleep(1)
