"""What a wake word engine does."""

from collections.abc import Mapping
from typing import Protocol


class WakeDetector(Protocol):
    """Listens to one stream for any of its words, frame by frame."""

    @property
    def frame_samples(self) -> int:
        """Samples of a frame: mono s16le at 16 kHz."""
        ...

    @property
    def lag_seconds(self) -> float:
        """How long after its end a word is reported; the next word may have begun by then."""
        ...

    @property
    def scores(self) -> Mapping[str, float]:
        """How sure it is of each word at the moment, 0 to 1; empty where it does not say."""
        ...

    def process(self, frame: bytes) -> str | None:
        """Return the wake word that ends in this frame, if one does."""
        ...

    def reset(self) -> None:
        """Forget the stream so far."""
        ...


class NoWake:
    """Never hears a wake word: for a satellite that every utterance is meant for."""

    frame_samples = 160
    lag_seconds = 0.0

    @property
    def scores(self) -> Mapping[str, float]:
        return {}

    def process(self, frame: bytes) -> str | None:  # noqa: ARG002 - the protocol's
        return None

    def reset(self) -> None:
        pass
