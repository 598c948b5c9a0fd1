"""Speech-to-text servers side by side: time after the last byte, WER, slot accuracy.

Every clip goes to every server in turn, all audio at once, as a client with a file sends it:

    python -m bench.stt --manifest data/manifest.jsonl stock=127.0.0.1:10310 ours=127.0.0.1:10300

The first server is what the others are compared with. Ratios are of medians and means in this
run; absolute times are of this machine and what else it does.
"""

import argparse
import asyncio
import json
import time
from collections import defaultdict
from pathlib import Path

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient

from bench.stt_scores import Clip, clips, quantile, slot_accuracy, word_error_rate


async def transcribe(host: str, port: int, clip: Clip, language: str) -> tuple[str, float]:
    """Return the text, and the seconds from the last byte sent to the transcript."""
    async with AsyncTcpClient(host, port) as client:
        await client.write_event(Transcribe(language=language).event())
        await client.write_event(AudioStart(16_000, 2, 1).event())
        for at in range(0, len(clip.pcm), 2048):
            await client.write_event(AudioChunk(16_000, 2, 1, clip.pcm[at : at + 2048]).event())
        await client.write_event(AudioStop().event())
        sent = time.perf_counter()
        async with asyncio.timeout(120):
            while (event := await client.read_event()) is not None:
                if Transcript.is_type(event.type):
                    return Transcript.from_event(event).text, time.perf_counter() - sent
    raise ConnectionError(f"{host}:{port} hung up on {clip.name}")


async def measure(
    servers: dict[str, tuple[str, int]], corpus: list[Clip], language: str, rounds: int
) -> list[dict[str, object]]:
    """Return one row a kind and server."""
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    texts: dict[tuple[str, str], list[tuple[Clip, str]]] = defaultdict(list)
    for host, port in servers.values():
        await transcribe(host, port, corpus[0], language)
    for turn in range(rounds):
        for number, clip in enumerate(corpus):
            order = list(servers) if (number + turn) % 2 else list(servers)[::-1]
            for name in order:
                text, seconds = await transcribe(*servers[name], clip, language)
                times[clip.kind, name].append(seconds)
                if turn == 0:
                    texts[clip.kind, name].append((clip, text))
    rows: list[dict[str, object]] = []
    base = next(iter(servers))
    for kind in dict.fromkeys(clip.kind for clip in corpus):
        for name in servers:
            spent, peer = times[kind, name], times[kind, base]
            rows.append(
                {
                    "kind": kind,
                    "server": name,
                    "clips": len(texts[kind, name]),
                    "mean_ms": round(1000 * sum(spent) / len(spent)),
                    "p50_ms": round(1000 * quantile(spent, 50)),
                    "p95_ms": round(1000 * quantile(spent, 95)),
                    "faster_mean": round(sum(peer) / sum(spent), 2),
                    "faster_p50": round(quantile(peer, 50) / quantile(spent, 50), 2),
                    "wer": round(
                        word_error_rate((c.text, text) for c, text in texts[kind, name]), 2
                    ),
                    "slots": slot_accuracy(texts[kind, name]),
                }
            )
    return rows


def table(rows: list[dict[str, object]]) -> str:
    """Return the rows as a Markdown table."""
    lines = [
        "| | server | clips | mean | p50 | p95 | faster (mean, p50) | WER | slots right |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        slots = "" if row["slots"] is None else f"{row['slots']:.1f} %"
        lines.append(
            f"| {row['kind']} | {row['server']} | {row['clips']} | {row['mean_ms']} ms "
            f"| {row['p50_ms']} ms | {row['p95_ms']} ms "
            f"| {row['faster_mean']}, {row['faster_p50']} | {row['wer']:.2f} % | {slots} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("servers", nargs="+", metavar="NAME=HOST:PORT")
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--kinds", default="command,speech")
    parser.add_argument("--step", type=int, default=3, help="take every STEP-th clip")
    parser.add_argument("--offset", type=int, default=0)
    parser.add_argument("--longest", type=float, default=29.0, help="seconds of a clip")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--language", default="en")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    servers = {}
    for given in options.servers:
        name, _, address = given.partition("=")
        host, _, port = address.rpartition(":")
        servers[name] = (host, int(port))
    corpus = clips(options.manifest, options.kinds.split(","), options.step, options.offset)
    corpus = [clip for clip in corpus if clip.seconds <= options.longest]
    rows = asyncio.run(measure(servers, corpus, options.language, options.rounds))
    print("\n".join(map(json.dumps, rows)) if options.json else table(rows))


if __name__ == "__main__":
    main()
