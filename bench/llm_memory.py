"""Memory of the conversation's process after N, 2N and 4N requests of many strangers.

    python -m bench.llm_memory [--requests 60] [--context 8192] [--seed 1]

Requests come by both doors: Wyoming's turns of `--addresses` clients in ten times as many
conversations, and chat completions over HTTP whose history grows, with instructions of their own;
one in five is left after some tokens, and now and then six come side by side. `rss` is the
process's memory after a silence, `highest` the most it was, `of the model` what conversations
and copies of them hold, `disk` the folder of prompts. Exits with 1 where memory was past the bound
that docs/benchmarks-llm.md names.
"""

import argparse
import asyncio
import random
import resource
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp

from bench.llm_turns import INSTRUCTIONS, TOPICS, resident
from wyoming_common.http.server import listening
from wyoming_common.model_thread import ModelThread
from wyoming_common.net.access import Access
from wyoming_common.net.fairness import as_client, owned
from wyoming_llm.config import LlmSettings
from wyoming_llm.dialogue.assistant import Assistant, Turn
from wyoming_llm.dialogue.generation_queue import GenerationQueue, idle_work
from wyoming_llm.engine import LlmEngine
from wyoming_llm.engines.xllamacpp.engine import XllamacppEngine
from wyoming_llm.http.server import OpenAiServer
from wyoming_llm.llama.engine import LlamaEngine

_LEFT: Final = 0.2
_TOGETHER: Final = 0.05
_OVERHEAD: Final = 90.0
"""MB: what five contexts compute with, Python's own, and this program's client"""
_AT_REST: Final = 1.5
"""Times --context: conversations, and half as much in copies"""
_SIDE_BY_SIDE: Final = 2.5
"""As many conversations again while replies are written"""


class Strangers:
    """Clients who ask at random."""

    def __init__(
        self, assistant: Assistant, session: aiohttp.ClientSession, url: str, addresses: int
    ) -> None:
        self._assistant = assistant
        self._session = session
        self._url = url
        self._addresses = addresses
        self._histories: list[list[dict[str, str]]] = []

    async def request(self, chance: random.Random) -> None:
        """Ask once, or leave in the middle."""
        asking = self._turn if chance.random() < 0.5 else self._completion
        task = asyncio.create_task(asking(chance))
        if chance.random() < _LEFT:
            await asyncio.wait([task], timeout=chance.random() * 2)
            task.cancel()
        await asyncio.wait([task])

    async def _turn(self, chance: random.Random) -> None:
        with as_client(f"10.0.0.{chance.randrange(self._addresses)}"):
            name = owned(f"talk {chance.randrange(10)}")
            async for _ in self._assistant.answer(Turn(_words(chance), "en", name)):
                pass

    async def _completion(self, chance: random.Random) -> None:
        if not self._histories or chance.random() < 0.3:
            system = f"House {chance.randrange(10**6)}. {INSTRUCTIONS}"
            self._histories.append([{"role": "system", "content": system}])
        messages = chance.choice(self._histories[-20:])
        messages.append({"role": "user", "content": _words(chance)})
        body = {"messages": messages[:1] + messages[-19:], "max_tokens": 8}
        async with self._session.post(f"{self._url}/v1/chat/completions", json=body) as answer:
            said: Any = await answer.json()
        if answer.ok:
            text = said["choices"][0]["message"]["content"]
            messages.append({"role": "assistant", "content": text})


def _words(chance: random.Random) -> str:
    about = ", ".join(chance.choices(TOPICS, k=chance.randrange(1, 12)))
    return f"Question {chance.randrange(10**6)}: what have these in common: {about}?"


@asynccontextmanager
async def service(
    settings: LlmSettings, engine: LlamaEngine, addresses: int
) -> AsyncIterator[Strangers]:
    def load() -> LlmEngine:
        engine.load()
        return engine

    model: ModelThread[LlmEngine] = ModelThread("llm", load)
    replies = GenerationQueue(model, settings.parallel, pause=0)
    assistant = Assistant(settings, replies)
    door = OpenAiServer(replies, lambda: engine.model, lambda: model.loaded)
    async with (
        idle_work(replies),
        listening(door.app(Access()), "http://127.0.0.1:0", "http_uri") as url,
        aiohttp.ClientSession() as session,
    ):
        await assistant.warm_up()
        yield Strangers(assistant, session, url, addresses)
    await model.aclose()


async def measure(settings: LlmSettings, requests: int, addresses: int, seed: int) -> bool:
    """Print a row at the beginning, and after N, 2N and 4N requests."""
    chance = random.Random(seed)  # noqa: S311 - repeatable
    engine = XllamacppEngine(settings)
    async with service(settings, engine, addresses) as strangers:
        await strangers.request(chance)
        print("| requests | rss | highest | of the model | disk |\n|---|---|---|---|---|")
        first, done, good = resident(), 0, True
        print(row(0, engine, settings))
        for until in (requests, 2 * requests, 4 * requests):
            while done < until:
                together = 6 if chance.random() < _TOGETHER else 1
                await asyncio.gather(*(strangers.request(chance) for _ in range(together)))
                done += together
            await asyncio.sleep(5)
            print(row(done, engine, settings), flush=True)
            good = good and resident() <= first + _OVERHEAD + bound(engine, settings, _AT_REST)
        highest = first + _OVERHEAD + bound(engine, settings, _SIDE_BY_SIDE)
        at_rest = first + _OVERHEAD + bound(engine, settings, _AT_REST)
    print(f"\nBound at rest {at_rest:.0f} MB, with replies side by side {highest:.0f} MB")
    return good and highest_resident() <= highest


def bound(engine: LlamaEngine, settings: LlmSettings, contexts: float) -> float:
    """Return the MB that as many times `--context` take."""
    return contexts * settings.context * token_bytes(engine) / 1e6


def highest_resident() -> float:
    """Return the most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def token_bytes(engine: LlamaEngine) -> float:
    """Return what a token takes of the model's memory."""
    lease = max(engine._cache._leases, key=lambda lease: len(lease.tokens))  # noqa: SLF001
    return len(lease.context.state()) / len(lease.tokens)


def row(done: int, engine: LlamaEngine, settings: LlmSettings) -> str:
    files = [path for path in (settings.cache_dir or Path()).iterdir() if path.suffix == ".kv"]
    disk = sum(path.stat().st_size for path in files) / 1e6
    held = engine._cache.held * token_bytes(engine) / 1e6  # noqa: SLF001
    return (
        f"| {done} | {resident():.0f} MB | {highest_resident():.0f} MB | {held:.0f} MB "
        f"| {disk:.0f} MB in {len(files)} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=60, help="N")
    parser.add_argument("--addresses", type=int, default=20)
    parser.add_argument("--context", type=int, default=8192)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = LlmSettings(
            cache_dir=Path(folder),
            context=arguments.context,
            max_tokens=8,
            answer_seconds=0,
            system_prompt=INSTRUCTIONS,
        )
        good = asyncio.run(
            measure(settings, arguments.requests, arguments.addresses, arguments.seed)
        )
    sys.exit(not good)


if __name__ == "__main__":
    main()
