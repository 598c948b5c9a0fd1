"""Second satellite of the installation, with a name and a port of its own."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.homeassistant import client as clients
from tests.homeassistant.client import MAX_WAITING_SECONDS, Client
from tests.homeassistant.installation import Installation
from tests.homeassistant.machines import BOX, Program
from tests.homeassistant.pipeline import Recording, recording
from tests.homeassistant.satellite_audio import SPEAKER_RATE, Microphone, Speaker


@dataclass(frozen=True, slots=True)
class SecondSatellite:
    """The satellite, its room, and what Home Assistant made of it."""

    program: Program
    microphone: Microphone
    speaker: Speaker
    entity: str
    device: str

    def count(self, text: str) -> int:
        """Return how often the satellite has logged something."""
        return self.program.log.read_text(errors="replace").count(text)

    async def logs(self, text: str, times: int = 1) -> None:
        """Wait until the satellite has logged something `times` times."""
        async with asyncio.timeout(MAX_WAITING_SECONDS):
            while self.count(text) < times:  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.1)

    async def is_connected(self, times: int) -> None:
        """Wait until Home Assistant has come `times` times since the start."""
        await self.logs("Home Assistant has connected", times)

    async def stays_connected(self, seconds: float) -> None:
        """Assert that Home Assistant does not disconnect within `seconds`."""
        gone = self.count("Home Assistant has disconnected")
        end = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < end:
            assert self.count("Home Assistant has disconnected") == gone
            await asyncio.sleep(0.5)

    def megabytes(self) -> float:
        """Return the memory that the satellite holds."""
        status = Path(f"/proc/{self._pid()}/status").read_text(encoding="utf-8")
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def open_files(self) -> int:
        """Return how many files and sockets the satellite holds open."""
        return len(os.listdir(f"/proc/{self._pid()}/fd"))  # noqa: PTH208

    def _pid(self) -> int:
        assert self.program.process is not None
        return self.program.process.pid


@asynccontextmanager
async def second_satellite(
    installation: Installation,
    name: str,
    port: int,
    pipeline: str,
    *flags: str,
    integration: str = "wyoming",
) -> AsyncIterator[SecondSatellite]:
    """Start a satellite, accept it in Home Assistant as a person does, and choose its pipeline.

    `integration` is the one of Home Assistant, wyoming or esphome.
    """
    program, microphone, speaker = plain_satellite(
        installation, name, port, "--protocol", integration, *flags
    )
    try:
        program.start()
        microphone.open()
        async with clients.connect(installation.token) as client:
            made = SecondSatellite(
                program,
                microphone,
                speaker,
                *await accept_satellite(client, name, integration),
            )
        await made.is_connected(1)
        if integration == "esphome":
            # Home Assistant sets the entry up again with the key that it has given the satellite.
            await made.logs("Home Assistant has connected, encrypted")
        async with clients.connect(installation.token) as client:
            chooser = await pipeline_of(client, made.device)
            await choose_option(client, chooser, pipeline)
        yield made
    finally:
        microphone.close()
        program.stop()


def plain_satellite(
    installation: Installation, name: str, port: int, *flags: str
) -> tuple[Program, Microphone, Speaker]:
    """Return a satellite that is still to be started, with its microphone and speaker."""
    output = installation.directory / f"{name}.pcm"
    output.touch()
    program = Program(
        name.lower(),
        BOX,
        [
            "satellite",
            *("--uri", f"tcp://{BOX.address}:{port}", "--name", name, "--wake", "okay_nabu"),
            *("--mic", "pipe", "--speaker", "pipe", "--speaker-rate", str(SPEAKER_RATE)),
            *("--no-sounds", *flags),
        ],
        installation.directory,
        feeds=True,
        output=output,
    )
    return program, Microphone(program), Speaker(output)


async def accept_satellite(
    client: Client, name: str, integration: str = "wyoming"
) -> tuple[str, str]:
    """Accept a satellite that was discovered; return its entity and its device."""
    entry = await client.confirm(await client.discovers(name, integration))
    assert entry["type"] == "create_entry", entry
    entry_id = entry["result"]["entry_id"]
    async with asyncio.timeout(MAX_WAITING_SECONDS):
        while not (rows := await _entities(client, entry_id)):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    entity = next(row for row in rows if row["entity_id"].startswith("assist_satellite."))
    return entity["entity_id"], entity["device_id"]


async def pipeline_of(client: Client, device: str) -> str:
    """Return the entity by which the pipeline of a satellite is chosen."""
    rows = await client.call("config/entity_registry/list")
    return next(
        str(row["entity_id"])
        for row in rows
        if row["device_id"] == device and row["unique_id"].endswith("-pipeline")
    )


async def choose_option(client: Client, entity: str, option: str) -> None:
    """Choose an option of a select entity once it is there."""
    await client.until(entity, lambda state: state not in ("absent", "unavailable"))
    await client.service("select.select_option", entity_id=entity, option=option)
    await client.until(entity, lambda state: state == option)


async def _entities(client: Client, entry_id: str) -> list[dict[str, str]]:
    registry = await client.call("config/entity_registry/list")
    rows = [row for row in registry if row["config_entry_id"] == entry_id]
    kinds = {row["entity_id"].partition(".")[0] for row in rows}
    return rows if {"select", "assist_satellite"} <= kinds else []


def said(name: str, kind: str = "command") -> Recording:
    """Return a recording; the test is skipped where it is not on this machine."""
    found = recording(name, kind)
    if found is None:
        pytest.skip("needs the recordings of PARLEY_DATA")
    return found


def wake_word() -> Recording:
    """Return a recording of the wake word."""
    return said("wow-tests-okay_nabu", "wake").trimmed()


def one_breath(name: str) -> Recording:
    """Return the wake word and a command right behind it."""
    return wake_word() + said(name).trimmed()
