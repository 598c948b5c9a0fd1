"""Our services in the real Home Assistant: found, added, spoken to, killed and brought back."""

import asyncio
import io
import re
import time

import numpy as np
import pytest
import soundfile
from rapidfuzz.distance import Levenshtein

from tests.homeassistant import client as clients
from tests.homeassistant import installation as installations
from tests.homeassistant.client import Client
from tests.homeassistant.installation import DOMAINS, PORTS, SERVICES, Installation
from tests.homeassistant.machines import BOX
from tests.homeassistant.pipeline import (
    Recording,
    Table,
    ask,
    manifest,
    question,
    recording,
    speak,
)

MARKS = ("stt-end", "intent-end", "tts-end")
WORST_WER = 0.25
"""tiny.en makes a tenth of the words wrong on these recordings; a broken path, nearly all."""


def commands(count: int) -> list[Recording]:
    """Return `count` commands, spread over all there are; the demo's question where none exist."""
    names = [name for name, row in manifest("command").items() if row["text"]]
    found = [recording(name) for name in names[:: max(1, len(names) // count)][:count]]
    return [said for said in found if said is not None] or [question()]


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower())


async def sound(client: Client, url: str) -> np.ndarray:
    """Return the samples of a reply, -1 to 1."""
    async with client.session.get(url) as response:
        response.raise_for_status()
        samples, _ = soundfile.read(io.BytesIO(await response.read()))
    return np.asarray(samples)


async def test_every_service_is_found_by_zeroconf_and_loads(
    installation: Installation, client: Client
) -> None:
    titles = {installation.titles[kind] for kind in SERVICES}

    await client.loaded(titles)

    assert len(titles) == len(SERVICES)


@pytest.mark.parametrize("kind", SERVICES)
async def test_a_service_can_be_added_by_host_and_port(
    installation: Installation, client: Client, kind: str
) -> None:
    entries = await client.call("config_entries/get", domain="wyoming")
    found = next(entry for entry in entries if entry["title"] == installation.titles[kind])
    path = f"/api/config/config_entries/entry/{found['entry_id']}"
    async with client.session.delete(path) as response:
        assert response.ok

    entry = await installations.add(client, BOX.address, PORTS[kind])

    assert entry["result"]["state"] == "loaded"
    assert installation.entities[kind].startswith(DOMAINS[kind])
    assert await client.until(installation.entities[kind], lambda state: state != "absent")


async def test_a_spoken_question_is_understood_answered_and_spoken(
    installation: Installation, client: Client, times: list[Table]
) -> None:
    table = Table(
        "Parley's own agent, seconds after the end of speech", ("said", *MARKS, "audio", "heard")
    )
    said, wrong, total = commands(6), 0, 0

    for command in said:
        run = await speak(client, installation.pipelines["parley"], command)
        end = command.speech_end()
        table.add(
            command.name[:28],
            *(run.at(mark) - end for mark in MARKS),
            (run.first_audio or float("nan")) - end,
            run.transcript[:60],
        )
        wrong += Levenshtein.distance(words(command.text), words(run.transcript))
        total += len(words(command.text))
        assert run.reply, run.summary()
        samples = await sound(client, run.data("run-start")["tts_output"]["url"])
        assert np.sqrt(np.mean(samples**2)) > 0.01, "the reply is silent"

    times.append(table)
    assert wrong <= WORST_WER * total, table


async def test_silence_ends_with_no_text_recognised(
    installation: Installation, client: Client
) -> None:
    silence = Recording("silence", "", bytes(2 * 16_000 * 2))

    run = await speak(client, installation.pipelines["agent"], silence)

    assert run.failure == "stt-no-text-recognized", run.summary()


async def test_ten_at_once_are_all_answered(
    installation: Installation, client: Client, times: list[Table]
) -> None:
    said = question()
    table = Table("Ten at once, seconds after the end of speech", ("run", "stt-end", "audio"))

    async def one() -> tuple[str, float, float, int]:
        async with clients.connect(installation.token) as own:
            run = await speak(own, installation.pipelines["agent"], said)
        end = said.speech_end()
        return run.transcript, run.at("stt-end") - end, run.first_audio or 0.0, run.audio_bytes

    runs = await asyncio.gather(*(one() for _ in range(10)))

    for number, (_, heard, audio, _) in enumerate(sorted(runs, key=lambda run: run[1])):
        table.add(number + 1, heard, audio - said.speech_end())
    times.append(table)
    assert len({transcript for transcript, *_ in runs}) == 1
    assert all(size > 1000 for *_, size in runs)


async def test_a_run_that_is_cancelled_leaves_the_next_one_alone(
    installation: Installation, client: Client
) -> None:
    async with clients.connect(installation.token) as other:
        cancelled = asyncio.create_task(speak(other, installation.pipelines["parley"], question()))
        await asyncio.sleep(1.0)  # in the middle of the sentence
        cancelled.cancel()
        await asyncio.wait([cancelled])

    run = await speak(client, installation.pipelines["parley"], question())

    assert words(run.transcript)
    assert run.audio_bytes > 1000


@pytest.mark.parametrize("kind", SERVICES)
async def test_a_killed_service_comes_back_without_touching_home_assistant(
    installation: Installation, client: Client, kind: str
) -> None:
    said = question()
    # The steady agent never says the same twice, and Home Assistant has no audio of it yet.
    pipeline = installation.pipelines["parley" if kind == "llm" else "agent"]
    installation.services[kind].kill()
    broken = await speak(client, pipeline, said)
    installation.services[kind].start()

    run = await speak(client, pipeline, said)

    assert broken.failure, broken.summary()
    assert run.failure == "", run.summary()
    assert words(run.transcript), run.summary()
    assert run.audio_bytes > 1000


async def test_home_assistant_is_answered_while_the_services_work(
    installation: Installation, client: Client
) -> None:
    """Home Assistant gives a service 5 s to describe itself, and asks again every 30 s."""
    from wyoming_common.discovery.zeroconf import describe

    working = asyncio.create_task(
        ask(client, installation.pipelines["parley"], "Tell me a long story about a dragon.")
    )
    slowest = 0.0
    while not working.done():
        for kind in SERVICES:
            asked = time.monotonic()
            await describe(f"tcp://{BOX.address}:{PORTS[kind]}", 5.0)
            slowest = max(slowest, time.monotonic() - asked)
        await asyncio.sleep(0.05)

    assert (await working).reply
    assert slowest < 5.0
