"""Turn model: smart-turn v3 on ONNX Runtime judges at a pause whether the speaker has finished.

https://github.com/pipecat-ai/smart-turn
"""

import logging
from functools import cache, partial
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from wyoming_common.audio.pcm import MODEL_RATE
from wyoming_common.errors import MissingDependency, ModelError, ServiceError
from wyoming_common.model_thread import ModelThread
from wyoming_common.models import ModelStore
from wyoming_common.process.cpu import cpu_flags, int8_products_saturate
from wyoming_stt.config import SttSettings
from wyoming_stt.decoding.model_files import locate

_LOGGER = logging.getLogger(__name__)

SMART_TURN = "smart-turn-v3.2"
"""Name of the model in the catalogue."""

_INPUT_SAMPLES = 8 * MODEL_RATE
"""Input of the model: the last 8 s of a turn."""
_FFT_SAMPLES = 400
_HOP_SAMPLES = 160
_MEL_BANDS = 80


class TurnModel(Protocol):
    """Judges from sound whether a turn is complete. Blocking."""

    def completeness(self, audio: NDArray[np.float32]) -> float | None:
        """Return how complete the turn sounds, 0 to 1; None without an opinion.

        `audio` is the turn so far, mono at 16 kHz, -1 to 1, shape [samples], about 0.2 s of
        the pause included.
        """
        ...


class NoTurnModel:
    """Has no opinion, so that silence and words decide."""

    def completeness(self, audio: NDArray[np.float32]) -> float | None:  # noqa: ARG002
        return None


class SmartTurn:
    """One loaded model. A call takes about 40 ms of one core; make it only at pauses."""

    def __init__(self, path: Path) -> None:
        """Load the model from an `.onnx` file, or from a folder that holds one.

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
        if int8_products_saturate(cpu_flags()):
            # Slower, and the same answers as with VNNI; else single answers differ by up to 0.3.
            options.add_session_config_entry("session.x64quantprecision", "1")
        try:
            self._session = onnxruntime.InferenceSession(
                str(file), options, providers=["CPUExecutionProvider"]
            )
            self.completeness(np.zeros(MODEL_RATE, np.float32))
        except Exception as err:  # onnxruntime raises several kinds without a common base
            reason = (str(err) or type(err).__name__).splitlines()[0]
            raise ModelError(f"turn model: cannot load {file}: {reason}") from err

    def completeness(self, audio: NDArray[np.float32]) -> float:
        """Return how complete the turn sounds, 0 to 1."""
        features = _log_mel(audio)[np.newaxis]
        [answer] = self._session.run(None, {"input_features": features})
        return float(np.asarray(answer).reshape(-1)[0])


def turn_model(settings: SttSettings) -> ModelThread[TurnModel] | None:
    """Return the model that `--endpointing` asks for, None where silence alone ends turns.

    `auto` takes an installed model. A missing one is downloaded only along with the recogniser
    itself, and the service does without it if that fails.
    """
    store = ModelStore(settings.data_dir)
    if settings.endpointing == "turn":
        return ModelThread("stt-turn", lambda: SmartTurn(store.ensure(SMART_TURN)))
    if settings.endpointing != "auto":
        return None
    if (path := store.find(SMART_TURN)) is not None:
        return ModelThread("stt-turn", lambda: SmartTurn(path))
    named = settings.model[0] in store.catalogue
    if named and locate(settings.model[0], settings.data_dir) is None:
        return ModelThread("stt-turn", partial(_download, store))
    return None


def _download(store: ModelStore) -> TurnModel:
    try:
        return SmartTurn(store.ensure(SMART_TURN))
    except ServiceError as err:
        _LOGGER.warning("Turns end by silence alone, without a turn model: %s", err)
        return NoTurnModel()


def _log_mel(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return Whisper's log-mel of the last 8 s, normalised first, shape [80, 800].

    The same as transformers' WhisperFeatureExtractor(chunk_length=8) with do_normalize=True.
    """
    last = audio[-_INPUT_SAMPLES:].astype(np.float64)
    whole = np.pad(last, (_INPUT_SAMPLES - len(last), 0))
    whole = (whole - whole.mean()) / np.sqrt(whole.var() + 1e-7)
    padded = np.pad(whole, _FFT_SAMPLES // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _FFT_SAMPLES)[::_HOP_SAMPLES]
    spectrum = np.fft.rfft(windows * np.hanning(_FFT_SAMPLES + 1)[:-1], axis=-1)
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
    mels = np.linspace(0.0, highest, _MEL_BANDS + 2)
    hertz = np.where(mels < 15.0, mels * 200.0 / 3.0, 1000.0 * np.exp(step * (mels - 15.0)))
    bins = np.linspace(0, MODEL_RATE / 2, _FFT_SAMPLES // 2 + 1)[:, np.newaxis]
    rising = (bins - hertz[:-2]) / np.diff(hertz)[:-1]
    falling = (hertz[2:] - bins) / np.diff(hertz)[1:]
    area = 2.0 / (hertz[2:] - hertz[:-2])
    filters: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling)) * area
    return filters
