"""Whether a speaker who pauses has finished, from how it sounds: smart-turn v3 on ONNX Runtime.

https://github.com/pipecat-ai/smart-turn
"""

from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from wyoming_common.audio import MODEL_RATE
from wyoming_common.errors import MissingDependency, ModelError

SMART_TURN = "smart-turn-v3.2"
"""Its name in the catalogue."""

_SAMPLES = 8 * MODEL_RATE
"""What it hears: the last 8 s of a turn."""
_FFT = 400
_HOP = 160
_MELS = 80


class TurnModel(Protocol):
    """Judges pauses by ear. Blocking."""

    def completeness(self, audio: NDArray[np.float32]) -> float | None:
        """Return how complete the turn sounds, 0 to 1; None where nothing is known.

        `audio` is the turn so far, mono at 16 kHz, -1 to 1, shape [samples], about 0.2 s of
        the pause included.
        """
        ...


class NoTurnModel:
    """Knows nothing: silence and words decide."""

    def completeness(self, audio: NDArray[np.float32]) -> float | None:  # noqa: ARG002
        return None


class SmartTurn:
    """One loaded model. About 40 ms of one core a question; ask it only at pauses."""

    def __init__(self, path: Path) -> None:
        """Load the model: an `.onnx` file, or a folder that holds one.

        Raises ModelError, and MissingDependency without onnxruntime.
        """
        try:
            import onnxruntime
        except ModuleNotFoundError as err:
            raise MissingDependency(
                "The turn model needs the package 'onnxruntime': pip install onnxruntime"
            ) from err
        file = path if path.is_file() else next(iter(sorted(path.glob("*.onnx"))), path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(
                str(file), options, providers=["CPUExecutionProvider"]
            )
            self.completeness(np.zeros(MODEL_RATE, np.float32))
        except Exception as err:  # onnxruntime raises many kinds, none of a common base
            reason = (str(err) or type(err).__name__).splitlines()[0]
            raise ModelError(f"turn model: cannot load {file}: {reason}") from err

    def completeness(self, audio: NDArray[np.float32]) -> float:
        """Return how complete the turn sounds, 0 to 1."""
        features = _log_mel(audio)[np.newaxis]
        [answer] = self._session.run(None, {"input_features": features})
        return float(np.asarray(answer).reshape(-1)[0])


def _log_mel(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return Whisper's log-mel of the last 8 s, normalised first, shape [80, 800].

    As transformers' WhisperFeatureExtractor(chunk_length=8) does with do_normalize=True.
    """
    last = audio[-_SAMPLES:].astype(np.float64)
    whole = np.pad(last, (_SAMPLES - len(last), 0))
    whole = (whole - whole.mean()) / np.sqrt(whole.var() + 1e-7)
    padded = np.pad(whole, _FFT // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::_HOP]
    spectrum = np.fft.rfft(windows * np.hanning(_FFT + 1)[:-1], axis=-1)
    power = np.abs(spectrum[:-1]) ** 2  # [800, 201]
    log = np.log10(np.maximum(power @ _mel_filters(), 1e-10)).T
    scaled = (np.maximum(log, log.max() - 8.0) + 4.0) / 4.0
    return np.ascontiguousarray(scaled, np.float32)


@cache
def _mel_filters() -> NDArray[np.float64]:
    """Return triangular filters on Slaney's mel scale, of equal area, shape [201, 80].

    Linear below 1 kHz (200/3 Hz a mel), logarithmic above (27 mels for a factor of 6.4).
    """
    step = np.log(6.4) / 27.0
    highest = 15.0 + np.log(MODEL_RATE / 2 / 1000.0) / step
    mels = np.linspace(0.0, highest, _MELS + 2)
    hertz = np.where(mels < 15.0, mels * 200.0 / 3.0, 1000.0 * np.exp(step * (mels - 15.0)))
    bins = np.linspace(0, MODEL_RATE / 2, _FFT // 2 + 1)[:, np.newaxis]
    rising = (bins - hertz[:-2]) / np.diff(hertz)[:-1]
    falling = (hertz[2:] - bins) / np.diff(hertz)[1:]
    area = 2.0 / (hertz[2:] - hertz[:-2])
    filters: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling)) * area
    return filters
