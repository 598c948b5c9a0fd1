"""A real Piper voice: windows against the whole, gain, speakers, folders."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from wyoming_common.errors import ModelError, UnknownVoice
from wyoming_common.models import ModelStore
from wyoming_tts.config import TtsSettings
from wyoming_tts.engine import Opening, Phrase
from wyoming_tts.engines.piper.engine import DEFAULT_VOICE, PiperEngine, PiperVoice
from wyoming_tts.engines.piper.split_cache import run
from wyoming_tts.phonemes.espeak import EspeakPhonemizer
from wyoming_tts.synthesis.voices import VoiceFile, voice_file

LONG = (
    "On Thursday the ferry leaves twenty minutes earlier than usual, so that passengers who travel "
    "on to the islands can catch the last bus before the road is closed for the night."
)
SENTENCES = ("Yes.", "The kettle has boiled, and the garage door is still open.", LONG)


@pytest.fixture(scope="module")
def folder(store: ModelStore) -> Path:
    return store.ensure(DEFAULT_VOICE)


@pytest.fixture(scope="module")
def file(folder: Path) -> VoiceFile:
    return voice_file(folder)


def speak(voice: PiperVoice, text: str, **how: float) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    pieces = voice.synthesize(Phrase(text, "", **how))  # type: ignore[arg-type]
    return np.frombuffer(b"".join(pieces), np.int16)


@pytest.fixture(scope="module")
def voice(file: VoiceFile) -> PiperVoice:
    return PiperVoice(file, TtsSettings(zeroconf="off", noise=0, noise_w=0), EspeakPhonemizer())


@pytest.mark.parametrize("text", SENTENCES)
def test_windows_sound_as_the_whole_sentence(voice: PiperVoice, file: VoiceFile, text: str) -> None:
    session = onnxruntime.InferenceSession(str(file.model), providers=["CPUExecutionProvider"])
    inputs = voice._inputs(voice._ids(text)[0], None, (0.0, 1.0, 0.0))

    whole = run(session, inputs).reshape(-1)
    pieces = list(voice._speak(inputs))

    windowed = np.concatenate(pieces)
    heard = whole[len(whole) - len(windowed) :]
    noise = np.square(windowed - heard).sum()
    assert 10 * np.log10(np.square(heard).sum() / noise) > 80
    assert len(pieces) > 1 or len(whole) / voice.sample_rate < 0.8
    assert len(pieces[0]) / voice.sample_rate < 0.8


@pytest.mark.parametrize("text", SENTENCES)
def test_only_silence_is_left_out_before_the_first_word(voice: PiperVoice, text: str) -> None:
    inputs = voice._inputs(voice._ids(text)[0], None, (0.0, 1.0, 0.0))

    waiting = np.concatenate(list(voice._speak(inputs)))
    hearing = np.concatenate(list(voice._speak(inputs, ahead=1.0)))

    left_out = hearing[: len(hearing) - len(waiting)]
    assert len(left_out) > 0
    assert np.abs(left_out).max() < 0.002 * np.abs(hearing).max()


def test_length_makes_speech_longer(voice: PiperVoice) -> None:
    assert len(speak(voice, SENTENCES[1], length=2)) > 1.6 * len(speak(voice, SENTENCES[1]))


def test_volume_makes_speech_quieter_and_never_clips(voice: PiperVoice) -> None:
    usual, soft, loud = (
        np.abs(speak(voice, SENTENCES[1], volume=v).astype(int)) for v in (1, 0.25, 4)
    )

    assert 0.2 * usual.max() < soft.max() < 0.35 * usual.max()
    assert 0.5 * 32767 < usual.max() < loud.max() <= 32767


def test_a_cut_short_voice_is_refused_in_one_line(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes((folder / f"{DEFAULT_VOICE}.onnx").read_bytes()[:1_000_000])
    (tmp_path / "x.onnx.json").write_bytes((folder / f"{DEFAULT_VOICE}.onnx.json").read_bytes())

    with pytest.raises(ModelError, match=r"x\.onnx"):
        PiperVoice(voice_file(tmp_path), TtsSettings(zeroconf="off"), EspeakPhonemizer())


def test_a_voice_is_used_as_soon_as_it_is_copied_and_unloaded_past_the_bound(
    folder: Path, tmp_path: Path
) -> None:
    settings = TtsSettings(
        zeroconf="off", voice=str(folder), data_dir=(tmp_path,), voice_memory=100
    )
    engine = PiperEngine(settings)
    with pytest.raises(UnknownVoice):
        engine.sample_rate("mine")

    for name in ("mine", "other"):
        for suffix in (".onnx", ".onnx.json"):
            (tmp_path / f"{name}{suffix}").hardlink_to(folder / f"{DEFAULT_VOICE}{suffix}")

    assert {voice.name for voice in engine.voices() if voice.installed} >= {"mine", "other"}
    for name in (engine.default, "mine", "other"):
        assert b"".join(engine.synthesize(Phrase("Hello", name)))
    assert list(engine._loaded) == [engine.default, "other"]


def test_a_voice_half_copied_over_speaks_as_before_until_it_is_whole(
    folder: Path, tmp_path: Path
) -> None:
    whole = (folder / f"{DEFAULT_VOICE}.onnx").read_bytes()
    model, settings = tmp_path / "mine.onnx", tmp_path / "mine.onnx.json"
    model.write_bytes(whole)
    settings.write_bytes((folder / f"{DEFAULT_VOICE}.onnx.json").read_bytes())
    engine = PiperEngine(TtsSettings(zeroconf="off", data_dir=(tmp_path,), noise=0, noise_w=0))
    before = b"".join(engine.synthesize(Phrase("Hello", "mine")))

    model.write_bytes(whole[:1_000_000])
    half = b"".join(engine.synthesize(Phrase("Hello", "mine")))
    settings.write_text(settings.read_text().replace("22050", "16000"))
    model.write_bytes(whole)
    after = b"".join(engine.synthesize(Phrase("Hello", "mine")))

    assert len(before) == len(half) == len(after)
    assert engine.sample_rate("mine") == 16_000


def test_a_voice_of_the_catalogue_is_fetched_and_spoken_with(folder: Path, tmp_path: Path) -> None:
    files = [folder / f"{DEFAULT_VOICE}{suffix}" for suffix in (".onnx", ".onnx.json")]
    lines = [
        f"    - {{name: new-voice{f.name.removeprefix(DEFAULT_VOICE)}, from: 'file:{f}'}}"
        for f in files
    ]
    (tmp_path / "catalogue.yaml").write_text(
        "new-voice:\n  kind: tts\n  languages: [en_US]\n  licence: CC0-1.0\n"
        "  description: A copy\n  files:\n" + "\n".join(lines) + "\n"
    )
    engine = PiperEngine(TtsSettings(zeroconf="off", voice=str(folder), data_dir=(tmp_path,)))
    assert {v.name: v.installed for v in engine.voices()}["new-voice"] is False

    engine.fetch("new-voice")

    assert {v.name: v.installed for v in engine.voices()}["new-voice"] is True
    assert b"".join(engine.synthesize(Phrase("Hello", "new-voice")))


def test_a_sentence_begun_before_its_end_is_spoken_once_and_whole(voice: PiperVoice) -> None:
    text = "The lights in the hall were switched off because the sun had come up again."
    words, opening = text.split(), Opening()
    pieces = [
        b"".join(
            voice.synthesize(
                Phrase(" ".join(words[:count]), "", opening=opening, is_open=count < len(words))
            )
        )
        for count in (7, 10, 13, len(words))
    ]

    assert all(pieces)
    whole = len(speak(voice, text))
    assert sum(map(len, pieces)) / 2 == pytest.approx(whole, rel=0.15)


def test_a_sentence_whose_beginning_is_read_otherwise_in_the_end_is_still_finished(
    voice: PiperVoice,
) -> None:
    opening = Opening()
    begun = voice.synthesize(
        Phrase("We were told to wait and to read", "", opening=opening, is_open=True)
    )
    first = b"".join(begun)
    rest = b"".join(voice.synthesize(Phrase("Nobody told us to wait.", "", opening=opening)))

    assert first
    assert rest
