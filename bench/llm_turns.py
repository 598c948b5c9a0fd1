"""A long conversation, or many: latency and memory turn by turn.

    python -m bench.llm_turns [--model NAME_OR_PATH] [--turns 60] [--json FILE]
    python -m bench.llm_turns --turns 300 --conversations 60 --tokens 8 --pause 0
    python -m bench.llm_turns --instructions 1200 --rounds 20     # by the OpenAI-compatible door

With more than one conversation each turn belongs to the next of them, so that most are pushed
out of the memory and come back, and all begin with the same instructions of about 300 tokens.
The service's own parts, from the words of a turn to the first and the last words of its answer.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openai

from bench.llm import home_prompt
from wyoming_common.http.server import listening
from wyoming_common.model_thread import ModelThread
from wyoming_common.net.access import Access
from wyoming_llm.config import LlmSettings
from wyoming_llm.dialogue.assistant import Assistant, Turn
from wyoming_llm.dialogue.generation_queue import GenerationQueue, idle_work
from wyoming_llm.engine import LlmEngine
from wyoming_llm.engines.xllamacpp.engine import XllamacppEngine
from wyoming_llm.http.server import OpenAiServer

TOPICS = ("rivers", "the moon", "bread", "old bridges", "bees", "a good night's sleep", "snow")
PAUSE = 0.6
"""Seconds between turns, in which the service reads ahead; a person listens for longer."""
INSTRUCTIONS = "You are a voice assistant. Answer in one short sentence. " + " ".join(
    f"Light {number} is in room {number % 5}." for number in range(30)
)


class Spoken:
    """Asks by the service's own turns, as Wyoming does."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant

    async def ask(self, text: str, conversation: str) -> AsyncIterator[None]:
        """Yield at every piece of the answer."""
        async for _ in self._assistant.answer(Turn(text, "en", conversation)):
            yield


class Posted:
    """Asks over HTTP: instructions and history are sent whole each time, at most `rounds` of it.

    Home Assistant's llama.cpp integration does so.
    """

    def __init__(self, url: str, system: str, rounds: int, tokens: int) -> None:
        self._client = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none", timeout=120)
        self._system: Any = {"role": "system", "content": system}
        self._rounds = rounds
        self._tokens = tokens
        self._said: dict[str, list[Any]] = {}

    async def ask(self, text: str, conversation: str) -> AsyncIterator[None]:
        said = self._said.setdefault(conversation, [])
        said.append({"role": "user", "content": text})
        del said[: -2 * self._rounds + 1]
        answer = ""
        async for chunk in await self._client.chat.completions.create(
            model="any", messages=[self._system, *said], max_tokens=self._tokens, stream=True
        ):
            if piece := chunk.choices[0].delta.content:
                answer += piece
                yield
        said.append({"role": "assistant", "content": answer})


async def converse(
    settings: LlmSettings, turns: int, conversations: int, pause: float, rounds: int
) -> list[dict[str, float]]:
    """Talk in turn in `conversations`; return seconds and MB of each turn.

    With `rounds` over HTTP, with a bounded number of rounds of history.
    """
    engine = XllamacppEngine(settings)

    def load() -> LlmEngine:
        engine.load()
        return engine

    model: ModelThread[LlmEngine] = ModelThread("llm", load)
    replies = GenerationQueue(model, 2, pause=0)
    assistant = Assistant(settings, replies)
    door = OpenAiServer(replies, lambda: engine.model, lambda: model.loaded)
    rows = []
    async with (
        idle_work(replies),
        listening(door.app(Access()), "http://127.0.0.1:0", "http_uri") as url,
    ):
        await assistant.warm_up()
        posted = Posted(url, settings.system_prompt, rounds, settings.max_tokens)
        asking = posted if rounds else Spoken(assistant)
        for number in range(turns):
            topic = TOPICS[number % len(TOPICS)]
            text = f"Question {number}: tell me one more thing about {topic}."
            began = time.perf_counter()
            first = 0.0
            async for _ in asking.ask(text, f"talk {number % conversations}"):
                first = first or time.perf_counter() - began
            whole = time.perf_counter() - began
            rows.append({"first": first, "whole": whole, "rss": resident()})
            await asyncio.sleep(pause)
    await model.aclose()
    return rows


def resident() -> float:
    """Return this process's memory in MB. Linux."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


def table(rows: list[dict[str, float]]) -> str:
    """Return medians of each quarter of a conversation, or tenth of a long one, in Markdown."""
    lines = ["| turns | first words | whole answer | memory |", "|---|---|---|---|"]
    size = max(1, len(rows) // (4 if len(rows) < 100 else 10))
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        first, whole = (statistics.median(row[key] for row in part) for key in ("first", "whole"))
        rss = max(row["rss"] for row in part)
        lines.append(
            f"| {start + 1} to {start + len(part)} | {first:.3f} s | {whole:.2f} s | {rss:.0f} MB |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="")
    parser.add_argument("--turns", type=int, default=60)
    parser.add_argument("--conversations", type=int, default=1)
    parser.add_argument("--tokens", type=int, default=40, help="of an answer at most")
    parser.add_argument("--instructions", type=int, default=0, help="tokens of a home's, about")
    parser.add_argument("--rounds", type=int, default=0, help="of history, over HTTP")
    parser.add_argument("--pause", type=float, default=PAUSE, help="seconds between turns")
    parser.add_argument("--json", type=Path, help="file for the figures")
    arguments = parser.parse_args()
    system = INSTRUCTIONS if arguments.conversations > 1 or arguments.rounds else ""
    if arguments.instructions:
        system = home_prompt(lambda text: len(text) * 10 // 29, arguments.instructions)
    with tempfile.TemporaryDirectory() as folder:
        settings = LlmSettings(
            model=arguments.model,
            cache_dir=Path(folder),
            max_tokens=arguments.tokens,
            answer_seconds=0,
            system_prompt=system,
        )
        rows = asyncio.run(
            converse(
                settings,
                arguments.turns,
                arguments.conversations,
                arguments.pause,
                arguments.rounds,
            )
        )
    print(table(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
