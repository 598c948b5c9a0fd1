"""A long conversation, or many: latency and memory turn by turn.

    python -m bench.llm_turns [--model NAME_OR_PATH] [--turns 60] [--json FILE]
    python -m bench.llm_turns --turns 300 --conversations 60 --tokens 8 --pause 0

With more than one conversation each turn belongs to the next of them, so that most are pushed
out of the memory and come back, and all begin with the same instructions of about 300 tokens.
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
INSTRUCTIONS = "You are a voice assistant. Answer in one short sentence. " + " ".join(
    f"Light {number} is in room {number % 5}." for number in range(30)
)


async def converse(
    settings: LlmSettings, turns: int, conversations: int, pause: float
) -> list[dict[str, float]]:
    """Talk in turn in `conversations`; return seconds, tokens and MB of each turn."""
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
            async for _ in assistant.answer(Turn(text, "en", f"talk {number % conversations}")):
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
    parser.add_argument("--pause", type=float, default=PAUSE, help="seconds between turns")
    parser.add_argument("--json", type=Path, help="file for the figures")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = LlmSettings(
            model=arguments.model,
            cache_dir=Path(folder),
            max_tokens=arguments.tokens,
            answer_seconds=0,
            system_prompt=INSTRUCTIONS if arguments.conversations > 1 else "",
        )
        rows = asyncio.run(
            converse(settings, arguments.turns, arguments.conversations, arguments.pause)
        )
    print(table(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
