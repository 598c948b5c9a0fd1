"""An assistant in a home that Home Assistant, a fake one, tells of."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.llm.fake_home import TOKEN, FakeHome, serving
from tests.llm.fakes import FakeLlm
from tests.wire import SECONDS
from wyoming_common.home_assistant import HomeAssistant
from wyoming_common.worker import ModelThread
from wyoming_llm.assistant import Assistant, Turn
from wyoming_llm.config import LlmSettings
from wyoming_llm.engine import LlmEngine
from wyoming_llm.home.control import HomeControl
from wyoming_llm.home.sentences import Sentences
from wyoming_llm.outcome import Outcome
from wyoming_llm.replies import Replies

SENTENCES = Sentences()
"""Loading them takes most of a second: once is enough."""


class House:
    def __init__(
        self, assistant: Assistant, known: HomeAssistant, home: FakeHome, engine: FakeLlm
    ) -> None:
        self._assistant = assistant
        self._known = known
        self.home = home
        self.engine = engine

    async def say(
        self, text: str, conversation: str = "one", device: str = "", language: str = "en"
    ) -> list[Outcome]:
        async with asyncio.timeout(SECONDS):
            turn = Turn(text, language, conversation, device=device)
            return [outcome async for outcome in self._assistant.answer(turn)]

    async def rehearse(self, text: str) -> None:
        """Suppose `text` was said, until all that follows from it has happened."""
        rehearsal = self._assistant.rehearse(Turn(text, "en", "one"))
        async with asyncio.timeout(SECONDS):
            async for _ in rehearsal.deltas():
                pass

    async def told(self, text: str, conversation: str = "one", language: str = "en") -> str:
        return "".join(o.text for o in await self.say(text, conversation, "", language)).strip()

    async def change(self, entity: str, state: str) -> None:
        await self.home.change(entity, state)
        while self._known.states[entity].value != state:
            await self._known.next_state(entity, 0.1)


@asynccontextmanager
async def house(
    fake: FakeHome | None = None,
    script: list[str] | None = None,
    engine: FakeLlm | None = None,
    **settings: Any,
) -> AsyncIterator[House]:
    fake, engine = fake or FakeHome(), engine or FakeLlm(script)
    chosen = LlmSettings(zeroconf="off", http_uri="off", **settings)
    model: ModelThread[LlmEngine] = ModelThread("llm", lambda: engine)
    sentences = ModelThread("sentences", lambda: SENTENCES)
    async with serving(fake) as url, HomeAssistant(url, TOKEN).open() as home:
        async with asyncio.timeout(SECONDS):
            await home.ready.wait()
        replies = Replies(model, 2, pause=0)
        control = HomeControl(chosen, home, sentences, replies)
        yield House(Assistant(chosen, replies, control), home, fake, engine)
    await model.aclose()
    await sentences.aclose()
