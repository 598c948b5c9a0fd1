import asyncio
from collections.abc import Sequence

import pytest
from wyoming.asr import Transcript
from wyoming.client import AsyncClient
from wyoming.error import Error
from wyoming.event import Event, async_read_event, async_write_event
from wyoming.handle import Handled, HandledChunk, HandledStart, HandledStop, NotHandled
from wyoming.info import Describe, Info

from tests.llm.conftest import Service, Serving
from tests.llm.fakes import FakeLlm
from tests.support.wire import TIMEOUT_SECONDS, receive, receive_until

ENDS = ("handled-stop", "not-handled", "error")


async def ask(client: AsyncClient, text: str, **context: str) -> list[Event]:
    await client.write_event(Transcript(text=text, context=context or None).event())
    events = [await receive(client)]
    while events[-1].type not in ENDS:
        events.append(await receive(client))
    return events


def spoken(events: Sequence[Event]) -> str:
    return next(
        str(event.data["text"]) for event in events if event.type in ("handled", "not-handled")
    )


async def test_a_reply_is_streamed_and_then_comes_whole(client: AsyncClient) -> None:
    events = await ask(client, "hello there")

    chunks = [HandledChunk.from_event(e).text for e in events if HandledChunk.is_type(e.type)]
    assert HandledStart.is_type(events[0].type)
    assert "".join(chunks).strip() == "You said: hello there"
    assert Handled.from_event(events[-2]).text == "You said: hello there"
    assert HandledStop.is_type(events[-1].type)


async def test_a_conversation_is_remembered(client: AsyncClient, service: Service) -> None:
    await ask(client, "my name is Ada", conversation_id="one")
    await ask(client, "who am I", conversation_id="one")

    told = [message.content for message in service.engine.prompts[-1].messages]
    assert told[1:] == ["my name is Ada", "You said: my name is Ada", "who am I"]


async def test_conversations_are_kept_apart(client: AsyncClient, service: Service) -> None:
    await ask(client, "a secret", conversation_id="one")
    await ask(client, "what is it", conversation_id="two")

    told = [message.content for message in service.engine.prompts[-1].messages]
    assert told[1:] == ["what is it"]


async def test_a_conversation_is_its_client_s_alone(
    client: AsyncClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every address of loopback is one machine; here 127.0.0.2 stands for another one.
    monkeypatch.setattr(
        "wyoming_common.net.fairness.is_local", lambda address: address == "127.0.0.1"
    )
    await ask(client, "a secret", conversation_id="one")

    await _ask_from("127.0.0.2", service.uri, "what is it", conversation_id="one")

    told = [message.content for message in service.engine.prompts[-1].messages]
    assert told[1:] == ["what is it"]


async def _ask_from(address: str, uri: str, text: str, **context: str) -> None:
    host, _, port = uri.removeprefix("tcp://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port), local_addr=(address, 0))
    try:
        await async_write_event(Transcript(text=text, context=dict(context)).event(), writer)
        while (event := await async_read_event(reader)) and event.type not in ENDS:
            pass
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("key", ["conversation_id", "device_id"])
async def test_names_have_a_length(client: AsyncClient, key: str) -> None:
    events = await ask(client, "hello", **{key: "a" * 300})

    assert (
        Error.from_event(events[-1]).text == f"transcript: {key}: at most 256 characters, got 300"
    )


async def test_without_an_id_nothing_is_remembered(client: AsyncClient, service: Service) -> None:
    await ask(client, "a secret")
    await ask(client, "what is it")

    assert len(service.engine.prompts[-1].messages) == 2


async def test_an_interrupted_reply_is_remembered_as_heard(
    client: AsyncClient, service: Service
) -> None:
    await ask(client, "count to ten", conversation_id="one")
    await ask(client, "go on", conversation_id="one", heard="You said:")

    assert service.engine.prompts[-1].messages[2].content == "You said:"


async def test_the_turn_is_read_ahead_for_the_next_one(
    client: AsyncClient, service: Service
) -> None:
    await ask(client, "hello", conversation_id="one")
    await asyncio.to_thread(service.engine.settled.wait, TIMEOUT_SECONDS)

    assert service.engine.read_prompts[-1].messages[-1].content == "You said: hello"
    assert service.engine.read_prompts[-1].conversation == "/one"


@pytest.mark.parametrize("text", ["", "  ", "boo " * 30_000, "gone", "huge"])
async def test_a_turn_that_cannot_be_answered_gets_a_sentence(
    client: AsyncClient, text: str
) -> None:
    events = await ask(client, text)

    assert NotHandled.is_type(events[-1].type)
    assert (NotHandled.from_event(events[-1]).text or "").startswith("Sorry")
    assert spoken(await ask(client, "still there")) == "You said: still there"


async def test_a_bug_gets_an_error_and_the_connection_lives_on(client: AsyncClient) -> None:
    events = await ask(client, "boom")

    assert Error.from_event(events[-1]).code == "internal"
    assert spoken(await ask(client, "still there")) == "You said: still there"


async def test_hanging_up_ends_the_generation(service: Service) -> None:
    client = AsyncClient.from_uri(service.uri)
    await client.connect()
    await client.write_event(Transcript(text="forever").event())
    await receive_until(client, HandledChunk)

    await client.disconnect()

    assert await asyncio.to_thread(service.engine.closed.wait, TIMEOUT_SECONDS)


async def test_a_new_question_replaces_the_one_in_progress(
    client: AsyncClient, service: Service
) -> None:
    await client.write_event(Transcript(text="forever").event())
    await receive_until(client, HandledChunk)

    await client.write_event(Transcript(text="hello").event())

    event = await receive_until(client, Handled)
    assert Handled.from_event(event).text == "You said: hello"


async def test_an_endless_reply_ends_at_its_limit(serve_llm: Serving) -> None:
    async with serve_llm(max_tokens=20) as service, AsyncClient.from_uri(service.uri) as client:
        events = await ask(client, "forever")

    assert len(spoken(events).split()) <= 20


async def test_describe_is_answered_while_a_reply_runs(service: Service) -> None:
    async with (
        AsyncClient.from_uri(service.uri) as busy,
        AsyncClient.from_uri(service.uri) as other,
    ):
        await busy.write_event(Transcript(text="forever").event())
        await receive_until(busy, HandledChunk)

        await other.write_event(Describe().event())

        info = Info.from_event(await receive_until(other, Info))
        assert info.handle[0].supports_handled_streaming
        assert info.handle[0].installed
        assert info.handle[0].models[0].languages == []


async def test_more_clients_than_the_model_can_take_wait_their_turn(serve_llm: Serving) -> None:
    async with serve_llm(parallel=1) as service:

        async def one(number: int) -> str:
            async with AsyncClient.from_uri(service.uri) as client:
                return spoken(await ask(client, f"number {number}"))

        replies = await asyncio.gather(*(one(number) for number in range(5)))

    assert replies == [f"You said: number {number}" for number in range(5)]


@pytest.mark.parametrize(
    "data", [{}, {"text": 7}, {"text": None}, {"text": "hi", "context": "x"},
             {"text": "hi", "context": {"conversation_id": 5}}]
)  # fmt: skip
async def test_a_malformed_question_is_refused_by_name(
    client: AsyncClient, data: dict[str, object]
) -> None:
    await client.write_event(Event("transcript", data))

    assert Error.from_event(await receive_until(client, Error)).code == "bad-request"
    assert spoken(await ask(client, "still there")) == "You said: still there"


async def test_markdown_is_left_to_the_voice(serve_llm: Serving) -> None:
    written = "**Bold** and *soft* 🙂:\n- [one](http://x.y)\n- `two`"
    async with (
        serve_llm(FakeLlm([written])) as service,
        AsyncClient.from_uri(service.uri) as client,
    ):
        reply = spoken(await ask(client, "list"))

    assert reply.strip() == written


@pytest.mark.parametrize(
    "text",
    [
        "[BLANK_AUDIO]",
        "(wind blowing)",
        "\u266a\u266a",
        "*music*",
        "...",
        ".",
        "\u266a la la \u266a",
        "[inaudible]",
    ],
)
async def test_a_sound_that_a_recogniser_describes_is_no_question(
    client: AsyncClient, service: Service, text: str
) -> None:
    await client.write_event(Transcript(text=text).event())
    answer = NotHandled.from_event(await receive_until(client, NotHandled))

    assert answer.text == "Sorry, I did not hear anything."
    assert service.engine.prompts == []


@pytest.mark.parametrize(
    "text", ["what is up\n[Beep]", "[Music] what is up", "what is up (coughs)", "*beep* what is up"]
)
async def test_sounds_are_left_out_of_a_question(
    client: AsyncClient, service: Service, text: str
) -> None:
    assert spoken(await ask(client, text)) == "You said: what is up"


async def test_numbers_in_parentheses_stay(client: AsyncClient, service: Service) -> None:
    await ask(client, "tell me of Apollo (11) and [9]")

    assert service.engine.prompts[0].messages[-1].content == "tell me of Apollo (11) and [9]"
