"""Words that share one stream of features, each with a model of its own that scores them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from satellite.wake.threshold import Refractory


class Features(Protocol):
    """What the models look at, made of audio."""

    def process_streaming(self, audio: bytes) -> Iterable[Any]:
        """Yield the features that are whole by now."""
        ...

    def reset(self) -> None:
        """Forget the stream so far."""
        ...


@dataclass(frozen=True, slots=True)
class Word:
    """The model of one word."""

    score: Callable[[Any], float]
    """Features in, how sure it is that the word ends there out; 0 to 1."""
    threshold: float
    reset: Callable[[], None]


class StreamingWords:
    """Hears the words; one that goes on scoring within `refractory_frames` is the same word."""

    def __init__(
        self, features: Features, words: Mapping[str, Word], refractory_frames: int
    ) -> None:
        self._features = features
        self._words = dict(words)
        self._refractory = Refractory(refractory_frames)
        self.scores = dict.fromkeys(self._words, 0.0)
        """How sure it is of each word at the moment."""

    def process(self, frame: bytes) -> str | None:
        """Return the word that ends in this frame, if one does."""
        heard = None
        for features in self._features.process_streaming(frame):
            self._refractory.step()
            for name, word in self._words.items():
                score = self.scores[name] = word.score(features)
                if score > word.threshold and self._refractory.take(name):
                    heard = heard or name
        return heard

    def reset(self) -> None:
        """Forget the stream so far."""
        self._features.reset()
        for word in self._words.values():
            word.reset()
