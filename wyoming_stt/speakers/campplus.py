"""CAM++ speaker embeddings on ONNX Runtime. https://github.com/modelscope/3D-Speaker

The model comes as a file of PyTorch weights. `campplus.onnx` beside this file is its graph, whose
weights are places in that file, so that PyTorch is not needed: see `script/speaker-graph`.
"""

from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wyoming_common.audio.pcm import MODEL_RATE
from wyoming_common.config.install_hints import how_to_install
from wyoming_common.errors import MissingDependency, ModelError
from wyoming_stt.engine import Audio
from wyoming_stt.speakers.engine import MAX_SECONDS, Embedding, unit

CAMPPLUS: Final = "campplus"
"""Name of the model in the catalogue"""
SIZE: Final = 192
"""Numbers of an embedding"""

_WEIGHTS: Final = "campplus_cn_en_common.pt"
_WINDOW, _HOP, _FFT = 400, 160, 512
_MEL_BANDS: Final = 80
_LOWEST_HERTZ: Final = 20.0


class CamPlusPlus:
    """One loaded model. A call takes about 30 ms of one core for 2 s of speech."""

    def __init__(self, folder: Path) -> None:
        """Load the model from its folder in the store.

        Raises ModelError, and MissingDependency without onnxruntime.
        """
        try:
            import onnxruntime
        except ModuleNotFoundError as err:
            raise MissingDependency(
                f"Speakers are recognised with the package onnxruntime: {how_to_install('stt')}"
            ) from err
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry(
            "session.model_external_initializers_file_folder_path", str(folder.absolute())
        )
        graph = Path(__file__).with_name("campplus.onnx").read_bytes()
        try:
            self._session = onnxruntime.InferenceSession(
                graph, options, providers=["CPUExecutionProvider"]
            )
            self.embed(np.zeros(MODEL_RATE, np.float32))
        except Exception as err:  # onnxruntime raises several kinds without a common base
            reason = (str(err) or type(err).__name__).splitlines()[0]
            raise ModelError(f"speakers: cannot load {folder / _WEIGHTS}: {reason}") from err

    def embed(self, audio: Audio) -> Embedding:
        """Return the embedding of the first seconds of `audio`, shape [192]."""
        features = _fbank(audio[: int(MAX_SECONDS * MODEL_RATE)])
        features -= features.mean(axis=0)
        [embeddings] = self._session.run(None, {"features": features[np.newaxis]})
        return unit(np.asarray(embeddings)[0])


def _fbank(audio: Audio) -> NDArray[np.float32]:
    """Return Kaldi's logarithmic mel energies, one row every 10 ms, shape [frames, 80].

    As its `compute-fbank-feats` makes them of 16-bit samples with `--dither=0`.
    """
    samples = np.pad(audio.astype(np.float64) * 32768.0, (0, max(0, _WINDOW - len(audio))))
    frames = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP]
    frames = frames - frames.mean(axis=1, keepdims=True)
    frames = frames - 0.97 * np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    spectrum = np.fft.rfft(frames * np.hanning(_WINDOW) ** 0.85, _FFT)
    energies = np.abs(spectrum) ** 2 @ _mel_filters()
    return np.log(np.maximum(energies, np.finfo(np.float32).eps)).astype(np.float32)


@cache
def _mel_filters() -> NDArray[np.float64]:
    """Return Kaldi's triangular filters, shape [257, 80]."""
    edges = np.linspace(_mel(_LOWEST_HERTZ), _mel(MODEL_RATE / 2), _MEL_BANDS + 2)
    bins = _mel(np.arange(_FFT // 2 + 1) * MODEL_RATE / _FFT)[:, np.newaxis]
    rising = (bins - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - bins) / np.diff(edges)[1:]
    filters: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling))
    return filters


def _mel(hertz: NDArray[np.float64] | float) -> NDArray[np.float64]:
    return np.asarray(1127.0 * np.log1p(np.asarray(hertz) / 700.0))
