"""`parley wake-word`: bad input is one clear line, and the list is of what is there."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from parley.__main__ import main
from satellite.wake.trained_words import FOLDER, write_word
from tests.satellite.test_trained_words import word

pytest.importorskip("piper")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["wake-word", *arguments])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


@pytest.mark.parametrize(
    ("phrase", "reason"),
    [("a", "is one letter"), ("word " * 30, "at most 5 words"), ("bat", "3 sounds")],
)
def test_a_phrase_that_cannot_be_trained_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, phrase: str, reason: str
) -> None:
    status, _, err = run(capsys, "train", phrase, "--data-dir", str(tmp_path))

    assert status == 1
    assert err.startswith("parley: phrase: ")
    assert reason in err
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_silence_as_a_sample_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "quiet.wav", np.zeros(16_000), 16_000)
    folder = str(tmp_path)

    status, _, err = run(capsys, "train", "hey computer", "--samples", folder, "--data-dir", folder)

    assert status == 1
    assert "quiet.wav: no speech in it" in err
    assert err.count("\n") == 1


def test_a_phrase_is_checked_before_it_is_trained(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    status, out, _ = run(capsys, "check", "brightness", "--json", "--data-dir", str(tmp_path))
    found = json.loads(out)

    assert status == 0
    assert found["good"] is False
    assert "hey brightness" in found["better"]


def test_the_list_shows_what_was_trained(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    write_word(word(), tmp_path / FOLDER / "hey_you.wake")

    _, rows, _ = run(capsys, "list", "--json", "--data-dir", str(tmp_path))
    _, table, _ = run(capsys, "list", "--data-dir", str(tmp_path))

    assert json.loads(rows) == [
        {"word": "hey_you", "phrase": "hey you", "language": "en", "recall": 0.9}
    ]
    assert "hey you" in table


def test_a_recording_is_scored(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    write_word(word(bias=99.0), tmp_path / FOLDER / "hey_you.wake")
    path = tmp_path / "said.wav"
    soundfile.write(path, np.random.default_rng(1).standard_normal(16_000) * 0.1, 16_000)

    status, out, _ = run(capsys, "test", "hey_you", str(path), "--data-dir", str(tmp_path))

    assert status == 0
    assert "score 1.00, heard at" in out
    assert "1 of 1 heard" in out


def test_an_unknown_word_cannot_be_exported(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    output = str(tmp_path / "out.onnx")

    status, _, err = run(capsys, "export", "hey_you", output, "--data-dir", str(tmp_path))

    assert status == 1
    assert "No trained wake word 'hey_you'" in err
