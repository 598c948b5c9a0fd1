"""`parley voices`: profiles from recordings, their list, their export and their end."""

import json
from pathlib import Path

import pytest
import soundfile

from parley.__main__ import main
from parley.cli import voices
from tests.stt.fakes import silence
from tests.stt.speakers.voices import ANNA, BEN, enroller, tone


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["voices", *map(str, arguments)])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(voices, "Enroller", lambda _: enroller(tmp_path / "data"))
    return tmp_path


def recordings(folder: Path, hertz: int, count: int = 5) -> list[Path]:
    paths = [folder / f"{hertz}-{number}.wav" for number in range(count)]
    for path in paths:
        write(path, tone(hertz))
    return paths


def write(path: Path, pcm: bytes) -> None:
    with soundfile.SoundFile(path, "w", 16_000, 1, "PCM_16") as file:
        file.buffer_write(pcm, "int16")


def test_a_profile_is_made_listed_exported_and_deleted(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    data = ("--data-dir", folder / "data")
    status, out, _ = run(capsys, "enrol", "Anna", *recordings(folder, ANNA), *data)
    assert status == 0
    assert "no recording was kept" in out
    assert [path.name for path in (folder / "data").rglob("*.*")] == ["anna.voice"]

    _, out, _ = run(capsys, "list", "--json", *data)
    [row] = json.loads(out)
    assert (row["name"], row["samples"], row["learned"]) == ("Anna", 5, 0)

    assert run(capsys, "export", "anna", folder / "anna.voice", *data)[0] == 0
    assert json.loads((folder / "anna.voice").read_bytes())["name"] == "Anna"

    assert run(capsys, "delete", "anna", *data)[0] == 0
    assert "No voice profile yet" in run(capsys, "list", *data)[1]
    status, _, err = run(capsys, "delete", "anna", *data)
    assert (status, err) == (1, "parley: No voice profile of 'anna'; see parley voices list\n")


def test_recordings_without_speech_are_one_clear_line(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    quiet = folder / "quiet.wav"
    write(quiet, silence(2.0))

    status, _, err = run(capsys, "enrol", "Ben", quiet, "--data-dir", folder / "data")

    assert status == 1
    assert "quiet.wav: 0.0 s of speech" in err
    assert err.count("\n") == 1


def test_too_few_recordings_are_one_clear_line(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    files = recordings(folder, BEN, 2)

    status, _, err = run(capsys, "enrol", "Ben", *files, "--data-dir", folder / "data")

    assert (status, err) == (1, "parley: 2 sentences of 5 that are needed\n")
