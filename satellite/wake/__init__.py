"""Wake word engines by name. A new one is a file here, a line in ENGINES and an extra."""

import ssl
from collections.abc import Sequence

from satellite.config import NO_WAKE
from satellite.wake.engine import NoWake, WakeDetector
from wyoming_common.errors import ConfigError
from wyoming_common.registry import load

ENGINES = {
    "micro": "satellite.wake.micro:MicroWakeWords",
    "open": "satellite.wake.open:OpenWakeWords",
}
REMOTE = "wyoming"
"""The engine that is a service."""


def make_wake(
    engine: str,
    words: Sequence[str],
    sensitivity: float,
    uri: str,
    tls: ssl.SSLContext | None = None,
) -> WakeDetector:
    """Return a detector of `words`. Raises ConfigError for words that the engine lacks."""
    if not words or NO_WAKE in words:
        if len(words) > 1:
            raise ConfigError(f"wake: 'none' excludes other words, got {', '.join(words)}")
        return NoWake()
    if engine == REMOTE:
        from satellite.wake.remote import RemoteWakeWords

        return RemoteWakeWords(uri, words, tls)
    detector: WakeDetector = load(ENGINES, engine)(words, sensitivity)
    return detector
