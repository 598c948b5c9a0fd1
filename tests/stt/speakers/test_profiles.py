"""Voice profiles: files that are listed, exported and deleted, and bounds on what they hold."""

import json
import os
import stat
from pathlib import Path

import numpy as np
import pytest

from tests.stt.speakers.voices import ANNA, BEN, embedding, enrol
from wyoming_common.errors import ConfigError, ModelError
from wyoming_stt.speakers.profiles import (
    MAX_LEARNED,
    VoiceProfile,
    VoiceProfiles,
    check_name,
    made_now,
    read_profile,
)


def test_a_saved_profile_reads_as_it_was(tmp_path: Path) -> None:
    profiles = VoiceProfiles([tmp_path])
    profiles.save(made_now("Anna Müller", [embedding(ANNA)] * 5, [embedding(BEN)]))

    [known] = profiles.all()

    assert known.name == "Anna Müller"
    assert np.allclose(known.samples, [embedding(ANNA)] * 5, atol=1e-4)
    assert np.allclose(known.learned, [embedding(BEN)], atol=1e-4)
    assert profiles.find("anna müller").name == "Anna Müller"


def test_only_the_owner_may_read_a_profile(tmp_path: Path) -> None:
    path = enrol(tmp_path, "Anna", ANNA)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["anna.voice"]


def test_a_profile_holds_no_sound(tmp_path: Path) -> None:
    content = json.loads(enrol(tmp_path, "Anna", ANNA).read_bytes())

    assert set(content) == {"format", "model", "name", "made", "samples", "learned"}
    assert all(len(row) == 192 for row in content["samples"])


def test_the_newer_of_two_profiles_of_one_name_counts(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    older = enrol(first, "Anna", ANNA)
    newer = enrol(second, "Anna", BEN)
    os.utime(older, (1_000_000, 1_000_000))

    profiles = VoiceProfiles([first, second])

    assert profiles.path("Anna") == newer
    assert np.allclose(profiles.find("Anna").samples, [embedding(BEN)] * 5, atol=1e-4)
    assert len(profiles.all()) == 1


def test_a_deleted_profile_is_gone_from_every_data_folder(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    enrol(first, "Anna", ANNA)
    enrol(second, "Anna", ANNA)
    profiles = VoiceProfiles([first, second])

    profiles.delete("Anna")

    assert profiles.all() == []
    with pytest.raises(ConfigError, match="No voice profile of 'Anna'"):
        profiles.delete("Anna")


def test_a_profile_that_may_not_be_deleted_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol(tmp_path, "Anna", ANNA)

    def refuse(path: Path, *, missing_ok: bool) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)

    with pytest.raises(ConfigError, match=r"cannot delete .*anna\.voice: Permission denied"):
        VoiceProfiles([tmp_path]).delete("Anna")


def test_the_state_changes_with_every_profile(tmp_path: Path) -> None:
    profiles = VoiceProfiles([tmp_path])
    states = [profiles.state()]
    enrol(tmp_path, "Anna", ANNA)
    states.append(profiles.state())
    profiles.delete("Anna")
    states.append(profiles.state())

    assert states[0] == states[2] == ()
    assert states[1] != ()


@pytest.mark.parametrize("name", ["", "guest", "GUEST", "../x", "a/b", "-", "x" * 60, "a\nb/", "_"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"^name: expected"):
        check_name(name)


@pytest.mark.parametrize("name", ["Anna", "Jean-Luc", "O'Neill", "Großmutter 2", "李明"])
def test_names_of_people_are_taken(name: str) -> None:
    assert check_name(f"  {name} ") == name


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"model": "other"},
        {"name": "Ben"},
        {"name": "guest"},
        {"samples": []},
        {"samples": [[1.0, 2.0]]},
        {"samples": [[0.0] * 192]},
        {"samples": [[float("nan")] * 192]},
        {"samples": 5},
        {"samples": [[10**400] * 192]},
        {"samples": [[{}] * 192]},
        {"learned": [["x"] * 192]},
    ],
)
def test_a_damaged_profile_is_one_clear_line_and_not_listed(
    tmp_path: Path, change: dict[str, object]
) -> None:
    path = enrol(tmp_path, "Anna", ANNA)
    path.write_text(json.dumps(json.loads(path.read_bytes()) | change))

    with pytest.raises(ModelError, match="is not a voice profile"):
        read_profile(path)
    assert VoiceProfiles([tmp_path]).all() == []


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_other_content_is_no_profile(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "anna.voice"
    path.write_bytes(content)

    with pytest.raises(ModelError, match="is not a voice profile"):
        read_profile(path)


def test_learned_samples_are_bounded_and_never_outweigh_the_enrolled_ones() -> None:
    profile = VoiceProfile("Anna", (embedding(ANNA),))
    for _ in range(2 * MAX_LEARNED):
        profile = profile.with_learned(embedding(BEN))

    assert len(profile.learned) == MAX_LEARNED
    assert float(profile.centre @ embedding(ANNA)) >= float(profile.centre @ embedding(BEN)) - 1e-6
