"""Places for replies, fair between addresses."""

import asyncio
from collections.abc import AsyncIterator, Iterator

from tests.llm.fakes import FakeLlm
from wyoming_common.model_thread import ModelThread
from wyoming_common.net.fairness import as_client
from wyoming_llm.dialogue.generation_queue import GenerationQueue
from wyoming_llm.engine import Delta, LlmEngine, Message, Prompt, Sampling

HOME = "192.168.1.5"
STRANGER = "192.168.1.66"


class Endless(FakeLlm):
    """Never comes to the end of a reply."""

    def reply(self, prompt: Prompt, sampling: Sampling) -> Iterator[Delta]:
        if prompt.messages[-1].content == "short":
            yield Delta("Yes.", finish="stop")
        while True:
            yield Delta("and ")


async def ask(replies: GenerationQueue, client: str, text: str) -> list[Delta]:
    with as_client(client):
        prompt = Prompt((Message("user", text),))
        async with replies.stream(prompt, Sampling()) as deltas:
            return [delta async for delta in until_finished(deltas)]


async def until_finished(deltas: AsyncIterator[Delta]) -> AsyncIterator[Delta]:
    async for delta in deltas:
        yield delta
        if delta.finish:
            return


async def test_replies_without_end_give_way_to_another_address() -> None:
    model: ModelThread[LlmEngine] = ModelThread("test", Endless)
    replies = GenerationQueue(model, 2, pause=0, max_undisturbed=0.05)
    endless = [asyncio.create_task(ask(replies, STRANGER, "long")) for _ in range(4)]
    await asyncio.wait(endless, timeout=0.15)

    assert not any(task.done() for task in endless)
    answer = await ask(replies, HOME, "short")
    done, waiting = await asyncio.wait(endless, return_when=asyncio.FIRST_COMPLETED)

    assert [delta.text for delta in answer] == ["Yes."]
    assert {task.result()[-1].finish for task in done} == {"length"}
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await model.aclose()
