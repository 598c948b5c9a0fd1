"""Home Assistant's llama.cpp integration with Assist's tools: no model is asked about the home."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from tests.homeassistant import furnished
from tests.homeassistant.conftest import ROOM
from tests.homeassistant.furnished import Furnished, Home
from tests.homeassistant.pipeline import Table

pytestmark = pytest.mark.asyncio(loop_scope="module")
MODEL_PORT = 18090
PORTS = {"counted": (10695, 18085), "real": (10696, 18086)}
SATELLITE_PORT = 10795


@dataclass(slots=True)
class CountedModel:
    """A server that says the same to everything, and counts."""

    asked: list[dict[str, Any]] = field(default_factory=list)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        app = web.Application(client_max_size=1 << 24)
        app.router.add_post("/v1/chat/completions", self._answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", MODEL_PORT).start()
        try:
            yield f"http://127.0.0.1:{MODEL_PORT}/v1"
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(await request.json())
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for delta, finish in (({"content": "The model was asked."}, None), ({}, "stop")):
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            line = json.dumps({"choices": [choice]})
            await response.write(f"data: {line}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response


@dataclass(slots=True)
class Rig:
    home: Home
    model: CountedModel
    """Of the agent "counted"; the agent "real" has a real one"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rig(network: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    directory = tmp_path_factory.mktemp("assist")
    async with AsyncExitStack() as stack:
        hass = Furnished(Path(ROOM) / "root", directory)
        stack.callback(hass.stop)
        home = await stack.enter_async_context(furnished.moved_in(hass, directory))
        (token_file := directory / "token").write_text(home.token, encoding="utf-8")
        model = CountedModel()
        url = await stack.enter_async_context(model.serving())
        for name, (port, http_port) in PORTS.items():
            engine = ("--engine", "openai", "--base-url", url, "--model", "counted")
            service = furnished.conversation_service(
                name, port, token_file, directory, "--confirm-above", "20",
                *("--control", "off", "--http-uri", f"http://127.0.0.1:{http_port}"),
                *(engine if name == "counted" else ()),
            )  # fmt: skip
            stack.callback(service.stop)
            service.start()
            await _join(home, name, f"http://127.0.0.1:{http_port}/v1")
        satellite = furnished.satellite(directory, SATELLITE_PORT)
        stack.callback(satellite.stop)
        home.device = await furnished.place_satellite(
            home.client, satellite, SATELLITE_PORT, "kitchen"
        )
        model.asked.clear()
        yield Rig(home, model)


async def _join(home: Home, name: str, url: str) -> None:
    """Add the llama.cpp integration, with what it suggests: Assist's tools, streaming."""
    before = set(await home.client.entities("llama_cpp"))
    async with home.client.session.get(f"{url}/models") as response:
        model = (await response.json())["data"][0]["id"]
    entry = await home.client.flow("llama_cpp", {"base_url": url}, {"chat_model": model})
    assert entry["type"] == "create_entry", entry
    (home.agents[name],) = {
        entity
        for entity in set(await home.client.entities("llama_cpp")) - before
        if entity.startswith("conversation.")
    }


@pytest.mark.parametrize(
    ("language", "text", "entity", "state"),
    [
        ("en", "turn on the ceiling light", "light.ceiling_light", ("on",)),
        ("en", "turn on the light", "light.ceiling_light", ("on",)),
        ("en", "switch on the night light", "light.bedside_lamp", ("on",)),
        ("en", "set the floor lamp to 40 percent", "light.floor_lamp", ("on", 102)),
        ("en", "open the curtain", "cover.curtain", ("open", None, 100)),
        ("en", "set the curtain to 30 percent", "cover.curtain", ("open", None, 30)),
        ("en", "turn on the ceiling fan", "fan.ceiling_fan", ("on",)),
        ("en", "turn on the coffee machine", "switch.coffee_machine", ("on",)),
        ("en", "start the robot", "vacuum.robot", ("cleaning",)),
        ("en", "set the heating to 21 degrees", "climate.heating", ("heat", None, None, 21)),
        ("en", "activate movie night", "light.tv_light", ("on",)),
        ("de", "schalte das Ceiling Light ein", "light.ceiling_light", ("on",)),
        ("de", "stell die Floor Lamp auf 40 Prozent", "light.floor_lamp", ("on", 102)),
        ("de", "mach den Vorhang auf", "cover.curtain", ("open", None, 100)),
    ],
)
async def test_a_command_changes_the_state_without_the_model(
    rig: Rig, language: str, text: str, entity: str, state: tuple[Any, ...]
) -> None:
    await rig.home.reset()
    rig.model.asked.clear()

    answer = await rig.home.ask("counted", text, language=language)

    assert answer.kind == "action_done", answer
    await rig.home.client.until(entity, lambda now: now == state[0])
    now = (await rig.home.states())[entity]
    assert all(want is None or want == got for want, got in zip(state, now, strict=False)), now
    assert answer.said
    assert rig.model.asked == []


@pytest.mark.parametrize(
    ("language", "question", "said"),
    [
        ("en", "is the front door locked", "Yes"),
        ("en", "what is the temperature in the kitchen", "21.5"),
        ("en", "is the bedroom window open", "Yes"),
        ("de", "wie warm ist es in der Kitchen", "21.5"),
    ],
)
async def test_a_question_about_states_is_answered_without_the_model(
    rig: Rig, language: str, question: str, said: str
) -> None:
    await rig.home.reset()
    rig.model.asked.clear()

    answer = await rig.home.ask("counted", question, language=language)

    assert said in answer.said, answer
    assert rig.model.asked == []


@pytest.mark.parametrize(
    ("language", "text", "question", "yes"),
    [
        ("en", "unlock the front door", "Unlock Front door?", "yes"),
        ("de", "entsperre die Front Door", "Front door", "ja"),
        ("en", "open the garage door", "Open Garage door?", "yes"),
    ],
)
async def test_a_risky_command_is_asked_back_first(
    rig: Rig, language: str, text: str, question: str, yes: str
) -> None:
    await rig.home.reset()
    before = await rig.home.states()
    rig.model.asked.clear()

    asked = await rig.home.ask("counted", text, f"{language}: {text}", language=language)
    assert question in asked.said, asked
    assert await rig.home.states() == before

    await rig.home.ask("counted", yes, f"{language}: {text}", language=language)
    assert await rig.home.states() != before
    assert rig.model.asked == []


@pytest.mark.parametrize("text", ["turn on the lazy light", "turn on the broken light"])
async def test_a_deed_that_does_not_happen_is_not_claimed(rig: Rig, text: str) -> None:
    rig.model.asked.clear()

    answer = await rig.home.ask("counted", text)

    assert answer.said.startswith("Sorry"), answer
    assert rig.model.asked == []


async def test_talk_is_put_to_the_model_without_the_home(rig: Rig) -> None:
    rig.model.asked.clear()

    answer = await rig.home.ask("counted", "why is the sky blue")

    assert answer.said == "The model was asked."
    (asked,) = rig.model.asked
    assert "tools" not in asked
    assert "Ceiling light" not in json.dumps(asked)
    assert "You are a voice assistant" in asked["messages"][0]["content"]


async def test_the_first_word_comes_soon(rig: Rig, times: list[Table]) -> None:
    table = Table("Assist's door, seconds to the first word", ("said", "first word", "all"))
    for text in (
        "turn on the ceiling light", "open the curtain", "is the front door locked",
        "what is 12 times 13", "why is the sky blue", "who was Marie Curie",
    ):  # fmt: skip
        table.add(text, *await _timed(rig.home, text))
    times.append(table)


async def _timed(home: Home, text: str) -> tuple[float, float]:
    """Return the seconds to the first word of the reply of the real model, and to its end."""
    client = home.client
    pipeline = await home.pipeline("real", "en")
    began, first = time.monotonic(), 0.0
    number = await client.send(
        "assist_pipeline/run", start_stage="intent", end_stage="intent",
        pipeline=pipeline, input={"text": text}, device_id=home.device,
        timeout=120.0,
    )  # fmt: skip
    while True:
        message = await client.receive(number)
        if message["type"] == "result":
            continue
        kind, data = message["event"]["type"], message["event"].get("data") or {}
        word = (data.get("chat_log_delta") or {}).get("content")
        if kind == "intent-progress" and word and not first:
            first = time.monotonic() - began
        if kind in ("run-end", "error"):
            return first, time.monotonic() - began
