"""Trial of a wake word model in a process of its own: `python -m satellite.wake.probe ENGINE FILE`.

The native libraries of the engines crash on a damaged model, which must not end the satellite.
"""

import subprocess
import sys
from typing import Final

from satellite.wake import make_wake
from wyoming_common.audio.pcm import MODEL_RATE
from wyoming_common.errors import ModelError

_MAX_SECONDS: Final = 30.0


def probe(engine: str, word: str) -> None:
    """Load a model and give it a second of silence; blocks. Raises ModelError if that fails."""
    command = [sys.executable, "-m", "satellite.wake.probe", engine, word]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_MAX_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as err:
        raise ModelError(f"wake: {word} cannot be tried: {err}") from err
    if done.returncode:
        raise ModelError(f"wake: {word} is damaged, or is no model for the engine '{engine}'")


def main() -> None:
    """Try the model that the arguments name."""
    engine, word = sys.argv[1:]
    detector = make_wake(engine, (word,), 0.5, "")
    frame = bytes(detector.frame_samples * 2)
    for _ in range(MODEL_RATE // detector.frame_samples):
        detector.process(frame)


if __name__ == "__main__":
    main()
