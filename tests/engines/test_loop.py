"""The whole loop with real models, as processes: a spoken question gets a spoken answer."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.handle import Handled
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
)

from parley.cli.probe import QUESTION
from tests.engines.machine import MAX_START_SECONDS, Running, running, uris, write_config
from tests.support.wire import receive_until
from wyoming_common.audio.pcm import read_audio
from wyoming_common.models import ModelStore
from wyoming_common.models.defaults import SMALLEST_LLM

pytestmark = pytest.mark.timeout(240)
ASKED = "should i get a dog or a cat"


def words(text: str) -> list[str]:
    kept = "".join(char if char.isalnum() or char in "' " else " " for char in text.lower())
    return kept.split()


def shared_part(said: str, heard: str) -> float:
    """Return which part of the words that were said was heard, 0 to 1."""
    heard_words = words(heard)
    return sum(word in heard_words for word in words(said)) / max(1, len(words(said)))


MODELS = ("tiny.en", SMALLEST_LLM, "en_US-joe-medium", "smart-turn-v3.2")


@pytest.fixture(scope="module")
def data_dir(store: ModelStore) -> Path:
    """The folder that holds the models of `write_config`."""
    folders = {store.ensure(name).parents[1] for name in MODELS}
    assert len(folders) == 1
    return folders.pop()


@pytest.fixture(scope="module")
def services(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The three services, started by `parley run`; yields their URIs."""
    config = write_config(tmp_path_factory.mktemp("run") / "parley.yaml", data_dir)
    with running("parley", "run", str(config)) as parley:
        found = uris(parley)
        parley.wait_for("Ready: stt, llm, tts")
        yield found


async def transcribe(uri: str, path: Path) -> str:
    """Ask a recogniser with the stock client what a sound file says."""
    pcm, _ = read_audio(path)
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(Transcribe(language="en").event())
        await client.write_event(AudioStart(16_000, 2, 1).event())
        for begin in range(0, len(pcm), 320):
            await client.write_event(AudioChunk(16_000, 2, 1, pcm[begin : begin + 320]).event())
        await client.write_event(AudioStop().event())
        async with asyncio.timeout(MAX_START_SECONDS):
            return Transcript.from_event(await receive_until(client, Transcript)).text


def parley(*arguments: str, command: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run a `parley` command to its end."""
    return subprocess.run(
        [*command, sys.executable, "-m", "parley", *arguments],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def ask(services: dict[str, str], path: Path, reply: Path) -> subprocess.CompletedProcess[str]:
    flags = [text for name, uri in services.items() for text in (f"--{name}", uri)]
    return parley("ask", str(path), *flags, "--json", "--output", str(reply))


def child_with(machine: Running, module: str) -> int:
    (pid,) = [
        pid
        for pid in machine.children()
        if module in Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    ]
    return pid


async def test_a_spoken_question_gets_a_spoken_answer(
    services: dict[str, str], tmp_path: Path
) -> None:
    done = ask(services, QUESTION, tmp_path / "reply.wav")

    assert done.returncode == 0, done.stderr
    turn = json.loads(done.stdout)
    assert words(turn["transcript"]) == words(ASKED)
    assert len(words(turn["reply"])) >= 2
    stages = {stage["stage"]: stage for stage in turn["trace"]["stages"]}
    assert stages["stt"]["end_ms"] <= stages["llm"]["first_ms"] <= stages["tts"]["first_ms"]
    heard = await transcribe(services["stt"], tmp_path / "reply.wav")
    assert shared_part(turn["reply"], heard) > 0.7, (turn["reply"], heard)


async def test_the_stock_clients_are_served(services: dict[str, str]) -> None:
    transcript = await transcribe(services["stt"], QUESTION)
    async with AsyncClient.from_uri(services["llm"]) as client:
        await client.write_event(Transcript(text=transcript, language="en").event())
        async with asyncio.timeout(MAX_START_SECONDS):
            reply = Handled.from_event(await receive_until(client, Handled)).text
    async with AsyncClient.from_uri(services["tts"]) as client:
        await client.write_event(Synthesize(text=reply or "").event())
        async with asyncio.timeout(MAX_START_SECONDS):
            start = AudioStart.from_event(await receive_until(client, AudioStart))
            await receive_until(client, AudioChunk)
            await receive_until(client, AudioStop)

    assert words(transcript) == words(ASKED)
    assert reply
    assert (start.width, start.channels) == (2, 1)


async def test_text_that_streams_in_is_spoken_before_it_has_ended(
    services: dict[str, str],
) -> None:
    async with AsyncClient.from_uri(services["tts"]) as client, asyncio.timeout(MAX_START_SECONDS):
        await client.write_event(SynthesizeStart().event())
        for part in ("It is fi", "ne today. And tomor", "row it may "):
            await client.write_event(SynthesizeChunk(part).event())
        await receive_until(client, AudioChunk)

        await client.write_event(SynthesizeChunk("rain.").event())
        await client.write_event(Synthesize("It is fine today. And tomorrow it may rain.").event())
        await client.write_event(SynthesizeStop().event())

        stopped = await receive_until(client, SynthesizeStopped)

    assert SynthesizeStopped.is_type(stopped.type)


def test_a_service_that_is_not_there_is_one_clear_line(
    services: dict[str, str], tmp_path: Path
) -> None:
    without = services | {"llm": "tcp://127.0.0.1:9"}

    done = ask(without, QUESTION, tmp_path / "reply.wav")

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "tcp://127.0.0.1:9" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("sound", ["silent", "cut"])
def test_a_recording_without_a_question_is_one_clear_line(
    services: dict[str, str], tmp_path: Path, sound: str
) -> None:
    path = tmp_path / "question.wav"
    soundfile.write(path, [0.0] * 16_000, 16_000)
    if sound == "cut":
        path.write_bytes(path.read_bytes()[:30])

    done = ask(services, path, tmp_path / "reply.wav")

    assert done.returncode == 1
    assert done.stderr.startswith("parley: ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "reply.wav").exists()


def test_a_service_that_dies_is_started_again_and_the_next_turn_works(
    data_dir: Path, tmp_path: Path
) -> None:
    config = write_config(tmp_path / "parley.yaml", data_dir)
    with running("parley", "run", str(config)) as machine:
        services = uris(machine)
        machine.wait_for("Ready: ")
        os.kill(child_with(machine, "wyoming_tts"), signal.SIGKILL)
        machine.wait_for("tts ended with status -9; restart in")
        machine.wait_for("tts is running again")

        done = ask(services, QUESTION, tmp_path / "reply.wav")
        children = machine.children()
        status = machine.end()

    assert done.returncode == 0, done.stderr
    assert status == 0
    assert len(children) == 3
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)


def test_the_satellite_of_a_file_uses_its_services(data_dir: Path, tmp_path: Path) -> None:
    satellite = {
        "mode": "standalone",
        "mic": f"file:{QUESTION}",
        "speaker": f"file:{tmp_path / 'speaker.wav'}",
        "wake": ["none"],
        "once": True,
        "json_lines": True,
    }
    config = write_config(tmp_path / "parley.yaml", data_dir, satellite=satellite)
    with running("parley", "run", str(config)) as machine:
        machine.wait_for("satellite has finished")
        machine.end()
        assert machine.process.stdout is not None
        turn = json.loads(machine.process.stdout.readline())

    assert words(turn["transcript"]) == words(ASKED)
    assert turn["reply"]


async def test_the_demo_answers_without_a_network(
    data_dir: Path, tmp_path: Path, services: dict[str, str]
) -> None:
    """Runs in a network namespace; without root, on the machine's own network."""
    alone: tuple[str, ...] = ()
    if os.geteuid() == 0 and (unshare := shutil.which("unshare")):
        alone = (unshare, "--net", "sh", "-c", 'ip link set lo up; exec "$@"', "sh")
    reply = tmp_path / "reply.wav"

    done = parley("demo", "--data-dir", str(data_dir), "--output", str(reply), command=alone)

    assert done.returncode == 0, done.stderr
    assert "Should I get a dog or a cat?" in done.stdout
    assert str(reply) in done.stdout.replace("\n", "")
    turn = done.stdout.partition("You  ")[2]
    said = " ".join(turn.partition("Parley")[2].partition("Reply")[0].split())
    heard = await transcribe(services["stt"], reply)
    assert shared_part(said, heard) > 0.7, (said, heard)
    assert "Kitchen light: off -> on" in done.stdout


def test_the_doctor_finds_the_engines_and_the_services(data_dir: Path) -> None:
    done = parley("doctor", "--json", "--data-dir", str(data_dir))

    findings = {(one["about"], one["what"]): one["verdict"] for one in json.loads(done.stdout)}
    assert findings["engine stt", "faster-whisper"] == "ok"
    assert findings["engine llm", "xllamacpp"] == "ok"
    assert findings["engine tts", "piper"] == "ok"
    abouts = {about for about, _ in findings}
    assert {"cpu", "memory", "disk", "model stt", "port 10300"} <= abouts
    # Where PortAudio is not installed, it says so instead of naming the speaker.
    assert "speaker" in abouts or findings["sound", "PortAudio is not installed"] == "problem"
