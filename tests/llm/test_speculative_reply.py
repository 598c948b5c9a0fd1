"""Replies begun in secret, while it is not certain yet what was said."""

import asyncio
import itertools
import threading
from collections.abc import Iterator

from wyoming.asr import Transcript
from wyoming.client import AsyncClient
from wyoming.event import Event
from wyoming.handle import Handled

from tests.llm.conftest import Service, Serving
from tests.llm.fakes import FakeLlm
from tests.support.wire import TIMEOUT_SECONDS, receive, receive_until
from wyoming_common.protocol.interim_reply import WANTS_INTERIM_REPLY, InterimReply
from wyoming_common.protocol.interim_transcript import InterimTranscript
from wyoming_llm.dialogue.speculative_reply import MAX_DELTAS_AHEAD
from wyoming_llm.engine import Delta, Prompt, Sampling


async def suppose(client: AsyncClient, text: str, **context: str) -> None:
    await client.write_event(InterimTranscript(text, None, context or None).event())


async def ask(client: AsyncClient, text: str, **context: str) -> str:
    await client.write_event(Transcript(text=text, context=context or None).event())
    return Handled.from_event(await receive_until(client, Handled)).text or ""


async def happened(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, TIMEOUT_SECONDS)


class Counting(FakeLlm):
    """Counts what it has written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = 0
        self.enough = threading.Event()

    def reply(self, prompt: Prompt, sampling: Sampling) -> Iterator[Delta]:
        for delta in super().reply(prompt, sampling):
            self.written += 1
            if self.written == MAX_DELTAS_AHEAD:
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

    # The buffer is full, and stays so until the reply is taken.
    assert written == MAX_DELTAS_AHEAD
    assert len(text.split()) > MAX_DELTAS_AHEAD
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


async def test_a_withdrawn_question_ends_the_speculation(
    client: AsyncClient, service: Service
) -> None:
    await suppose(client, "go on forever")
    await happened(service.engine.asked)
    await suppose(client, "")

    await happened(service.engine.closed)


async def test_hanging_up_ends_the_speculation(service: Service) -> None:
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


async def test_the_spoken_part_of_the_last_reply_counts_in_a_speculation(
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


async def told(client: AsyncClient, text: str, **context: str) -> list[InterimReply]:
    """Suppose `text`, and return what is told of the reply until that is whole."""
    asked = {**context, WANTS_INTERIM_REPLY: True}
    await client.write_event(InterimTranscript(text, None, asked).event())
    replies: list[InterimReply] = []
    while not replies or not replies[-1].whole:
        replies.append(InterimReply.from_event(await receive_until(client, InterimReply)))
    return replies


async def test_a_client_that_asks_is_told_what_the_reply_begins_with(client: AsyncClient) -> None:
    replies = await told(client, "why are we here")

    assert {reply.transcript for reply in replies} == {"why are we here"}
    texts = [reply.text for reply in replies]
    assert all(later.startswith(text) for text, later in itertools.pairwise(texts))
    assert texts[-1] == await ask(client, "why are we here")


async def test_a_computed_answer_is_told_whole_and_at_once(
    client: AsyncClient, service: Service
) -> None:
    [reply] = await told(client, "what is 6 times 7")

    assert reply.text == await ask(client, "what is 6 times 7")
    assert not service.engine.prompts


async def test_a_reply_that_may_not_be_said_is_not_told_as_whole(serve_llm: Serving) -> None:
    engine = FakeLlm(["I have turned on the kitchen light for you."] * 2)
    async with serve_llm(engine) as service, AsyncClient.from_uri(service.uri) as client:
        asked = {WANTS_INTERIM_REPLY: True}
        await client.write_event(InterimTranscript("make it brighter", None, asked).event())
        await happened(engine.closed)
        await client.write_event(Transcript(text="make it brighter").event())
        kinds: list[str] = []
        while not kinds or kinds[-1] not in ("handled", "not-handled"):
            kinds.append((await receive(client)).type)

    assert "handled-tentative" not in kinds
