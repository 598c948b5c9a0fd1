"""Interface of a wake word engine."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from wyoming_common.errors import ConfigError, ModelError


class WakeDetector(Protocol):
    """Detector of several wake words in one stream of audio.

    The class of an engine has a static method `builtin_words` with the words that come with it.
    """

    @property
    def frame_samples(self) -> int:
        """Samples of a frame: mono s16le at 16 kHz."""
        ...

    @property
    def lag_seconds(self) -> float:
        """Delay from the end of a word to its report; the next word may have begun by then."""
        ...

    @property
    def scores(self) -> Mapping[str, float]:
        """Current score of each word, 0 to 1; empty for an engine without scores."""
        ...

    @property
    def thresholds(self) -> Mapping[str, float]:
        """Score from which each word counts; empty for an engine without scores."""
        ...

    def process(self, frame: bytes) -> str | None:
        """Return the wake word that ends in this frame, or None."""
        ...

    def reset(self) -> None:
        """Forget the stream so far."""
        ...


@dataclass(frozen=True, slots=True)
class WakeEngine:
    """The wake word engine as far as Home Assistant may change it."""

    own: Sequence[str]
    """Names of the wake words that it has."""
    model_type: str = ""
    """Home Assistant's name for the kind of models that it loads; empty where it loads none."""
    load: Callable[[Sequence[str], float], WakeDetector] | None = None
    """Load words with a sensitivity; blocks. None where the words are loaded elsewhere."""
    probe: Callable[[str], None] | None = None
    """Try a model that has been fetched; blocks, raises ModelError for one that is damaged."""


class NoWake:
    """Detector that detects nothing, for a satellite without a wake word."""

    frame_samples = 160
    lag_seconds = 0.0

    @property
    def scores(self) -> Mapping[str, float]:
        return {}

    @property
    def thresholds(self) -> Mapping[str, float]:
        return {}

    def process(self, frame: bytes) -> str | None:  # noqa: ARG002 - the protocol's
        return None

    def reset(self) -> None:
        pass


def model_file(word: str, builtin: Sequence[str], suffix: str) -> Path | None:
    """Return the file that `word` names; None where it is the name of a builtin model.

    Raises ConfigError for a word that is neither a builtin one nor a path with `suffix`.
    """
    if word in builtin:
        return None
    path = Path(word)
    if path.suffix != suffix:
        raise ConfigError(
            f"wake: expected {', '.join(builtin)}, none or a model's {suffix} file, got '{word}'"
        )
    return path


def check_tflite(path: Path) -> None:
    """Raise ModelError unless a file is a TensorFlow Lite model.

    The native library of both engines crashes on a missing file, and on one that is not a model.
    """
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as err:
        raise ModelError(f"wake: cannot read {path}: {err.strerror}") from err
    if head[4:] != b"TFL3":
        raise ModelError(f"wake: {path} is not a TensorFlow Lite model")
