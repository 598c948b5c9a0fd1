"""The OpenAI-compatible server with the real model, by the official client."""

import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
import pytest_asyncio

from tests.engines.llm_engine import LlmModel, create
from wyoming_common.http.server import listening
from wyoming_common.model_thread import ModelThread
from wyoming_common.net.access import Access
from wyoming_llm.dialogue.generation_queue import GenerationQueue
from wyoming_llm.engine import LlmEngine
from wyoming_llm.http.server import OpenAiServer

pytestmark = pytest.mark.asyncio(loop_scope="module")
ROOMS = ["kitchen", "bedroom"]
TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": f"{name} a light",
            "parameters": {
                "type": "object",
                "properties": {"room": {"type": "string", "enum": ROOMS}},
                "required": ["room"],
            },
        },
    }
    for name in ("turn_on", "turn_off")
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ai(
    llm_model: LlmModel, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[openai.AsyncOpenAI]:
    folder = tmp_path_factory.mktemp("prompts")
    engine = create(llm_model.settings(folder, context=2048))

    def load() -> LlmEngine:
        engine.load()
        return engine

    model: ModelThread[LlmEngine] = ModelThread("llm", load)
    door = OpenAiServer(GenerationQueue(model, 2), lambda: engine.model, lambda: model.loaded)
    async with (
        listening(door.app(Access()), "http://127.0.0.1:0", "http_uri") as uri,
        openai.AsyncOpenAI(base_url=f"{uri}/v1", api_key="none", max_retries=0) as client,
    ):
        yield client
    await model.aclose()


async def ask(ai: openai.AsyncOpenAI, text: str, **more: Any) -> Any:
    given = {"model": "any", "max_tokens": 60, "temperature": 0} | more
    create: Any = ai.chat.completions.create
    return await create(messages=[{"role": "user", "content": text}], **given)


async def test_a_function_is_called_with_what_its_schema_allows(ai: openai.AsyncOpenAI) -> None:
    answer = await ask(ai, "Light the kitchen", tools=TOOLS, tool_choice="required")

    (call,) = answer.choices[0].message.tool_calls[:1]
    assert answer.choices[0].finish_reason == "tool_calls"
    assert call.function.name in ("turn_on", "turn_off")
    assert json.loads(call.function.arguments)["room"] in ROOMS


async def test_the_one_function_that_is_named_is_called(ai: openai.AsyncOpenAI) -> None:
    choice = {"type": "function", "function": {"name": "turn_off"}}

    answer = await ask(ai, "Light the kitchen", tools=TOOLS, tool_choice=choice)

    assert {call.function.name for call in answer.choices[0].message.tool_calls} == {"turn_off"}


async def test_no_function_is_called_where_none_may_be(ai: openai.AsyncOpenAI) -> None:
    answer = await ask(ai, "Light the kitchen", tools=TOOLS, tool_choice="none")

    assert not answer.choices[0].message.tool_calls
    assert answer.choices[0].message.content


@pytest.mark.parametrize(
    "wanted",
    [
        {"type": "json_object"},
        {
            "type": "json_schema",
            "json_schema": {
                "name": "mood",
                "schema": {
                    "type": "object",
                    "properties": {"mood": {"enum": ["good", "bad"]}},
                    "required": ["mood"],
                    "additionalProperties": False,
                },
            },
        },
    ],
)
async def test_an_answer_has_the_format_asked_for(ai: openai.AsyncOpenAI, wanted: Any) -> None:
    answer = await ask(
        ai, "Describe your mood as JSON.", response_format=wanted, temperature=1, max_tokens=200
    )

    if answer.choices[0].finish_reason == "stop":
        content = json.loads(answer.choices[0].message.content)
        assert isinstance(content, dict)
        if wanted["type"] == "json_schema":
            assert content["mood"] in ("good", "bad")


async def test_a_stop_word_ends_the_answer_and_is_left_out(ai: openai.AsyncOpenAI) -> None:
    whole = (await ask(ai, "What is the capital of France?")).choices[0]
    word = whole.message.content.split()[2]

    cut = (await ask(ai, "What is the capital of France?", stop=[word])).choices[0]

    assert cut.finish_reason == "stop"
    assert cut.message.content == whole.message.content[: whole.message.content.index(word)]


async def test_usage_counts_what_was_read_and_written(ai: openai.AsyncOpenAI) -> None:
    answer = await ask(ai, "Tell me about rivers.", max_tokens=5)
    again = await ask(ai, "Tell me about rivers.", max_tokens=5)

    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 5
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + 5
    assert again.usage.prompt_tokens_details.cached_tokens > 0


@pytest.mark.parametrize("usage", [False, True])
async def test_a_stream_says_the_same_and_its_usage_only_when_asked(
    ai: openai.AsyncOpenAI, usage: bool
) -> None:
    whole = await ask(ai, "Name a colour.", max_tokens=12)

    stream = await ask(
        ai, "Name a colour.", max_tokens=12, stream=True, stream_options={"include_usage": usage}
    )
    chunks = [chunk async for chunk in stream]

    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert [chunk.usage is not None for chunk in chunks][-1] is usage


async def test_functions_are_streamed_too(ai: openai.AsyncOpenAI) -> None:
    stream = await ask(ai, "Light it", tools=TOOLS, tool_choice="required", stream=True)

    chunks = [chunk async for chunk in stream]

    calls = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or []]
    assert calls[0].id
    assert json.loads(calls[0].function.arguments)["room"] in ROOMS
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


async def test_the_answer_of_a_function_is_read(ai: openai.AsyncOpenAI) -> None:
    call = {
        "id": "c1",
        "type": "function",
        "function": {"name": "turn_on", "arguments": '{"room": "kitchen"}'},
    }
    messages: list[Any] = [
        {"role": "user", "content": "Light the kitchen"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": '{"success": true}'},
    ]

    answer = await ai.chat.completions.create(
        model="any", messages=messages, tools=TOOLS, max_tokens=40, temperature=0
    )

    assert answer.choices[0].message.content or answer.choices[0].message.tool_calls


TREE = {
    "type": "object",
    "properties": {"why": {"type": "string", "maxLength": 20}, "next": {"$ref": "#/$defs/Next"}},
    "required": ["why", "next"],
}


async def test_a_schema_may_refer_to_itself_and_keeps_its_order(ai: openai.AsyncOpenAI) -> None:
    follows = {"anyOf": [{"$ref": "#/$defs/Tree"}, {"type": "null"}]}
    schema = {"$ref": "#/$defs/Tree", "$defs": {"Tree": TREE, "Next": follows}}
    wanted = {"type": "json_schema", "json_schema": {"name": "tree", "schema": schema}}

    answer = await ask(ai, "Give reasons.", response_format=wanted, max_tokens=60)

    assert answer.choices[0].message.content.replace(" ", "").startswith('{"why":"')


async def test_functions_with_definitions_of_their_own(ai: openai.AsyncOpenAI) -> None:
    tools: list[Any] = [
        {
            "type": "function",
            "function": {
                "name": name,
                "parameters": {
                    "type": "object",
                    "properties": {"room": {"$ref": "#/$defs/Room"}},
                    "required": ["room"],
                    "$defs": {"Room": {"enum": [f"{name} room"]}},
                },
            },
        }
        for name in ("first", "second")
    ]
    choice = {"type": "function", "function": {"name": "second"}}

    answer = await ask(ai, "Go", tools=tools, tool_choice=choice)

    (call,) = answer.choices[0].message.tool_calls
    assert json.loads(call.function.arguments) == {"room": "second room"}


async def test_a_word_said_often_becomes_unlikely_where_that_is_asked_for(
    ai: openai.AsyncOpenAI,
) -> None:
    text = "Say the word lamp again and again: lamp lamp lamp lamp lamp"

    plain = (await ask(ai, text, max_tokens=40)).choices[0].message.content
    other = (await ask(ai, text, max_tokens=40, frequency_penalty=2)).choices[0].message.content

    assert other != plain


async def test_a_schema_without_end_is_the_clients_mistake(ai: openai.AsyncOpenAI) -> None:
    schema = {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}

    with pytest.raises(openai.BadRequestError):
        await ask(ai, "x", response_format=wanted)
