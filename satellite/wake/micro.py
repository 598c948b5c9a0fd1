"""microWakeWord models through pymicro-wakeword: about 0.2 % of a core a word."""

import json
from collections.abc import Sequence
from pathlib import Path

from pymicro_wakeword import MicroWakeWord, MicroWakeWordFeatures, Model

from satellite.wake.threshold import Refractory, threshold
from wyoming_common.errors import ConfigError, ModelError

_REFRACTORY_FRAMES = 100
"""One second."""


class MicroWakeWords:
    """Any of several words: names of models in the package, or paths to a model's JSON file.

    https://github.com/kahrendt/microWakeWord
    """

    frame_samples = 160
    lag_seconds = 0.2
    """Measured with bench.satellite: median 0.19, 95 % within 0.27."""

    def __init__(self, words: Sequence[str], sensitivity: float = 0.5) -> None:
        self._features = MicroWakeWordFeatures()
        self._models = {word: _load(word) for word in words}
        self._thresholds = {
            word: threshold(model.probability_cutoff, sensitivity)
            for word, model in self._models.items()
        }
        self._refractory = Refractory(_REFRACTORY_FRAMES)
        self.scores = dict.fromkeys(self._models, 0.0)

    def process(self, frame: bytes) -> str | None:
        """Return the word that ends in this frame, if one does."""
        heard = None
        for features in self._features.process_streaming(frame):
            self._refractory.step()
            for word, model in self._models.items():
                score = model.process_streaming_prob(features) or 0.0
                self.scores[word] = score
                if score > self._thresholds[word] and self._refractory.take(word):
                    heard = heard or word
        return heard

    def reset(self) -> None:
        """Forget the stream so far."""
        self._features.reset()
        for model in self._models.values():
            model.reset()


def _load(word: str) -> MicroWakeWord:
    builtin = [model.value for model in Model]
    if word in builtin:
        return MicroWakeWord.from_builtin(Model(word))
    path = Path(word)
    if path.suffix != ".json":
        raise ConfigError(
            f"wake: expected {', '.join(builtin)}, none or a model's .json file, got '{word}'"
        )
    try:
        # A model file that is missing crashes the native library, so look first.
        model = path.parent / json.loads(path.read_text(encoding="utf-8"))["model"]
        if not model.is_file():
            raise ModelError(f"wake: {path} names {model}, which is not there")
        return MicroWakeWord.from_config(path)
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise ModelError(f"wake: {path} is no microWakeWord model: {err}") from err
