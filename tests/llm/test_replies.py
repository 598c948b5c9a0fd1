"""Who would have to wait too long for an answer is told so at once."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.llm.fakes import FakeLlm
from wyoming_common.errors import Busy
from wyoming_common.turns import as_client
from wyoming_common.worker import ModelThread
from wyoming_llm.engine import LlmEngine, Message, Prompt, Sampling
from wyoming_llm.replies import Replies

PROMPT = Prompt((Message("user", "how are you"),))


@pytest_asyncio.fixture
async def replies() -> AsyncIterator[Replies]:
    """With a place for one, and what one reply took is known."""
    engine = FakeLlm()
    model: ModelThread[LlmEngine] = ModelThread("llm", lambda: engine)
    replies = Replies(model, 1, pause=0)
    await answer(replies)
    yield replies
    await model.aclose()


async def answer(replies: Replies, patience: float = 60.0) -> str:
    async with replies.stream(PROMPT, Sampling(), patience=patience) as deltas:
        return "".join([delta.text async for delta in deltas])


async def test_an_answer_that_is_too_far_away_is_refused_at_once(replies: Replies) -> None:
    async with replies.stream(PROMPT, Sampling()):
        with pytest.raises(Busy, match="other replies come first"):
            await answer(replies, patience=0.0)


async def test_who_has_patience_waits(replies: Replies) -> None:
    async with replies.stream(PROMPT, Sampling()):
        waiting = asyncio.create_task(answer(replies))
        await asyncio.sleep(0)

    assert (await waiting).strip() == "You said: how are you"


async def test_a_model_that_is_free_needs_no_patience(replies: Replies) -> None:
    assert await answer(replies, patience=0.0)


async def test_a_crowd_of_one_client_makes_no_other_wait_longer(replies: Replies) -> None:
    async with replies.stream(PROMPT, Sampling()):
        with as_client("192.168.1.66"):
            crowd = [asyncio.create_task(answer(replies)) for _ in range(50)]
        await asyncio.sleep(0)

        with as_client("192.168.1.5"):
            ahead = replies.ahead
        with as_client("192.168.1.66"):
            behind_its_own = replies.ahead
    await asyncio.gather(*crowd)

    assert (ahead, behind_its_own) == (2, 51)
