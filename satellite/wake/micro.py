"""microWakeWord models through pymicro-wakeword: about 0.2 % of a core a word."""

import json
from collections.abc import Sequence
from pathlib import Path

from pymicro_wakeword import MicroWakeWord, MicroWakeWordFeatures, Model

from satellite.wake.streaming import StreamingWords, Word
from satellite.wake.threshold import threshold
from wyoming_common.errors import ConfigError, ModelError

_REFRACTORY_FRAMES = 100
"""One second."""


class MicroWakeWords(StreamingWords):
    """Any of several words: names of models in the package, or paths to a model's JSON file.

    https://github.com/kahrendt/microWakeWord
    """

    frame_samples = 160
    lag_seconds = 0.2
    """Measured with bench.satellite: median 0.19, 95 % within 0.27."""

    def __init__(self, words: Sequence[str], sensitivity: float = 0.5) -> None:
        models = {word: _word(_load(word), sensitivity) for word in words}
        super().__init__(MicroWakeWordFeatures(), models, _REFRACTORY_FRAMES)


def _word(model: MicroWakeWord, sensitivity: float) -> Word:
    limit = threshold(model.probability_cutoff, sensitivity)
    return Word(lambda it: model.process_streaming_prob(it) or 0.0, limit, model.reset)


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
