"""Registry of wake word engines: a class that is a WakeDetector and has `builtin_words`."""

import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path

from satellite.config import NO_WAKE, SatelliteSettings
from satellite.wake.engine import NoWake, WakeDetector, WakeEngine
from satellite.wake.together import TogetherWakeWords
from satellite.wake.trained_words import find_word, trained_words
from wyoming_common.errors import ConfigError
from wyoming_common.registry import load

ENGINES = {
    "micro": "satellite.wake.microwakeword:MicroWakeWords",
    "open": "satellite.wake.openwakeword:OpenWakeWords",
}
MODEL_TYPES = {"micro": "micro", "open": "openWakeWord"}
"""Home Assistant's name for the kind of models that an engine runs."""
REMOTE = "wyoming"
"""Name of the engine that is a Wyoming service."""
TRAINED_ENGINE = "open"
"""Engine whose embeddings the trained words take; it runs them beside the words of any engine."""


def builtin_words(engine: str) -> tuple[str, ...]:
    """Return the wake words that come with an engine."""
    if engine == REMOTE:
        return ()
    words: tuple[str, ...] = load(ENGINES, engine).builtin_words()
    return words


def trained_names(data_dirs: Sequence[Path]) -> tuple[str, ...]:
    """Return the names of the trained wake words in data folders."""
    return tuple(path.stem for path in trained_words(data_dirs))


def make_wake(
    engine: str,
    words: Sequence[str],
    sensitivity: float,
    uri: str,
    tls: ssl.SSLContext | None = None,
    data_dirs: Sequence[Path] = (),
) -> WakeDetector:
    """Return a detector of `words`; trained ones are looked for in `data_dirs`.

    Raises ConfigError for words that neither the engine nor a data folder has.
    """
    if not words or NO_WAKE in words:
        if len(words) > 1:
            raise ConfigError(f"wake: 'none' excludes other words, got {', '.join(words)}")
        return NoWake()
    found = {word: find_word(word, data_dirs) for word in words}
    trained = {word: path for word, path in found.items() if path is not None}
    others = [word for word in words if word not in trained]
    if trained and (engine == TRAINED_ENGINE or not others):
        return _with_trained(others, sensitivity, trained)
    if engine == REMOTE:
        from satellite.wake.remote import RemoteWakeWords

        detector: WakeDetector = RemoteWakeWords(uri, others, tls)
    else:
        detector = load(ENGINES, engine)(others, sensitivity)
    if not trained:
        return detector
    return TogetherWakeWords(detector, _with_trained((), sensitivity, trained))


def _with_trained(
    words: Sequence[str], sensitivity: float, trained: Mapping[str, Path]
) -> WakeDetector:
    detector: WakeDetector = load(ENGINES, TRAINED_ENGINE)(words, sensitivity, trained)
    return detector


def wake_engine(settings: SatelliteSettings) -> WakeEngine:
    """Return the wake word engine as far as Home Assistant may change it."""
    from satellite.wake.probe import probe

    engine, uri = settings.wake_engine, settings.wake_uri
    if not settings.wake or NO_WAKE in settings.wake:
        return WakeEngine(())
    trained = trained_names(settings.data_dir)
    words = tuple(dict.fromkeys(settings.wake + builtin_words(engine) + trained))
    if engine not in MODEL_TYPES:
        return WakeEngine(words)
    return WakeEngine(
        words,
        MODEL_TYPES[engine],
        lambda active, sensitivity: make_wake(
            engine, active, sensitivity, uri, data_dirs=settings.data_dir
        ),
        lambda path: probe(engine, path),
    )
