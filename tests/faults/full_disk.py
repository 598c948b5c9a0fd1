"""Full disk: writes every cache and log of the services: python -m tests.faults.full_disk DIR.

Prints what is wrong, and nothing when all went on without the disk.
"""

import sys
from pathlib import Path

from wyoming_common.telemetry.recorder import Telemetry
from wyoming_common.telemetry.trace import Trace
from wyoming_common.telemetry.trace_log import open_trace_log
from wyoming_llm.kv_cache.disk import PrefixStore
from wyoming_tts.synthesis.cache import PhraseCache

_PIECE = 100_000
_TIMES = 30


def problems(folder: Path) -> list[str]:
    """Write far more than fits, every way there is; return what did not work as it should."""
    found = []
    phrases = PhraseCache(10_000_000, folder / "phrases", 1_000_000_000)
    for number in range(_TIMES):
        phrases.put(f"phrase {number}", bytes([number]) * _PIECE)
    if phrases.get(f"phrase {_TIMES - 1}") != bytes([_TIMES - 1]) * _PIECE:
        found.append("a phrase is not in memory")
    prompts = PrefixStore(folder / "prompts", "model", 1_000_000_000)
    for number in range(_TIMES):
        prompts.save([number, 1, 2], bytes(_PIECE), f"client {number}")
    with open_trace_log(folder / "trace" / "turns.jsonl") as write:
        telemetry = Telemetry("test")
        telemetry.listeners.append(write)
        for _ in range(1000):
            telemetry.record(Trace())
    left = [path.name for path in folder.rglob("*") if path.name.startswith(".")]
    left += [path.name for path in folder.rglob("*.part")]
    if left:
        found.append(f"left behind: {left}")
    again = PhraseCache(10_000_000, folder / "phrases", 1_000_000_000)
    whole = [again.load(f"phrase {number}") for number in range(_TIMES)]
    if not all(pcm is None or len(pcm) == _PIECE for pcm in whole) or not any(whole):
        found.append("a phrase on disk is not whole")
    return found


if __name__ == "__main__":
    for problem in problems(Path(sys.argv[1])):
        print(problem)  # noqa: T201 - what the test reads
