from pathlib import Path

import pytest

from wyoming_llm.engines.prefix_store import PrefixStore

STATE = bytes(range(256)) * 4


def open_store(folder: Path, key: str = "model", most: int = 10**6) -> PrefixStore:
    return PrefixStore(folder, key, most)


def test_what_was_kept_is_there_after_a_restart(tmp_path: Path) -> None:
    open_store(tmp_path).save([1, 2, 3], STATE)

    again = open_store(tmp_path)
    found = again.best([1, 2, 9])

    assert found is not None
    assert list(found.tokens) == [1, 2, 3]
    assert again.load(found) == STATE
    assert again.holds([1, 2, 3])
    assert not again.holds([1, 2, 4])


def test_another_model_does_not_see_it(tmp_path: Path) -> None:
    open_store(tmp_path).save([1, 2, 3], STATE)

    assert open_store(tmp_path, "other").best([1, 2, 3]) is None


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "gone"])
def test_a_damaged_file_is_dropped(tmp_path: Path, damage: str) -> None:
    open_store(tmp_path).save([1, 2, 3], STATE)
    again = open_store(tmp_path)
    (path,) = tmp_path.iterdir()
    data = path.read_bytes()
    changed = {"cut": data[:-9], "flip": data[:-9] + bytes(9), "empty": b""}
    path.unlink() if damage == "gone" else path.write_bytes(changed[damage])

    found = again.best([1, 2, 3])

    assert found is not None
    assert again.load(found) is None
    assert again.best([1, 2, 3]) is None
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_none_of_ours_is_ignored(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.save([1, 2, 3], STATE)
    (path,) = tmp_path.iterdir()
    path.write_bytes(b"something else")

    assert open_store(tmp_path).newest(5) == []


def test_the_folder_stays_within_its_size(tmp_path: Path) -> None:
    store = open_store(tmp_path, most=3000)

    for number in range(10):
        store.save([number] * 5, STATE)

    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 3000
    assert store.holds([9] * 5)


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    store = open_store(blocked / "folder")

    store.save([1, 2, 3], STATE)

    assert store.best([1, 2, 3]) is None
