"""A Home Assistant of its own with a furnished home, for tests of the conversation service."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.homeassistant.client import MAX_WAITING_SECONDS, Client
from tests.homeassistant.furniture import (
    ALIASES,
    CONFIGURATION,
    EXPOSED,
    FLOORS,
    HIDDEN,
    LIGHTS,
    ROOMS,
    key_of,
)
from tests.homeassistant.hass import URL, HomeAssistant
from tests.homeassistant.installation import DATA_DIR, add
from tests.homeassistant.machines import Machine, Program

_MINE = Machine("", "127.0.0.1")


class Furnished(HomeAssistant):
    """Home Assistant with the home above in its configuration."""

    def __init__(self, root: Path, directory: Path) -> None:
        port = URL.rpartition(":")[2]
        super().__init__(root, directory, CONFIGURATION.replace("PORT", port))


@dataclass(slots=True)
class Answer:
    """The answer of an agent."""

    kind: str
    """action_done, query_answer or error"""
    said: str


@dataclass(slots=True)
class Home:
    """The furnished home, moved into."""

    client: Client
    token: str
    directory: Path
    agents: dict[str, str] = field(default_factory=dict)
    """Entity of each agent by name; `own` is Home Assistant's"""
    device: str = ""
    """The satellite in the kitchen"""

    async def ask(
        self, agent: str, text: str, conversation: str | None = None, *, language: str = "en"
    ) -> Answer:
        """Ask an agent as a satellite in the kitchen does."""
        pipeline = await self.pipeline(agent, language)
        number = await self.client.send(
            "assist_pipeline/run",
            start_stage="intent",
            end_stage="intent",
            pipeline=pipeline,
            input={"text": text},
            timeout=MAX_WAITING_SECONDS,
            conversation_id=conversation,
            **({"device_id": self.device} if self.device else {}),
        )
        output: Mapping[str, Any] = {}
        kind, failed = "", ""
        while kind != "run-end":
            message = await self.client.receive(number)
            if message["type"] == "result":
                assert message["success"], message
                continue
            event = message["event"]
            kind = event["type"]
            if kind == "intent-end":
                output = event["data"]["intent_output"]["response"]
            elif kind == "error":
                failed = str(event["data"])
        if not output:
            return Answer("error", failed)
        said = str(output.get("speech", {}).get("plain", {}).get("speech", ""))
        return Answer(output["response_type"], said)

    _pipelines: dict[tuple[str, str], str] = field(default_factory=dict)

    async def pipeline(self, agent: str, language: str) -> str:
        """Return the id of an agent's pipeline in a language, made the first time."""
        if (agent, language) not in self._pipelines:
            made = await self.client.call(
                "assist_pipeline/pipeline/create",
                name=f"{agent} {language}",
                language=language,
                stt_engine=None,
                stt_language=None,
                conversation_engine=self.agents[agent],
                conversation_language=language,
                tts_engine=None,
                tts_language=None,
                tts_voice=None,
                wake_word_entity=None,
                wake_word_id=None,
                prefer_local_intents=False,
            )
            self._pipelines[agent, language] = str(made["id"])
        return self._pipelines[agent, language]

    async def states(self) -> dict[str, tuple[Any, ...]]:
        """Return what can be seen of every device."""
        shown = ("brightness", "current_position", "temperature", "percentage")
        return {
            row["entity_id"]: (row["state"], *(row["attributes"].get(key) for key in shown))
            for row in await self.client.call("get_states")
            if row["entity_id"].partition(".")[0] in EXPOSED | {"input_boolean", "todo"}
            and not row["entity_id"].startswith(("sensor.rig", "binary_sensor.rig"))
        }

    async def reset(self) -> None:
        """Put every device back to how it was."""
        booleans = [key for key in await self.states() if key.startswith("input_boolean.h_")]
        await self.client.service("input_boolean.turn_off", entity_id=booleans)
        await self.client.service("input_boolean.turn_on", entity_id="input_boolean.h_front_door")
        for name, value in (("curtain", 0), ("garage_door", 0)):
            await self.set(f"input_number.h_{name}", value)
        for name in LIGHTS:
            await self.set(f"input_number.h_{key_of(name)}", 255)
        await self.client.service(
            "climate.set_temperature", entity_id="climate.heating", temperature=19
        )
        await self.client.service(
            "climate.set_hvac_mode", entity_id="climate.heating", hvac_mode="heat"
        )

    async def set(self, helper: str, value: float) -> None:
        await self.client.service("input_number.set_value", entity_id=helper, value=value)


@asynccontextmanager
async def moved_in(hass: HomeAssistant, directory: Path) -> AsyncIterator[Home]:
    """Start Home Assistant, put the devices into rooms and expose them."""
    hass.start()
    token = await hass.token()
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(URL, headers=headers) as session,
        session.ws_connect("/api/websocket", max_msg_size=0) as socket,
    ):
        await socket.receive_json()
        await socket.send_json({"type": "auth", "access_token": token})
        assert (await socket.receive_json())["type"] == "auth_ok"
        client = Client(session, socket)
        home = Home(client, token, directory, {"own": "conversation.home_assistant"})
        async with asyncio.timeout(MAX_WAITING_SECONDS):
            while not {"light.ceiling_light", "climate.heating"} <= (await home.states()).keys():  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        await _furnish(client)
        yield home


async def _furnish(client: Client) -> None:
    await _build(client)
    for room, entities in ROOMS.items():
        for entity in entities:
            await client.call("config/entity_registry/update", entity_id=entity, area_id=room)
    for entity, alias in ALIASES.items():
        await client.call("config/entity_registry/update", entity_id=entity, aliases=[None, alias])
    every = [row["entity_id"] for row in await client.call("get_states")]
    exposed = [e for e in every if e.partition(".")[0] in EXPOSED and e != HIDDEN]
    for group, shown in ((exposed, True), (sorted(set(every) - set(exposed)), False)):
        await client.call(
            "homeassistant/expose_entity",
            assistants=["conversation"],
            entity_ids=group,
            should_expose=shown,
        )


async def _build(client: Client) -> None:
    """Make the rooms and floors that there are not."""
    known = {area["area_id"] for area in await client.call("config/area_registry/list")}
    for room in ROOMS.keys() - known:
        name = room.replace("_", " ").capitalize()
        await client.call("config/area_registry/create", name=name)
    for name, rooms in FLOORS.items():
        floor = await client.call("config/floor_registry/create", name=name)
        for room in rooms:
            await client.call(
                "config/area_registry/update", area_id=room, floor_id=floor["floor_id"]
            )


def conversation_service(
    name: str, port: int, token_file: Path, directory: Path, *arguments: str
) -> Program:
    """Return a conversation service on this machine that controls the home."""
    given = ["wyoming_llm", "--uri", f"tcp://127.0.0.1:{port}", "--data-dir", str(DATA_DIR)]
    given += ["--home-assistant", URL, "--token-file", str(token_file), "--no-zeroconf"]
    given += ["--cache-dir", str(directory / "prompts"), *arguments]
    return Program(name, _MINE, given, directory)


def voice(directory: Path, port: int) -> Program:
    """Return a voice on this machine."""
    given = ["wyoming_tts", "--uri", f"tcp://127.0.0.1:{port}", "--data-dir", str(DATA_DIR)]
    return Program("voice", _MINE, [*given, "--no-zeroconf"], directory)


async def join(home: Home, name: str, port: int) -> None:
    """Add a service as an agent of the home."""
    before = set(await home.client.entities())
    await add(home.client, "127.0.0.1", port)
    async with asyncio.timeout(MAX_WAITING_SECONDS):
        while not (new := set(await home.client.entities()) - before):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    (home.agents[name],) = new


async def place_satellite(client: Client, program: Program, port: int, area: str) -> str:
    """Add a satellite in an area and return its device: timers belong to the one that is asked."""
    program.start()
    entry = await add(client, "127.0.0.1", port)
    entry_id = entry["result"]["entry_id"]
    device = ""
    async with asyncio.timeout(MAX_WAITING_SECONDS):
        while not device:
            for row in await client.call("config/device_registry/list"):
                if entry_id in row["config_entries"]:
                    device = str(row["id"])
            await asyncio.sleep(0.2)
        await client.call("config/device_registry/update", device_id=device, area_id=area)
        while "Home Assistant has connected" not in program.log.read_text(errors="replace"):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    return device


def satellite(directory: Path, port: int) -> Program:
    """Return a satellite that hears nothing and says nothing."""
    given = ["satellite", "--uri", f"tcp://127.0.0.1:{port}", "--name", "Rig", "--area", "Kitchen"]
    given += ["--mic", "pipe", "--speaker", "pipe", "--no-sounds", "--wake", "okay_nabu"]
    given += ["--no-zeroconf"]
    return Program("rig", _MINE, given, directory, feeds=True, output=directory / "rig.pcm")
