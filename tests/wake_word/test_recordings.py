"""Recordings of the phrase: what is taken of them, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from parley.wake_word.recordings import kept_recordings, samples_of, speech_of, spoken
from tests.support.satellite_rig import LoudIsSpeech
from wyoming_common.errors import BadAudio, ConfigError

RATE = 16_000


def write(path: Path, seconds: float, level: float = 0.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(1).standard_normal(int(seconds * RATE)) * level
    soundfile.write(path, noise, RATE, "PCM_16")
    return path


def test_silence_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadAudio, match=r"silent\.wav: no speech in it"):
        speech_of(write(tmp_path / "silent.wav", 2.0))


def test_a_long_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadAudio, match="lasts 9 s; expected the phrase said once"):
        speech_of(write(tmp_path / "long.wav", 9.0, 0.1))


def test_a_folder_without_recordings_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--samples: .* holds no sound files"):
        samples_of(tmp_path)


def test_the_silence_around_the_speech_is_cut() -> None:
    loud = np.full(RATE, 32_000, "<i2").tobytes()

    clip = spoken(bytes(RATE * 2) + loud + bytes(RATE * 2), "it", LoudIsSpeech())

    assert 1.0 <= len(clip) / RATE < 1.2
    assert np.abs(clip).max() == pytest.approx(1.0)


def test_a_kept_recording_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    write(tmp_path / "wrong" / "1-silent.wav", 1.0)
    (tmp_path / "right").mkdir()
    (tmp_path / "right" / "text.wav").write_text("no sound")

    kept = kept_recordings(tmp_path)

    assert (kept.phrase, kept.false_alarms) == ([], [])
