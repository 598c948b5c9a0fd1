"""A long conversation: latency and memory turn by turn.

    python -m bench.llm_turns [--model NAME_OR_PATH] [--turns 60] [--json FILE]

The service's own parts, from the words of a turn to the first and the last words of its answer;
`rss` is the process's memory, `prompt` the tokens of the prompt.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path

from wyoming_common.worker import ModelThread
from wyoming_llm.assistant import Assistant, Turn
from wyoming_llm.config import LlmSettings
from wyoming_llm.engine import LlmEngine
from wyoming_llm.engines.llama_cpp import LlamaCppEngine
from wyoming_llm.replies import Replies
from wyoming_llm.service import keeping

TOPICS = ("rivers", "the moon", "bread", "old bridges", "bees", "a good night's sleep", "snow")
PAUSE = 0.6
"""Seconds between turns, in which the service reads ahead; a person listens for longer."""


async def converse(settings: LlmSettings, turns: int) -> list[dict[str, float]]:
    """Have one conversation; return seconds, tokens and MB of each turn."""
    engine = LlamaCppEngine(settings)

    def load() -> LlmEngine:
        engine.load()
        return engine

    model: ModelThread[LlmEngine] = ModelThread("llm", load)
    replies = Replies(model, 2, pause=0)
    assistant = Assistant(settings, replies)
    assistant.warm_up()
    rows = []
    async with keeping(replies):
        for number in range(turns):
            topic = TOPICS[number % len(TOPICS)]
            text = f"Question {number}: tell me one more thing about {topic}."
            began = time.perf_counter()
            first = 0.0
            async for _ in assistant.answer(Turn(text, "en", "long")):
                first = first or time.perf_counter() - began
            whole = time.perf_counter() - began
            rows.append({"first": first, "whole": whole, "rss": _rss()})
            await asyncio.sleep(PAUSE)
    await model.aclose()
    return rows


def _rss() -> float:
    """Return this process's memory in MB. Linux."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


def table(rows: list[dict[str, float]]) -> str:
    """Return medians of each quarter of the conversation, in Markdown."""
    lines = ["| turns | first words | whole answer | memory |", "|---|---|---|---|"]
    size = max(1, len(rows) // 4)
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
    parser.add_argument("--json", type=Path, help="file for the figures")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = LlmSettings(
            model=arguments.model, cache_dir=Path(folder), max_tokens=40, answer_seconds=0
        )
        rows = asyncio.run(converse(settings, arguments.turns))
    print(table(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
