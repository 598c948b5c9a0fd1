import json
from pathlib import Path

import pytest

from wyoming_common.errors import BadRequest, ModelError
from wyoming_tts.synthesis.voices import VoiceFolders, language_of, voice_file

SETTINGS = {"audio": {"sample_rate": 22050, "quality": "low"}, "phoneme_id_map": {}}


def put(folder: Path, name: str, **more: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    model = folder / f"{name}.onnx"
    model.write_bytes(b"\x08\x07")
    model.with_name(f"{name}.onnx.json").write_text(json.dumps(SETTINGS | more))
    return model


def test_voices_are_found_beside_each_other_in_folders_and_in_the_store(tmp_path: Path) -> None:
    put(tmp_path, "en_GB-alba-medium")
    put(tmp_path / "mine", "my-voice", speaker_id_map={"b": 1, "a": 0})
    put(tmp_path / "models" / "de_DE-thorsten-low", "de_DE-thorsten-low")

    voices = {name: file.voice for name, file in VoiceFolders([tmp_path])().items()}

    assert sorted(voices) == ["de_DE-thorsten-low", "en_GB-alba-medium", "my-voice"]
    assert voices["my-voice"].speakers == ("a", "b")
    assert voices["en_GB-alba-medium"].languages == ("en_GB",)


def test_a_voice_put_there_later_is_seen_and_one_taken_away_is_not(tmp_path: Path) -> None:
    folders = VoiceFolders([tmp_path])
    assert folders() == {}

    model = put(tmp_path, "en_GB-alba-medium")
    assert list(folders()) == ["en_GB-alba-medium"]

    model.unlink()
    assert folders() == {}


def test_files_that_cannot_speak_are_not_listed(tmp_path: Path) -> None:
    put(tmp_path, "good")
    (tmp_path / "half.onnx.json").write_text(json.dumps(SETTINGS))
    (tmp_path / "broken.onnx").touch()
    (tmp_path / "broken.onnx.json").write_text("{")
    (tmp_path / "other.onnx").touch()
    (tmp_path / "other.onnx.json").write_text("[]")
    put(tmp_path, "empty").write_bytes(b"")
    put(tmp_path, "text").write_text("version https://git-lfs.github.com/spec/v1")
    put(tmp_path, "unreadable", phoneme_type="runes")

    assert list(VoiceFolders([tmp_path, tmp_path / "absent"])()) == ["good"]


@pytest.mark.parametrize("name", ["none.onnx", "."])
def test_a_path_that_is_no_voice_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match="expected one"):
        voice_file(tmp_path / name)


def test_a_voice_without_its_settings_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").touch()

    with pytest.raises(ModelError, match=r"a\.onnx\.json is missing"):
        voice_file(tmp_path)


@pytest.mark.parametrize(
    ("name", "settings", "language"),
    [
        ("x", {"language": {"code": "pt_BR"}}, "pt_BR"),
        ("en_US-joe-medium", {}, "en_US"),
        ("custom", {"espeak": {"voice": "en-us"}}, "en_US"),
        ("custom", {"espeak": {"voice": "de"}}, "de"),
        ("custom", {}, ""),
    ],
)
def test_the_language_comes_from_the_settings_or_the_name(
    name: str, settings: dict[str, object], language: str
) -> None:
    assert language_of(name, settings) == language


def test_a_speaker_is_known_by_name_and_by_number(tmp_path: Path) -> None:
    model = put(tmp_path, "two", num_speakers=2, speaker_id_map={"anna": 0, "bert": 1})
    file = voice_file(model)

    assert [file.speaker(name) for name in (None, "anna", "bert", "1")] == [0, 0, 1, 1]
    with pytest.raises(BadRequest, match=r"'carla' is no speaker of two; it has anna, bert"):
        file.speaker("carla")
    with pytest.raises(BadRequest):
        file.speaker("2")


def test_a_voice_with_one_speaker_takes_any_name(tmp_path: Path) -> None:
    assert voice_file(put(tmp_path, "one")).speaker("anyone") is None
