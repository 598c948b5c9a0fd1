# ruff: noqa: T201 - a command
"""Model files that are cut, damaged or something else: an error in one line, never a crash.

    python -m tests.fuzz.models [--rounds 12] [--seed N] [--kind stt|tts|llm|turn]...

Takes the installed default models. Each round damages one file of a copy, loads it in a process
of its own and asks it once. A model that loads all the same is no failure: not every byte counts.
Exits with 1 if a process was killed, hung, or ended with a traceback.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Final

import numpy as np

from wyoming_common.errors import ServiceError
from wyoming_common.models import ModelStore

MODELS: Final = {
    "stt": "tiny.en",
    "tts": "en_US-joe-medium",
    "llm": "smollm2-135m-instruct",
    "turn": "smart-turn-v3.2",
}
_MAX_RUN_SECONDS: Final = 120
_TOLD: Final = 3
"""Exit status of a child that was told what is wrong."""
_HEADERS: Final = (64, 4096, 65_536, 2_000_000, 10**12)
"""Bytes of a file's beginning in which a small damage is done: what is there says how the rest is
to be read, and a GGUF file's tokens alone are 2 MB."""


def damage(content: bytes, random: Random) -> tuple[str, bytes]:  # noqa: PLR0911 - a list
    """Return what was done, and the damaged bytes."""
    size = len(content)
    at = random.randrange(size)
    match random.choice((0, 1, 1, 1, 2, 3, 3, 3, 4, 4, 5, 6, 7)):
        case 0:
            return "empty", b""
        case 1:
            return f"cut at {at}", content[:at]
        case 2:
            end = max(1, min(size, 64) - 1)
            return f"cut at {end}", content[:end]
        case 3:
            at = random.randrange(min(size, random.choice(_HEADERS)))
            flipped = content[at] ^ (1 << random.randrange(8))
            return f"a bit of byte {at}", content[:at] + bytes([flipped]) + content[at + 1 :]
        case 4:
            at = random.randrange(min(size, random.choice(_HEADERS)))
            noise = random.randbytes(8)
            return f"8 bytes at {at}", content[:at] + noise + content[at + 8 :]
        case 5:
            noise = random.randbytes(4096)
            return f"4096 bytes at {at}", content[:at] + noise + content[at + 4096 :]
        case 6:
            return f"zeros from {at}", content[:at] + bytes(size - at)
        case _:
            return "something else", random.randbytes(min(size, 100_000))


def ask(kind: str, path: Path) -> None:
    """Load the model at `path`, and ask it once. Raises ServiceError."""
    if kind == "stt":
        from wyoming_stt.config import SttSettings
        from wyoming_stt.engine import TranscriptionRequest
        from wyoming_stt.engines.faster_whisper import FasterWhisper

        recogniser = FasterWhisper(SttSettings(zeroconf="off", model=(str(path),)))
        recogniser.load()
        recogniser.transcribe(np.zeros(16_000, np.float32), TranscriptionRequest(language="en"))
    elif kind == "tts":
        from wyoming_tts.config import TtsSettings
        from wyoming_tts.engines.piper.engine import PiperEngine
        from wyoming_tts.synthesis.synthesizer import Synthesizer

        spoken = TtsSettings(zeroconf="off", voice=str(path))
        Synthesizer(PiperEngine(spoken), spoken).load()
    elif kind == "llm":
        from wyoming_llm.config import LlmSettings
        from wyoming_llm.engine import Message, Prompt, Sampling
        from wyoming_llm.engines.xllamacpp.engine import XllamacppEngine

        talk = LlmSettings(zeroconf="off", model=str(path), cache_dir=path.parent / "cache")
        engine = XllamacppEngine(talk)
        engine.load()
        list(engine.reply(Prompt((Message("user", "Hi."),)), Sampling(max_tokens=3)))
        engine.close()
    else:
        from wyoming_stt.endpointing.smart_turn import SmartTurn

        SmartTurn(path).completeness(np.zeros(16_000, np.float32))


def try_one(kind: str, source: Path, random: Random) -> tuple[str, str]:
    """Return how it went (`told`, `loaded`, `killed`, `hung` or `traceback`), and the details."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / source.name
        shutil.copytree(source, folder)
        file = random.choice([path for path in sorted(folder.rglob("*")) if path.is_file()])
        what, content = damage(file.read_bytes(), random)
        file.write_bytes(content)
        command = [sys.executable, "-m", "tests.fuzz.models", "--ask", kind, str(folder)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_MAX_RUN_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return "hung", f"{file.name}: {what}"
    ends = {0: "loaded", _TOLD: "told"}
    outcome = "killed" if done.returncode < 0 else ends.get(done.returncode, "traceback")
    last = (done.stderr.strip() or "nothing said").splitlines()[-1]
    return outcome, f"{file.name}: {what}: {last[:200]}"


def main() -> None:
    """Damage models, and print how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=12, help="of each kind")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6)
    parser.add_argument("--kind", choices=sorted(MODELS), action="append")
    parser.add_argument("--ask", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ask:
        try:
            ask(options.ask[0], Path(options.ask[1]))
        except ServiceError as err:
            sys.stderr.write(f"{err}\n")
            sys.exit(_TOLD)
        return
    failed = False
    for kind in options.kind or sorted(MODELS):
        source = ModelStore([Path("~/.local/share/parley").expanduser()]).find(MODELS[kind])
        if source is None:
            print(f"{kind}: {MODELS[kind]} is not installed")
            continue
        random = Random(f"{options.seed} {kind}")  # noqa: S311 - repeatable
        outcomes: Counter[str] = Counter()
        for _ in range(options.rounds):
            outcome, details = try_one(kind, source, random)
            outcomes[outcome] += 1
            if outcome not in ("told", "loaded"):
                failed = True
                print(f"  {outcome}: {details}", flush=True)
        print(f"{kind}: {dict(outcomes)}, seed {options.seed}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
