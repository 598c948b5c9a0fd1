"""Turns over ESPHome's API beside turns over Wyoming: how soon each hears and answers."""

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.homeassistant.client import Client
from tests.homeassistant.installation import Installation
from tests.homeassistant.pipeline import RATE, Recording, Table, summarise
from tests.homeassistant.second_satellite import SecondSatellite, second_satellite, wake_word
from tests.homeassistant.test_beside_stock import chosen

PORTS = {"wyoming": 10_720, "esphome": 10_721}
PAUSE = Recording("pause", "", bytes(int(0.4 * RATE) * 2))
PARTS = {"stt": "stt", "audio": "turn"}
"""Stage of the satellite's trace that ends at the transcript, and at the first reply audio."""
_ANSWER_SECONDS = 30.0
"""Time after which a recording has not been understood."""


def traces(path: Path) -> list[dict[str, float]]:
    """Return the milliseconds that were waited for each stage of each answered turn."""
    if not path.exists():
        return []
    turns = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    waits = [{one["stage"]: one["wait_ms"] for one in turn["stages"]} for turn in turns]
    return [wait for wait in waits if wait.get("turn") is not None]


async def turn(
    room: SecondSatellite, client: Client, path: Path, said: Recording
) -> dict[str, float] | None:
    """Say something to a satellite and return the seconds from the end of speech to each part.

    None for a recording in which speech-to-text has heard nothing.
    """
    await room.speaker.falls_silent(0.7)
    await client.until(room.entity, lambda state: state == "idle")
    room.speaker.forget()
    before = len(traces(path))
    await room.microphone.say(wake_word() + PAUSE + said.trimmed())
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            while len(found := traces(path)) <= before:  # noqa: ASYNC110 - another process writes
                await asyncio.sleep(0.1)
    except TimeoutError:
        return None
    return {part: found[-1][stage] / 1000 for part, stage in PARTS.items()}


def verdict(medians: dict[str, float], part: str) -> str:
    """Return how much later a part comes over ESPHome's API than over Wyoming."""
    later = medians[f"{part} esphome"] - medians[f"{part} wyoming"]
    return f"{part}: {later * 1000:+.0f} ms over esphome; no later is claimed"


@pytest.mark.timeout(900)
async def test_each_protocol_is_answered_and_the_times_are_printed(
    installation: Installation, client: Client, times: list[Table]
) -> None:
    columns = ("said", *(f"{part} {name}" for part in PARTS for name in PORTS))
    table = Table("Seconds after the end of speech, by protocol (agent: 0.3 s)", columns)
    measured: dict[str, list[float]] = {name: [] for name in columns[1:]}
    async with AsyncExitStack() as stack:
        rooms = {}
        for name, port in PORTS.items():
            path = installation.directory / f"{name}-trace.jsonl"
            data = installation.directory / f"{name}-data"
            flags = ("--trace-file", str(path), "--data-dir", str(data))
            room = await stack.enter_async_context(
                second_satellite(
                    installation, f"Pace {name}", port, "agent", *flags, integration=name
                )
            )
            rooms[name] = (room, path)
        await rooms["esphome"][0].logs("Home Assistant has connected, encrypted")
        for said in chosen():
            waits = {
                name: await turn(room, client, path, said) for name, (room, path) in rooms.items()
            }
            if all(waits.values()):
                for name, parts in waits.items():
                    for part, seconds in (parts or {}).items():
                        measured[f"{part} {name}"].append(seconds)
                table.add(said.name[:16], *(values[-1] for values in measured.values()))
    medians = summarise(measured)
    table.add("p50", *medians.values())
    # The times depend on what else the machine does, and are printed.
    table.title = "\n".join([table.title, *(f"  {verdict(medians, part)}" for part in PARTS)])
    times.append(table)

    assert all(values for values in measured.values())
