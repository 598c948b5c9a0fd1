"""Wake word engines by name. A new one is a file here, a line in ENGINES and an extra."""

from collections.abc import Sequence

from satellite.config import NO_WAKE
from satellite.wake.engine import NoWake, WakeDetector
from wyoming_common.errors import ConfigError
from wyoming_common.registry import load

ENGINES = {"micro": "satellite.wake.micro:MicroWakeWords"}


def make_wake(engine: str, words: Sequence[str]) -> WakeDetector:
    """Return a detector of `words`. Raises ConfigError for words that the engine lacks."""
    if not words or NO_WAKE in words:
        if len(words) > 1:
            raise ConfigError(f"wake: 'none' excludes other words, got {', '.join(words)}")
        return NoWake()
    detector: WakeDetector = load(ENGINES, engine)(words)
    return detector
