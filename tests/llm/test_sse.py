"""The `openai` engine in front of servers that are slow, strange or broken."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from tests.support.wire import TIMEOUT_SECONDS
from wyoming_common.errors import ServiceError, TimedOut, Unavailable
from wyoming_llm.config import LlmSettings
from wyoming_llm.engine import Delta, Message, Prompt, Sampling
from wyoming_llm.engines.openai.engine import OpenAiEngine

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
TOOL = {"type": "function", "function": {"name": "a"}}
PROMPT = Prompt((Message("user", "x"),), (TOOL,))


def events(*contents: Any) -> bytes:
    lines = (one if isinstance(one, bytes) else json.dumps(one).encode() for one in contents)
    return HEAD + b"".join(b"data: " + line + b"\n\n" for line in lines)


def words(text: str) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text}}]}


@asynccontextmanager
async def server(answer: bytes | None) -> AsyncIterator[OpenAiEngine]:
    """Serve `answer` to every client, None for silence."""
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            if answer is None:
                await over.wait()
            else:
                writer.write(answer)
                await writer.drain()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    url = f"http://127.0.0.1:{port}/v1"
    engine = OpenAiEngine(LlmSettings(engine="openai", base_url=url, model="m", timeout=0.5))
    try:
        yield engine
    finally:
        engine.close()
        over.set()
        listening.close()
        await listening.wait_closed()


async def reply(answer: bytes | None) -> list[Delta]:
    async with server(answer) as engine:
        asking = asyncio.to_thread(lambda: list(engine.reply(PROMPT, Sampling())))
        return await asyncio.wait_for(asking, TIMEOUT_SECONDS)


def text(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas)


async def test_a_reply_that_comes_whole_is_taken() -> None:
    message = {"role": "assistant", "content": "Good day."}
    usage = {"prompt_tokens": 3, "completion_tokens": 2}
    whole = {"choices": [{"message": message, "finish_reason": "length"}], "usage": usage}

    deltas = await reply(PLAIN + json.dumps(whole, indent=1).encode())

    assert text(deltas) == "Good day."
    assert deltas[-1].finish == "length"
    assert deltas[-1].usage.completion == 2


async def test_functions_called_in_a_reply_that_comes_whole_stay_apart() -> None:
    calls = [
        {"id": "1", "function": {"name": "a", "arguments": "{}"}},
        {"id": "2", "function": {"name": "b", "arguments": {"x": 1}}},
    ]
    whole = {"choices": [{"message": {"content": None, "tool_calls": calls}}]}

    deltas = await reply(PLAIN + json.dumps(whole).encode())

    called = [call for delta in deltas for call in delta.tool_calls]
    assert [(call.name, call.arguments) for call in called] == [("a", "{}"), ("b", '{"x": 1}')]


ODD: dict[str, list[Any]] = {
    "lists": [[1, 2], "x", None, 7],
    "choices": [{"choices": "no"}, {"choices": [None, 1, {"delta": [1]}]}],
    "content": [{"choices": [{"delta": {"content": 5, "tool_calls": "x"}}]}],
    "calls": [{"choices": [{"delta": {"tool_calls": [None, {"index": "a", "function": "f"}]}}]}],
    "numbers": [{"choices": [{"delta": {"tool_calls": [{"index": -4, "id": 5}]}}]}],
    "finish": [{"choices": [{"finish_reason": {"a": 1}}]}],
    "usage": [{"usage": {"prompt_tokens": "x", "prompt_tokens_details": [1]}}],
    "no JSON": [b"{{{"],
    "depth": [b"[" * 100_000],
}


@pytest.mark.parametrize("name", ODD)
async def test_events_that_make_no_sense_are_left_out(name: str) -> None:
    deltas = await reply(events(*ODD[name], words("Fine."), b"[DONE]"))

    assert text(deltas) == "Fine."
    assert deltas[-1].finish == "stop"


MANY = [
    {"choices": [{"delta": {"tool_calls": [{"index": n, "function": {"name": "f"}}]}}]}
    for n in range(1000)
]
LONG = [{"choices": [{"delta": {"tool_calls": [{"function": {"arguments": "x" * 400_000}}]}}]}] * 3
FAILURES = {
    "nothing": b"",
    "an empty answer": PLAIN,
    "a page": PLAIN + b"<html>\n<b>Log in</b></html>",
    "a failure": b"HTTP/1.1 500 X\r\nConnection: close\r\n\r\n<html>\n<b>boom</b></html>",
    "a wrong key": b'HTTP/1.1 401 X\r\nConnection: close\r\n\r\n{"error": "key"}',
    "another place": b"HTTP/1.1 302 X\r\nLocation: /x\r\nConnection: close\r\n\r\n",
    "no HTTP": b"\x00\xff\x13garbage\r\n\r\n" * 10,
    "cut short": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\ndata: {",
    "a line without end": HEAD + b"data: " + b"x" * 1_500_000,
    "functions without end": events(*MANY, b"[DONE]"),
    "arguments without end": events(*LONG, b"[DONE]"),
    "what it says itself": events(words("a"), {"error": {"message": "out of\nmemory"}}),
}


@pytest.mark.parametrize("name", FAILURES)
async def test_a_failure_is_one_line(name: str) -> None:
    with pytest.raises(Unavailable) as failure:
        await reply(FAILURES[name])

    assert "\n" not in str(failure.value)
    assert len(str(failure.value)) < 400


async def test_a_silent_server_is_not_waited_for_longer_than_was_set() -> None:
    with pytest.raises(TimedOut):
        await reply(None)


@pytest.mark.parametrize("url", ["http://[::", "http://no name/v1", "http://127.0.0.1:99999/v1"])
def test_an_address_that_is_none_ends_the_reply(url: str) -> None:
    engine = OpenAiEngine(LlmSettings(engine="openai", base_url=url, model="m", timeout=0.5))

    with pytest.raises(ServiceError):
        list(engine.reply(PROMPT, Sampling()))
    engine.close()
