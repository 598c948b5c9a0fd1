"""Streaming wake word detection: scores, thresholds and refractory periods of several words."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

_MIN_THRESHOLD = 0.2
"""Threshold of the most sensitive setting."""


def threshold(own: float, sensitivity: float) -> float:
    """Return the score from which a word counts.

    Sensitivity 0.5 gives the model's `own` threshold, 0 almost no detections, 1 a great many.
    """
    if sensitivity <= 0.5:
        return own + (0.5 - sensitivity) * 2 * (0.999 - own)
    return own - (sensitivity - 0.5) * 2 * (own - min(own, _MIN_THRESHOLD))


class Refractory:
    """Refractory period of each word after its detection; other words are not affected.

    Counted in frames of features of the model.
    """

    def __init__(self, frames: int) -> None:
        self._frames = frames
        self._frames_left: dict[str, int] = {}

    def step(self) -> None:
        """Let one frame pass."""
        self._frames_left = {word: left - 1 for word, left in self._frames_left.items() if left > 1}

    def take(self, word: str) -> bool:
        """Return whether `word`, which scores in this frame, counts."""
        waiting = word in self._frames_left
        # A word that keeps scoring is the same word.
        self._frames_left[word] = self._frames
        return not waiting


class Features(Protocol):
    """Feature extractor: the input of the models, made from audio."""

    def process_streaming(self, audio: bytes) -> Iterable[Any]:
        """Yield the features that the audio has completed."""
        ...

    def reset(self) -> None:
        """Forget the stream so far."""
        ...


@dataclass(frozen=True, slots=True)
class Word:
    """The model of one word."""

    score: Callable[[Any], float]
    """Score from 0 to 1 of features at which the word ends."""
    threshold: float
    reset: Callable[[], None]


class StreamingWords:
    """Detects the words; one that scores again within `refractory_frames` is the same word."""

    def __init__(
        self, features: Features, words: Mapping[str, Word], refractory_frames: int
    ) -> None:
        self._features = features
        self._words = dict(words)
        self._refractory = Refractory(refractory_frames)
        self.scores = dict.fromkeys(self._words, 0.0)
        """Current score of each word."""
        self.thresholds = {name: word.threshold for name, word in self._words.items()}
        """Score from which each word counts."""

    def process(self, frame: bytes) -> str | None:
        """Return the word that ends in this frame, or None."""
        detected = None
        for features in self._features.process_streaming(frame):
            self._refractory.step()
            for name, word in self._words.items():
                score = self.scores[name] = word.score(features)
                if score > word.threshold and self._refractory.take(name):
                    detected = detected or name
        return detected

    def reset(self) -> None:
        """Forget the stream so far."""
        self._features.reset()
        for word in self._words.values():
            word.reset()
