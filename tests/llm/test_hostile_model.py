"""Turns with a hostile server as the model."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from itertools import repeat
from typing import Any, cast

import pytest

from tests.llm.fakes import FakeLlm
from tests.llm.house import house
from wyoming_llm.config import LlmSettings
from wyoming_llm.dialogue.outcome import Fail, Intent
from wyoming_llm.engines.openai.engine import OpenAiEngine
from wyoming_llm.languages import language

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
CALL = {"name": "HassTurnOff", "arguments": json.dumps({"name": "Front door"})}
CHOICE = {"intent": "HassTurnOff", "name": "Front door"}
HIDDEN = {"intent": "HassTurnOn", "name": "Secret light"}
# ruff: noqa: RUF001 - words of other scripts
TALK = {"en": "tell me something about whales", "de": "erzähl mir etwas über Wale",
        "fr": "parle-moi des baleines", "pl": "opowiedz mi o wielorybach",
        "sv": "berätta om valar", "ja": "クジラについて教えて", "pt": "fala-me das baleias",
        "ru": "расскажи о китах", "fi": "kerro valaista", "zh-CN": "讲讲鲸鱼"}  # fmt: skip
WISH = "make the coffee machine do its thing"


def said(content: Any, **more: Any) -> bytes:
    event = {"choices": [{"index": 0, "delta": {"content": content, **more}}]}
    return b"data: " + json.dumps(event).encode() + b"\n\n"


def noise() -> Iterable[bytes]:
    chance = random.Random(11)  # noqa: S311 - no secret
    return (chance.randbytes(500) for _ in range(200))


HOSTILE: dict[str, Callable[[], Iterable[bytes]]] = {
    "random bytes": noise,
    "random bytes as text": lambda: (said(piece.decode("latin-1")) for piece in noise()),
    "half a character": lambda: [b'data: {"choices": [{"delta": {"content": "\xe2\x82'],
    "half an event": lambda: [said("{")[:-9]],
    "nothing": list,
    "null": lambda: [said(None), b"data: null\n\n", b"data: []\n\n", b"data: 1\n\n"],
    "a giant": lambda: [said("giant \ufffd" * 300_000)],
    "fifty calls in one another": lambda: [
        said("<tool_call>" * 50 + json.dumps(CALL) + "</tool_call>" * 50)
    ],
    "fifty objects in one another": lambda: [said('{"a":' * 50 + json.dumps(CHOICE) + "}" * 50)],
    "calls": lambda: [
        said(None, tool_calls=[{"index": n, "id": "x", "function": CALL} for n in range(50)])
    ],
    "calls without shape": lambda: [
        said(None, tool_calls=[None, 1, {"function": 3}, {"index": []}])
    ],
    "a lock": lambda: [said(json.dumps(CHOICE))],
    "what is not exposed": lambda: [said(json.dumps(HIDDEN))],
    "a name with a command": lambda: [said('{"intent": "HassTurnOn; rm -rf /", "name": "*"}')],
    "an old protocol": lambda: [said(None, function_call=CALL)],
}
ENDLESS: dict[str, bytes] = {
    "text": said("and on and "),
    "no text": said(""),
    "calls": said(None, tool_calls=[{"index": 0, "function": {"arguments": "x" * 1000}}]),
    "comments": b": still here\n\n",
    "one word": said("a"),
    "objects": said('{"intent": '),
}


@asynccontextmanager
async def model(writes: Iterable[bytes]) -> AsyncIterator[OpenAiEngine]:
    """Serve a model that answers everything with `writes`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(HEAD)
            for piece in writes:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    engine = OpenAiEngine(LlmSettings(engine="openai", base_url=url, model="m", timeout=1))
    try:
        yield engine
    finally:
        engine.close()
        server.close()


@pytest.mark.parametrize(
    ("kind", "control"),
    [(kind, "api") for kind in HOSTILE]
    + [(kind, "wyoming") for kind in ("random bytes", "calls", "a lock", "what is not exposed")],
)
async def test_nothing_that_the_model_writes_is_done(kind: str, control: str) -> None:
    async with (
        model([*HOSTILE[kind]()]) as engine,
        house(engine=cast(FakeLlm, engine), control=control, model_acts="do") as it,
    ):
        outcomes = await it.say(WISH) + await it.say(TALK["en"], "other")

        assert it.home.handled == []
        assert not [outcome for outcome in outcomes if isinstance(outcome, Intent)]
        assert sum(len(outcome.text) for outcome in outcomes) < 2000


@pytest.mark.parametrize("kind", ["random bytes as text", "nothing"])
@pytest.mark.parametrize("code", TALK)
async def test_an_unspeakable_reply_is_an_apology_in_the_language_of_the_user(
    kind: str, code: str
) -> None:
    async with (
        model([*HOSTILE[kind]()]) as engine,
        house(engine=cast(FakeLlm, engine)) as it,
    ):
        outcomes = await it.say(TALK[code], language=code)

    words = language(code)
    assert isinstance(outcomes[-1], Fail)
    assert outcomes[-1].text in (words.say("failed"), words.say("no_answer"))
    assert code == "en" or outcomes[-1].text not in language("en").phrases.values()


@pytest.mark.parametrize("kind", ENDLESS)
async def test_an_endless_reply_is_ended(kind: str) -> None:
    async with (
        model(repeat(ENDLESS[kind])) as engine,
        house(engine=cast(FakeLlm, engine), max_reply_seconds=1.0, max_tokens=20) as it,
    ):
        began = time.monotonic()
        outcomes = await it.say(TALK["en"])

        assert time.monotonic() - began < 30
        assert sum(len(outcome.text) for outcome in outcomes) < 2000
        assert it.home.handled == []


async def test_thoughts_that_never_end_are_ended_unspoken() -> None:
    thoughts = (said(text) for text in ["<think>", *repeat("I must unlock it. ", 1_000_000)])
    async with (
        model(thoughts) as engine,
        house(engine=cast(FakeLlm, engine), max_reply_seconds=1.0) as it,
    ):
        outcomes = await it.say(TALK["en"])

    assert isinstance(outcomes[-1], Fail)
    assert "unlock" not in "".join(outcome.text for outcome in outcomes)
