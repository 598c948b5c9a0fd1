"""Many clients at once: whether each is told what it is told alone, how long it takes, memory.

    python -m bench.stt_crowd --manifest data/manifest.jsonl --pid PID 127.0.0.1:10300

Every recording is sent alone first, then in groups at once, all audio at once: more than people
speaking could ask for. `bench.stt_live --streams 8` measures those.
"""

import argparse
import asyncio
import json
import re
from pathlib import Path

from bench.stt import transcribe
from bench.stt_scores import Clip, clips, quantile, word_error_rate


def memory_mb(pid: int | None) -> dict[str, int]:
    """Return resident memory of a process and its peak, in MB; nothing without one."""
    if pid is None:
        return {}
    status = Path(f"/proc/{pid}/status").read_text()
    kilobytes = dict(re.findall(r"(VmRSS|VmHWM):\s+(\d+) kB", status))
    return {name: round(int(value) / 1024) for name, value in kilobytes.items()}


async def measure(
    address: tuple[str, int], corpus: list[Clip], streams: int, pid: int | None
) -> dict[str, object]:
    """Return the figures: texts that differ, seconds, memory before and after."""
    alone = [await transcribe(*address, clip, "en") for clip in corpus]
    before = memory_mb(pid)
    together: list[tuple[str, float]] = []
    for first in range(0, len(corpus), streams):
        group = corpus[first : first + streams]
        together += await asyncio.gather(*(transcribe(*address, clip, "en") for clip in group))
    pairs = list(zip(corpus, alone, together, strict=True))
    differing = {clip.name: [one, other] for clip, (one, _), (other, _) in pairs if one != other}
    return {
        "clips": len(corpus),
        "streams": streams,
        "differing": differing,
        "wer": round(word_error_rate((clip.text, text) for clip, _, (text, _) in pairs), 2),
        "alone_p50": round(quantile([seconds for _, seconds in alone], 50), 3),
        "alone_p95": round(quantile([seconds for _, seconds in alone], 95), 3),
        "together_p50": round(quantile([seconds for _, seconds in together], 50), 3),
        "together_p95": round(quantile([seconds for _, seconds in together], 95), 3),
        "memory_mb_before": before,
        "memory_mb_after": memory_mb(pid),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("server", metavar="HOST:PORT")
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--kinds", default="command,speech")
    parser.add_argument("--step", type=int, default=3)
    parser.add_argument("--offset", type=int, default=0)
    parser.add_argument("--streams", type=int, default=8)
    parser.add_argument("--pid", type=int, help="process of the server, for its memory")
    options = parser.parse_args()
    host, _, port = options.server.rpartition(":")
    corpus = clips(options.manifest, options.kinds.split(","), options.step, options.offset)
    corpus = [clip for clip in corpus if clip.seconds <= 29]
    print(json.dumps(asyncio.run(measure((host, int(port)), corpus, options.streams, options.pid))))


if __name__ == "__main__":
    main()
