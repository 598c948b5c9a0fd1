"""Homes and people are not as simple as sentences: nothing is done that was not asked, or claimed.

Every kind of thing, things that fail in every way, and words that are cut, doubled, turned round.
"""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.homeassistant import furnished
from tests.homeassistant.conftest import ROOM
from tests.homeassistant.furnished import Answer, Furnished, Home

pytestmark = pytest.mark.asyncio(loop_scope="module")
PORTS = {"api": 10694, "wyoming": 10695}
SATELLITE_PORT = 10794

_PACKAGE = """
  packages:
    strange:
      input_boolean:
        party: {name: Party mode}
        h_radio: {name: Helper of Radio}
        h_blind: {name: Helper of Blind}
      script:
        rocket: {alias: Rocket launch, sequence: [{stop: no fuel, error: true}]}
      media_player:
        - platform: universal
          name: Radio
          unique_id: radio
          state_template: "{{ 'playing' if is_state('input_boolean.h_radio', 'on') else 'off' }}"
          commands:
            turn_on: {action: input_boolean.turn_on, target: {entity_id: input_boolean.h_radio}}
            turn_off: {action: input_boolean.turn_off, target: {entity_id: input_boolean.h_radio}}
      template:
        - light:
            - name: Lamp
              unique_id: lamp
              state: "{{ is_state('input_boolean.party', 'on') }}"
              turn_on: {action: input_boolean.turn_on, target: {entity_id: input_boolean.party}}
              turn_off: {action: input_boolean.turn_off, target: {entity_id: input_boolean.party}}
            - name: Lamp two
              unique_id: lamp_two
              state: "{{ is_state('input_boolean.h_blind', 'on') }}"
              turn_on: {action: input_boolean.turn_on, target: {entity_id: input_boolean.h_blind}}
              turn_off: {action: input_boolean.turn_off, target: {entity_id: input_boolean.h_blind}}
            - name: Burning light
              unique_id: burning
              state: "{{ false }}"
              turn_on: {action: nobody.knows}
              turn_off: {action: nobody.knows}
          cover:
            - name: Stuck blind
              unique_id: stuck
              device_class: blind
              state: closed
              open_cover: []
              close_cover: []
          lock:
            - name: Shed
              unique_id: shed
              state: "{{ true }}"
              lock: []
              unlock: {action: nobody.knows}
          fan:
            - name: Dead fan
              unique_id: dead_fan
              state: "{{ false }}"
              turn_on: []
              turn_off: []
          sensor:
            - {name: Water level, unique_id: wl, state: "12.25", unit_of_measurement: L}
            - {name: Rain gauge, unique_id: rg, state: "{{ none }}", unit_of_measurement: mm}
"""
MORE = (
    "input_boolean.party", "script.rocket", "media_player.radio",
    "light.lamp", "light.lamp_two", "light.burning_light", "cover.stuck_blind", "lock.shed",
    "fan.dead_fan", "sensor.water_level", "sensor.rain_gauge", "todo.shopping_list",
)  # fmt: skip
CONTROL = pytest.mark.parametrize("control", ["api", "wyoming"])
CLAIMED = re.compile(r"(?:Turned|Opening|Closing|Unlocking|Locking|Started|Set|Done)\b")


class Strange(Furnished):
    def __init__(self, root: Path, directory: Path) -> None:
        super().__init__(root, directory)
        path = directory / "config" / "configuration.yaml"
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("homeassistant:\n", f"homeassistant:{_PACKAGE}", 1), "utf-8")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def home(network: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Home]:
    directory = tmp_path_factory.mktemp("strange")
    async with AsyncExitStack() as stack:
        hass = Strange(Path(ROOM) / "root", directory)
        stack.callback(hass.stop)
        home = await stack.enter_async_context(furnished.moved_in(hass, directory))
        await home.client.flow("shopping_list", {})
        known = {row["entity_id"] for row in await home.client.call("get_states")}
        await home.client.call(
            "homeassistant/expose_entity",
            assistants=["conversation"],
            entity_ids=sorted(known & set(MORE)),
            should_expose=True,
        )
        (token_file := directory / "token").write_text(home.token, encoding="utf-8")
        for name, port in PORTS.items():
            service = furnished.conversation_service(
                name, port, token_file, directory,
                "--control", name, "--http-uri", "off", "--confirm-above", "20",
            )  # fmt: skip
            stack.callback(service.stop)
            service.start()
            await furnished.join(home, name, port)
        rig = furnished.satellite(directory, SATELLITE_PORT)
        stack.callback(rig.stop)
        home.device = await furnished.place_satellite(home.client, rig, SATELLITE_PORT, "kitchen")
        yield home


async def _seen(home: Home) -> dict[str, tuple[Any, ...]]:
    rows = await home.client.call("get_states")
    kinds = ("light", "switch", "cover", "fan", "lock", "climate", "vacuum", "input_boolean",
             "media_player", "script", "todo")  # fmt: skip
    shown = ("brightness", "current_position", "temperature", "last_triggered")
    return {
        row["entity_id"]: (row["state"], *(row["attributes"].get(key) for key in shown))
        for row in rows
        if row["entity_id"].partition(".")[0] in kinds
    }


async def _ask(home: Home, control: str, text: str) -> tuple[Answer, dict[str, tuple[str, str]]]:
    """Return the answer, and what became of every thing that is something else since."""
    await home.reset()
    await home.client.service("input_boolean.turn_off", entity_id="input_boolean.party")
    before = await _seen(home)
    answer = await home.ask(control, text, f"{control} {text}"[:60])
    after = await _seen(home)
    changed = {
        key: (str(before[key][0]), str(value[0]))
        for key, value in after.items()
        if before.get(key) != value and not key.startswith("input_boolean.")
    }
    return answer, changed


@CONTROL
@pytest.mark.parametrize(
    "text",
    [
        "don't turn on the ceiling light",
        "do not open the curtain",
        "never turn on the coffee machine",
        "turn on the ceiling light no wait the floor lamp",
        "turn on the ceiling light if it is dark",
        "turn on the floor lamp at ten pm",
        "turn on the ceiling light and the purple hippo",
        "who turned on the ceiling light",
        "why is the ceiling light on",
        "should I turn on the ceiling light",
        "I turned on the ceiling light",
        "the ceiling light is on",
        "is the front door unlocked and the curtain open",
        "leave the ceiling light on",
        "keep the curtain open",
        "please do nothing with the ceiling light",
        "open the ceiling light",
        "set the front door to red",
        "set the ceiling light to 900 percent",
        "turn on the telephone",
        "turn on the secret light",
        "unlock everything",
        "turn it on",
        "pause the radio",
        "set the radio volume to 30 percent",
        "unlock the shed",
        "turn on the lights and unlock the front door",
        "turn off the front door",
    ],
)
async def test_nothing_is_done_that_was_not_asked_or_cannot_be(
    home: Home, control: str, text: str
) -> None:
    answer, changed = await _ask(home, control, text)

    assert changed == {}, answer
    assert answer.said
    assert not CLAIMED.match(answer.said), answer


@CONTROL
@pytest.mark.parametrize(
    ("text", "became"),
    [
        ("turn on the lamp", {"light.lamp": "on"}),
        ("turn on lamp two", {"light.lamp_two": "on"}),
        ("turn on bedside", {"light.bedside_lamp": "on"}),
        ("turn on the lamp in the bedroom", {"light.bedside_lamp": "on"}),
        ("turn on ceiling lite", {"light.ceiling_light": "on"}),
        ("turn the sealing light on please", {"light.ceiling_light": "on"}),
        ("set curtain to thirty percent", {"cover.curtain": "open"}),
        ("turn on the radio", {"media_player.radio": "playing"}),
        ("turn the heating off", {"climate.heating": "off"}),
        ("start the robot", {"vacuum.robot": "cleaning"}),
        (
            "turn on the ceiling light and open the curtain",
            {"light.ceiling_light": "on", "cover.curtain": "open"},
        ),
        (
            "turn on the ceiling light and the floor lamp",
            {"light.ceiling_light": "on", "light.floor_lamp": "on"},
        ),
    ],
)
async def test_a_command_does_what_it_asks_and_nothing_else(
    home: Home, control: str, text: str, became: dict[str, str]
) -> None:
    answer, changed = await _ask(home, control, text)

    assert {key: after for key, (_, after) in changed.items()} == became, answer
    assert answer.kind != "error"


@pytest.mark.parametrize(
    "text",
    ["turn on the burning light", "open the stuck blind", "turn on the dead fan"],
)
async def test_every_failure_is_reported_as_a_failure(home: Home, text: str) -> None:
    answer, changed = await _ask(home, "api", text)

    assert changed == {}
    assert answer.kind == "error"
    assert re.search(r"did not respond|failed", answer.said), answer
    assert not re.search(r"[\[\]_]|call|domains|features", answer.said), answer


async def test_only_what_is_exposed_is_meant_by_all(home: Home) -> None:
    await home.reset()
    helper = {"entity_id": "input_boolean.h_secret_light"}
    await home.client.service("input_boolean.turn_on", **helper)

    answer = await home.ask("api", "turn off all the lights in the house")

    assert await home.client.state("light.secret_light") == "on", answer
    await home.client.service("input_boolean.turn_off", **helper)


@CONTROL
async def test_numbers_and_what_is_not_known_are_told_as_they_are(home: Home, control: str) -> None:
    told = {
        text: (await _ask(home, control, text))[0].said
        for text in (
            "what is the water level",
            "what is the rain gauge",
            "how many lights are on",
            "is any window open",
            "is the broken light on",
            "how long is left on my timer",
        )
    }

    assert "12.25 L" in told["what is the water level"]
    assert told["what is the rain gauge"] == "Rain gauge has no reading right now."
    assert told["how many lights are on"] == "0"
    assert told["is any window open"].startswith("Yes")
    assert "unavailable" in told["is the broken light on"]
    assert "No timers" in told["how long is left on my timer"]


async def test_a_list_is_written_on(home: Home) -> None:
    before = int(await home.client.state("todo.shopping_list"))

    answer = await home.ask("api", "add oat milk to my shopping list")

    assert "oat milk" in answer.said
    assert int(await home.client.state("todo.shopping_list")) == before + 1
