"""`wyoming-llm chat`: the assistant of the service, in a terminal."""

import asyncio
import sys

from tests.llm.fakes import FakeLlm
from tests.llm.test_http_server import door
from tests.support.wire import TIMEOUT_SECONDS


async def chat(url: str, *lines: str) -> list[str]:
    """Type `lines`, and return what was answered to each."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "wyoming_llm", "chat", "--engine", "openai", "--base-url", url),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(TIMEOUT_SECONDS):
        shown, _ = await process.communicate("\n".join(lines).encode())
    assert process.returncode == 0
    return shown.decode().split("> ")[1:]


async def test_the_terminal_hears_the_model_and_when_its_first_word_came() -> None:
    async with door() as url:
        answer, *_ = await chat(url, "tell me about cats", "")

    assert answer.startswith("You said: tell me about cats")
    assert "first word after" in answer


async def test_the_terminal_gets_no_claim_of_a_model_that_has_no_home() -> None:
    engine = FakeLlm()

    async with door(engine) as url:
        light, clock, *_ = await chat(url, "turn on the kitchen light", "what time is it", "")

    assert "not connected" in light
    assert "You said" not in clock
    assert not engine.prompts
