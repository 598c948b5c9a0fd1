"""openWakeWord engine through pyopen-wakeword; many words cost hardly more than one."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pyopen_wakeword import Model, OpenWakeWord

from satellite.wake.engine import check_tflite, model_file
from satellite.wake.speech_embedding import StreamingEmbeddings
from satellite.wake.streaming import StreamingWords, Word, threshold
from satellite.wake.trained_words import THRESHOLD, StreamedWord, read_word

_THRESHOLD = 0.5
"""Score that openWakeWord recommends for every model."""
_REFRACTORY_FRAMES = 12
"""About one second of features, 80 ms each."""


class OpenWakeWords(StreamingWords):
    """Words are names of models in the package, or paths to a .tflite file.

    `trained` holds the files of trained words by name.

    https://github.com/dscripka/openWakeWord
    """

    frame_samples = 1280
    lag_seconds = 0.05
    """Measured with bench.satellite: median 0.03, 95 % within 0.18."""

    @staticmethod
    def builtin_words() -> tuple[str, ...]:
        """Return the names of the models in the package."""
        return tuple(model.value for model in Model)

    def __init__(
        self,
        words: Sequence[str],
        sensitivity: float = 0.5,
        trained: Mapping[str, Path] | None = None,
    ) -> None:
        own = {word: _load(word) for word in words}
        files = {word: read_word(path) for word, path in (trained or {}).items()}
        limit = threshold(_THRESHOLD, sensitivity)
        models = {word: _word(model, limit) for word, model in own.items()}
        limit = threshold(THRESHOLD, sensitivity)
        for word, file in files.items():
            streamed = StreamedWord(file)
            models[word] = Word(streamed.score, limit, streamed.reset)
        windows = [one.input_windows for one in own.values()]
        windows += [one.length for one in files.values()]
        super().__init__(StreamingEmbeddings(max(windows)), models, _REFRACTORY_FRAMES)


def _word(model: OpenWakeWord, limit: float) -> Word:
    return Word(lambda it: max(model.process_streaming(it), default=0.0), limit, model.reset)


def _load(word: str) -> OpenWakeWord:
    path = model_file(word, OpenWakeWords.builtin_words(), ".tflite")
    if path is None:
        return OpenWakeWord.from_builtin(Model(word))
    check_tflite(path)
    return OpenWakeWord.from_model(path)
