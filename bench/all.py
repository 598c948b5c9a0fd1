"""Everything of the budgets on this machine, beside the stock servers, in one command.

    python -m bench.all --peers DIR --data DIR [--repeats 2] [--quick] [--out docs]

DIR of --peers is a virtual environment with wyoming-faster-whisper and wyoming-piper; --data
holds manifest.jsonl and rir.jsonl with recordings. `script/bench` makes and finds both.
Measurements take turns, so that what disturbs the machine disturbs them all.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.table import TARGETS, Figure, machine, plot, render
from wyoming_common.settings import DEFAULT_DATA_DIR
from wyoming_common.store.store import ModelStore

PORTS = {"stt": 25300, "llm": 25600, "tts": 25200, "stock-stt": 25310}
_START_SECONDS = 90.0

Values = dict[str, float]


@dataclass(frozen=True, slots=True)
class Measurement:
    """A command, the services it needs, and what its output says."""

    name: str
    command: tuple[str, ...]
    needs: tuple[str, ...]
    keys: tuple[str, ...]
    read: Callable[[str], Values]


def measurements(data: Path, peers: Path, store: ModelStore, *, quick: bool) -> list[Measurement]:
    """Return what there is to measure."""
    manifest = ("--manifest", str(data / "manifest.jsonl"))
    uris = {kind: f"tcp://127.0.0.1:{port}" for kind, port in PORTS.items()}
    services = tuple(f"--{kind}={uris[kind]}" for kind in ("stt", "llm", "tts"))
    stock, ours = (f"127.0.0.1:{PORTS[kind]}" for kind in ("stock-stt", "stt"))
    voice = str(store.ensure("en_US-joe-medium"))

    def module(name: str, *arguments: str) -> tuple[str, ...]:
        return (sys.executable, "-m", f"bench.{name}", *arguments)

    return [
        Measurement(
            "STT, all audio at once",
            module("stt", *manifest, "--json", "--step", "20" if quick else "4",
                   f"stock={stock}", f"ours={ours}"),
            ("stt", "stock-stt"), ("stt_faster", "stt_wer"), _read_stt,
        ),
        Measurement(
            "STT, live audio",
            module("stt_live", *manifest, "--step", "40" if quick else "8", ours),
            ("stt",), ("live_p50", "live_p95", "live_early"), _read_live,
        ),
        Measurement(
            "STT, the tail after 0.5 s of silence",
            module("stt_live", *manifest, "--tail", "0.5", "--step", "40" if quick else "16", ours),
            ("stt",), ("tail",), _read_tail,
        ),
        Measurement(
            "TTS", module("tts", "--peers", str(peers), "--voice", voice,
                          "--rounds", "1" if quick else "3"),
            (), ("tts_mean", "tts_p95", "tts_total"), _read_tts,
        ),
        Measurement(
            "LLM", module("llm", "--runs", "1" if quick else "3"),
            (), ("llm_warm", "llm_restart", "llm_busy", "llm_idle"), _read_llm,
        ),
        Measurement(
            "Mouth to ear", module("satellite", str(data), "mouth-to-ear", *services,
                                   "--clips", "3" if quick else "10"),
            ("stt", "llm", "tts"), ("ear_p50", "ear_p95"),
            _pattern(r"p50 (\d+) ms, p95 (\d+) ms", "ear_p50", "ear_p95"),
        ),
        Measurement(
            "Barge-in", module("satellite", str(data), "barge-in", "--minutes", "0.5",
                               "--talks", "4" if quick else "20"),
            (), ("barge_p95",), _pattern(r"\(p50\), (\d+) ms \(p95\)", "barge_p95"),
        ),
        Measurement(
            "Satellite at rest", module("satellite", str(data), "rest",
                                        "--seconds", "10" if quick else "60"),
            (), ("rest_cpu", "rest_memory"),
            _pattern(r"([\d.]+)% of a core, (\d+) MB", "rest_cpu", "rest_memory"),
        ),
        Measurement(
            "Answers under load",
            module("answers", *(f"{kind}={uris[kind]}" for kind in ("stt", "llm", "tts")),
                   "--seconds", "4" if quick else "10"),
            ("stt", "llm", "tts"), ("answers",), _read_answers,
        ),
    ]  # fmt: skip


def _read_stt(output: str) -> Values:
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


def _read_live(output: str) -> Values:
    told = _last_json(output)
    early = 100 * told["early"] / max(1, told["clips"])
    return {"live_p50": told["p50"], "live_p95": told["p95"], "live_early": round(early, 1)}


def _read_tail(output: str) -> Values:
    return {"tail": round(1000 * _last_json(output)["stop_to_transcript_p50"], 1)}


def _read_tts(output: str) -> Values:
    ratio = {
        name: float(value) for name, value in re.findall(r"plain, (\w+):.*= ([\d.]+)x", output)
    }
    total = re.search(r"Total, plain, ours / stock: ([\d.]+)", output)
    if total is None:
        raise ValueError("no total")
    return {"tts_mean": ratio["mean"], "tts_p95": ratio["p95"], "tts_total": float(total[1])}


def _read_llm(output: str) -> Values:
    rows = {
        cells[0].strip(): [cell.strip() for cell in cells[1:]]
        for line in output.splitlines()
        if len(cells := line.strip("| ").split("|")) > 2
    }
    return {
        "llm_warm": float(rows["warm"][2]),
        "llm_restart": float(rows["after a restart"][2]),
        "llm_busy": float(rows["busy against idle"][0].rstrip("%")),
        "llm_idle": round(float(rows["idle"][0]) / float(rows["idle"][1]), 2),
    }


def _read_answers(output: str) -> Values:
    told = _last_json(output)
    return {"answers": max(v for row in told.values() for k, v in row.items() if k.endswith("99"))}


def _pattern(expression: str, *keys: str) -> Callable[[str], Values]:
    def read(output: str) -> Values:
        found = re.search(expression, output)
        if found is None:
            raise ValueError("no figure in it")
        return dict(zip(keys, map(float, found.groups()), strict=True))

    return read


def _last_json(output: str) -> dict[str, Any]:
    line = [line for line in output.splitlines() if line.startswith("{")][-1]
    told: dict[str, Any] = json.loads(line)
    return told


def _commands(peers: Path, store: ModelStore) -> Mapping[str, tuple[str, ...]]:
    stt, llm, tts = (
        str(store.ensure(name)) for name in ("tiny.en", "smollm2-135m-instruct", "en_US-joe-medium")
    )
    ours = {"stt": ("--model", stt), "llm": ("--model", llm, "--http-uri", "off"),
            "tts": ("--voice", tts)}  # fmt: skip
    commands = {
        kind: (sys.executable, "-m", f"wyoming_{kind}", "--no-zeroconf",
               "--uri", f"tcp://127.0.0.1:{PORTS[kind]}", *flags)
        for kind, flags in ours.items()
    }  # fmt: skip
    stock = (
        str(peers / "bin/python"), "-m", "wyoming_faster_whisper", "--model", stt,
        "--uri", f"tcp://127.0.0.1:{PORTS['stock-stt']}", "--data-dir", tempfile.mkdtemp(),
        "--language", "en", "--stt-library", "faster-whisper", "--local-files-only",
        "--compute-type", "int8", "--beam-size", "1", "--cpu-threads", "2",
    )  # fmt: skip
    return {**commands, "stock-stt": stock}


@contextmanager
def _running(name: str, command: tuple[str, ...]) -> Iterator[None]:
    """Run a server; the block begins once it says that it is ready."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        log = Path(folder) / "log"
        written = stack.enter_context(log.open("wb"))
        process = stack.enter_context(subprocess.Popen(command, stdout=written, stderr=written))
        stack.callback(process.terminate)
        ends = time.monotonic() + _START_SECONDS
        while "Ready" not in (text := log.read_text(encoding="utf-8", errors="replace")):
            if process.poll() is not None or time.monotonic() > ends:
                raise Failed(f"{name} did not start: {text[-200:]}")
            time.sleep(0.2)
        yield


class Failed(Exception):
    """A measurement gave no figure."""


class Results:
    """What the runs have given so far."""

    def __init__(self) -> None:
        self.runs: dict[str, list[float]] = defaultdict(list)
        self.printed: dict[str, str] = {}
        self._failures: dict[str, str] = {}

    def measure(self, one: Measurement, commands: Mapping[str, tuple[str, ...]]) -> None:
        """Run a measurement once; a failure is remembered and stops nothing."""
        try:
            with ExitStack() as stack:
                for name in one.needs:
                    stack.enter_context(_running(name, commands[name]))
                self._take(one, _output(one.command))
        except Failed as err:
            self._failures |= dict.fromkeys(one.keys, " ".join(str(err).split())[-160:])

    @property
    def figures(self) -> list[Figure]:
        return [Figure(key, tuple(self.runs[key])) for key in TARGETS if self.runs[key]]

    @property
    def missing(self) -> dict[str, str]:
        """Why a thing has no figure."""
        return {key: why for key, why in self._failures.items() if not self.runs[key]}

    def _take(self, one: Measurement, output: str) -> None:
        self.printed[one.name] = output.strip()
        try:
            values = one.read(output)
        except (ValueError, LookupError) as err:
            raise Failed(f"its output was not understood: {err}") from err
        for key, value in values.items():
            self.runs[key].append(value)


def _output(command: tuple[str, ...]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=True)
    except subprocess.CalledProcessError as err:
        raise Failed(err.stderr or "no reason given") from err
    except subprocess.TimeoutExpired as err:
        raise Failed("not done within 15 minutes") from err
    return done.stdout


def run(arguments: argparse.Namespace) -> int:
    """Measure, write the report, and return the exit status."""
    store = ModelStore(arguments.data_dir or [DEFAULT_DATA_DIR])
    todo = measurements(arguments.data, arguments.peers, store, quick=arguments.quick)
    if arguments.only:
        todo = [one for one in todo if any(part in one.name for part in arguments.only)]
    commands = _commands(arguments.peers, store)
    results = Results()
    before = machine()
    for repeat in range(arguments.repeats):
        for one in todo:
            sys.stderr.write(f"{time.strftime('%H:%M:%S')} {one.name} ({repeat + 1})\n")
            results.measure(one, commands)
    printed = "\n\n".join(f"### {name}\n\n```\n{x}\n```" for name, x in results.printed.items())
    arguments.out.mkdir(parents=True, exist_ok=True)
    text = render(before, results.figures, results.missing, printed)
    (arguments.out / "benchmarks.md").write_text(text, encoding="utf-8")
    if results.figures:
        plot(results.figures, arguments.out / "benchmarks.svg")
    print(text.partition("## What each")[0])
    return 1 if results.missing else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--peers", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--data-dir", type=Path, action="append", help="where models are")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--only", action="append", help="measurements with this in their name")
    parser.add_argument("--quick", action="store_true", help="a few minutes; figures are rough")
    parser.add_argument("--out", type=Path, default=Path("docs"))
    raise SystemExit(run(parser.parse_args()))


if __name__ == "__main__":
    main()
