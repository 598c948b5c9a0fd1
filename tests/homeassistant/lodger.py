"""A satellite that moves into the house beside the other one, with a name and a port of its own."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.homeassistant import client as clients
from tests.homeassistant.client import SECONDS, Client
from tests.homeassistant.house import House
from tests.homeassistant.machines import BOX, Program
from tests.homeassistant.pipeline import Recording, recording
from tests.homeassistant.room import SPEAKER_RATE, Microphone, Speaker


@dataclass(frozen=True, slots=True)
class Lodger:
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
        """Wait until the satellite has logged something so many times."""
        async with asyncio.timeout(SECONDS):
            while self.count(text) < times:  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.1)

    async def is_connected(self, times: int) -> None:
        """Wait until Home Assistant has come so many times since the start."""
        await self.logs("Home Assistant is here", times)

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
async def lodger(
    house: House, name: str, port: int, pipeline: str, *flags: str
) -> AsyncIterator[Lodger]:
    """Start a satellite, accept it in Home Assistant as a person does, and choose its pipeline."""
    output = house.directory / f"{name}.pcm"
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
        house.directory,
        feeds=True,
        output=output,
    )
    microphone, speaker = Microphone(program), Speaker(output)
    try:
        program.start()
        microphone.open()
        async with clients.connect(house.token) as client:
            made = Lodger(program, microphone, speaker, *await move_in(client, name, pipeline))
        await made.is_connected(1)
        yield made
    finally:
        microphone.close()
        program.stop()


async def move_in(client: Client, name: str, pipeline: str) -> tuple[str, str]:
    entry = await client.confirm(await client.discovers(name))
    assert entry["type"] == "create_entry", entry
    entry_id = entry["result"]["entry_id"]
    async with asyncio.timeout(SECONDS):
        while not (rows := await _entities(client, entry_id)):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    entity = next(row for row in rows if row["entity_id"].startswith("assist_satellite."))
    chooser = next(row for row in rows if row["unique_id"].endswith("-pipeline"))
    await client.until(chooser["entity_id"], lambda state: state != "absent")
    await client.service("select.select_option", entity_id=chooser["entity_id"], option=pipeline)
    return entity["entity_id"], entity["device_id"]


async def _entities(client: Client, entry_id: str) -> list[dict[str, str]]:
    registry = await client.call("config/entity_registry/list")
    rows = [row for row in registry if row["config_entry_id"] == entry_id]
    return rows if any(row["entity_id"].startswith("select.") for row in rows) else []


def said(name: str, kind: str = "command") -> Recording:
    """Return a recording; the test is skipped where it is not on this machine."""
    found = recording(name, kind)
    if found is None:
        pytest.skip("needs the recordings of PARLEY_DATA")
    return found


def wake_word() -> Recording:
    """Return somebody calling the satellite."""
    return said("wow-tests-okay_nabu", "wake").trimmed()


def one_breath(name: str) -> Recording:
    """Return the wake word and a command right behind it."""
    return wake_word() + said(name).trimmed()
