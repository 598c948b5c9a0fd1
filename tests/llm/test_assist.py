"""Requests of Home Assistant's Assist over HTTP: commands and questions need no model."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import openai
import pytest

from tests.llm.assist_request import (
    HOME,
    TIMERS,
    TOOLS,
    FakeAssist,
    body,
    system,
    tool,
    tool_message,
)
from tests.llm.conftest import NOON
from tests.llm.fakes import FakeLlm
from tests.llm.house import RECOGNITION
from tests.support.wire import TIMEOUT_SECONDS
from wyoming_common.http.server import listening
from wyoming_common.model_thread import ModelThread
from wyoming_common.net.access import Access
from wyoming_llm.assist import agent as agents
from wyoming_llm.assist.agent import AssistAgent
from wyoming_llm.config import LlmSettings
from wyoming_llm.dialogue.generation_queue import GenerationQueue, idle_work
from wyoming_llm.engine import LlmEngine
from wyoming_llm.http.server import OpenAiServer

_MAX_ROUNDS = 10
"""As Home Assistant's integration has it"""


class Assist:
    """The integration: a conversation whose tools are called."""

    def __init__(self, ai: openai.AsyncOpenAI, engine: FakeLlm, home: FakeAssist) -> None:
        self._ai = ai
        self.engine = engine
        self.home = home
        self.messages: list[dict[str, Any]] = [{"role": "system", "content": system()}]
        self.more: dict[str, Any] = {}

    async def request(self, messages: Sequence[Mapping[str, Any]], stream: bool = False) -> Any:
        """Send one request; returns the message and the reason for which it ended."""
        create: Any = self._ai.chat.completions.create
        asked = body(messages, **self.more)
        if not stream:
            answer = await create(**asked)
            choice = answer.choices[0]
            calls = [(c.id, c.function.name, c.function.arguments)
                     for c in choice.message.tool_calls or ()]  # fmt: skip
            return choice.message.content or "", calls, choice.finish_reason
        text, calls, finish = "", [], ""
        async for chunk in await create(**asked, stream=True):
            for one in chunk.choices:
                text += one.delta.content or ""
                calls += [
                    (c.id, c.function.name, c.function.arguments)
                    for c in one.delta.tool_calls or ()
                ]
                finish = one.finish_reason or finish
        return text, calls, finish

    async def say(self, text: str, stream: bool = False) -> str:
        """Say something, do what is asked for, and return the reply."""
        self.messages.append({"role": "user", "content": text})
        for _ in range(_MAX_ROUNDS):
            reply, calls, finish = await self.request(self.messages, stream)
            assert finish == ("tool_calls" if calls else "stop")
            message: dict[str, Any] = {"role": "assistant", "content": reply or None}
            if calls:
                message["tool_calls"] = [
                    {"id": id_, "type": "function", "function": {"name": name, "arguments": given}}
                    for id_, name, given in calls
                ]
            self.messages.append(message)
            if not calls:
                return str(reply).strip()
            for id_, name, given in calls:
                answer = self.home.answer(name, json.loads(given))
                self.messages.append(tool_message(id_, answer))
        raise AssertionError(f"no reply in {_MAX_ROUNDS} rounds: {self.home.called}")

    @property
    def acted(self) -> list[tuple[str, dict[str, Any]]]:
        """The calls that are no looks."""
        return [(n, a) for n, a in self.home.called if not n.endswith("GetLiveContext")]


@asynccontextmanager
async def assist(
    home: FakeAssist | None = None,
    now: Callable[[], datetime] = lambda: NOON,
    **settings: Any,
) -> AsyncIterator[Assist]:
    engine = FakeLlm()
    model: ModelThread[LlmEngine] = ModelThread("llm", lambda: engine)
    recognition = ModelThread("recognition", lambda: RECOGNITION)
    chosen = LlmSettings(zeroconf="off", http_uri="off", **settings)
    replies = GenerationQueue(model, 4, pause=0)
    server = OpenAiServer(
        replies, lambda: engine.model, lambda: True, "",
        AssistAgent(chosen, recognition, now=now) if chosen.prefer_local_intents else None,
    )  # fmt: skip
    async with (
        idle_work(replies),
        listening(server.app(Access()), "http://127.0.0.1:0", "http_uri") as uri,
        openai.AsyncOpenAI(
            base_url=f"{uri}/v1", api_key="none", timeout=TIMEOUT_SECONDS, max_retries=0
        ) as ai,
    ):
        yield Assist(ai, engine, home or FakeAssist())
    await recognition.aclose()
    await model.aclose()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents, "_LOOK_SECONDS", (0.0, 0.0, 0.0, 0.0))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("text", "name", "arguments", "reply"),
    [
        ("turn on the ceiling light", "intent__HassTurnOn",
         {"name": "Ceiling light", "domain": ["light"]}, "Turned on Ceiling light"),
        ("switch off the night light", "intent__HassTurnOff",
         {"name": "Bedside lamp", "domain": ["light"]}, "Turned off Bedside lamp"),
        ("set the bedside lamp to 40 percent", "light__HassLightSet",
         {"name": "Bedside lamp", "domain": ["light"], "brightness": 40},
         "Set Bedside lamp to 40 %"),
        ("turn on the light", "intent__HassTurnOn",
         {"name": "Ceiling light", "domain": ["light"]}, "Turned on Ceiling light"),
        ("set the heating to 21 degrees", "climate__HassClimateSetTemperature",
         {"name": "Heating", "temperature": 21}, "Set Heating to 21 °"),
        ("close the curtain", "intent__HassTurnOff",
         {"name": "Curtain", "domain": ["cover"]}, "Closing Curtain"),
        ("lock the front door", "intent__HassTurnOn",
         {"name": "Front door", "domain": ["lock"]}, "Locked Front door"),
        ("put milk on the shopping list", "todo__HassListAddItem",
         {"item": "milk", "name": "Shopping"}, "Added milk to Shopping"),
        ("mach das Licht in der Küche an", "intent__HassTurnOn",
         {"name": "Ceiling light", "domain": ["light"]}, "Ceiling light eingeschaltet"),
        ("allume la lumière ceiling light", "intent__HassTurnOn",
         {"name": "Ceiling light", "domain": ["light"]}, "J'ai allumé Ceiling light"),
    ],
)  # fmt: skip
async def test_a_command_is_a_call_by_the_tools_schema(
    stream: bool, text: str, name: str, arguments: dict[str, Any], reply: str
) -> None:
    async with assist() as it:
        said = await it.say(text, stream)

    assert it.acted == [(name, arguments)]
    assert said.rstrip(".") == reply
    assert it.home.called[0][0] == name, "at once"
    assert it.engine.prompts == []


async def test_a_command_that_needs_states_looks_at_them_first() -> None:
    async with assist() as it:
        opened = await it.say("open the curtain")
        dimmed = await it.say("make the bedside lamp 20 percent brighter")

    assert it.home.called[0] == ("homeassistant__GetLiveContext", {})
    assert opened == "Opening Curtain"
    assert ("light__HassLightSet", {"name": "Bedside lamp", "domain": ["light"],
                                    "brightness": 40}) in it.acted  # fmt: skip
    assert dimmed == "Set Bedside lamp to 40 %"
    assert it.engine.prompts == []


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("is the front door locked", "Yes"),
        ("what is the temperature in the kitchen", "21.5 °C"),
        ("which lights are on", "Bedside lamp"),
        ("ist die Front Door abgeschlossen", "Ja"),
        ("wie warm ist es in der Küche", "21.5 °C"),
    ],
)
async def test_a_question_about_states_is_answered_from_live_context(
    question: str, answer: str
) -> None:
    async with assist() as it:
        said = await it.say(question)

    assert it.home.called == [("homeassistant__GetLiveContext", {})]
    assert answer in said
    assert it.engine.prompts == []


async def test_the_items_of_a_list_are_read_from_its_tool() -> None:
    async with assist() as it:
        said = await it.say("what is on the shopping list")

    assert it.acted == [("todo__get_items", {"todo_list": "Shopping", "status": "needs_action"})]
    assert said == "milk and eggs"
    assert it.engine.prompts == []


@pytest.mark.parametrize(
    ("text", "yes", "question", "state", "entity"),
    [
        ("unlock the front door", "yes", "Unlock Front door?", "unlocked", "Front door"),
        ("open the garage door", "yes please", "Open Garage door?", "opening", "Garage door"),
        ("öffne die Garage", "ja", "Garage door öffnen?", "opening", "Garage door"),
        ("unlock the front door", "no", "Unlock Front door?", "locked", "Front door"),
    ],
)
async def test_a_risky_command_is_asked_back_first(
    text: str, yes: str, question: str, state: str, entity: str
) -> None:
    async with assist() as it:
        asked = await it.say(text)
        before = list(it.acted)
        await it.say(yes)

    assert asked == question
    assert before == []
    assert it.home.state(entity) == state
    assert it.engine.prompts == []


async def test_a_yes_that_nothing_asked_for_unlocks_nothing() -> None:
    async with assist() as it:
        it.messages += [
            {"role": "user", "content": "unlock the front door"},
            {"role": "assistant", "content": "I will not."},
        ]
        await it.say("yes")

    assert it.acted == []


async def test_a_yes_after_another_turn_unlocks_nothing() -> None:
    async with assist() as it:
        await it.say("unlock the front door")
        await it.say("is the curtain open")
        await it.say("yes")

    assert it.acted == []


async def test_the_answer_to_which_one_is_done() -> None:
    async with assist() as it:
        it.messages = [{"role": "system", "content": system(area="")}]
        asked = await it.say("turn on the lamp")
        assert asked == "Which one: Ceiling light, Bedside lamp or Floor lamp?"
        said = await it.say("the bedside lamp")

    assert said == "Turned on Bedside lamp"
    assert it.engine.prompts == []


async def test_it_is_what_the_command_before_was_about() -> None:
    async with assist() as it:
        await it.say("turn on the ceiling light")
        said = await it.say("turn it off again")

    assert said == "Turned off Ceiling light"


async def test_an_error_of_assists_is_told_as_a_failure() -> None:
    home = FakeAssist()
    home.fails = {"HassTurnOn"}
    async with assist(home) as it:
        said = await it.say("turn on the ceiling light")

    assert said == "Sorry, that did not work. Ceiling light failed."
    assert it.engine.prompts == []


async def test_a_state_that_stays_is_not_claimed_to_have_changed() -> None:
    home = FakeAssist()
    home.ignores = {"Ceiling light"}
    async with assist(home) as it:
        late = await it.say("turn on the ceiling light")
        gone = await it.say("turn on the floor lamp")

    assert late == "Sorry, Ceiling light did not respond."
    assert "Floor lamp" in gone
    assert gone.startswith("Sorry")


async def test_a_result_that_says_nothing_is_no_success() -> None:
    async with assist() as it:
        it.messages.append({"role": "user", "content": "turn on the ceiling light"})
        _, calls, _ = await it.request(it.messages)
        made = [{"id": i, "type": "function", "function": {"name": n, "arguments": a}}
                for i, n, a in calls]  # fmt: skip
        answers = [{"role": "tool", "tool_call_id": i, "content": "ok?"} for i, _, _ in calls]
        said, _, _ = await it.request([
            *it.messages, {"role": "assistant", "content": None, "tool_calls": made}, *answers
        ])  # fmt: skip

    assert said.startswith("Sorry")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("what is 12 times 13", "156"),
        ("wie viel ist 12 mal 13", "156"),
        ("what time is it", "12:00"),
        ("how many minutes are in two hours", "120"),
    ],
)
async def test_an_instant_answer_needs_nothing(text: str, answer: str) -> None:
    async with assist() as it:
        said = await it.say(text)

    assert answer in said
    assert it.home.called == []
    assert it.engine.prompts == []


@pytest.mark.parametrize(
    "text", ["why is the sky blue", "erzähl mir einen Witz", "who wrote Faust?", "I feel sad today"]
)
async def test_talk_goes_to_the_model_without_tools_and_home(text: str) -> None:
    async with assist() as it:
        await it.say("turn on the ceiling light")
        said = await it.say(text)

    (prompt,) = it.engine.prompts
    assert said == f"You said: {text}"
    assert prompt.tools == ()
    assert prompt.messages[0].content == (
        "You are a voice assistant for Home Assistant.\n"
        "Answer questions about the world truthfully.\n"
        "Respond simply and to the point in plain text."
    )
    assert [message.role for message in prompt.messages] == [
        "system", "user", "assistant", "user"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "włącz światło w kuchni",
        "make the house ready for the film with dimmed lights and closed curtains",
        "what is in the news",
        "the lamp there",
    ],
)
async def test_a_text_that_is_not_understood_goes_to_the_model_as_it_is(text: str) -> None:
    async with assist() as it:
        it.messages.append({"role": "user", "content": text})
        _, calls, _ = await it.request(it.messages)
        if calls:
            (id_, name, arguments) = calls[0]
            assert (name, arguments) == ("homeassistant__GetLiveContext", "{}")
            it.messages += [
                {"role": "assistant", "content": None, "tool_calls": [
                    {"id": id_, "type": "function", "function": {"name": name, "arguments": "{}"}}
                ]},
                tool_message(id_, it.home.answer(name, {})),
            ]  # fmt: skip
            await it.request(it.messages)

    (prompt,) = it.engine.prompts
    assert list(prompt.tools) == TOOLS
    assert prompt.messages[0].content == system()


@pytest.mark.parametrize(
    "text", ["turn off the lights upstairs", "which lights are on upstairs", "is the sun up"]
)
async def test_a_text_about_more_than_the_overview_tells_is_left_to_the_model(text: str) -> None:
    async with assist() as it:
        await it.say(text)

    (prompt,) = it.engine.prompts
    assert list(prompt.tools) == TOOLS
    assert it.acted == []


async def test_the_clients_own_instructions_are_read_ahead_of_talk() -> None:
    async with assist() as it:
        await it.say("turn on the ceiling light")
        await it.say("turn off the ceiling light")
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await asyncio.to_thread(it.engine.settled.wait, TIMEOUT_SECONDS)
        await it.say("why is the sky blue")

    (read,) = it.engine.read_prompts
    assert read.messages == it.engine.prompts[0].messages[:1]
    assert read.tools == ()
    assert read.client == it.engine.prompts[0].client
    assert read.conversation


async def test_talk_that_names_a_thing_looks_before_it_is_talk() -> None:
    async with assist() as it:
        await it.say("how does a fridge keep food cold in the kitchen")

    (prompt,) = it.engine.prompts
    assert prompt.tools == ()
    assert [message.role for message in prompt.messages] == ["system", "user"]


async def test_a_timer_is_set_where_the_device_has_timers() -> None:
    async with assist() as it:
        refused = await it.say("set a timer for five minutes")
        it.more = {"tools": [*TOOLS, *TIMERS]}
        said = await it.say("set a timer for five minutes")

    assert refused == "Sorry, timers work only with a voice satellite."
    assert it.acted == [("intent__HassStartTimer", {"minutes": 5})]
    assert said == "Timer set for 5 minutes"
    assert it.engine.prompts == []


async def test_a_time_that_passes_between_two_requests_changes_nothing() -> None:
    clock = iter(NOON + timedelta(seconds=number) for number in range(1000))
    async with assist(now=lambda: next(clock)) as it:
        it.more = {"tools": [*TOOLS, *TIMERS]}
        await it.say("remind me at one to feed the cat")

    assert len(it.acted) == 1
    assert it.engine.prompts == []


async def test_a_tool_that_is_not_assists_keeps_talk_with_the_tools() -> None:
    async with assist() as it:
        news = tool("mcp__news", {"topic": {"type": "string"}})
        it.more = {"tools": [*TOOLS, news]}
        await it.say("why is the sky blue")

    (prompt,) = it.engine.prompts
    assert list(prompt.tools) == [*TOOLS, news]


@pytest.mark.parametrize(
    ("choice", "text", "asked"),
    [
        ("none", "turn on the ceiling light", True),
        ("none", "what is 12 times 13", False),
        ("required", "what is 12 times 13", True),
        ("required", "why is the sky blue", True),
        ("required", "unlock the front door", True),
        ({"type": "function", "function": {"name": "intent__HassTurnOff"}},
         "turn on the ceiling light", True),
    ],
)  # fmt: skip
async def test_tool_choice_is_respected(choice: Any, text: str, asked: bool) -> None:
    async with assist() as it:
        it.messages.append({"role": "user", "content": text})
        it.more = {"tool_choice": choice}
        _, calls, _ = await it.request(it.messages)

    assert calls == []
    assert bool(it.engine.prompts) == asked
    assert all(list(prompt.tools) == TOOLS for prompt in it.engine.prompts)


async def test_a_tool_choice_that_fits_is_called() -> None:
    async with assist() as it:
        it.messages.append({"role": "user", "content": "turn on the ceiling light"})
        it.more = {"tool_choice": "required"}
        _, required, _ = await it.request(it.messages)
        named = {"type": "function", "function": {"name": "intent__HassTurnOn"}}
        it.more = {"tool_choice": named, "parallel_tool_calls": False}
        _, alone, _ = await it.request(it.messages)

    assert required[0][1] == "intent__HassTurnOn"
    assert [call[1] for call in alone] == ["intent__HassTurnOn"]


async def test_one_tool_at_a_time_does_the_same() -> None:
    async with assist() as it:
        it.more = {"parallel_tool_calls": False}
        said = await it.say("turn on the ceiling light and the coffee machine")

    assert said == "Turned on Ceiling light and Coffee machine"
    assert len(it.acted) == 2


async def test_the_same_names_without_prefixes_are_known() -> None:
    older = json.loads(json.dumps(TOOLS).replace('"intent__', '"').replace('"homeassistant__', '"'))
    async with assist() as it:
        it.more = {"tools": older}
        said = await it.say("turn on the ceiling light")

    assert it.acted == [("HassTurnOn", {"name": "Ceiling light", "domain": ["light"]})]
    assert said == "Turned on Ceiling light"


async def test_a_thing_that_shares_its_name_is_told_by_its_area() -> None:
    twins = [*HOME, {"names": "Ceiling light", "domain": "light", "areas": "Attic", "state": "off"}]
    home = FakeAssist(twins)
    async with assist(home) as it:
        it.messages = [{"role": "system", "content": system(twins)}]
        await it.say("turn on the light in the attic")

    assert it.acted[0][1] == {"name": "Ceiling light", "area": "Attic", "domain": ["light"]}


async def test_the_setting_leaves_everything_to_the_model() -> None:
    async with assist(prefer_local_intents=False) as it:
        await it.say("turn on the ceiling light")

    (prompt,) = it.engine.prompts
    assert list(prompt.tools) == TOOLS


async def test_a_request_that_is_not_assists_goes_to_the_model() -> None:
    async with assist() as it:
        it.messages = [{"role": "system", "content": "Be brief."}]
        await it.say("turn on the ceiling light")

    assert it.home.called == []
    assert len(it.engine.prompts) == 1


async def test_states_of_earlier_turns_are_not_sent_to_the_model() -> None:
    async with assist() as it:
        await it.say("is the front door locked")
        it.more = {"tools": [*TOOLS, tool("mcp__news", {})]}
        await it.say("why is the sky blue")

    (prompt,) = it.engine.prompts
    assert [message.role for message in prompt.messages] == [
        "system", "user", "assistant", "user"
    ]  # fmt: skip
