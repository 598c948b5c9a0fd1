"""A Home Assistant of its own with a furnished home: what the conversation service is tried on.

Its devices are template entities over helpers, so that what happens to them can be seen; some do
not work.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.homeassistant.client import SECONDS, Client
from tests.homeassistant.hass import URL, HomeAssistant
from tests.homeassistant.house import DATA_DIR, add
from tests.homeassistant.machines import Machine, Program

ROOMS = {
    "kitchen": ("light.ceiling_light", "switch.coffee_machine", "sensor.kitchen_temperature"),
    "bedroom": ("light.bedside_lamp", "cover.curtain", "binary_sensor.bedroom_window"),
    "living_room": ("light.floor_lamp", "light.tv_light", "fan.ceiling_fan", "climate.heating"),
    "hallway": ("lock.front_door", "light.hallway_light"),
}
FLOORS = {"Upstairs": ("bedroom",), "Ground floor": ("kitchen", "living_room", "hallway")}
ALIASES = {"light.bedside_lamp": "night light"}
EXPOSED = frozenset(
    {"light", "switch", "cover", "fan", "lock", "scene", "script", "climate", "vacuum"}
    | {"sensor", "binary_sensor"}
)
HIDDEN = "light.secret_light"
_LIGHTS = (
    "Ceiling light",
    "Bedside lamp",
    "Floor lamp",
    "TV light",
    "Hallway light",
    "Secret light",
)
_MORE_LIGHTS = {
    "Broken light": "        availability: '{{ false }}'\n",
    "Lazy light": "",
}
_MINE = Machine("", "127.0.0.1")


def _key(name: str) -> str:
    return name.lower().replace(" ", "_")


def _light(name: str) -> str:
    helper, level = f"input_boolean.h_{_key(name)}", f"input_number.h_{_key(name)}"
    return f"""
      - name: {name}
        unique_id: {_key(name)}
        state: "{{{{ is_state('{helper}', 'on') }}}}"
        level: "{{{{ states('{level}') | int }}}}"
        turn_on: {{action: input_boolean.turn_on, target: {{entity_id: {helper}}}}}
        turn_off: {{action: input_boolean.turn_off, target: {{entity_id: {helper}}}}}
        set_level:
          - action: input_number.set_value
            target: {{entity_id: {level}}}
            data: {{value: "{{{{ brightness }}}}"}}
          - {{action: input_boolean.turn_on, target: {{entity_id: {helper}}}}}
"""


def _dead_light(name: str, more: str) -> str:
    return (
        f"      - name: {name}\n        unique_id: {_key(name)}\n        state: '{{{{ false }}}}'\n"
        f"{more}        turn_on: []\n        turn_off: []\n"
    )


def _switched(name: str, kind: str, on: str, off: str, state: str, more: str = "") -> str:
    helper = f"input_boolean.h_{_key(name)}"
    return f"""
    {kind}:
      - name: {name}
        unique_id: {_key(name)}
        state: "{state.replace("HELPER", helper)}"
        {on}: {{action: input_boolean.turn_on, target: {{entity_id: {helper}}}}}
        {off}: {{action: input_boolean.turn_off, target: {{entity_id: {helper}}}}}
{more}"""


def _helpers() -> str:
    names = [*_LIGHTS, "Coffee machine", "Front door", "Ceiling fan", "Robot"]
    booleans = "".join(f"  h_{_key(name)}: {{name: Helper of {name}}}\n" for name in names)
    numbers = "".join(
        f"  h_{_key(name)}: {{name: Level of {name}, min: 0, max: 255, initial: 255}}\n"
        for name in _LIGHTS
    )
    places = "".join(
        f"  h_{name}: {{name: Place of {name}, min: 0, max: 100, initial: {initial}}}\n"
        for name, initial in (("curtain", 0), ("garage_door", 0))
    )
    return (
        f"input_boolean:\n{booleans}  h_heater: {{name: Heater}}\ninput_number:\n{numbers}{places}"
    )


def _cover(name: str, kind: str) -> str:
    helper = f"input_number.h_{_key(name)}"
    target = f"target: {{entity_id: {helper}}}"
    return f"""
      - name: {name}
        unique_id: {_key(name)}
        device_class: {kind}
        position: "{{{{ states('{helper}') | int }}}}"
        open_cover: {{action: input_number.set_value, {target}, data: {{value: 100}}}}
        close_cover: {{action: input_number.set_value, {target}, data: {{value: 0}}}}
        set_cover_position:
          - {{action: input_number.set_value, {target}, data: {{value: "{{{{ position }}}}"}}}}
"""


_PLUGGED = """        availability: "{{ is_state('input_boolean.h_unplugged', 'off') }}"
"""
_ON = "{{ is_state('HELPER', 'on') }}"
CONFIGURATION = f"""
homeassistant:
  name: Furnished
  latitude: 52.0
  longitude: 13.0
  elevation: 30
  unit_system: metric
  time_zone: UTC
  country: US
  language: en
  internal_url: http://127.0.0.1:PORT
config:
conversation:
assist_pipeline:
assist_satellite:
intent:
stt:
tts:
wake_word:
logger: {{default: warning}}
{_helpers()}
scene:
  - name: Movie night
    entities: {{input_boolean.h_tv_light: "on", input_boolean.h_floor_lamp: "off"}}
script:
  good_night:
    alias: Good night
    sequence: [{{action: input_boolean.turn_off, target: {{entity_id: input_boolean.h_tv_light}}}}]
climate:
  - platform: generic_thermostat
    name: Heating
    unique_id: heating
    heater: input_boolean.h_heater
    target_sensor: sensor.kitchen_temperature
    target_temp: 19
    initial_hvac_mode: heat
template:
  - light:{"".join(map(_light, _LIGHTS))}
{"".join(_dead_light(name, more) for name, more in _MORE_LIGHTS.items())}
{_switched("Coffee machine", "switch", "turn_on", "turn_off", _ON, _PLUGGED)}
{_switched("Front door", "lock", "lock", "unlock", _ON)}
{_switched("Ceiling fan", "fan", "turn_on", "turn_off", _ON)}
    vacuum:
      - name: Robot
        unique_id: robot
        state: "{{{{ 'cleaning' if is_state('input_boolean.h_robot', 'on') else 'docked' }}}}"
        start: {{action: input_boolean.turn_on, target: {{entity_id: input_boolean.h_robot}}}}
        return_to_base:
          - {{action: input_boolean.turn_off, target: {{entity_id: input_boolean.h_robot}}}}
    cover:{_cover("Curtain", "curtain")}{_cover("Garage door", "garage")}
    sensor:
      - name: Kitchen temperature
        unique_id: kt
        state: "21.5"
        unit_of_measurement: "°C"
        device_class: temperature
      - name: Phone battery
        unique_id: pb
        state: "64"
        unit_of_measurement: "%"
        device_class: battery
    binary_sensor:
      - name: Bedroom window
        unique_id: bw
        state: "{{{{ true }}}}"
        device_class: window
      - name: Back door
        unique_id: bd
        state: "{{{{ false }}}}"
        device_class: door
"""


class Furnished(HomeAssistant):
    """Home Assistant with the home above in its configuration."""

    def __init__(self, root: Path, directory: Path) -> None:
        super().__init__(root, directory)
        port = URL.rpartition(":")[2]
        text = CONFIGURATION.replace("PORT", port)
        (directory / "config" / "configuration.yaml").write_text(text, encoding="utf-8")


@dataclass(slots=True)
class Answer:
    """What an agent answered."""

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
    satellite_log: Path = Path()

    async def ask(
        self, agent: str, text: str, conversation: str | None = None, *, language: str = "en"
    ) -> Answer:
        """Ask an agent as a satellite in the kitchen does."""
        await self._use(agent, language)
        number = await self.client.send(
            "assist_pipeline/run",
            start_stage="intent",
            end_stage="intent",
            pipeline=self._pipelines[agent, language],
            input={"text": text},
            timeout=SECONDS,
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

    async def _use(self, agent: str, language: str) -> None:
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
            self._pipelines[agent, language] = made["id"]

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
        for name in _LIGHTS:
            await self.set(f"input_number.h_{_key(name)}", 255)
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
        async with asyncio.timeout(SECONDS):
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
    async with asyncio.timeout(SECONDS):
        while not (new := set(await home.client.entities()) - before):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    (home.agents[name],) = new


async def place_satellite(home: Home, program: Program, port: int) -> None:
    """Add a satellite in the kitchen: timers belong to the device that asked for them."""
    program.start()
    entry = await add(home.client, "127.0.0.1", port)
    entry_id = entry["result"]["entry_id"]
    async with asyncio.timeout(SECONDS):
        while not home.device:
            for device in await home.client.call("config/device_registry/list"):
                if entry_id in device["config_entries"]:
                    home.device = device["id"]
            await asyncio.sleep(0.2)
        await home.client.call(
            "config/device_registry/update", device_id=home.device, area_id="kitchen"
        )
        home.satellite_log = program.log
        while "Home Assistant is here" not in program.log.read_text(errors="replace"):  # noqa: ASYNC110
            await asyncio.sleep(0.2)


def satellite(directory: Path, port: int) -> Program:
    """Return a satellite that hears nothing and says nothing."""
    given = ["satellite", "--uri", f"tcp://127.0.0.1:{port}", "--name", "Rig", "--area", "Kitchen"]
    given += ["--mic", "pipe", "--speaker", "pipe", "--no-sounds", "--wake", "okay_nabu"]
    given += ["--no-zeroconf"]
    return Program("rig", _MINE, given, directory, feeds=True, output=directory / "rig.pcm")
