"""Store of what Home Assistant changes on the device."""

from pathlib import Path

import pytest

from satellite.esphome.store import DeviceStore

KEY = bytes(range(32))


def test_values_survive_a_restart(tmp_path: Path) -> None:
    store = DeviceStore([tmp_path], "kitchen")
    store.set_key(KEY)
    store.set_wake_words(["alexa"])
    store.set_value("volume", 0.5)
    store.set_value("mute", True)

    again = DeviceStore([tmp_path], "kitchen")

    assert (again.key, again.wake_words) == (KEY, ("alexa",))
    assert (again.number("volume", 1.0), again.flag("mute")) == (0.5, True)
    again.set_key(None)
    assert DeviceStore([tmp_path], "kitchen").key is None


def test_the_first_folder_that_can_be_written_to_is_used(tmp_path: Path) -> None:
    (file := tmp_path / "file").write_text("")

    assert DeviceStore([file / "under", tmp_path / "made"], "kitchen").set_value("volume", 1.0)

    assert (tmp_path / "made" / "kitchen.esphome.json").exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"encryption_key": "short"}', "x" * 70_000])
def test_a_damaged_file_is_ignored_and_written_anew(tmp_path: Path, content: str) -> None:
    (tmp_path / "kitchen.esphome.json").write_text(content)

    store = DeviceStore([tmp_path], "kitchen")

    assert (store.key, store.wake_words, store.number("volume", 1.0)) == (None, None, None)
    assert store.set_key(KEY)
    assert DeviceStore([tmp_path], "kitchen").key == KEY


def test_without_a_folder_values_last_for_the_run_and_saving_is_reported(tmp_path: Path) -> None:
    (file := tmp_path / "file").write_text("")
    store = DeviceStore([file / "under"], "kitchen")

    assert not store.set_key(KEY)
    assert store.key == KEY
