"""What every recogniser has to do, whichever it is."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.engines.ggml import convert
from tests.engines.sherpa_model import make_ctc, make_streaming_ctc
from tests.engines.test_stt import DATA, needs_data, rows, words
from tests.engines.transcription_server import transcription_server
from wyoming_common import registry
from wyoming_common.audio import read_audio, to_float
from wyoming_common.errors import (
    BadRequest,
    ConfigError,
    ModelError,
    Unavailable,
    UnknownModel,
)
from wyoming_common.store import ModelStore
from wyoming_stt.config import SttSettings
from wyoming_stt.engine import LONGEST_SECONDS, Request, SttEngine
from wyoming_stt.engines import ENGINES
from wyoming_stt.engines.faster_whisper import FasterWhisper

LIBRARIES = {"whisper-cpp": "pywhispercpp", "sherpa-onnx": "sherpa_onnx"}


@pytest.fixture(scope="module")
def whisper(store: ModelStore) -> FasterWhisper:
    path = str(store.ensure("tiny.en"))
    return FasterWhisper(SttSettings(device="cpu", threads=2), path)


@pytest.fixture(scope="module", params=[*sorted(ENGINES), "sherpa-onnx streaming"])
def engine(
    request: pytest.FixtureRequest,
    store: ModelStore,
    whisper: FasterWhisper,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[SttEngine]:
    name, _, form = request.param.partition(" ")
    pytest.importorskip(LIBRARIES.get(name, "faster_whisper"))
    make = registry.load(ENGINES, name)
    folder = tmp_path_factory.mktemp(name)
    settings = SttSettings(device="cpu", threads=2)
    if name == "faster-whisper":
        yield whisper
    elif name == "whisper-cpp":
        yield make(settings, str(convert(store.ensure("tiny.en"), folder / "ggml-tiny.en.bin")))
    elif name == "sherpa-onnx":
        yield make(settings, str((make_streaming_ctc if form else make_ctc)(folder)))
    else:
        with transcription_server(whisper) as url:
            openai = make(SttSettings(base_url=url), "tiny.en")
            yield openai
            openai.close()


def test_it_names_languages_and_tasks(engine: SttEngine) -> None:
    assert "en" in engine.languages
    assert "transcribe" in engine.tasks


@pytest.mark.parametrize("seconds", [0.02, 3.0, LONGEST_SECONDS + 1])
def test_any_length_gives_a_text(engine: SttEngine, seconds: float) -> None:
    hum = 0.01 * np.sin(np.arange(round(16_000 * seconds)) / 20).astype(np.float32)

    said = engine.transcribe(hum, Request(language="en"))

    assert isinstance(said.text, str)
    assert said.text == said.text.strip()


@pytest.mark.parametrize("write", [make_ctc, make_streaming_ctc])
def test_a_sherpa_model_says_its_first_word_and_its_last(
    write: Callable[[Path], Path], tmp_path: Path
) -> None:
    pytest.importorskip("sherpa_onnx")
    loud = 0.3 * np.sin(np.arange(16_000) / 8).astype(np.float32)
    engine = registry.load(ENGINES, "sherpa-onnx")(SttSettings(threads=1), str(write(tmp_path)))

    said = [
        engine.transcribe(audio, Request(language="en")).text
        for audio in (np.concatenate([loud, 0 * loud, loud]), 0 * loud, loud)
    ]

    assert said == ["Loud loud", "", "Loud"]


def test_names_do_not_end_up_in_what_was_not_said(engine: SttEngine) -> None:
    names = ("Zephyra", "Torvane lamp", "Quibblar")

    said = engine.transcribe(np.zeros(16_000, np.float32), Request(language="en", words=names))

    assert not any(name.split()[0] in said.text for name in names)


@needs_data
def test_it_hears_that_somebody_speaks(engine: SttEngine) -> None:
    row = next(row for row in rows("speech") if row["source"].startswith("LibriSpeech"))
    pcm, _ = read_audio(DATA / row["audio"])

    said = engine.transcribe(to_float(pcm), Request(language="en"))

    assert said.language == "en"
    assert said.text
    if not said.text.startswith("Loud"):  # the made-up model of sherpa-onnx knows one word
        heard, spoken = set(words(said.text)), words(row["text"])
        assert sum(word in heard for word in spoken) > 0.7 * len(spoken)


@pytest.mark.parametrize("name", sorted(set(ENGINES) - {"openai"}))
@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"lmgg" + b"\xff" * 60])
def test_a_file_that_is_no_model_is_one_clear_error(
    name: str, content: bytes, tmp_path: Path
) -> None:
    pytest.importorskip(LIBRARIES.get(name, "faster_whisper"))
    for file in ("model.bin", "model.onnx", "config.json", "tokens.txt"):
        (tmp_path / file).write_bytes(content)

    with pytest.raises(ModelError, match=r"^model: [^\n]+$"):
        registry.load(ENGINES, name)(SttSettings(device="cpu"), str(tmp_path))


def test_a_ggml_file_cut_anywhere_is_one_clear_error(store: ModelStore, tmp_path: Path) -> None:
    pytest.importorskip("pywhispercpp")
    whole = convert(store.ensure("tiny.en"), tmp_path / "whole.bin").read_bytes()
    cut = tmp_path / "cut.bin"

    for size in (3, 40, 5_000, 300_000, 20_000_000, len(whole) - 1):
        cut.write_bytes(whole[:size])
        with pytest.raises(ModelError, match=r"^model: [^\n]+$"):
            registry.load(ENGINES, "whisper-cpp")(SttSettings(), str(cut))


@pytest.mark.parametrize("name", sorted(set(ENGINES) - {"openai"}))
def test_a_model_that_is_not_there_is_one_clear_error(name: str, tmp_path: Path) -> None:
    pytest.importorskip(LIBRARIES.get(name, "faster_whisper"))

    with pytest.raises(UnknownModel):
        registry.load(ENGINES, name)(SttSettings(data_dir=(tmp_path,)), "no-such-model")


def test_a_server_that_fails_is_named_with_what_it_said(whisper: FasterWhisper) -> None:
    make = registry.load(ENGINES, "openai")
    audio = np.zeros(16_000, np.float32)
    with transcription_server(whisper, key="secret") as url:
        cases = [
            (SttSettings(base_url=url, api_key="secret"), "broken", Unavailable, "out of memory"),
            (SttSettings(base_url=url, api_key="secret"), "page", Unavailable, "expected JSON"),
            (SttSettings(base_url=url), "tiny.en", BadRequest, "no such key"),
            (SttSettings(base_url="http://127.0.0.1:9/v1"), "x", Unavailable, "Cannot reach"),
        ]
        for settings, model, error, told in cases:
            engine = make(settings, model)
            with pytest.raises(error, match=told):
                engine.transcribe(audio, Request(language="en"))
            engine.close()


def test_a_server_without_an_address_is_a_mistake_in_the_settings() -> None:
    with pytest.raises(ConfigError, match="base_url: expected http"):
        registry.load(ENGINES, "openai")(SttSettings(), "x")
