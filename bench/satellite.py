"""The satellite's ears and the whole loop, measured on recordings.

    python -m bench.satellite DATA wake [--engine micro|open]
    python -m bench.satellite DATA barge-in [--minutes 20] [--talks 50]
    python -m bench.satellite DATA mouth-to-ear --stt URI --llm URI --tts URI [--clips 30]
    python -m bench.satellite DATA rest [--seconds 600]

DATA holds manifest.jsonl (audio, kind, positive_for, scenario...) and rir.jsonl. All figures are
counts and times of this run on this machine; rooms are simulated but for `echo` pairs.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from bench.satellite_rooms import Room, Simulation, Wave
from satellite.barge_in import Talk
from satellite.devices.device import FRAME_BYTES, Frame
from satellite.ears import Ears
from satellite.frontend import FrontEnd, FrontEndSettings, NoFrontEnd, WebRtc
from satellite.wake import make_wake
from satellite.wake.engine import NoWake
from wyoming_common.audio import read_audio
from wyoming_common.vad import Silero

_MICRO = ("alexa", "hey_jarvis", "hey_mycroft", "okay_nabu")
_WORDS: dict[str, tuple[str, ...]] = {"micro": _MICRO, "open": (*_MICRO, "hey_rhasspy")}


class Data:
    """The recordings by kind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        lines = (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
        self.entries: list[dict[str, Any]] = [json.loads(line) for line in lines]
        rirs = (folder / "rir.jsonl").read_text(encoding="utf-8").splitlines()
        self.responses = [self.wave(json.loads(line)["audio"]) for line in rirs]

    def of(self, *kinds: str) -> list[dict[str, Any]]:
        return [entry for entry in self.entries if entry["kind"] in kinds]

    def wave(self, path: str) -> Wave:
        return np.frombuffer(read_audio(self.folder / path)[0], "<i2").astype(np.float32)


def wake(data: Data, engine: str) -> None:
    """Recall, false accepts and near misses; clean, in noise, and while a reply plays."""
    noises = [data.wave(entry["audio"]) for entry in data.of("noise")]
    rng = random.Random(1)  # noqa: S311 - chooses recordings
    for label, ratio_db in (("quiet", None), ("noise 10 dB", 10), ("noise 0 dB", 0)):
        hits = misses = accepts = 0
        minutes = 0.0
        lags = []
        for entry in data.of("wake", "negative"):
            wanted = {word for word in entry.get("positive_for") or () if word in _WORDS[engine]}
            pcm = data.wave(entry["audio"])
            if ratio_db is not None:
                pcm = _mixed(pcm, rng.choice(noises), ratio_db)
            heard = _words(pcm, engine)
            if wanted:
                found = [at for at, word in heard if word in wanted]
                hits, misses = hits + bool(found), misses + (not found)
                lags += [found[0] - _speech_end(data.wave(entry["audio"]))] if found else []
            else:
                accepts += len(heard)
                minutes += entry["seconds"] / 60
        lag = np.median(lags) * 1000 if lags else float("nan")
        print(
            f"wake {engine}, {label}: {hits} of {hits + misses} heard, {accepts} false accepts "
            f"in {minutes:.1f} min of other speech and near misses, {lag:.0f} ms after the word"
        )
    _wake_under_reply(data, engine, rng)


def _wake_under_reply(data: Data, engine: str, rng: random.Random) -> None:
    clips = [entry for entry in data.of("wake") if set(entry["positive_for"] or ()) & {"alexa"}]
    for label, echo in (("with the echo canceller", True), ("without it", False)):
        heard, own = 0, 0
        picked = rng.sample(clips, min(40, len(clips)))
        for entry in picked:
            near = np.zeros(16_000 * 8, np.float32)
            word = data.wave(entry["audio"])[: 16_000 * 3]
            near[64_000 : 64_000 + len(word)] = word
            front_end: FrontEnd = WebRtc(FrontEndSettings(), 16_000) if echo else NoFrontEnd()
            room = _room(data, rng)
            detector = make_wake(engine, ("alexa",), 0.5, "")
            simulation = Simulation(room, near, _reply(data, rng, 9), front_end, detector)
            words = [at for at, what in simulation.run(obey=False) if isinstance(what, str)]
            heard += any(at > 4.0 for at in words)
            own += sum(at <= 4.0 for at in words)
        print(
            f"wake {engine}, while a reply plays, {label}: {heard} of {len(picked)} heard, "
            f"{own} false accepts"
        )


def barge_in(data: Data, minutes: float, talks: int, *, noise: bool) -> None:
    """False stops over replies nobody talks into, and the time until a talker is given room."""
    rng = random.Random(2)  # noqa: S311 - chooses recordings
    _false_stops(data, rng, minutes, noise)
    _echo_pairs(data, noise)
    _talkers(data, rng, talks, noise)


def _false_stops(data: Data, rng: random.Random, minutes: float, noise: bool) -> None:
    counts = dict.fromkeys(Talk, 0)
    heard = 0.0
    while heard < minutes * 60:
        for at, what in _simulate(data, rng, np.zeros(30 * 16_000, np.float32), noise):
            if isinstance(what, Talk):
                counts[what] += 1
                if what is Talk.REAL:
                    heard += at - 30
                    break
        heard += 30
    print(
        f"barge-in, nobody speaks, {heard / 60:.1f} min of replies in simulated rooms: "
        f"{counts[Talk.REAL]} false stops, {counts[Talk.LIKELY]} pauses that went on, "
        f"{counts[Talk.MAYBE]} times ducked"
    )


def _talkers(data: Data, rng: random.Random, talks: int, noise: bool) -> None:
    delays, missed, before = [], 0, 0
    commands = [entry for entry in data.of("command") if 2 < entry["seconds"] < 12]
    for _ in range(talks):
        command = data.wave(rng.choice(commands)["audio"])
        command *= rng.choice([6_000, 10_000, 16_000]) / max(1.0, float(np.abs(command).max()))
        # By then the echo canceller knows the room, as it does after a satellite's first reply.
        begin = rng.uniform(8, 12)
        onset = begin + _speech_start(command)
        near = np.zeros(22 * 16_000, np.float32)
        piece = command[: len(near) - int(begin * 16_000)]
        near[int(begin * 16_000) : int(begin * 16_000) + len(piece)] = piece
        events = []
        for at, what in _simulate(data, rng, near, noise):
            events.append((at, what))
            if what is Talk.REAL:
                break
        ended = events[-1] if events else (0.0, None)
        if ended[1] is not Talk.REAL:
            missed += 1
        elif ended[0] < onset:
            before += 1
        else:
            # The first silence counts, although a pause may end once before the talker is believed.
            delays.append(1000 * max(0.0, _silences(events, onset)[0] - onset))
    print(
        f"barge-in, {talks} talkers: silence {np.percentile(delays, 50):.0f} ms (p50), "
        f"{np.percentile(delays, 95):.0f} ms (p95) after speech starts; {missed} not given room, "
        f"{before} stopped before they spoke"
    )


def _silences(events: list[tuple[float, Any]], onset: float) -> list[float]:
    """Return when pauses began: those after `onset`, and one that lasted until then."""
    pauses = [at for at, what in events if what is Talk.LIKELY]
    ends = [at for at, what in events if what in (Talk.NONE, Talk.REAL)]
    return [at for at in pauses if at > onset or not any(at < end <= onset for end in ends)]


def _simulate(data: Data, rng: random.Random, near: Wave, noise: bool) -> Any:
    front_end = WebRtc(FrontEndSettings(noise=noise), 16_000)
    reply = _reply(data, rng, len(near) / 16_000 + 1)
    return Simulation(_room(data, rng), near, reply, front_end, NoWake()).run(obey=True)


def _echo_pairs(data: Data, noise: bool) -> None:
    """Real recordings of a device that plays while nobody, or somebody, speaks."""
    references = {entry["pair"]: entry for entry in data.of("echo_ref")}
    for entry in data.of("echo_mic"):
        near = data.wave(entry["audio"])
        far = data.wave(references[entry["pair"]]["audio"])
        front_end = WebRtc(FrontEndSettings(noise=noise), 16_000)
        silent = Room(np.ones(1, np.float32), 0.0, 0.0, 0.0)
        found = [
            f"{what.name} at {at:.1f} s"
            for at, what in Simulation(silent, near, far, front_end, NoWake()).run(obey=False)
            if isinstance(what, Talk)
        ]
        # The recording goes on where we would have paused: only its first event is ours.
        print(f"  recorded pair, {entry['scenario']}: {', '.join(found) or 'nothing'}")


def mouth_to_ear(data: Data, uris: list[str], clips: int) -> None:
    """From the last speech of a command to the first sample of the reply, read from the file."""
    entries = [entry for entry in data.of("command") if entry["seconds"] < 15]
    picked = entries[:: max(1, len(entries) // clips)][:clips]
    waits = []
    with tempfile.TemporaryDirectory() as folder:
        speaker = Path(folder) / "speaker.wav"
        for entry in picked:
            mic = data.folder / entry["audio"]
            command = [sys.executable, "-m", "satellite", "--mode", "standalone", "--wake", "none"]
            command += ["--once", "--json", f"--mic=file:{mic}", f"--speaker=file:{speaker}", *uris]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
            if done.returncode:
                print(f"  {mic.name}: {done.stderr.splitlines()[-1]}")
                continue
            samples, rate = soundfile.read(speaker, dtype="int16")
            first = np.flatnonzero(samples)[0] / rate
            pcm = data.wave(entry["audio"])
            until = pcm[: int(first * 16_000)]
            waits.append((first - _speech_end(until)) * 1000)
    print(
        f"mouth to ear, {len(waits)} of {len(picked)} commands: p50 {np.percentile(waits, 50):.0f} "
        f"ms, p95 {np.percentile(waits, 95):.0f} ms"
    )


def rest(seconds: float) -> None:
    """CPU and memory of a satellite that waits for its wake word, echo canceller on."""
    with tempfile.TemporaryDirectory() as folder:
        quiet = np.random.default_rng(0).normal(0, 10, int(seconds + 20) * 16_000)
        soundfile.write(f"{folder}/mic.wav", quiet.astype(np.int16), 16_000)
        command = [sys.executable, "-m", "satellite", "--uri", "tcp://127.0.0.1:0"]
        command += ["--no-zeroconf", f"--mic=file:{folder}/mic.wav", "--echo-cancellation=on"]
        command += [f"--speaker=file:{folder}/speaker.wav"]
        with subprocess.Popen(command) as process:
            time.sleep(10)
            before = _cpu_seconds(process.pid)
            time.sleep(seconds)
            used = _cpu_seconds(process.pid) - before
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
            process.terminate()
    memory = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    megabytes = int(memory.split()[1]) / 1024
    print(f"at rest for {seconds:.0f} s: {used / seconds:.1%} of a core, {megabytes:.0f} MB")


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def _room(data: Data, rng: random.Random) -> Room:
    gain, delay = rng.choice([0.1, 0.3, 0.8]), rng.choice([0.01, 0.04, 0.1])
    return Room(rng.choice(data.responses), gain, delay, rng.choice([5.0, 30.0]))


def _reply(data: Data, rng: random.Random, seconds: float) -> Wave:
    """Somebody else's speech at the level of a reply."""
    pieces: list[Wave] = []
    entries = [entry for entry in data.of("speech") if entry["seconds"] > 4]
    while sum(map(len, pieces)) < seconds * 16_000:
        pieces += [data.wave(rng.choice(entries)["audio"]), np.zeros(4_000, np.float32)]
    reply = np.concatenate(pieces)[: int(seconds * 16_000)]
    return reply * np.float32(16_000 / max(1.0, float(np.abs(reply).max())))


def _mixed(pcm: Wave, noise: Wave, ratio_db: float) -> Wave:
    repeated = np.resize(noise, len(pcm))
    want = np.sqrt(np.mean(pcm**2)) / 10 ** (ratio_db / 20)
    mixed: Wave = pcm + repeated * np.float32(want / max(1.0, float(np.sqrt(np.mean(repeated**2)))))
    return mixed


def _words(pcm: Wave, engine: str) -> list[tuple[float, str]]:
    padded = np.concatenate([np.zeros(8_000, np.float32), pcm, np.zeros(16_000, np.float32)])
    data = np.clip(padded, -32768, 32767).astype("<i2").tobytes()
    ears = Ears(Silero(), make_wake(engine, _WORDS[engine], 0.5, ""))
    heard = []
    for begin in range(0, len(data) - FRAME_BYTES + 1, FRAME_BYTES):
        at = (begin + FRAME_BYTES) / 32_000 - 0.5
        if (word := ears.hear(Frame(data[begin : begin + FRAME_BYTES], at)).wake) is not None:
            heard.append((at, word))
    return heard


def _speech(pcm: Wave) -> list[bool]:
    data, vad = np.clip(pcm, -32768, 32767).astype("<i2").tobytes(), Silero()
    return [vad.process(data[at : at + 1024]) >= 0.5 for at in range(0, len(data) - 1023, 1024)]


def _speech_start(pcm: Wave) -> float:
    speech = _speech(pcm)
    # A single frame is a click or a breath; speech has company.
    starts = (i for i, spoken in enumerate(speech) if spoken and any(speech[i + 1 : i + 3]))
    return next(starts, 0) * 0.032


def _speech_end(pcm: Wave) -> float:
    speech = _speech(pcm)
    return (max((i for i, spoken in enumerate(speech) if spoken), default=len(speech)) + 1) * 0.032


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("what", choices=["wake", "barge-in", "mouth-to-ear", "rest"])
    parser.add_argument("--engine", choices=sorted(_WORDS), default="micro")
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--talks", type=int, default=50)
    parser.add_argument("--noise-suppression", action="store_true")
    parser.add_argument("--clips", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=600.0)
    for name in ("stt", "llm", "tts"):
        parser.add_argument(f"--{name}", default="")
    arguments = parser.parse_args()
    data = Data(arguments.data)
    match arguments.what:
        case "wake":
            wake(data, arguments.engine)
        case "barge-in":
            noise = arguments.noise_suppression
            barge_in(data, arguments.minutes, arguments.talks, noise=noise)
        case "mouth-to-ear":
            given = {name: getattr(arguments, name) for name in ("stt", "llm", "tts")}
            mouth_to_ear(
                data, [f"--{name}={uri}" for name, uri in given.items() if uri], arguments.clips
            )
        case "rest":
            rest(arguments.seconds)


if __name__ == "__main__":
    main()
