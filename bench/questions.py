"""Commands, and questions of several lengths, from the last word to the first sound of the reply.

    python -m bench.questions DATA --stt URI --llm URI --tts URI [--commands 10] [--each 2]

DATA holds manifest.jsonl. Each recording is played to a satellite of its own, standalone, in real
time, and what its speaker would play is recorded. The wait is read from the two recordings: from
the last speech (Silero) to the first sample that can be heard. What the satellite's own stamps say
of the same turn is given beside it. A turn that ended before the question did is counted, and is
no wait; the first turn, which loads what later ones share, is left out. Prints one JSON object,
or with --report FILE... what such objects say together.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, median, pstdev
from typing import Any

import numpy as np
import soundfile

from bench.stt_live import speech_end
from parley.cli.probe import QUESTION
from wyoming_common.audio.pcm import read_audio
from wyoming_common.telemetry.recorder import percentile

_AUDIBLE = 200
"""Amplitude, of 16 bits, from which a sound is one."""
_TOLERANCE = 2.5
"""Seconds by which a recording may be longer or shorter than its group says."""
_CUT = 0.1
"""Seconds before the last speech from which a turn ended too early."""
_MAX_SECONDS = 180.0
ANY = 0.0
BARS_MS = (500, 800)
"""Under the first an answer feels immediate; under the second it does not disturb."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and its answer; times in milliseconds."""

    name: str
    seconds: float
    """The group: about how long the recording is; ANY for a command of any length."""
    problem: str = ""
    """Reason of a missing wait."""
    wait: float = 0.0
    """From the last speech to the first sound, both read from the recordings."""
    stamped: float = 0.0
    """The same by the satellite's own stamps."""
    sound_apart: float = 0.0
    """First sample of the reply that is not zero, in the recording beyond the stamp."""
    stt: float | None = None
    llm: float | None = None
    tts: float | None = None

    @property
    def stamps_apart(self) -> float:
        """The wait in the recordings beyond the wait by the stamps."""
        return self.wait - self.stamped


def choose_commands(
    entries: Sequence[dict[str, Any]], count: int, offset: int
) -> list[tuple[dict[str, Any], float]]:
    """Return `count` of the recorded commands, spread over all of them; others for each offset."""
    commands = [entry for entry in entries if entry["kind"] == "command"]
    step = max(1, len(commands) // max(1, count))
    return [(entry, ANY) for entry in commands[offset % step :: step][:count]]


def choose(
    entries: Sequence[dict[str, Any]], lengths: Sequence[float], each: int, offset: int
) -> list[tuple[dict[str, Any], float]]:
    """Return the recordings of each length that are nearest to it, and that length.

    Commands come first: people who read aloud pause in other places than people who ask.

    `offset` takes the next ones instead: a second run has other questions.
    """
    found = []
    for seconds in lengths:
        near = sorted(
            (entry["kind"] != "command", abs(entry["seconds"] - seconds), entry["audio"], entry)
            for entry in entries
            if abs(entry["seconds"] - seconds) <= _TOLERANCE
        )
        begin = offset * each if (offset + 1) * each <= len(near) else 0
        found += [(entry, seconds) for *_, entry in near[begin : begin + each]]
    return found


def ask(mic: Path, seconds: float, services: Sequence[str]) -> Turn:
    """Put one recorded question to a satellite."""
    with tempfile.TemporaryDirectory() as folder:
        speaker = Path(folder) / "speaker.wav"
        command = [
            sys.executable, "-m", "satellite", "--mode", "standalone", "--wake", "none", "--once",
            "--json", "--no-sounds", f"--mic=file:{mic}", f"--speaker=file:{speaker}", *services,
        ]  # fmt: skip
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_MAX_SECONDS
        )
        lines = done.stdout.splitlines()
        if not lines:
            said = (done.stderr.splitlines() or ["it said nothing"])[-1]
            return Turn(mic.name, seconds, said[-200:])
        samples, rate = soundfile.read(speaker, dtype="int16")
    return read_turn(mic, seconds, json.loads(lines[-1]), samples, rate)


def read_turn(
    mic: Path, seconds: float, report: dict[str, Any], speaker: "np.ndarray[Any, Any]", rate: int
) -> Turn:
    """Return what the recording of the speaker and the satellite's report say of a turn."""
    heard = np.flatnonzero(np.abs(speaker.astype(np.int32)) > _AUDIBLE)
    if report["error"] or not len(heard):
        return Turn(mic.name, seconds, report["error"] or "no sound")
    stages = {stage["stage"]: stage for stage in report["trace"]["stages"]}
    end = speech_end(read_audio(mic)[0])
    zero = report["trace"]["at_ms"] / 1000
    if zero + stages["listening"]["end_ms"] / 1000 < end - _CUT:
        return Turn(mic.name, seconds, "cut off early")
    any_sound = int(np.flatnonzero(speaker)[0]) / rate
    stamp = zero + stages["playback"]["start_ms"] / 1000
    return Turn(
        mic.name,
        seconds,
        wait=round((int(heard[0]) / rate - end) * 1000, 1),
        stamped=report["mouth_to_ear_ms"],
        sound_apart=round((any_sound - stamp) * 1000, 1),
        **{name: stages.get(name, {}).get("wait_ms") for name in ("stt", "llm", "tts")},
    )


def group_name(seconds: float) -> str:
    """Return what the turns of a group are called."""
    return "commands" if seconds == ANY else f"{seconds:g} s"


def waits_of(turns: Sequence[Turn]) -> list[float]:
    """Return the waits that the budget is about: those after commands, where there are any."""
    commands = [turn for turn in turns if turn.seconds == ANY]
    return sorted(turn.wait for turn in commands or turns if not turn.problem)


def report(turns: Sequence[Turn]) -> str:
    """Return what the turns say together, as Markdown."""
    answered = [turn for turn in turns if not turn.problem]
    if not answered:
        return "No question was answered."
    apart = sorted(abs(turn.sound_apart) for turn in answered)
    differ = sorted(turn.stamps_apart for turn in answered)
    lines = [
        *(_shares(name, group) for name, group in _groups(turns)),
        "",
        (
            "| length | turns | from last word to reply, ms: mean ± spread | quartiles "
            "| STT: mean | quartiles | first token: mean | quartiles |"
        ),
        "|---|---|---|---|---|---|---|---|",
        *(_row(seconds, answered) for seconds in sorted({turn.seconds for turn in turns})),
        "",
        (
            "Recording against our own stamps: the first sample of the reply lies "
            f"{median(apart):.1f} ms (median; at most {apart[-1]:.1f}) from where the stamp says. "
            f"The whole wait is {median(differ):.0f} ms longer in the recordings (quartiles "
            f"{percentile(differ, 0.25):.0f} to {percentile(differ, 0.75):.0f}): they count from "
            "the last speech that Silero hears to the first sound that a person hears."
        ),
    ]
    problems = [f"- {turn.name} ({group_name(turn.seconds)}): {turn.problem}" for turn in turns
                if turn.problem]  # fmt: skip
    return "\n".join([*lines, *(["", "Not counted:", "", *problems] if problems else [])])


def _groups(turns: Sequence[Turn]) -> list[tuple[str, list[Turn]]]:
    commands = [turn for turn in turns if turn.seconds == ANY]
    questions = [turn for turn in turns if turn.seconds != ANY]
    return [pair for pair in (("commands", commands), ("questions", questions)) if pair[1]]


def _shares(name: str, turns: Sequence[Turn]) -> str:
    waits = [turn.wait for turn in turns if not turn.problem]
    shares = ", ".join(
        f"{sum(wait <= bar for wait in waits) / max(1, len(waits)):.0%} within {bar} ms"
        for bar in BARS_MS
    )
    return f"{len(waits)} of {len(turns)} {name} were answered whole: {shares}."


def _row(seconds: float, turns: Sequence[Turn]) -> str:
    group = [turn for turn in turns if turn.seconds == seconds]
    cells = []
    for name in ("wait", "stt", "llm"):
        values = sorted(value for turn in group if (value := getattr(turn, name)) is not None)
        if not values:
            cells += ["-", "-"]
            continue
        spread = f" ± {pstdev(values):.0f}" if name == "wait" else ""
        quartiles = ", ".join(f"{percentile(values, part):.0f}" for part in (0.25, 0.5, 0.75))
        cells += [f"{fmean(values):.0f}{spread}", quartiles]
    return f"| {group_name(seconds)} | {len(group)} | {' | '.join(cells)} |"


def as_json(turns: Sequence[Turn]) -> str:
    """Return the turns and their percentiles."""
    waits = waits_of(turns)
    told: dict[str, Any] = {"turns": [asdict(turn) for turn in turns]}
    if waits:
        told |= {f"p{part}": round(percentile(waits, part / 100), 1) for part in (50, 95)}
    return json.dumps(told)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("data", type=Path, nargs="?")
    for name in ("stt", "llm", "tts"):
        parser.add_argument(f"--{name}", default="", help="default: found by zeroconf")
    parser.add_argument("--commands", type=int, default=10, help="commands of any length")
    parser.add_argument("--seconds", default="5,10,15,20", help="lengths of the questions")
    parser.add_argument("--each", type=int, default=2, help="questions of each length")
    parser.add_argument("--offset", type=int, default=0, help="skip this many groups")
    parser.add_argument("--report", type=Path, nargs="+", metavar="FILE", help="read those instead")
    options = parser.parse_args()
    if options.report:
        told = [json.loads(path.read_text(encoding="utf-8")) for path in options.report]
        print(report([Turn(**turn) for one in told for turn in one["turns"]]))
        return
    if options.data is None:
        parser.error("expected DATA, a folder with manifest.jsonl")
    lines = (options.data / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    entries = [entry for entry in map(json.loads, lines) if entry["kind"] in ("command", "speech")]
    lengths = [float(seconds) for seconds in options.seconds.split(",")]
    services = [f"--{name}={uri}" for name in ("stt", "llm", "tts") if (uri := vars(options)[name])]
    chosen = choose_commands(entries, options.commands, options.offset)
    chosen += choose(entries, lengths, options.each, options.offset)
    ask(QUESTION, 0, services)
    turns = [ask(options.data / entry["audio"], seconds, services) for entry, seconds in chosen]
    print(as_json(turns))


if __name__ == "__main__":
    main()
