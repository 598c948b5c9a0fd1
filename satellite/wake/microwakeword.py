"""microWakeWord engine through pymicro-wakeword: about 0.2 % of a core for each word."""

import json
from collections.abc import Sequence

from pymicro_wakeword import MicroWakeWord, MicroWakeWordFeatures, Model

from satellite.wake.engine import check_tflite, model_file
from satellite.wake.streaming import StreamingWords, Word, threshold
from wyoming_common.errors import ModelError

_REFRACTORY_FRAMES = 100
"""One second of features, 10 ms each."""


class MicroWakeWords(StreamingWords):
    """Words are names of models in the package, or paths to a model's JSON file.

    https://github.com/kahrendt/microWakeWord
    """

    frame_samples = 160
    lag_seconds = 0.2
    """Measured with bench.satellite: median 0.19, 95 % within 0.27."""

    @staticmethod
    def builtin_words() -> tuple[str, ...]:
        """Return the names of the models in the package."""
        return tuple(model.value for model in Model)

    def __init__(self, words: Sequence[str], sensitivity: float = 0.5) -> None:
        models = {word: _word(_load(word), sensitivity) for word in words}
        super().__init__(MicroWakeWordFeatures(), models, _REFRACTORY_FRAMES)


def _word(model: MicroWakeWord, sensitivity: float) -> Word:
    limit = threshold(model.probability_cutoff, sensitivity)
    return Word(lambda it: model.process_streaming_prob(it) or 0.0, limit, model.reset)


def _load(word: str) -> MicroWakeWord:
    path = model_file(word, MicroWakeWords.builtin_words(), ".json")
    if path is None:
        return MicroWakeWord.from_builtin(Model(word))
    try:
        check_tflite(path.parent / json.loads(path.read_text(encoding="utf-8"))["model"])
        return MicroWakeWord.from_config(path)
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise ModelError(f"wake: {path} is not a microWakeWord model: {err}") from err
