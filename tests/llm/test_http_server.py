"""The OpenAI-compatible server, by the official client; and our own engine behind it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import openai
import pytest

from tests.llm.fakes import FakeLlm
from tests.support.wire import TIMEOUT_SECONDS
from wyoming_common.errors import Unavailable
from wyoming_common.http.server import listening
from wyoming_common.model_thread import ModelThread
from wyoming_common.net.access import Access
from wyoming_llm.config import LlmSettings
from wyoming_llm.dialogue.generation_queue import GenerationQueue
from wyoming_llm.engine import Delta, LlmEngine, Message, Prompt, Sampling, ToolCall, Usage
from wyoming_llm.engines.openai.engine import OpenAiEngine
from wyoming_llm.http.requests import _Body
from wyoming_llm.http.server import OpenAiServer, http_uri

TOOLS: list[Any] = [
    {"type": "function", "function": {"name": "turn_on", "parameters": {"type": "object"}}}
]


class CallingLlm(FakeLlm):
    """Calls a function where it is offered one."""

    def reply(self, prompt: Prompt, sampling: Sampling) -> Iterator[Delta]:
        if not prompt.tools:
            yield from super().reply(prompt, sampling)
            return
        self.prompts.append(prompt)
        yield Delta(tool_calls=(ToolCall("c1", "turn_on", '{"name": "lamp"}'),))
        yield Delta(finish="tool_calls", usage=Usage(3, 0, 2))


@asynccontextmanager
async def door(engine: FakeLlm | None = None, key: str = "") -> AsyncIterator[str]:
    engine = engine or CallingLlm()
    model: ModelThread[LlmEngine] = ModelThread("llm", lambda: engine)
    opened = OpenAiServer(
        GenerationQueue(model, 4, pause=0), lambda: engine.model, lambda: model.loaded, key
    )
    async with listening(opened.app(Access()), "http://127.0.0.1:0", "http_uri") as uri:
        yield f"{uri}/v1"
    await model.aclose()


@asynccontextmanager
async def client(engine: FakeLlm | None = None) -> AsyncIterator[openai.AsyncOpenAI]:
    async with (
        door(engine) as url,
        openai.AsyncOpenAI(
            base_url=url, api_key="none", timeout=TIMEOUT_SECONDS, max_retries=0
        ) as client,
    ):
        yield client


def user(text: str) -> Any:
    return [{"role": "user", "content": text}]


async def test_the_official_client_gets_an_answer_with_its_usage() -> None:
    async with client() as ai:
        answer = await ai.chat.completions.create(model="any", messages=user("hello"))

    assert (answer.choices[0].message.content or "").strip() == "You said: hello"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 3


async def test_the_official_client_gets_a_stream() -> None:
    async with client() as ai:
        stream = await ai.chat.completions.create(
            model="any", messages=user("hi"), stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]

    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text.strip() == "You said: hi"
    assert chunks[-1].usage is not None
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"


@pytest.mark.parametrize("stream", [False, True])
async def test_functions_are_called(stream: bool) -> None:
    async with client() as ai:
        answer: Any = await ai.chat.completions.create(
            model="any", messages=user("lamp"), tools=TOOLS, tool_choice="required", stream=stream
        )
        if stream:
            chunks = [chunk async for chunk in answer]
            calls = [call for c in chunks for call in c.choices[0].delta.tool_calls or []]
            finish = chunks[-1].choices[0].finish_reason
        else:
            calls, finish = answer.choices[0].message.tool_calls, answer.choices[0].finish_reason

    assert [call.function.name for call in calls] == ["turn_on"]
    assert json.loads(calls[0].function.arguments) == {"name": "lamp"}
    assert finish == "tool_calls"


async def test_the_parameters_of_a_request_reach_the_model() -> None:
    engine = FakeLlm()
    schema = {"type": "object", "properties": {}}
    async with client(engine) as ai:
        create: Any = ai.chat.completions.create
        await create(
            model="any",
            messages=[
                {"role": "developer", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": "hi"}]},
            ],
            max_tokens=7, temperature=0.1, top_p=0.5, seed=3, stop=["x", "y"],
            frequency_penalty=0.5, presence_penalty=-1, logprobs=False, logit_bias={}, n=1,
            response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": schema}},
        )  # fmt: skip

    assert engine.prompts[0].messages == (Message("system", "Be brief."), Message("user", "hi"))
    assert engine.prompts[0].schema == schema
    assert engine.samplings[0] == Sampling(7, 0.1, 0.5, 3, None, ("x", "y"), 0.5, -1)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "cat", "content": "x"}]}, "role"),
        ({"messages": user("x"), "temperature": 9}, "temperature"),
        ({"messages": user("x"), "stop": ["y"] * 65}, "stop"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}] * 30_000}]}, "values"),
        ({"messages": user("x"), "tools": [[[[[[{}]]]]]] * 10_000}, "values"),
        ({"messages": user("x"), "n": 3}, "n"),
        ({"messages": user("x"), "tools": TOOLS, "tool_choice": "nothing"}, "tool_choice"),
        ({"messages": user("x"), "tools": TOOLS, "tool_choice": {"function": 1}}, "tool_choice"),
        ({"messages": user("x"), "tool_choice": "required"}, "tool_choice"),
        ({"messages": user("x"), "logprobs": True}, "logprobs"),
        ({"messages": user("x"), "top_logprobs": 3}, "top_logprobs"),
        ({"messages": user("x"), "logit_bias": {"1": -100}}, "logit_bias"),
        ({"messages": user("x"), "modalities": ["text", "audio"]}, "modalities"),
        ({"messages": user("x"), "functions": [{"name": "f"}]}, "functions"),
        ({"messages": user("x"), "web_search_options": {}}, "web_search_options"),
        ({"messages": user("x"), "presence_penalty": 3}, "presence_penalty"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "image_url"),
        ([1], "body"),
        ("huge", "messages"),
    ],
)
async def test_a_bad_request_is_refused_by_name(body: Any, named: str) -> None:
    async with (
        door() as url,
        aiohttp.ClientSession() as session,
        session.post(f"{url}/chat/completions", json=body) as answer,
    ):
        content = await answer.json()

    assert answer.status == 400
    assert named in content["error"]["message"] or named == "messages"


@pytest.mark.parametrize(("text", "status"), [("huge", 400), ("gone", 502)])
async def test_a_failure_has_its_status_also_for_a_stream(text: str, status: int) -> None:
    async with client() as ai:
        with pytest.raises(openai.APIStatusError) as failure:
            await ai.chat.completions.create(model="any", messages=user(text), stream=True)

    assert failure.value.status_code == status


async def test_the_model_is_listed() -> None:
    async with client() as ai:
        models = [model.id async for model in ai.models.list()]
        one = await ai.models.retrieve("fake")

    assert models == ["fake"]
    assert one.id == "fake"


async def test_without_the_key_only_health_is_told() -> None:
    async with door(key="secret") as url, aiohttp.ClientSession() as session:
        async with session.get(f"{url}/models") as refused:
            pass
        async with session.get(
            f"{url}/models", headers={"Authorization": "Bearer secret"}
        ) as granted:
            pass
        async with session.get(f"{url}/health") as health:
            state = await health.json()

    assert (refused.status, granted.status) == (401, 200)
    assert (health.status, state["status"]) == (503, "loading model")


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_leaves_ends_the_generation(stream: bool) -> None:
    engine = FakeLlm()
    async with door(engine) as url:
        async with aiohttp.ClientSession() as session:

            async def read() -> None:
                body = {"messages": user("forever"), "stream": stream}
                async with session.post(f"{url}/chat/completions", json=body) as answer:
                    await answer.read()

            asking = asyncio.create_task(read())
            await asyncio.to_thread(engine.asked.wait, TIMEOUT_SECONDS)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

        assert await asyncio.to_thread(engine.closed.wait, TIMEOUT_SECONDS)


def engine_at(url: str) -> OpenAiEngine:
    return OpenAiEngine(LlmSettings(engine="openai", base_url=url))


def ask(engine: OpenAiEngine, text: str, **prompt: Any) -> list[Delta]:
    return list(engine.reply(Prompt((Message("user", text),), **prompt), Sampling()))


async def test_our_engine_talks_to_an_openai_server() -> None:
    async with door() as url:
        engine = engine_at(url)
        await asyncio.to_thread(engine.load)
        words = await asyncio.to_thread(ask, engine, "hello")
        called = await asyncio.to_thread(ask, engine, "lamp", tools=tuple(TOOLS))
        engine.close()

    assert engine.model == "fake"
    assert "".join(delta.text for delta in words).strip() == "You said: hello"
    assert words[-1].usage.completion == 3
    assert [call.name for delta in called for call in delta.tool_calls] == ["turn_on"]
    assert called[-1].finish == "tool_calls"


async def test_leaving_our_engine_ends_the_reply_at_the_server() -> None:
    served = FakeLlm()

    def leave(engine: OpenAiEngine) -> None:
        deltas = engine.reply(Prompt((Message("user", "forever"),)), Sampling())
        while not next(deltas).text:
            pass
        deltas.close()  # type: ignore[attr-defined]

    async with door(served) as url:
        engine = engine_at(url)
        await asyncio.to_thread(leave, engine)

        assert await asyncio.to_thread(served.closed.wait, TIMEOUT_SECONDS)
        engine.close()


async def test_a_server_that_is_away_is_said_so_and_found_again() -> None:
    async with door() as url:
        engine = engine_at(url)
    await asyncio.to_thread(engine.load)

    with pytest.raises(Unavailable):
        await asyncio.to_thread(ask, engine, "hello")
    engine.close()


@pytest.mark.parametrize(
    ("uri", "given", "expected"),
    [
        ("tcp://0.0.0.0:10600", "", "http://0.0.0.0:8080"),
        ("tcp://[::]:10600", "", "http://[::]:8080"),
        ("tcp://127.0.0.1:0", "", ""),
        ("stdio://", "", ""),
        ("tcp://0.0.0.0:10600", "off", ""),
        ("stdio://", "http://127.0.0.1:9", "http://127.0.0.1:9"),
    ],
)
def test_where_the_door_is(uri: str, given: str, expected: str) -> None:
    assert http_uri(LlmSettings(uri=uri, http_uri=given)) == expected


BODIES = {
    "charset of no name": (b"{}", "application/json; charset=nosuch"),
    "charset that is no text": (b"{}", "application/json; charset=base64"),
    "UTF-16": ("{}".encode("utf-16"), "application/json; charset=utf-16"),
    "depth": (b"[" * 100_000, "application/json"),
    "a number of 5,000 digits": (b'{"seed": ' + b"9" * 5000 + b"}", "application/json"),
}


@pytest.mark.parametrize("name", BODIES)
async def test_a_body_that_cannot_be_read_is_the_clients_mistake(name: str) -> None:
    body, kind = BODIES[name]
    async with door() as url, aiohttp.ClientSession() as session:
        answer = await session.post(
            f"{url}/chat/completions", data=body, headers={"Content-Type": kind}
        )

        assert answer.status == 400


async def test_a_key_that_is_no_text_is_not_the_key() -> None:
    async with door(key="secret") as url:
        host, _, port = url.removeprefix("http://").removesuffix("/v1").rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            b"GET /v1/models HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \xff\xfe\r\n\r\n"
        )
        said = await asyncio.wait_for(reader.read(12), TIMEOUT_SECONDS)
        writer.transport.abort()

    assert said == b"HTTP/1.1 401"


async def test_a_page_of_another_site_may_not_ask_the_model() -> None:
    async with door() as url, aiohttp.ClientSession() as session:
        answer = await session.post(
            f"{url}/chat/completions",
            data=b'{"messages": [{"role": "user", "content": "hello"}]}',
            headers={"Content-Type": "text/plain", "Origin": "http://evil.example"},
        )

        assert answer.status == 403


async def post(url: str, body: Any, prefix: bytes = b"", slash: str = "") -> tuple[int, Any]:
    data = prefix + json.dumps(body).encode()
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/chat/completions{slash}", data=data) as answer,
    ):
        return answer.status, await answer.json()


def body(**more: Any) -> dict[str, Any]:
    return {"messages": user("hello")} | more


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize("limit", [-1, 0, None, 2])
async def test_a_limit_of_tokens_that_is_none_limits_nothing(name: str, limit: int | None) -> None:
    engine = FakeLlm()
    async with door(engine) as url:
        status, _ = await post(url, body(**{name: limit}))

    assert status == 200
    assert engine.samplings[0].max_tokens == (2 if limit == 2 else None)


@pytest.mark.parametrize("field", [*_Body.model_fields])
async def test_null_is_a_value_that_is_not_set(field: str) -> None:
    async with door() as url:
        status, _ = await post(url, body() | ({field: None} if field != "messages" else {}))

    assert status == 200


async def test_nulls_inside_messages_are_not_set_either() -> None:
    engine = FakeLlm()
    call = {"id": None, "type": None, "function": {"name": "turn_on", "arguments": None}}
    messages = [
        {
            "role": "user",
            "content": [{"type": "text", "text": None}, {"type": "text", "text": "a"}],
        },
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "done", "tool_call_id": None, "name": None},
        {"role": "user", "content": "b"},
    ]
    async with door(engine) as url:
        status, _ = await post(url, {"messages": messages, "model": None})

    assert status == 200
    assert [message.content for message in engine.prompts[0].messages] == ["a", "", "done", "b"]


async def test_a_byte_order_mark_and_a_slash_at_the_end_change_nothing() -> None:
    async with door() as url:
        status, _ = await post(url, body(), prefix=b"\xef\xbb\xbf", slash="/")
        async with aiohttp.ClientSession() as session, session.get(f"{url}/models/") as models:
            listed = models.status

    assert (status, listed) == (200, 200)


SCHEMA = {"type": "object", "properties": {"mood": {"enum": ["good", "bad"]}}}


@pytest.mark.parametrize(
    "asking",
    [
        {"response_format": {"type": "json_object", "schema": SCHEMA}},
        {"response_format": {"type": "json_schema", "schema": SCHEMA}},
        {"response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA}}},
        {"json_schema": SCHEMA},
        {"guided_json": SCHEMA},
        {"structured_outputs": {"json": SCHEMA}},
        {"format": SCHEMA},
        {"format": SCHEMA, "json_schema": SCHEMA},
    ],
    ids=json.dumps,
)
async def test_a_schema_is_obeyed_wherever_a_client_puts_it(asking: dict[str, Any]) -> None:
    engine = FakeLlm()
    async with door(engine) as url:
        status, _ = await post(url, body(**asking))

    assert status == 200
    assert engine.prompts[0].schema == SCHEMA


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("grammar", "root ::= [a-z]"),
        ("guided_regex", "[a-z]"),
        ("guided_grammar", "x"),
        ("guided_choice", ["a"]),
        ("structured_outputs", {"regex": "[a-z]"}),
        ("format", "yaml"),
        ("response_format", {"type": "grammar"}),
    ],
)
async def test_a_format_that_cannot_be_obeyed_is_refused_by_name(name: str, value: Any) -> None:
    async with door() as url:
        status, said = await post(url, body(**{name: value}))

    assert status == 400
    assert name in said["error"]["message"]


async def test_two_schemas_that_differ_are_refused() -> None:
    async with door() as url:
        status, said = await post(url, body(guided_json=SCHEMA, json_schema={"type": "string"}))

    assert status == 400
    assert "one schema" in said["error"]["message"]
