"""Enrolment: five good sentences of one person make a profile, anything else is told."""

from pathlib import Path

import pytest

from tests.stt.fakes import silence
from tests.stt.speakers.voices import ANNA, BEN, CARL, enrol, enroller, tone
from wyoming_common.errors import BadAudio, ConfigError
from wyoming_stt.speakers.profiles import VoiceProfiles


def test_five_sentences_make_a_profile(tmp_path: Path) -> None:
    path = enrol(tmp_path, "Anna", ANNA)

    assert path == tmp_path / "voices" / "anna.voice"
    assert [one.name for one in VoiceProfiles([tmp_path]).all()] == ["Anna"]


def test_four_sentences_are_too_few(tmp_path: Path) -> None:
    desk = enroller(tmp_path)
    samples = [desk.sample(tone(ANNA), "one")] * 4

    with pytest.raises(BadAudio, match="4 sentences of 5"):
        desk.enrol("Anna", samples)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("pcm", "reason"),
    [
        (silence(3.0), "0.0 s of speech"),
        (b"", "0.0 s of speech"),
        (tone(ANNA, 0.6), "s of speech; read a whole sentence"),
        (tone(ANNA, 2.0, 1.0), "clipped"),
    ],
)
def test_a_poor_recording_is_refused_with_its_remedy(
    tmp_path: Path, pcm: bytes, reason: str
) -> None:
    with pytest.raises(BadAudio, match=rf"^first\.wav: .*{reason}"):
        enroller(tmp_path).sample(pcm, "first.wav")


def test_sentences_of_two_people_are_refused(tmp_path: Path) -> None:
    desk = enroller(tmp_path)
    samples = [desk.sample(tone(hertz), "x") for hertz in (ANNA, ANNA, ANNA, ANNA, BEN)]

    with pytest.raises(BadAudio, match="several people"):
        desk.enrol("Anna", samples)


def test_a_voice_that_is_known_under_another_name_is_refused(tmp_path: Path) -> None:
    enrol(tmp_path, "Anna", ANNA)

    with pytest.raises(BadAudio, match="like that of Anna"):
        enrol(tmp_path, "Ben", ANNA)
    enrol(tmp_path, "Ben", BEN)
    assert [one.name for one in VoiceProfiles([tmp_path]).all()] == ["Anna", "Ben"]


def test_enrolling_again_replaces_the_profile(tmp_path: Path) -> None:
    enrol(tmp_path, "Anna", ANNA)
    enrol(tmp_path, "anna", CARL)

    [profile] = VoiceProfiles([tmp_path]).all()

    assert profile.centre[CARL // 20] > 0.9


def test_a_bad_name_is_refused_before_a_model_loads(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^name: expected"):
        enroller(tmp_path).enrol("guest", [])
