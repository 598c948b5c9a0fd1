"""The satellite's ears and the whole loop, measured on recordings.

    python -m bench.satellite DATA wake [--engine micro|open]
    python -m bench.satellite DATA wake-under-sound [--engine micro|open]
    python -m bench.satellite DATA one-breath [--engine micro|open] [--clips 30]
    python -m bench.satellite DATA barge-in [--minutes 20] [--talks 50] [--by command] [--seed 2]
    python -m bench.satellite DATA mouth-to-ear --stt URI --llm URI --tts URI [--clips 30]
    python -m bench.satellite DATA rest [--seconds 600] [--wake WORD ...] [--engine micro|open]
    python -m bench.satellite DATA ping [--seconds 600]

DATA holds manifest.jsonl (audio, kind, positive_for, scenario...) and rir.jsonl. All figures are
counts and times of this run on this machine; rooms are simulated but for `echo` pairs.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from bench.satellite_data import Data, speech_end, speech_start
from bench.satellite_ping import ping
from bench.satellite_rooms import Wave
from bench.satellite_talk import Case, barge_in
from bench.satellite_wake import WORDS, one_breath, wake, wake_under_sound

_WHAT = ("wake", "wake-under-sound", "one-breath", "barge-in", "mouth-to-ear", "rest", "ping")


def mouth_to_ear(data: Data, uris: list[str], clips: int) -> Iterator[dict[str, Any]]:
    """From the last speech of a command to the first sample of the reply, read from the file."""
    entries = [entry for entry in data.of("command") if entry["seconds"] < 15]
    picked = entries[:: max(1, len(entries) // clips)][:clips]
    waits: list[float] = []
    stages: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for entry in picked:
            pcm = data.wave(entry["audio"])
            start, end = speech_start(pcm), speech_end(pcm)
            said = pcm[max(0, int((start - 0.5) * 16_000)) : int((end + 0.1) * 16_000)]
            found = _ask(Path(folder), said, uris)
            if found is None:
                continue
            first, turn = found
            waits.append((first - speech_end(said)) * 1000)
            for name, seconds in _waits(turn).items():
                stages.setdefault(name, []).append(seconds)
    print(
        f"mouth to ear, {len(waits)} of {len(picked)} commands: p50 {np.percentile(waits, 50):.0f} "
        f"ms, p95 {np.percentile(waits, 95):.0f} ms"
    )
    for name, values in stages.items():
        p50, p95 = np.percentile(values, [50, 95])
        print(f"  {name}: p50 {p50:.0f} ms, p95 {p95:.0f} ms")
    whole = {name: [round(value) for value in values] for name, values in stages.items()}
    waited = [round(wait) for wait in waits]
    yield {"what": "mouth-to-ear", "waits_ms": waited, "stages_ms": whole}


def _ask(folder: Path, said: Wave, uris: list[str]) -> tuple[float, dict[str, Any]] | None:
    """Say something to a satellite; return when it began to answer, and its report."""
    mic, speaker = folder / "mic.wav", folder / "speaker.wav"
    soundfile.write(mic, said.astype(np.int16), 16_000)
    command = [sys.executable, "-m", "satellite", "--mode", "standalone", "--wake", "none"]
    command += ["--once", "--json", f"--mic=file:{mic}", f"--speaker=file:{speaker}", *uris]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        print(f"  no turn: {(done.stderr.splitlines() or ['?'])[-1]}")
        return None
    samples, rate = soundfile.read(speaker, dtype="int16")
    loud = np.flatnonzero(samples)
    return loud[0] / rate, json.loads(done.stdout.splitlines()[-1])


def _waits(turn: dict[str, Any]) -> dict[str, float]:
    """Return how long was waited for each stage in turn, in milliseconds."""
    at = {stage["stage"]: stage for stage in turn["trace"]["stages"]}
    marks = [
        ("end of speech to transcript", at["listening"].get("end_ms"), at["stt"].get("end_ms")),
        ("transcript to first word", at["stt"].get("end_ms"), at["llm"].get("first_ms")),
        ("first word to first sound", at["llm"].get("first_ms"), at["tts"].get("first_ms")),
        ("first sound to speaker", at["tts"].get("first_ms"), at["playback"].get("start_ms")),
    ]
    return {name: end - start for name, start, end in marks if None not in (start, end)}


def rest(seconds: float, flags: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """CPU and memory of a satellite that waits for its wake word, echo canceller on."""
    with tempfile.TemporaryDirectory() as folder:
        quiet = np.random.default_rng(0).normal(0, 10, int(seconds + 20) * 16_000)
        soundfile.write(f"{folder}/mic.wav", quiet.astype(np.int16), 16_000)
        command = [sys.executable, "-m", "satellite", "--uri", "tcp://127.0.0.1:0"]
        command += ["--no-zeroconf", f"--mic=file:{folder}/mic.wav", "--echo-cancellation=on"]
        command += [f"--speaker=file:{folder}/speaker.wav", *flags]
        with subprocess.Popen(command) as process:
            time.sleep(10)
            before = _cpu_seconds(process.pid)
            time.sleep(seconds)
            used = _cpu_seconds(process.pid) - before
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
            process.terminate()
    memory = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    megabytes = int(memory.split()[1]) / 1024
    print(
        f"at rest for {seconds:.0f} s {' '.join(flags)}: {used / seconds:.2%} of a core, "
        f"{megabytes:.0f} MB"
    )
    yield {
        "what": "rest", "seconds": seconds, "core": used / seconds, "mb": round(megabytes),
        "flags": flags,
    }  # fmt: skip


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("what", choices=_WHAT)
    parser.add_argument("--engine", choices=sorted(WORDS), default="micro")
    parser.add_argument("--wake", action="append", default=[], help="word of the one at rest")
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--talks", type=int, default=50)
    parser.add_argument("--by", default="command", help="kind of recordings that talk")
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--noise-suppression", action="store_true")
    parser.add_argument("--clips", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--json", type=Path, help="file to append what was measured to")
    for name in ("stt", "llm", "tts"):
        parser.add_argument(f"--{name}", default="")
    arguments = parser.parse_args()
    data = Data(arguments.data)
    for row in _measure(data, arguments):
        if arguments.json is not None:
            with arguments.json.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")


def _measure(data: Data, arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    match arguments.what:
        case "wake" | "wake-under-sound":
            return (wake if arguments.what == "wake" else wake_under_sound)(data, arguments.engine)
        case "barge-in":
            fields = ("minutes", "talks", "by", "seed")
            chosen = {name: getattr(arguments, name) for name in fields}
            return barge_in(data, Case(**chosen, noise=arguments.noise_suppression))
        case "mouth-to-ear":
            given = {name: getattr(arguments, name) for name in ("stt", "llm", "tts")}
            uris = [f"--{name}={uri}" for name, uri in given.items() if uri]
            return mouth_to_ear(data, uris, arguments.clips)
        case "one-breath":
            return one_breath(data, arguments.engine, arguments.clips)
    if arguments.what == "ping":
        return ping(arguments.seconds)
    words = [f"--wake={word}" for word in arguments.wake]
    return rest(arguments.seconds, [*words, f"--wake-engine={arguments.engine}"])


if __name__ == "__main__":
    main()
