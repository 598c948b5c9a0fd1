"""What a person is told to type where something optional is missing."""

from pathlib import Path

import pytest

from wyoming_common import extras


@pytest.mark.parametrize("extra", ["stt", "gpio"])
def test_a_checkout_installs_itself_and_not_what_an_index_has_of_that_name(extra: str) -> None:
    command, _, argument = extras.how_to_install(extra).partition(" ")

    assert (Path(extras.__file__).parents[1] / command).is_file()
    assert argument == extra
    assert extras.package_of(extra).startswith("-e ")


def test_an_installed_release_is_added_to_by_pip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extras, "_ROOT", tmp_path)

    assert extras.how_to_install("stt") == "pip install 'parley-voice[stt]'"
