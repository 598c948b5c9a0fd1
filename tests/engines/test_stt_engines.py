"""The contract of speech recognisers, for every engine."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.engines.ggml import convert
from tests.engines.sherpa_model import make_ctc, make_streaming_ctc
from tests.engines.test_stt import DATA, needs_data, rows, words
from tests.engines.transcription_server import transcription_server
from wyoming_common.audio.pcm import read_audio, to_float
from wyoming_common.errors import (
    ConfigError,
    ModelError,
    Unavailable,
    UnknownModel,
)
from wyoming_common.models import ModelStore
from wyoming_stt.config import SttSettings
from wyoming_stt.engine import MAX_SEGMENT_SECONDS, SttEngine, TranscriptionRequest
from wyoming_stt.engines import ENGINES
from wyoming_stt.engines.faster_whisper import FasterWhisper
from wyoming_stt.service import make_engine

LIBRARIES = {"whisper-cpp": "pywhispercpp", "sherpa-onnx": "sherpa_onnx"}


def loaded(name: str, model: Path | str, **options: object) -> SttEngine:
    """Return a loaded engine of one model."""
    settings = SttSettings.model_validate(
        {"engine": name, "device": "cpu", "threads": 2, **options}
    )
    engine = make_engine(settings, str(model))
    engine.load()
    return engine


@pytest.fixture(scope="module")
def whisper(store: ModelStore) -> FasterWhisper:
    engine = FasterWhisper(
        SttSettings(device="cpu", threads=2, model=(str(store.ensure("tiny.en")),))
    )
    engine.load()
    return engine


@pytest.fixture(scope="module", params=[*sorted(ENGINES), "sherpa-onnx streaming"])
def engine(
    request: pytest.FixtureRequest,
    store: ModelStore,
    whisper: FasterWhisper,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[SttEngine]:
    name, _, form = request.param.partition(" ")
    pytest.importorskip(LIBRARIES.get(name, "faster_whisper"))
    folder = tmp_path_factory.mktemp(name)
    if name == "faster-whisper":
        yield whisper
    elif name == "whisper-cpp":
        yield loaded(name, convert(store.ensure("tiny.en"), folder / "ggml-tiny.en.bin"))
    elif name == "sherpa-onnx":
        yield loaded(name, (make_streaming_ctc if form else make_ctc)(folder))
    else:
        with transcription_server(whisper) as url:
            openai = loaded(name, "tiny.en", base_url=url)
            yield openai
            openai.close()


def test_an_engine_has_languages_and_tasks(engine: SttEngine) -> None:
    assert "en" in engine.languages
    assert "transcribe" in engine.tasks


@pytest.mark.parametrize("seconds", [0.02, 3.0, MAX_SEGMENT_SECONDS + 1])
def test_any_length_gives_a_text(engine: SttEngine, seconds: float) -> None:
    hum = 0.01 * np.sin(np.arange(round(16_000 * seconds)) / 20).astype(np.float32)

    said = engine.transcribe(hum, TranscriptionRequest(language="en"))

    assert isinstance(said.text, str)
    assert said.text == said.text.strip()


@pytest.mark.parametrize("write", [make_ctc, make_streaming_ctc])
def test_a_sherpa_model_says_its_first_word_and_its_last(
    write: Callable[[Path], Path], tmp_path: Path
) -> None:
    pytest.importorskip("sherpa_onnx")
    loud = 0.3 * np.sin(np.arange(16_000) / 8).astype(np.float32)
    engine = loaded("sherpa-onnx", write(tmp_path))

    said = [
        engine.transcribe(audio, TranscriptionRequest(language="en")).text
        for audio in (np.concatenate([loud, 0 * loud, loud]), 0 * loud, loud)
    ]

    assert said == ["Loud loud", "", "Loud"]


def test_prompted_names_do_not_appear_in_silence(engine: SttEngine) -> None:
    names = ("Zephyra", "Torvane lamp", "Quibblar")

    said = engine.transcribe(
        np.zeros(16_000, np.float32), TranscriptionRequest(language="en", words=names)
    )

    assert not any(name.split()[0] in said.text for name in names)


@needs_data
def test_a_sentence_is_recognised(engine: SttEngine) -> None:
    row = next(row for row in rows("speech") if row["source"].startswith("LibriSpeech"))
    pcm, _ = read_audio(DATA / row["audio"])

    said = engine.transcribe(to_float(pcm), TranscriptionRequest(language="en"))

    assert said.language == "en"
    assert said.text
    if not said.text.startswith("Loud"):  # the made-up model of sherpa-onnx knows one word
        heard, spoken = set(words(said.text)), words(row["text"])
        assert sum(word in heard for word in spoken) > 0.7 * len(spoken)


@pytest.mark.parametrize("name", sorted(set(ENGINES) - {"openai"}))
@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"lmgg" + b"\xff" * 60])
def test_a_file_that_holds_no_model_is_one_clear_error(
    name: str, content: bytes, tmp_path: Path
) -> None:
    pytest.importorskip(LIBRARIES.get(name, "faster_whisper"))
    for file in ("model.bin", "model.onnx", "config.json", "tokens.txt"):
        (tmp_path / file).write_bytes(content)

    with pytest.raises(ModelError, match=r"^model: [^\n]+$"):
        loaded(name, tmp_path)


def test_a_ggml_file_cut_anywhere_is_one_clear_error(store: ModelStore, tmp_path: Path) -> None:
    pytest.importorskip("pywhispercpp")
    whole = convert(store.ensure("tiny.en"), tmp_path / "whole.bin").read_bytes()
    cut = tmp_path / "cut.bin"

    for size in (3, 40, 5_000, 300_000, 20_000_000, len(whole) - 1):
        cut.write_bytes(whole[:size])
        with pytest.raises(ModelError, match=r"^model: [^\n]+$"):
            loaded("whisper-cpp", cut)


@pytest.mark.parametrize("name", sorted(set(ENGINES) - {"openai"}))
def test_a_missing_model_is_one_clear_error(name: str, tmp_path: Path) -> None:
    pytest.importorskip(LIBRARIES.get(name, "faster_whisper"))

    with pytest.raises(UnknownModel):
        loaded(name, "no-such-model", data_dir=(tmp_path,))


def test_the_error_of_a_server_is_reported_with_its_address(whisper: FasterWhisper) -> None:
    audio = np.zeros(16_000, np.float32)
    with transcription_server(whisper, key="secret") as url:
        cases = [
            ({"base_url": url, "api_key": "secret"}, "broken", Unavailable, "out of memory"),
            ({"base_url": url, "api_key": "secret"}, "page", Unavailable, "expected JSON"),
            ({"base_url": url}, "tiny.en", Unavailable, "no such key"),
            ({"base_url": "http://127.0.0.1:9/v1"}, "x", Unavailable, "cannot be reached"),
        ]
        for options, model, error, told in cases:
            engine = loaded("openai", model, **options)
            with pytest.raises(error, match=told):
                engine.transcribe(audio, TranscriptionRequest(language="en"))
            engine.close()


def test_a_missing_server_address_is_a_mistake_in_the_settings() -> None:
    with pytest.raises(ConfigError, match="base_url: expected http"):
        loaded("openai", "x")


@needs_data
def test_a_recognised_sentence_is_more_probable_than_another(engine: SttEngine) -> None:
    row = next(row for row in rows("command") if row["text"] == "what time is it")
    audio = to_float(read_audio(DATA / row["audio"])[0])

    scores = engine.score(
        audio,
        ["What time is it?", "Close the kitchen window.", "What."],
        TranscriptionRequest(language="en"),
    )

    if scores is not None:  # only engines that score
        right, wrong, short = scores
        assert right > wrong + 10
        assert right > short


def test_a_closed_engine_can_be_loaded_again(engine: SttEngine) -> None:
    hum = 0.01 * np.sin(np.arange(48_000) / 20).astype(np.float32)
    request = TranscriptionRequest(language="en")
    before = engine.transcribe(hum, request)

    engine.close()
    engine.load()

    assert engine.transcribe(hum, request) == before
