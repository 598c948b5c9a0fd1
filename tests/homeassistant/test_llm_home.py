"""The conversation service and the real Home Assistant: what is said happens, or is not claimed."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from tests.homeassistant import furnished
from tests.homeassistant import installation as installations
from tests.homeassistant.conftest import ROOM
from tests.homeassistant.furnished import Furnished, Home
from tests.homeassistant.pipeline import Table, ask

pytestmark = pytest.mark.asyncio(loop_scope="module")
PORTS = {"api": 10691, "wyoming": 10692}
DOORS = {"api": "http://127.0.0.1:18081", "wyoming": "off"}
SATELLITE_PORT, VOICE_PORT = 10791, 10291
CONTROL = pytest.mark.parametrize("control", ["api", "wyoming"])
HONEST = re.compile(
    r"sorry|don't know|not (aware|connected|available|sure)|cannot|can't|couldn't|did not"
    r"|no device",
    re.IGNORECASE,
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def home(network: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Home]:
    directory = tmp_path_factory.mktemp("furnished")
    async with AsyncExitStack() as stack:
        hass = Furnished(Path(ROOM) / "root", directory)
        stack.callback(hass.stop)
        home = await stack.enter_async_context(furnished.moved_in(hass, directory))
        (token_file := directory / "token").write_text(home.token, encoding="utf-8")
        for name, port in PORTS.items():
            service = furnished.conversation_service(
                name, port, token_file, directory,
                *("--control", name, "--confirm-above", "20", "--http-uri", DOORS[name]),
            )  # fmt: skip
            stack.callback(service.stop)
            service.start()
            await furnished.join(home, name, port)
        rig = furnished.satellite(directory, SATELLITE_PORT)
        stack.callback(rig.stop)
        home.device = await furnished.place_satellite(home.client, rig, SATELLITE_PORT, "kitchen")
        yield home


@CONTROL
@pytest.mark.parametrize(
    ("text", "entity", "state"),
    [
        ("turn on the ceiling light", "light.ceiling_light", "on"),
        ("switch on the night light", "light.bedside_lamp", "on"),
        ("turn on the bedside lemp", "light.bedside_lamp", "on"),
        ("turn on the coffee machine", "switch.coffee_machine", "on"),
        ("open the curtain", "cover.curtain", "open"),
        ("set the curtain to 30 percent", "cover.curtain", "open"),
        ("turn on the lights upstairs", "light.bedside_lamp", "on"),
        ("turn on the lights", "light.ceiling_light", "on"),
        ("turn on the ceiling fan", "fan.ceiling_fan", "on"),
        ("set the floor lamp to 40 percent", "light.floor_lamp", "on"),
        ("activate movie night", "light.tv_light", "on"),
        ("start the robot", "vacuum.robot", "cleaning"),
    ],
)
async def test_a_command_changes_the_state(
    home: Home, control: str, text: str, entity: str, state: str
) -> None:
    await home.reset()

    answer = await home.ask(control, text)

    assert answer.kind != "error", answer
    assert await home.client.until(entity, lambda now: now == state) == state
    assert answer.said


@CONTROL
@pytest.mark.parametrize(
    "text",
    [
        "turn on the bathroom light",
        "turn on the lights in the cellar",
        "turn on the secret light",
        "turn on the broken light",
        "open the chimney",
        "activate party mode",
        "set the broken light to 20 percent",
        "make the bathroom light blue please",
        "could you get the disco ball going",
        "is the attic window open",
        "has somebody locked the cellar door",
    ],
)
async def test_an_impossible_request_is_refused(home: Home, control: str, text: str) -> None:
    await home.reset()
    before = await home.states()

    answer = await home.ask(control, text)

    assert HONEST.search(answer.said), answer
    assert await home.states() == before


async def test_a_light_that_does_not_react_is_not_claimed_to_be_on(home: Home) -> None:
    answer = await home.ask("api", "turn on the lazy light")

    assert answer.kind == "error"
    assert "did not respond" in answer.said


async def test_a_device_that_goes_away_is_not_claimed_to_have_obeyed(home: Home) -> None:
    await home.reset()
    await home.ask("api", "turn on the coffee machine")
    await home.client.service("input_boolean.turn_on", entity_id="input_boolean.h_unplugged")
    await home.client.until("switch.coffee_machine", lambda now: now == "unavailable")
    answers = [await home.ask(name, "turn off the coffee machine") for name in PORTS]
    await home.reset()

    assert [answer.kind for answer in answers] == ["error", "error"], answers


@CONTROL
async def test_questions_are_answered_from_the_states(home: Home, control: str) -> None:
    await home.reset()

    answers = {
        text: (await home.ask(control, text)).said
        for text in (
            "is the front door locked",
            "what is the kitchen temperature",
            "is the bedroom window open",
            "are any lights on",
        )
    }
    await home.client.service("light.turn_on", entity_id="light.tv_light")
    which = (await home.ask(control, "which lights are on")).said

    assert answers["is the front door locked"] == "Yes"
    assert "21.5" in answers["what is the kitchen temperature"]
    assert answers["is the bedroom window open"].startswith("Yes")
    assert answers["are any lights on"].startswith("No")
    assert which == "TV light"


@CONTROL
async def test_a_risky_command_waits_for_a_yes(home: Home, control: str) -> None:
    await home.reset()

    question = await home.ask(control, "unlock the front door", "risky")
    kept = await home.client.state("lock.front_door")
    await home.ask(control, "yes please", "risky")

    assert question.said.endswith("?")
    assert kept == "locked"
    assert await home.client.until("lock.front_door", lambda now: now == "unlocked")


@CONTROL
async def test_a_timer_runs_on_the_satellite_that_asked(home: Home, control: str) -> None:
    name = f"{control} tea"

    started = await home.ask(control, f"set a timer for 5 minutes called {name}")
    left = await home.ask(control, f"how much time is left on the {name} timer")
    cancelled = await home.ask(control, f"cancel the {name} timer")
    gone = await home.ask(control, f"cancel the {name} timer")

    assert [a.kind for a in (started, left, cancelled)] == ["action_done"] * 3, (started, left)
    assert "minute" in left.said
    assert gone.kind == "error"


@CONTROL
async def test_other_languages_switch_the_same_home(home: Home, control: str) -> None:
    await home.reset()

    answer = await home.ask(control, "schalte Floor lamp ein", language="de")
    refused = await home.ask(control, "schalte das Licht im Badezimmer ein", language="de")

    assert await home.client.until("light.floor_lamp", lambda now: now == "on"), answer
    assert refused.kind == "error"
    assert "Sorry" not in refused.said.split(",")[0] or "kein" in refused.said


async def test_a_reply_through_the_llama_cpp_integration_is_spoken_while_it_is_written(
    home: Home, times: list[Table]
) -> None:
    url = f"{DOORS['api']}/v1"
    async with home.client.session.get(f"{url}/models") as response:
        model = (await response.json())["data"][0]["id"]
    entry = await home.client.flow("llama_cpp", {"base_url": url}, {"chat_model": model})
    assert entry["type"] == "create_entry", entry
    (agent,) = [e for e in await home.client.entities("llama_cpp") if e.startswith("conversation.")]
    voice = furnished.voice(home.directory, VOICE_PORT)
    table = Table(
        "llama.cpp integration, seconds after the question",
        ("question", "first word", "first audio", "all written"),
    )
    times.append(table)
    early: list[bool] = []
    try:
        voice.start()
        await furnished.join(home, "voice", VOICE_PORT)
        pipeline = await installations.pipeline(
            home.client, "streaming", "stt.none", agent, home.agents["voice"]
        )
        for topic in ("a house is built", "a river is born", "bread is baked", "a bridge is made"):
            run = await ask(home.client, pipeline, f"Describe in five sentences how {topic}.")

            parts = [seconds for seconds, kind, _ in run.events if kind == "intent-progress"]
            assert run.failure == "", run.summary()
            assert run.first_audio is not None
            table.add(topic, parts[0], run.first_audio, run.at("intent-end"))
            started = [t for t, _, data in run.events if data.get("tts_start_streaming")]
            assert started, run.summary()
            assert started[0] < run.at("intent-end"), "the voice began only when all was written"
            early.append(run.first_audio < run.at("intent-end"))
        # A short reply is written before its first sound is encoded.
        assert any(early), str(table)
    finally:
        voice.stop()
