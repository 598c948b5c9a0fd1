"""Replies begun in secret, while it is not certain yet what was said."""

import asyncio
import threading
from collections.abc import Iterator

from wyoming.asr import Transcript
from wyoming.client import AsyncClient
from wyoming.event import Event
from wyoming.handle import Handled

from tests.llm.conftest import Service, Serving
from tests.llm.fakes import FakeLlm
from tests.wire import SECONDS, receive, receive_until
from wyoming_common.tentative import Tentative
from wyoming_llm.engine import Delta, Prompt, Sampling
from wyoming_llm.rehearsal import _MOST_DELTAS


async def suppose(client: AsyncClient, text: str, **context: str) -> None:
    await client.write_event(Tentative(text, None, context or None).event())


async def ask(client: AsyncClient, text: str, **context: str) -> str:
    await client.write_event(Transcript(text=text, context=context or None).event())
    return Handled.from_event(await receive_until(client, Handled)).text or ""


async def happened(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, SECONDS)


class Counting(FakeLlm):
    """Counts what it has written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = 0
        self.enough = threading.Event()

    def reply(self, prompt: Prompt, sampling: Sampling) -> Iterator[Delta]:
        for delta in super().reply(prompt, sampling):
            self.written += 1
            if self.written == _MOST_DELTAS:
                self.enough.set()
            yield delta


async def test_a_reply_that_was_begun_is_given_when_the_question_is_certain(
    client: AsyncClient, service: Service
) -> None:
    await suppose(client, "hello there", conversation_id="one")
    await happened(service.engine.closed)

    assert await ask(client, "hello there", conversation_id="one") == "You said: hello there"
    assert len(service.engine.prompts) == 1


async def test_a_reply_still_being_written_is_taken_over(serve_llm: Serving) -> None:
    engine = Counting()
    async with (
        serve_llm(engine, max_tokens=200) as service,
        AsyncClient.from_uri(service.uri) as client,
    ):
        await suppose(client, "for ever and forever")
        await happened(engine.enough)
        written = engine.written
        text = await ask(client, "for ever and forever")

    # As far ahead as may be, and no further until somebody wants it.
    assert written == _MOST_DELTAS
    assert len(text.split()) > _MOST_DELTAS
    assert len(engine.prompts) == 1


async def test_the_words_after_a_pause_are_answered_with_those_before(
    client: AsyncClient, service: Service
) -> None:
    await suppose(client, "turn on")
    await happened(service.engine.asked)

    assert await ask(client, "turn on the charm") == "You said: turn on the charm"


async def test_nothing_is_said_or_remembered_of_what_is_only_supposed(
    client: AsyncClient, service: Service
) -> None:
    await suppose(client, "a secret", conversation_id="one")
    await happened(service.engine.closed)
    await client.write_event(Transcript(text="hi", context={"conversation_id": "one"}).event())
    first = await receive(client)

    assert first.type == "handled-start"
    told = [message.content for message in service.engine.prompts[-1].messages]
    assert told[1:] == ["hi"]


async def test_what_is_taken_back_is_not_gone_on_with(
    client: AsyncClient, service: Service
) -> None:
    await suppose(client, "go on forever")
    await happened(service.engine.asked)
    await suppose(client, "")

    await happened(service.engine.closed)


async def test_hanging_up_ends_it(service: Service) -> None:
    async with AsyncClient.from_uri(service.uri) as client:
        await suppose(client, "go on forever")
        await happened(service.engine.asked)

    await happened(service.engine.closed)


async def test_it_makes_room_for_whoever_asks(client: AsyncClient, service: Service) -> None:
    await suppose(client, "go on forever")
    await happened(service.engine.asked)
    async with AsyncClient.from_uri(service.uri) as other:
        answer = await ask(other, "me first")

    assert answer == "You said: me first"
    assert service.engine.closed.is_set()


async def test_its_failure_is_told_to_nobody_who_has_not_asked(
    client: AsyncClient, service: Service
) -> None:
    await suppose(client, "the server is gone")
    await happened(service.engine.asked)
    answer = await ask(client, "hello there")

    assert answer == "You said: hello there"


async def test_it_can_be_switched_off(serve_llm: Serving) -> None:
    async with serve_llm(rehearse="off") as service:
        async with AsyncClient.from_uri(service.uri) as client:
            await suppose(client, "hello there")
            await ask(client, "something else")

        assert [prompt.messages[-1].content for prompt in service.engine.prompts] == [
            "something else"
        ]


async def test_what_was_heard_of_the_reply_before_counts_in_it(
    client: AsyncClient, service: Service
) -> None:
    await ask(client, "tell me a story", conversation_id="one")
    service.engine.closed.clear()
    await suppose(client, "stop that", conversation_id="one", heard="You said:")
    await happened(service.engine.closed)
    await ask(client, "stop that", conversation_id="one", heard="You said:")

    told = [message.content for message in service.engine.prompts[-1].messages]
    assert told[1:] == ["tell me a story", "You said:", "stop that"]
    assert len(service.engine.prompts) == 2


async def test_malformed_suppositions_are_refused_and_harm_nothing(client: AsyncClient) -> None:
    await client.write_event(Event("transcript-tentative", {"text": ["x"]}))
    refused = await receive(client)

    assert refused.type == "error"
    assert await ask(client, "hello") == "You said: hello"
