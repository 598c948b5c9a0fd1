import io
import wave
from pathlib import Path

import pytest

from tests.tts.fakes import RATE, FakeTts
from wyoming_common.errors import BadRequest, NoSpace
from wyoming_tts.cli import SpeakSettings, speak
from wyoming_tts.synthesis.synthesizer import Synthesizer


def say(*arguments: str) -> FakeTts:
    engine = FakeTts()
    settings = SpeakSettings.load(["--sentence-silence", "0", *arguments])
    speak(settings, Synthesizer(engine, settings))
    return engine


def test_the_file_holds_the_whole_text(tmp_path: Path) -> None:
    path = tmp_path / "out.wav"

    say("One two. Three.", "-o", str(path))

    with wave.open(str(path)) as file:
        assert file.getframerate() == RATE
        assert file.readframes(100) == b"\x01\x00\x02\x00" * 3


def test_standard_output_takes_a_wav(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    say("One two.", "-o", "-")

    data = capfdbinary.readouterr().out
    with wave.open(io.BytesIO(data)) as file:
        assert file.readframes(100) == b"\x01\x00\x02\x00" * 2


def test_text_comes_from_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("From a pipe."))

    engine = say("-", "--output", str(tmp_path / "out.wav"))

    assert [phrase.text for phrase in engine.phrases] == ["From a pipe."]


def test_a_file_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(NoSpace, match="No such file or directory"):
        say("One", "-o", str(tmp_path / "absent" / "out.wav"))


def test_too_much_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="at most 100"):
        say("a " * 100, "--max-text", "100", "-o", str(tmp_path / "out.wav"))
