"""Model files are found in data directories, and their languages are known before loading."""

import struct
from pathlib import Path

import pytest

from wyoming_common.errors import UnknownModel
from wyoming_stt.decoding.model_files import check_known, languages_of, locate
from wyoming_stt.text.languages import WHISPER


def folder(path: Path, **files: bytes) -> Path:
    path.mkdir(parents=True)
    for name, content in files.items():
        (path / name.replace("__", ".")).write_bytes(content)
    return path


def test_a_model_dropped_into_a_data_directory_is_found(tmp_path: Path) -> None:
    mine = folder(tmp_path / "mine", model__bin=b"")

    assert locate("mine", [tmp_path]) == mine
    assert locate(str(mine), []) == mine
    assert locate("other", [tmp_path]) is None
    check_known("mine", [tmp_path])


def test_the_error_for_an_unknown_model_lists_the_catalogue(tmp_path: Path) -> None:
    with pytest.raises(UnknownModel, match=r"No model 'nope'; the catalogue has .*tiny\.en"):
        check_known("nope", [tmp_path])
    with pytest.raises(UnknownModel, match="no such file or folder"):
        check_known(str(tmp_path / "nope"), [tmp_path])


@pytest.mark.parametrize(
    ("words", "languages"),
    [(51_864, ("en",)), (51_865, WHISPER), (51_866, (*WHISPER, "yue"))],
)
def test_the_languages_of_a_whisper_model_follow_from_its_vocabulary_size(
    tmp_path: Path, words: int, languages: tuple[str, ...]
) -> None:
    text = folder(tmp_path / "text", vocabulary__txt=b"word\n" * words)
    ggml = tmp_path / "ggml-model.bin"
    ggml.write_bytes(struct.pack("<Ii", 0x67676D6C, words))

    assert languages_of(str(text), []) == languages
    assert languages_of(str(ggml), []) == languages


@pytest.mark.parametrize(
    ("name", "languages"),
    [
        ("sherpa-onnx-zipformer-en-2023-06-26", ("en",)),
        ("sherpa-onnx-sense-voice-zh-en-ja-ko-yue-2024-07-17", ("zh", "en", "ja", "ko", "yue")),
        ("sherpa-onnx-nemo-parakeet-tdt-0.6b-v2-int8", ("en",)),
        ("sherpa-onnx-whisper-tiny.en", ("en",)),
        ("sherpa-onnx-whisper-base", WHISPER),
    ],
)
def test_the_languages_of_a_sherpa_release_follow_from_its_name(
    tmp_path: Path, name: str, languages: tuple[str, ...]
) -> None:
    assert languages_of(str(folder(tmp_path / name, tokens__txt=b"")), []) == languages


def test_a_model_that_is_not_downloaded_has_the_languages_of_the_catalogue(tmp_path: Path) -> None:
    assert languages_of("tiny.en", [tmp_path]) == ("en",)
    assert set(languages_of("base", [tmp_path])) == set(WHISPER)
