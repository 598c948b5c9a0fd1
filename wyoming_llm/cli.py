"""Command `wyoming-llm chat`: a conversation in a terminal, with its time to first token."""

import asyncio
import sys
import time
from collections.abc import Sequence

from wyoming_common import registry
from wyoming_common.model_thread import ModelThread
from wyoming_llm.config import LlmSettings
from wyoming_llm.dialogue.assistant import Assistant, Turn
from wyoming_llm.dialogue.generation_queue import GenerationQueue
from wyoming_llm.dialogue.outcome import Intent
from wyoming_llm.engine import LlmEngine
from wyoming_llm.engines import ENGINES
from wyoming_llm.service import home_of, open_assistant, talks_in

_CONVERSATION = "terminal"


def load(arguments: Sequence[str]) -> LlmSettings:
    """Read the settings; the flags are those of the service."""
    return LlmSettings.load(arguments)


async def chat(settings: LlmSettings) -> None:
    """Answer lines of standard input until they end."""
    engine: LlmEngine = registry.load(ENGINES, settings.engine)(settings)

    def load_engine() -> LlmEngine:
        engine.load()
        return engine

    model = ModelThread("llm", load_engine)
    replies = GenerationQueue(model, 1)
    try:
        await model.engine()
        print(f"{engine.model} is ready; an empty line or Ctrl-D ends the conversation.")
        async with open_assistant(
            settings, home_of(settings), replies, talks_in(engine, settings)
        ) as assistant:
            await assistant.warm_up()
            await _converse(assistant)
    finally:
        await model.aclose()


async def _converse(assistant: Assistant) -> None:
    while text := (await asyncio.to_thread(_ask)).strip():
        began = time.perf_counter()
        first = None
        async for outcome in assistant.answer(Turn(text, conversation=_CONVERSATION)):
            first = first or time.perf_counter() - began
            shown = f"[{outcome.name} {outcome.slots}]" if isinstance(outcome, Intent) else None
            sys.stdout.write(shown or outcome.text)
            sys.stdout.flush()
        whole = time.perf_counter() - began
        print(f"\n  (first word after {(first or whole) * 1000:.0f} ms, all in {whole:.1f} s)")


def _ask() -> str:
    try:
        return input("> ")
    except EOFError:
        return ""
