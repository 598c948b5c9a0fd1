"""The Kokoro engine on a small graph with the interface of the model; runs ONNX Runtime."""

from pathlib import Path

import numpy as np
import onnx
import onnx.parser
import pytest

from wyoming_common.errors import ConfigError, ModelError, UnknownVoice
from wyoming_tts.config import TtsSettings
from wyoming_tts.engine import Phrase
from wyoming_tts.engines.kokoro.engine import RATE, KokoroEngine, parts
from wyoming_tts.engines.kokoro.phonemes import VOCABULARY, phonemes
from wyoming_tts.phonemes.espeak import EspeakPhonemizer

SAMPLES_A_TOKEN = 600
_MODEL = f"""<ir_version: 8, opset_import: ["": 15]>
kokoro (int64[1, T] tokens, float[1, 256] style, float[1] speed) => (float[S] audio) {{
    shape = Shape (tokens)
    zero = Constant <value = int64[1] {{0}}> ()
    one = Constant <value = int64[1] {{1}}> ()
    length = Gather <axis = 0> (shape, one)
    each = Constant <value = int64[1] {{{SAMPLES_A_TOKEN}}}> ()
    samples = Mul (length, each)
    longer = Cast <to = 1> (samples)
    stretched = Div (longer, speed)
    count = Cast <to = 7> (stretched)
    first = Gather <axis = 1> (style, zero)
    flat = Reshape (first, one)
    audio = Expand (flat, count)
}}"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    onnx.save(onnx.parser.parse_model(_MODEL), str(tmp_path / "small.onnx"))
    loudness = np.linspace(0.1, 0.5, 510, dtype=np.float32).reshape(510, 1, 1)
    style = np.broadcast_to(loudness, (510, 1, 256)).astype(np.float32)
    np.savez(tmp_path / "voices-v1.0.npz", af_heart=style, bm_george=style, xx_none=style)
    (tmp_path / "voices").mkdir()
    style.tofile(tmp_path / "voices" / "ff_siwis.bin")
    return tmp_path


def make(folder: Path) -> KokoroEngine:
    return KokoroEngine(TtsSettings(zeroconf="off", engine="kokoro", model=str(folder)))


def test_voices_are_those_whose_language_can_be_read(folder: Path) -> None:
    engine = make(folder)

    assert {voice.name: voice.languages for voice in engine.voices()} == {
        "af_heart": ("en_US",),
        "bm_george": ("en_GB",),
        "ff_siwis": ("fr_FR",),
    }
    assert engine.default == "af_heart"


@pytest.mark.parametrize("voice", ["af_heart", "bm_george", "ff_siwis"])
def test_every_voice_speaks(folder: Path, voice: str) -> None:
    engine = make(folder)

    pcm = b"".join(engine.synthesize(Phrase("Hello there.", voice)))

    assert engine.sample_rate(voice) == RATE
    assert 8 * SAMPLES_A_TOKEN < len(pcm) / 2 < 20 * SAMPLES_A_TOKEN


def test_length_makes_speech_longer(folder: Path) -> None:
    engine = make(folder)

    usual, long = (
        len(b"".join(engine.synthesize(Phrase("Hello there.", "af_heart", length=length))))
        for length in (1, 2)
    )

    assert long > 1.9 * usual


def test_of_several_models_one_is_taken(folder: Path) -> None:
    (folder / "copy.onnx").write_bytes((folder / "small.onnx").read_bytes())

    assert b"".join(make(folder).synthesize(Phrase("Hello.", "af_heart")))


def test_long_text_is_cut_at_clauses_below_what_the_model_takes() -> None:
    said = "wˈʌn tˈu θɹˈi, " * 100  # noqa: RUF001

    cut = list(parts(said))

    assert all(len(part) <= 300 for part in cut)
    assert all(part.endswith(",") for part in cut[:-1])
    assert " ".join(cut).split() == said.split()


def test_english_is_written_in_the_alphabet_of_the_model(espeak: EspeakPhonemizer) -> None:
    assert phonemes("They joke about the choice.", "a", espeak) == "ðA ʤˈOk əbˌWt ðə ʧˈYs."  # noqa: RUF001


@pytest.mark.parametrize(
    ("letter", "text"),
    [
        ("a", "The garage is open."),
        ("b", "The garage is open."),
        ("e", "La puerta del garaje sigue abierta, señor."),
        ("f", "Un bon vin blanc, s'il vous plaît, garçon."),
        ("h", "दरवाज़ा खुला है।"),
        ("i", "La porta è ancora aperta, signor Bianchi."),
        ("p", "A porta ainda está aberta, não: amanhã, irmão, cães, põe, sim, um."),
    ],
)
def test_no_sound_of_a_language_is_lost_on_the_model(
    letter: str, text: str, espeak: EspeakPhonemizer
) -> None:
    assert not set(phonemes(text, letter, espeak)) - set(VOCABULARY)


def test_french_nasals_keep_their_tilde(espeak: EspeakPhonemizer) -> None:
    assert phonemes("bon vin", "f", espeak).count("\u0303") == 2


def test_an_unknown_voice_is_refused(folder: Path) -> None:
    with pytest.raises(UnknownVoice, match="nobody"):
        make(folder).sample_rate("nobody")


@pytest.mark.parametrize("damage", ["no model", "broken model", "broken voices"])
def test_a_folder_that_is_not_kokoro_is_refused(folder: Path, damage: str) -> None:
    if damage == "no model":
        (folder / "small.onnx").unlink()
    elif damage == "broken model":
        (folder / "small.onnx").write_bytes(b"cut short")
    else:
        (folder / "voices-v1.0.npz").write_bytes(b"cut short")

    with pytest.raises(ModelError):
        make(folder).sample_rate("af_heart")


def test_voices_nobody_can_read_for_are_named_with_what_they_need(folder: Path) -> None:
    for path in folder.glob("voices*/*"):
        path.unlink()
    np.savez(folder / "voices-v1.0.npz", qf_unknown=np.zeros((510, 1, 256), np.float32))

    with pytest.raises(ConfigError, match="qf_unknown"):
        make(folder).sample_rate("qf_unknown")


def test_before_the_model_is_there_its_voice_is_listed_as_not_installed(tmp_path: Path) -> None:
    engine = KokoroEngine(TtsSettings(zeroconf="off", engine="kokoro", data_dir=(tmp_path,)))

    assert [(voice.name, voice.installed) for voice in engine.voices()] == [("af_heart", False)]
