"""Install hints: the command for a missing extra."""

from pathlib import Path

import pytest

from wyoming_common.config.install_hints import ROOT, how_to_install, package_of


@pytest.mark.parametrize("extra", ["stt", "gpio"])
def test_a_checkout_installs_itself_and_not_what_an_index_has_of_that_name(extra: str) -> None:
    command, _, argument = how_to_install(extra).partition(" ")

    assert (ROOT / command).is_file()
    assert argument == extra
    assert package_of(extra).startswith("-e ")


def test_an_installed_release_is_added_to_by_pip(tmp_path: Path) -> None:
    assert how_to_install("stt", tmp_path) == "pip install 'parley-voice[stt]'"
