"""Spoken commands by Home Assistant's own agent: our speech-to-text beside the stock one.

A command is done rightly if it leads to the same service calls and the same reply as its words
typed. PARLEY_COMMANDS is the number of recordings of each language, 8 unless set; PARLEY_LANGUAGES
are the languages, "en fr" unless set.
"""

import asyncio
import json
import math
import os
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.homeassistant import client as clients
from tests.homeassistant import furnished
from tests.homeassistant import installation as installations
from tests.homeassistant.client import MAX_WAITING_SECONDS, Client
from tests.homeassistant.conftest import ROOM
from tests.homeassistant.hass import URL, HomeAssistant
from tests.homeassistant.installation import DATA_DIR
from tests.homeassistant.machines import Machine, Program
from tests.homeassistant.pipeline import DATA, Recording, Run, Table, ask, read, speak, summarise
from tests.homeassistant.spoken_homes import SpokenHome, spoken_home

MINE = Machine("", "127.0.0.1")
OURS_PORT, STOCK_PORT, RIG_PORT = 10391, 10392, 10791
COUNT = int(os.environ.get("PARLEY_COMMANDS", "8"))
LANGUAGES = tuple(os.environ.get("PARLEY_LANGUAGES", "en fr").split())
MODEL = "base"
MARKER = {"entity_id": "input_boolean.marker"}
OWN = "conversation.home_assistant"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The consequences of one command."""

    calls: frozenset[str]
    """Services that were called, with their entities."""
    reply: str
    """The reply in small letters, without its numbers, which a clock changes"""
    failure: str
    """Code of the agent's failure, such as failed_to_handle for a timer that there is not."""


class Calls:
    """Service calls of Home Assistant, watched on a connection of its own."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._seen: set[str] = set()
        self._marked = asyncio.Event()

    async def watch(self) -> None:
        """Collect the calls of everything but the helpers."""
        number = await self._client.send("subscribe_events", event_type="call_service")
        while True:
            message = await self._client.socket.receive_json()
            if message.get("id") != number or message["type"] != "event":
                continue
            data = message["event"]["data"]
            if data["service_data"] == MARKER:
                self._marked.set()
            elif data["domain"] not in ("input_boolean", "tts"):
                self._seen.add(_call(data))

    async def taken(self, client: Client) -> frozenset[str]:
        """Return the calls since the last time; `client` makes one that ends them."""
        self._marked.clear()
        await client.service("input_boolean.turn_off", **MARKER)
        async with asyncio.timeout(MAX_WAITING_SECONDS):
            await self._marked.wait()
        seen, self._seen = self._seen, set()
        return frozenset(seen)


def _call(data: dict[str, Any]) -> str:
    fields = dict(data["service_data"])
    entities = fields.pop("entity_id", [])
    named = [entities] if isinstance(entities, str) else sorted(entities)
    return json.dumps([data["domain"], data["service"], named, fields], sort_keys=True)


@dataclass(slots=True)
class Listener:
    """One home with its pipelines: typed, and spoken to each speech-to-text."""

    client: Client
    calls: Calls
    pipelines: dict[str, str]
    device: str
    """The satellite, in the first area"""

    async def typed(self, text: str) -> Outcome:
        """Return what a typed command leads to."""
        await self._start_afresh()
        run = await ask(
            self.client, self.pipelines["ours"], text, end_stage="intent", device_id=self.device
        )
        return await self._outcome(run)

    async def spoken(self, name: str, said: Recording) -> tuple[Outcome, Run]:
        """Return what a recording leads to, and the run of the pipeline."""
        await self._start_afresh()
        run = await speak(
            self.client, self.pipelines[name], said, end_stage="intent", device_id=self.device
        )
        return await self._outcome(run), run

    async def _start_afresh(self) -> None:
        """Undo the command before, which changes what others do: what is paused does not pause."""
        await self.client.service("input_boolean.turn_off", entity_id="all")
        english = self.pipelines["english"]
        text = "cancel all timers"
        await ask(self.client, english, text, end_stage="intent", device_id=self.device)
        await self.calls.taken(self.client)

    async def _outcome(self, run: Run) -> Outcome:
        calls = await self.calls.taken(self.client)
        return Outcome(calls, re.sub(r"\d+", "", run.reply.casefold()), run.failure)


def commands(language: str) -> list[Recording]:
    """Return recorded commands of a language, spread over all there are."""
    rows: list[dict[str, Any]] = []
    for name in ("home.jsonl", "manifest.jsonl"):
        path = DATA / name
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        rows += [json.loads(line) for line in lines]
    found = [
        row
        for row in rows
        if row["text"]
        and (
            (row["kind"] == "home_command" and row["language"].split("_")[0] == language)
            or (language == "en" and row["kind"] == "command" and "OHF-Voice" in row["source"])
        )
    ]
    human = [row for row in found if row.get("voice") != "synthetic"] or found
    chosen = human[:: max(1, len(human) // COUNT)][:COUNT]
    return [read(DATA / row["audio"], row["text"]) for row in chosen]


@asynccontextmanager
async def listening(language: str, directory: Path) -> AsyncIterator[Listener]:
    home = spoken_home(language)
    async with AsyncExitStack() as stack:
        hass = HomeAssistant(Path(ROOM) / "root", directory, home.configuration)
        stack.callback(hass.stop)
        hass.start()
        token = await hass.token()
        client = await stack.enter_async_context(clients.connect(token))
        areas = await _furnish(client, home)
        (token_file := directory / "token").write_text(token, encoding="utf-8")
        common = ["--data-dir", str(DATA_DIR)]
        given = ["wyoming_stt", "--uri", f"tcp://127.0.0.1:{OURS_PORT}", "--model", MODEL]
        given += ["--no-zeroconf", "--home-assistant", URL, "--token-file", str(token_file)]
        ours = Program("ours", MINE, [*given, *common], directory)
        stack.callback(ours.stop)
        ours.start()
        servers = installations.Stock(Path(ROOM) / "stock", directory)
        stack.callback(servers.stop)
        servers.start_speech(MODEL, language, MINE, STOCK_PORT)
        pipelines = {}
        for name, port in (("ours", OURS_PORT), ("stock", STOCK_PORT)):
            before = set(await client.entities())
            await installations.add(client, "127.0.0.1", port)
            async with asyncio.timeout(MAX_WAITING_SECONDS):
                while not (new := set(await client.entities()) - before):  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
            pipelines[name] = await _pipeline(client, name, language, new.pop())
        pipelines["english"] = await _pipeline(client, "english", "en", None)
        rig = furnished.satellite(directory, RIG_PORT)
        stack.callback(rig.stop)
        device = await furnished.place_satellite(client, rig, RIG_PORT, areas[0])
        calls = Calls(await stack.enter_async_context(clients.connect(token)))
        watching = asyncio.create_task(calls.watch())
        stack.callback(watching.cancel)
        yield Listener(client, calls, pipelines, device)


async def _build(client: Client, home: SpokenHome) -> dict[str, str]:
    """Make the floors and the areas that there are not, and return the areas' ids by name."""
    floors = [
        (await client.call("config/floor_registry/create", name=name))["floor_id"]
        for name in home.floors
    ]
    known = await client.call("config/area_registry/list")
    areas = {row["name"]: str(row["area_id"]) for row in known}
    for number, name in enumerate(home.areas):
        if name not in areas:
            made = await client.call("config/area_registry/create", name=name)
            areas[name] = made["area_id"]
        floor = floors[number % len(floors)]
        await client.call("config/area_registry/update", area_id=areas[name], floor_id=floor)
    return {name: areas[name] for name in home.areas}


async def _furnish(client: Client, home: SpokenHome) -> list[str]:
    """Make the home, put the devices into its areas and expose them; return the areas' ids."""
    areas = await _build(client, home)
    if home.shopping_list:
        await client.flow("shopping_list", {})
    async with asyncio.timeout(MAX_WAITING_SECONDS):
        while True:
            rows = await client.call("config/entity_registry/list")
            devices = [row for row in rows if row["platform"] not in ("input_boolean", "script")]
            ids = {row["unique_id"]: row["entity_id"] for row in devices}
            states = {row["entity_id"] for row in await client.call("get_states")}
            if home.placed.keys() <= ids.keys() and {ids[key] for key in home.placed} <= states:
                break
            await asyncio.sleep(0.2)
    for key, area in home.placed.items():
        await client.call("config/entity_registry/update", entity_id=ids[key], area_id=areas[area])
    every = [row["entity_id"] for row in await client.call("get_states")]
    hidden = [one for one in every if one.startswith(("input_boolean.", "sensor.t_"))]
    for group, shown in ((sorted(set(every) - set(hidden)), True), (hidden, False)):
        await client.call(
            "homeassistant/expose_entity",
            assistants=["conversation"],
            entity_ids=group,
            should_expose=shown,
        )
    return list(areas.values())


async def _pipeline(client: Client, name: str, language: str, stt: str | None) -> str:
    made = await client.call(
        "assist_pipeline/pipeline/create",
        name=name,
        language=language,
        stt_engine=stt,
        stt_language=language if stt else None,
        conversation_engine=OWN,
        conversation_language=language,
        tts_engine=None,
        tts_language=None,
        tts_voice=None,
        wake_word_entity=None,
        wake_word_id=None,
        prefer_local_intents=False,
    )
    return str(made["id"])


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("language", LANGUAGES)
async def test_spoken_commands_are_done_as_if_typed_and_more_often_than_with_the_stock_server(
    network: None, language: str, tmp_path: Path, times: list[Table]
) -> None:
    recorded = commands(language)
    if not recorded:
        pytest.skip("needs the recordings of PARLEY_DATA")
    columns = ("said", "ours", "stock", "right", "stock right", "stt-end", "stock stt-end")
    table = Table(f"Home Assistant's agent, {language}, {MODEL}", columns)
    right = {"ours": 0, "stock": 0}
    ends: dict[str, list[float]] = {"ours": [], "stock": []}
    understood = 0

    async with listening(language, tmp_path) as listener:
        for said in recorded:
            wanted = await listener.typed(said.text)
            if wanted.failure not in ("", "failed_to_handle"):
                table.add(said.text, f"typed: {wanted.failure}", *[""] * 5)
                continue
            understood += 1
            end = said.speech_end()
            shown: dict[str, tuple[str, str, float]] = {}
            for name in right:
                done, run = await listener.spoken(name, said)
                held = done == wanted
                right[name] += held
                # Home Assistant gives up where no word was understood.
                after = run.at("stt-end") - end if run.data("stt-end") else math.nan
                ends[name] += [] if math.isnan(after) else [after]
                shown[name] = (run.transcript[:40], "yes" if held else "no", after)
            cells = [shown[name][part] for part in range(3) for name in right]
            table.add(said.text[:40], *cells)
    medians = summarise(ends)
    shares = [f"{right[name]} of {understood}" for name in right]
    table.add("together", "", "", *shares, *medians.values())
    times.append(table)

    assert understood >= 0.6 * len(recorded), table
    assert right["ours"] >= 0.85 * understood, table
    assert right["ours"] >= right["stock"], table
