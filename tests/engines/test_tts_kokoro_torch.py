"""The PyTorch engine with the real classes of `kokoro` and small random weights: it makes noise."""

import json
from pathlib import Path

import numpy as np
import pytest

kokoro = pytest.importorskip("kokoro", exc_type=ImportError)
torch = pytest.importorskip("torch")

from wyoming_common.errors import ConfigError, ModelError, UnknownVoice  # noqa: E402
from wyoming_tts.config import TtsSettings  # noqa: E402
from wyoming_tts.engine import Phrase  # noqa: E402
from wyoming_tts.engines.kokoro.phonemes import VOCABULARY  # noqa: E402
from wyoming_tts.engines.kokoro.torch import KokoroTorchEngine  # noqa: E402

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:torch"),
    pytest.mark.filterwarnings("ignore::FutureWarning:torch"),
]

_CONFIG = {
    "istftnet": {
        "upsample_kernel_sizes": [20, 12],
        "upsample_rates": [10, 6],
        "gen_istft_hop_size": 5,
        "gen_istft_n_fft": 20,
        "resblock_dilation_sizes": [[1, 3, 5]] * 3,
        "resblock_kernel_sizes": [3, 7, 11],
        "upsample_initial_channel": 512,
    },
    "dim_in": 64,
    "dropout": 0.2,
    "hidden_dim": 512,
    "max_dur": 50,
    "n_layer": 1,
    "n_mels": 80,
    "n_token": 178,
    "style_dim": 128,
    "text_encoder_kernel_size": 5,
    "plbert": {
        "hidden_size": 32,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": 512,
        "num_hidden_layers": 1,
        "dropout": 0.1,
    },
    "vocab": VOCABULARY,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kokoro")
    (folder / "config.json").write_text(json.dumps(_CONFIG))
    torch.manual_seed(0)
    # The constructor needs a file of weights: an empty one first, then the model's own.
    torch.save({}, folder / "kokoro.pth")
    model = kokoro.KModel(
        repo_id="none", config=str(folder / "config.json"), model=str(folder / "kokoro.pth")
    )
    parts = ("bert", "bert_encoder", "predictor", "decoder", "text_encoder")
    torch.save({part: getattr(model, part).state_dict() for part in parts}, folder / "kokoro.pth")
    (folder / "voices").mkdir()
    torch.save(torch.randn(510, 1, 256), folder / "voices" / "af_test.pt")
    return folder


def make(folder: Path, **more: str) -> KokoroTorchEngine:
    return KokoroTorchEngine(TtsSettings(zeroconf="off", model=str(folder), **more))  # type: ignore[arg-type]


def test_a_voice_makes_sound(folder: Path) -> None:
    engine = make(folder)

    pcm = b"".join(engine.synthesize(Phrase("Hello there.", engine.default)))

    assert [voice.name for voice in engine.voices()] == ["af_test"]
    assert engine.sample_rate("af_test") == 24_000
    assert np.abs(np.frombuffer(pcm, np.int16)).max() > 0


def test_an_unknown_voice_is_refused(folder: Path) -> None:
    with pytest.raises(UnknownVoice, match="nobody"):
        make(folder).sample_rate("nobody")


def test_a_gpu_that_is_not_there_is_said_to_be_missing(folder: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(ConfigError, match="cuda"):
        make(folder, device="cuda").sample_rate("af_test")


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"expected config\.json"):
        make(tmp_path).sample_rate("af_test")
