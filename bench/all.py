"""Everything of the budgets on this machine, beside the stock servers, in one command.

    python -m bench.all --peers DIR --data DIR [--repeats 2] [--minutes 19] [--quick] [--out docs]

DIR of --peers is a virtual environment with wyoming-faster-whisper and wyoming-piper; --data
holds manifest.jsonl and rir.jsonl with recordings. `script/bench` makes and finds both.
Measurements take turns, so that what disturbs the machine disturbs them all. The report, and
benchmarks.json with every run beside it, are written after each: what is interrupted has what was
measured until then, and --add goes on from there (with --repeats 0 it only writes the report).
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path

from bench.measurements import (
    EAR,
    JSON_FILE,
    RUN,
    Measurement,
    free_ports,
    last_json,
    measurements,
)
from bench.questions import Turn, waits_of
from bench.questions import report as report_questions
from bench.table import TARGETS, Figure, machine, plot, plot_waits, render
from wyoming_common.config.settings import DEFAULT_DATA_DIR
from wyoming_common.models.store import ModelStore
from wyoming_common.process.cpu import cpu_flags, int8_products_saturate
from wyoming_common.telemetry.recorder import percentile

RUNS = "benchmarks.json"
_START_SECONDS = 90.0
_MAX_SECONDS = 600.0
"""A measurement that takes longer gives no figure."""


class Failed(Exception):
    """A measurement gave no figure."""


def commands(
    peers: Path, store: ModelStore, ports: Mapping[str, int]
) -> Mapping[str, tuple[str, ...]]:
    """Return how the servers are started; ours keep no answer, so that none is given twice."""
    stt, llm, tts = (
        str(store.ensure(name)) for name in ("tiny.en", "smollm2-135m-instruct", "en_US-joe-medium")
    )
    ours = {
        "stt": ("--model", stt),
        "llm": ("--model", llm, "--http-uri", "off", "--answer-seconds", "0", "--max-tokens", "40"),
        "tts": ("--voice", tts, "--cache", "0"),
    }
    found = {
        kind: (sys.executable, "-m", f"wyoming_{kind}", "--no-zeroconf",
               "--uri", f"tcp://127.0.0.1:{ports[kind]}", *flags)
        for kind, flags in ours.items()
    }  # fmt: skip
    stock = (
        str(peers / "bin/python"), "-m", "wyoming_faster_whisper", "--model", stt,
        "--uri", f"tcp://127.0.0.1:{ports['stock-stt']}", "--data-dir", tempfile.mkdtemp(),
        "--language", "en", "--stt-library", "faster-whisper", "--local-files-only",
        "--compute-type", "int8", "--beam-size", "1", "--cpu-threads", str(os.cpu_count() or 1),
    )  # fmt: skip
    return {**found, "stock-stt": stock}


@contextmanager
def running(name: str, command: tuple[str, ...]) -> Iterator[None]:
    """Run a server; the block begins once it says that it is ready. Raises Failed."""
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


class Results:
    """Figures of the runs so far, and the reasons of missing ones."""

    def __init__(self) -> None:
        self.runs: dict[str, list[float]] = defaultdict(list)
        self.printed: dict[str, str] = {}
        self.turns: list[Turn] = []
        """The questions of every run, with their waits."""
        self._failures: dict[str, str] = {}

    @classmethod
    def load(cls, path: Path) -> "Results":
        """Return what `save` has written."""
        told = json.loads(path.read_text(encoding="utf-8"))
        results = cls()
        results.runs |= told["runs"]
        results.printed |= told["printed"]
        results.turns = [Turn(**turn) for turn in told["turns"]]
        return results

    def save(self, path: Path) -> None:
        """Write every run as JSON."""
        turns = [asdict(turn) for turn in self.turns]
        told = {"runs": dict(self.runs), "printed": self.printed, "turns": turns}
        path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")

    def measure(self, one: Measurement, servers: Mapping[str, tuple[str, ...]]) -> None:
        """Run a measurement once more; a failure is remembered and stops nothing."""
        run = len(self.runs[one.keys[0]])
        try:
            with ExitStack() as stack:
                for name in one.needs:
                    stack.enter_context(running(name, servers[name]))
                self._take(one, *_output(one.command, run))
        except Failed as err:
            self._failures |= dict.fromkeys(one.keys, " ".join(str(err).split())[-160:])

    @property
    def figures(self) -> list[Figure]:
        return [Figure(key, self._values(key)) for key in TARGETS if self.runs[key]]

    def _values(self, key: str) -> tuple[float, ...]:
        halves = self.runs["ear_p50"]
        if key == "ear_p95" and halves and Figure("ear_p50", tuple(halves)).agrees:
            # Each run has other questions, too few for a percentile of its own.
            return (round(percentile(waits_of(self.turns), 0.95), 1),)
        return tuple(self.runs[key])

    @property
    def missing(self) -> dict[str, str]:
        """Reason by figure that is missing."""
        return {key: why for key, why in self._failures.items() if not self.runs[key]}

    def _take(self, one: Measurement, printed: str, figures: str) -> None:
        self.printed[one.name] = printed.strip()
        try:
            values = one.read(figures)
            if one.name == EAR:
                self.turns += [Turn(**turn) for turn in last_json(figures)["turns"]]
        except (ValueError, LookupError, TypeError, ZeroDivisionError) as err:
            raise Failed(f"its output was not understood: {err!r}") from err
        if one.name == EAR:
            self.printed[one.name] = ""
        for key, value in values.items():
            self.runs[key].append(value)


def _output(command: tuple[str, ...], run: int) -> tuple[str, str]:
    """Return what a command printed, and its figures: of its JSON file where it writes one."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "figures.json"
        placed = {JSON_FILE: str(file), RUN: str(run)}
        given = [placed.get(word, word) for word in command]
        try:
            done = subprocess.run(
                given, capture_output=True, text=True, timeout=_MAX_SECONDS, check=True
            )
        except subprocess.CalledProcessError as err:
            raise Failed(err.stderr or "no reason given") from err
        except subprocess.TimeoutExpired as err:
            raise Failed(f"not done within {_MAX_SECONDS / 60:.0f} minutes") from err
        return done.stdout, file.read_text(encoding="utf-8") if file.exists() else done.stdout


class Report:
    """The pages and plots in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._before = machine()
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, results: Results) -> str:
        """Write the page; return its table."""
        printed = "\n\n".join(
            f"### {name}\n\n```\n{text}\n```" for name, text in results.printed.items() if text
        )
        waits = report_questions(results.turns) if results.turns else ""
        text = render(
            self._before,
            results.figures,
            results.missing,
            waits,
            printed,
            avx2_alone=int8_products_saturate(cpu_flags()),
        )
        (self._folder / "benchmarks.md").write_text(text, encoding="utf-8")
        results.save(self._folder / RUNS)
        return text.partition("## What each")[0]

    def draw(self, results: Results) -> None:
        """Draw the plots."""
        if results.figures:
            plot(results.figures, self._folder / "benchmarks.svg")
        if any(not turn.problem for turn in results.turns):
            plot_waits(results.turns, self._folder / "benchmarks-waits.svg")


def run(arguments: argparse.Namespace) -> int:
    """Measure, write the report, and return the exit status."""
    begun = time.monotonic()
    store = ModelStore(arguments.data_dir or [DEFAULT_DATA_DIR])
    ports = free_ports()
    todo = measurements(arguments.data, arguments.peers, store, ports, quick=arguments.quick)
    if arguments.only:
        todo = [one for one in todo if any(part in one.name for part in arguments.only)]
    servers = commands(arguments.peers, store, ports)
    report = Report(arguments.out)
    results = Results.load(arguments.out / RUNS) if arguments.add else Results()
    for repeat, one in _in_turn(todo, 1 if arguments.quick else arguments.repeats):
        spent = time.monotonic() - begun
        if repeat and spent > arguments.minutes * 60:
            _say(f"{arguments.minutes:g} minutes are over: no second run of {one.name}")
            continue
        _say(f"{one.name} ({repeat + 1})")
        results.measure(one, servers)
        report.write(results)
    table = report.write(results)
    report.draw(results)
    _say(f"Done in {(time.monotonic() - begun) / 60:.1f} minutes")
    print(table)
    return 1 if results.missing else 0


def _in_turn(todo: Sequence[Measurement], repeats: int) -> Iterator[tuple[int, Measurement]]:
    for repeat in range(repeats):
        for one in todo:
            if one.repeats or not repeat:
                yield repeat, one


def _say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--peers", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--data-dir", type=Path, action="append", help="where models are")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument(
        "--minutes", type=float, default=19.0, help="after which no second run begins (19)"
    )
    parser.add_argument("--add", action="store_true", help="add to the runs that are there")
    parser.add_argument("--only", action="append", help="measurements with this in their name")
    parser.add_argument(
        "--quick", action="store_true", help="one run of a few minutes; figures are rough"
    )
    parser.add_argument("--out", type=Path, default=Path("docs"))
    arguments = parser.parse_args()
    if not (arguments.data / "manifest.jsonl").is_file():
        parser.error(f"expected recordings with manifest.jsonl in {arguments.data}")
    if arguments.add and not (arguments.out / RUNS).is_file():
        parser.error(f"there is no {RUNS} in {arguments.out} to add to")
    if not (arguments.peers / "bin/python").is_file():
        parser.error(f"expected a virtual environment with the stock servers in {arguments.peers}")
    # Ends as Ctrl-C does: the servers end with us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    raise SystemExit(run(arguments))


if __name__ == "__main__":
    main()
