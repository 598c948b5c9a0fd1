"""The speaker of a turn: in the prompt, with a history of their own, and never made up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network

import pytest
from wyoming.client import AsyncClient
from wyoming.event import Event, async_read_event, async_write_event

from tests.llm.conftest import Service
from tests.llm.house import house
from tests.llm.test_handler import ask
from wyoming_common.discovery import apps
from wyoming_common.discovery.apps import AppsBeside
from wyoming_common.protocol.spoken_by import SpokenBy, WhoSpoke
from wyoming_llm.dialogue.speakers import AskedSpeakers, ClaimedSpeakers, FoundSpeakers, speakers_of


async def test_the_prompt_names_who_speaks(client: AsyncClient, service: Service) -> None:
    await ask(client, "hello there", speaker="Anna")
    assert "You are talking to Anna." in service.engine.prompts[-1].messages[0].content

    await ask(client, "good day", speaker="guest")
    assert "You are talking to" not in service.engine.prompts[-1].messages[0].content


async def test_a_person_without_a_conversation_goes_on_with_their_own(
    client: AsyncClient, service: Service
) -> None:
    await ask(client, "tell me about whales", speaker="Anna")
    await ask(client, "tell me about owls", speaker="Ben")
    await ask(client, "and how old do they get", speaker="Anna")

    asked = [m.content for m in service.engine.prompts[-1].messages if m.role == "user"]
    assert asked == ["tell me about whales", "and how old do they get"]


@pytest.mark.parametrize("context", [{}, {"speaker": "guest"}])
async def test_a_guest_has_no_history(
    client: AsyncClient, service: Service, context: dict[str, str]
) -> None:
    await ask(client, "tell me about whales", **context)
    await ask(client, "and how old do they get", **context)

    asked = [m.content for m in service.engine.prompts[-1].messages if m.role == "user"]
    assert asked == ["and how old do they get"]


async def test_another_person_in_one_conversation_is_introduced_to_the_model(
    client: AsyncClient, service: Service
) -> None:
    for speaker in ("Anna", "Ben"):
        await ask(client, f"hello from {speaker}", speaker=speaker, conversation_id="one")

    messages = service.engine.prompts[-1].messages
    assert "You are talking to Ben." in messages[0].content
    assert messages[1].content == "hello from Anna"


async def test_an_answer_to_one_person_is_not_repeated_to_another() -> None:
    async with house() as it:
        for speaker in ("Anna", "Ben"):
            await it.say("why do whales sing", speaker, speaker=speaker)

    assert len(it.engine.prompts) == 2


@pytest.mark.parametrize("speaker", [5, None, ["Anna"], {"a": 1}, "x" * 100, "guest"])
async def test_a_claim_that_is_no_name_is_nobody_s(speaker: object) -> None:
    assert await ClaimedSpeakers().of("hello", {"speaker": speaker}, last=True) == ""


@asynccontextmanager
async def recogniser(answer: Event | None, *, hangs_up: bool = False) -> AsyncIterator[str]:
    """A speech-to-text service that gives one answer; None is silence. Yields its URI."""

    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        event = await async_read_event(reader)
        assert event is not None
        assert WhoSpoke.from_event(event).text == "hello"
        if answer is not None:
            await async_write_event(answer, writer)
        if not hangs_up:
            await reader.read()
        writer.close()
        await writer.wait_closed()
        ended.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await ended.wait()


@pytest.mark.parametrize(
    ("answer", "speaker"),
    [
        (SpokenBy("Anna").event(), "Anna"),
        (SpokenBy("guest").event(), ""),
        (SpokenBy(None).event(), ""),
        (Event("spoken-by", {"speaker": {"a": 1}}), ""),
    ],
)
async def test_speech_to_text_is_believed_and_the_client_is_not(
    answer: Event, speaker: str
) -> None:
    async with recogniser(answer) as uri:
        assert await AskedSpeakers(uri, 10).of("hello", {"speaker": "Ben"}, last=True) == speaker


async def test_speech_to_text_that_hangs_up_or_is_silent_leaves_a_guest() -> None:
    async with recogniser(None, hangs_up=True) as uri:
        assert await AskedSpeakers(uri, 10).of("hello", {"speaker": "Ben"}, last=True) == ""
    async with recogniser(None) as uri:
        assert await AskedSpeakers(uri, 0.01).of("hello", {"speaker": "Ben"}, last=True) == ""
    assert await AskedSpeakers(uri, 10).of("hello", {"speaker": "Ben"}, last=True) == ""


async def test_the_app_beside_this_one_is_asked_as_soon_as_it_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, running = 0.0, False

    async def resolve(_: str) -> set[str]:
        return {"127.0.0.1"} if running else set()

    monkeypatch.setattr("wyoming_common.discovery.apps.NETWORK", ip_network("127.0.0.0/8"))
    speakers = FoundSpeakers(AppsBeside("1a2b3c4d-parley-llm", resolve), lambda: now)

    async def speaker() -> str:
        return await speakers.of("hello", {"speaker": "Ben"}, last=True)

    async with recogniser(SpokenBy("Anna").event()) as uri:
        port = int(uri.rpartition(":")[2])
        monkeypatch.setitem(apps.PORTS, "stt", port)
        assert await speaker() == "Ben"
        running = True
        assert await speaker() == "Ben", "searched too often"
        now = 61.0
        assert await speaker() == "Anna"
    running = False
    assert await speaker() == "", "a claim is believed while the app is away"


async def test_a_search_that_takes_long_keeps_no_turn_waiting() -> None:
    async def resolve(_: str) -> set[str]:
        await asyncio.Event().wait()
        return set()

    speakers = FoundSpeakers(AppsBeside("1a2b3c4d-parley-llm", resolve))
    async with asyncio.timeout(1.0):
        assert await speakers.of("hello", {"speaker": "Ben"}, last=True) == "Ben"


async def test_a_name_server_that_is_silent_later_makes_the_speaker_a_guest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    silent = False

    async def resolve(_: str) -> set[str]:
        if silent:
            await asyncio.Event().wait()
        return {"127.0.0.1"}

    monkeypatch.setattr("wyoming_common.discovery.apps.NETWORK", ip_network("127.0.0.0/8"))
    speakers = FoundSpeakers(AppsBeside("1a2b3c4d-parley-llm", resolve))
    async with recogniser(SpokenBy("Anna").event()) as uri:
        monkeypatch.setitem(apps.PORTS, "stt", int(uri.rpartition(":")[2]))
        assert await speakers.of("hello", {"speaker": "Ben"}, last=True) == "Anna"
        silent = True
        async with asyncio.timeout(1.5):
            assert await speakers.of("hello", {"speaker": "Ben"}, last=True) == ""


def test_a_setting_comes_before_an_app_and_outside_of_apps_clients_are_believed() -> None:
    beside = AppsBeside("1a2b3c4d-parley-llm")
    assert isinstance(speakers_of("tcp://127.0.0.1:1", beside), AskedSpeakers)
    assert isinstance(speakers_of("", beside), FoundSpeakers)
    assert isinstance(speakers_of("", AppsBeside("a-machine")), ClaimedSpeakers)
