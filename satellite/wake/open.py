"""openWakeWord models through pyopen-wakeword: about 3 % of a core, more words cost little."""

from collections.abc import Sequence
from pathlib import Path

from pyopen_wakeword import Model, OpenWakeWord, OpenWakeWordFeatures

from satellite.wake.streaming import StreamingWords, Word
from satellite.wake.threshold import threshold
from wyoming_common.errors import ConfigError, ModelError

_OWN_THRESHOLD = 0.5
"""What openWakeWord recommends for every model."""
_REFRACTORY_FRAMES = 12
"""About one second."""


class OpenWakeWords(StreamingWords):
    """Any of several words: names of models in the package, or paths to a .tflite file.

    https://github.com/dscripka/openWakeWord
    """

    frame_samples = 1280
    lag_seconds = 0.05
    """Measured with bench.satellite: median 0.03, 95 % within 0.18."""

    def __init__(self, words: Sequence[str], sensitivity: float = 0.5) -> None:
        limit = threshold(_OWN_THRESHOLD, sensitivity)
        models = {word: _word(_load(word), limit) for word in words}
        super().__init__(OpenWakeWordFeatures.from_builtin(), models, _REFRACTORY_FRAMES)


def _word(model: OpenWakeWord, limit: float) -> Word:
    return Word(lambda it: max(model.process_streaming(it), default=0.0), limit, model.reset)


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
