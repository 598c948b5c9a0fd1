"""openWakeWord models through pyopen-wakeword: about 3 % of a core, more words cost little."""

from collections.abc import Sequence
from pathlib import Path

from pyopen_wakeword import Model, OpenWakeWord, OpenWakeWordFeatures

from satellite.wake.threshold import Refractory, threshold
from wyoming_common.errors import ConfigError, ModelError

_OWN_THRESHOLD = 0.5
"""What openWakeWord recommends for every model."""
_REFRACTORY_FRAMES = 12
"""About one second."""


class OpenWakeWords:
    """Any of several words: names of models in the package, or paths to a .tflite file.

    https://github.com/dscripka/openWakeWord
    """

    frame_samples = 1280
    lag_seconds = 0.05
    """Measured with bench.satellite: median 0.03, 95 % within 0.18."""

    def __init__(self, words: Sequence[str], sensitivity: float = 0.5) -> None:
        self._features = OpenWakeWordFeatures.from_builtin()
        self._models = {word: _load(word) for word in words}
        self._threshold = threshold(_OWN_THRESHOLD, sensitivity)
        self._refractory = Refractory(_REFRACTORY_FRAMES)
        self.scores = dict.fromkeys(self._models, 0.0)

    def process(self, frame: bytes) -> str | None:
        """Return the word that ends in this frame, if one does."""
        heard = None
        self._refractory.step()
        for features in self._features.process_streaming(frame):
            for word, model in self._models.items():
                score = max(model.process_streaming(features), default=0.0)
                self.scores[word] = score
                if score > self._threshold and self._refractory.take(word):
                    heard = heard or word
        return heard

    def reset(self) -> None:
        """Forget the stream so far."""
        self._features.reset()
        for model in self._models.values():
            model.reset()


def _load(word: str) -> OpenWakeWord:
    builtin = [model.value for model in Model]
    if word in builtin:
        return OpenWakeWord.from_builtin(Model(word))
    path = Path(word)
    if path.suffix != ".tflite":
        raise ConfigError(
            f"wake: expected {', '.join(builtin)}, none or a model's .tflite file, got '{word}'"
        )
    # A model file that is missing or is none crashes the native library, so look first.
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as err:
        raise ModelError(f"wake: cannot read {path}: {err.strerror}") from err
    if head[4:] != b"TFL3":
        raise ModelError(f"wake: {path} is no TensorFlow Lite model")
    return OpenWakeWord.from_model(path)
