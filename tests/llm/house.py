"""An assistant in a home that Home Assistant, a fake one, tells of."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.llm.conftest import NOON
from tests.llm.fakes import FakeLlm
from tests.support.fake_home_assistant import TOKEN, FakeHome, serving
from tests.support.wire import TIMEOUT_SECONDS
from wyoming_common.home_assistant.client import HomeAssistant
from wyoming_common.model_thread import ModelThread
from wyoming_llm.config import LlmSettings
from wyoming_llm.dialogue.assistant import Assistant, Turn
from wyoming_llm.dialogue.generation_queue import GenerationQueue
from wyoming_llm.dialogue.outcome import Outcome
from wyoming_llm.dialogue.speculative_reply import SpeculativeReply
from wyoming_llm.engine import LlmEngine
from wyoming_llm.home.control import HomeControl
from wyoming_llm.home.recognition import Recognition
from wyoming_llm.voices.lessons import LessonDialogues

RECOGNITION = Recognition()
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
        self,
        text: str,
        conversation: str = "one",
        device: str = "",
        language: str = "en",
        speculation: SpeculativeReply | None = None,
        speaker: str = "",
    ) -> list[Outcome]:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            turn = Turn(text, language, conversation, device=device, speaker=speaker)
            return [outcome async for outcome in self._assistant.answer(turn, speculation)]

    async def speculate(self, text: str) -> list[tuple[str, bool]]:
        """Suppose `text` was said, until all that follows from it has happened.

        Returns what is told of the reply, and whether that is all of it.
        """
        told: list[tuple[str, bool]] = []

        async def tell(reply: str, whole: bool) -> None:
            told.append((reply, whole))

        speculation = self._assistant.speculate(Turn(text, "en", "one"), tell)
        async with asyncio.timeout(TIMEOUT_SECONDS):
            async for _ in speculation:
                pass
        return told

    async def generated(self, text: str) -> SpeculativeReply:
        """Suppose `text` was said; return the speculation once the model has done its work."""
        speculation = self._assistant.speculate(Turn(text, "en", "one"))
        assert await asyncio.to_thread(self.engine.closed.wait, TIMEOUT_SECONDS)
        return speculation

    async def told(
        self,
        text: str,
        conversation: str = "one",
        language: str = "en",
        speculation: SpeculativeReply | None = None,
        speaker: str = "",
    ) -> str:
        outcomes = await self.say(text, conversation, "", language, speculation, speaker)
        return "".join(outcome.text for outcome in outcomes).strip()

    async def change(self, entity: str, state: str) -> None:
        await self.home.change(entity, state)
        while self._known.states[entity].value != state:
            await self._known.next_state(entity, 0.1)


@asynccontextmanager
async def house(
    fake: FakeHome | None = None,
    script: list[str] | None = None,
    engine: FakeLlm | None = None,
    read_back_seconds: float = 0.2,
    max_reply_seconds: float = TIMEOUT_SECONDS,
    lessons: LessonDialogues | None = None,
    **settings: Any,
) -> AsyncIterator[House]:
    fake, engine = fake or FakeHome(), engine or FakeLlm(script)
    chosen = LlmSettings(zeroconf="off", http_uri="off", **settings)
    model: ModelThread[LlmEngine] = ModelThread("llm", lambda: engine)
    recognition = ModelThread("recognition", lambda: RECOGNITION)
    async with serving(fake) as url, HomeAssistant(url, TOKEN).open() as home:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await home.ready.wait()
        replies = GenerationQueue(model, 2, pause=0)
        control = HomeControl(chosen, home, recognition, replies, read_back_seconds)
        assistant = Assistant(
            chosen,
            replies,
            control,
            lambda: NOON,
            max_reply_seconds=max_reply_seconds,
            lessons=lessons,
        )
        yield House(assistant, home, fake, engine)
    await model.aclose()
    await recognition.aclose()
