"""Measurements of `bench.all`: commands of the other benchmarks, and figures in their output."""

import json
import re
import socket
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wyoming_common.models.store import ModelStore

SERVERS = ("stt", "llm", "tts", "stock-stt")
JSON_FILE = "{json}"
"""Stands in a command for the file into which it writes its figures."""
RUN = "{run}"
"""Stands for how many runs there were before."""
EAR = "Mouth to ear"

Values = dict[str, float]


@dataclass(frozen=True, slots=True)
class Measurement:
    """A command, the services it needs, and what its output says."""

    name: str
    command: tuple[str, ...]
    needs: tuple[str, ...]
    keys: tuple[str, ...]
    read: Callable[[str], Values]
    """Takes what the command wrote: its JSON file where it has one, else its output."""
    repeats: bool = True
    """False for a simulation: a second run gives the same."""


def free_ports() -> dict[str, int]:
    """Return a port for each server, free at the moment."""
    with ExitStack() as stack:
        found = {}
        for name in SERVERS:
            sock = stack.enter_context(socket.socket())
            sock.bind(("127.0.0.1", 0))
            found[name] = sock.getsockname()[1]
    return found


def measurements(
    data: Path, peers: Path, store: ModelStore, ports: Mapping[str, int], *, quick: bool
) -> list[Measurement]:
    """Return the measurements, with the servers on `ports`."""
    manifest = ("--manifest", str(data / "manifest.jsonl"))
    uris = {kind: f"tcp://127.0.0.1:{port}" for kind, port in ports.items()}
    services = tuple(f"--{kind}={uris[kind]}" for kind in ("stt", "llm", "tts"))
    stock, ours = (f"127.0.0.1:{ports[kind]}" for kind in ("stock-stt", "stt"))
    voice = str(store.ensure("en_US-joe-medium"))

    def module(name: str, *arguments: str) -> tuple[str, ...]:
        return (sys.executable, "-m", f"bench.{name}", *arguments)

    return [
        Measurement(
            "STT, all audio at once",
            module("stt", *manifest, "--json", "--step", "20" if quick else "3",
                   f"stock={stock}", f"ours={ours}"),
            ("stt", "stock-stt"), ("stt_faster", "stt_wer"), read_stt,
        ),
        Measurement(
            "STT, live audio, two people at a time",
            module("stt_live", *manifest, "--step", "40" if quick else "6", "--streams", "2", ours),
            ("stt",), ("live_p50", "live_p95", "live_early"), read_live,
        ),
        Measurement(
            "STT, the tail after 0.5 s of silence",
            module("stt_live", *manifest, "--tail", "0.5", "--step", "40" if quick else "30", ours),
            ("stt",), ("tail",), read_tail,
        ),
        Measurement(
            "TTS", module("tts", "--peers", str(peers), "--voice", voice,
                          "--rounds", "1" if quick else "2", "--json", JSON_FILE),
            (), ("tts_mean", "tts_p95", "tts_total"), read_tts,
        ),
        Measurement(
            "LLM", module("llm", "--runs", "1", "--json", JSON_FILE),
            (), ("llm_warm", "llm_restart", "llm_busy", "llm_idle"), read_llm,
        ),
        Measurement(
            EAR, module("questions", str(data), *services,
                        *(("--seconds", "5", "--commands", "3") if quick else ()), "--offset", RUN),
            ("stt", "llm", "tts"), ("ear_p50", "ear_p95"), read_questions,
        ),
        Measurement(
            "Barge-in", module("satellite", str(data), "barge-in", "--minutes", "0.5",
                               "--talks", "4" if quick else "20"),
            (), ("barge_p95",), _pattern(r"\(p50\), (\d+) ms \(p95\)", "barge_p95"), repeats=False,
        ),
        Measurement(
            "Satellite at rest", module("satellite", str(data), "rest",
                                        "--seconds", "10" if quick else "30"),
            (), ("rest_cpu", "rest_memory"),
            _pattern(r"([\d.]+)% of a core, (\d+) MB", "rest_cpu", "rest_memory"),
        ),
        Measurement(
            "Answers under load",
            module("answers", *(f"{kind}={uris[kind]}" for kind in ("stt", "llm", "tts")),
                   "--seconds", "4" if quick else "8"),
            ("stt", "llm", "tts"), ("answers",), read_answers,
        ),
    ]  # fmt: skip


def read_stt(output: str) -> Values:
    """Return mean times over all clips as a ratio, and how far the word error rates differ."""
    rows = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    clips = sum(row["clips"] for row in rows if row["server"] == "ours")
    mean: dict[str, float] = defaultdict(float)
    wer: dict[str, float] = defaultdict(float)
    for row in rows:
        mean[row["server"]] += row["mean_ms"] * row["clips"] / clips
        wer[row["server"]] += row["wer"] * row["clips"] / clips
    return {
        "stt_faster": round(mean["stock"] / mean["ours"], 2),
        "stt_wer": round(wer["ours"] - wer["stock"], 2),
    }


def read_live(output: str) -> Values:
    """Return seconds, and the share in per cent that was cut off early."""
    told = last_json(output)
    early = 100 * told["early"] / max(1, told["clips"])
    return {"live_p50": told["p50"], "live_p95": told["p95"], "live_early": round(early, 1)}


def read_tail(output: str) -> Values:
    """Return milliseconds."""
    return {"tail": round(1000 * last_json(output)["stop_to_transcript_p50"], 1)}


def read_tts(output: str) -> Values:
    """Return ratios over the plain requests: first audio, stock / ours; total, ours / stock."""
    plain = [row for kind, row in json.loads(output).items() if kind.endswith("plain")]

    def all_of(server: str, field: str) -> list[float]:
        return [turn[field] for row in plain for turn in row[server]]

    def ratio(field: str, pick: Callable[[list[float]], float]) -> float:
        return pick(all_of("wyoming-piper", field)) / pick(all_of("parley", field))

    return {
        "tts_mean": round(ratio("first", statistics.fmean), 2),
        "tts_p95": round(ratio("first", _p95), 2),
        "tts_total": round(1 / ratio("total", sum), 2),
    }


def read_llm(output: str) -> Values:
    """Return ratios of first tokens against our own cold one, and of tokens a second."""
    told = json.loads(output)
    ours, plain = told["parley"], told["plain"]
    return {
        "llm_warm": round(ours["cold"] / ours["warm"], 1),
        "llm_restart": round(ours["cold"] / ours["after a restart"], 1),
        "llm_busy": round(100 * ours["one core busy"] / ours["idle"], 1),
        "llm_idle": round(ours["idle"] / plain["idle"], 2),
    }


def read_questions(output: str) -> Values:
    """Return milliseconds."""
    told = last_json(output)
    return {"ear_p50": told["p50"], "ear_p95": told["p95"]}


def read_answers(output: str) -> Values:
    """Return the worst p99 of all services, in milliseconds."""
    told = last_json(output)
    return {"answers": max(v for row in told.values() for k, v in row.items() if k.endswith("99"))}


def last_json(output: str) -> dict[str, Any]:
    """Return the last line that is a JSON object. Raises LookupError without one."""
    line = [line for line in output.splitlines() if line.startswith("{")][-1]
    told: dict[str, Any] = json.loads(line)
    return told


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def _pattern(expression: str, *keys: str) -> Callable[[str], Values]:
    def read(output: str) -> Values:
        found = re.search(expression, output)
        if found is None:
            raise ValueError("no figure in it")
        return dict(zip(keys, map(float, found.groups()), strict=True))

    return read
