import os
from pathlib import Path

import pytest

from wyoming_llm.kv_cache.disk import PrefixStore
from wyoming_llm.kv_cache.state import SHARED

STATE = bytes(range(256)) * 4


def open_store(folder: Path, key: str = "model", most: int = 10**6) -> PrefixStore:
    return PrefixStore(folder, key, most)


def test_a_saved_state_is_there_after_a_restart(tmp_path: Path) -> None:
    open_store(tmp_path).save([1, 2, 3], STATE, "a")

    again = open_store(tmp_path)
    found = again.best([1, 2, 9], "a")

    assert found is not None
    assert list(found.tokens) == [1, 2, 3]
    assert again.load(found) == STATE
    assert again.holds([1, 2, 3], "a")
    assert not again.holds([1, 2, 4], "a")


def test_another_model_does_not_see_it(tmp_path: Path) -> None:
    open_store(tmp_path).save([1, 2, 3], STATE, "a")

    assert open_store(tmp_path, "other").best([1, 2, 3], "a") is None


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "gone"])
def test_a_damaged_file_is_dropped(tmp_path: Path, damage: str) -> None:
    open_store(tmp_path).save([1, 2, 3], STATE, "a")
    again = open_store(tmp_path)
    (path,) = tmp_path.iterdir()
    data = path.read_bytes()
    changed = {"cut": data[:-9], "flip": data[:-9] + bytes(9), "empty": b""}
    path.unlink() if damage == "gone" else path.write_bytes(changed[damage])

    found = again.best([1, 2, 3], "a")

    assert found is not None
    assert again.load(found) is None
    assert again.best([1, 2, 3], "a") is None
    assert list(tmp_path.iterdir()) == []


def test_a_foreign_file_is_ignored(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.save([1, 2, 3], STATE, "a")
    (path,) = tmp_path.iterdir()
    path.write_bytes(b"something else")

    assert open_store(tmp_path).newest(5) == []


def test_the_folder_stays_within_its_size(tmp_path: Path) -> None:
    store = open_store(tmp_path, most=3000)

    for number in range(10):
        store.save([number] * 5, STATE, "a")

    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 3000
    assert store.holds([9] * 5, "a")


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    store = open_store(blocked / "folder")

    store.save([1, 2, 3], STATE, "a")

    assert store.best([1, 2, 3], "a") is None


def test_a_prefix_is_found_for_its_client_alone(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.save([1, 2, 3], STATE, "10.0.0.1")
    store.save([1, 2], STATE, SHARED)

    again = open_store(tmp_path)
    mine, other = again.best([1, 2, 3], "10.0.0.1"), again.best([1, 2, 3], "10.0.0.2")

    assert mine is not None
    assert list(mine.tokens) == [1, 2, 3]
    assert other is not None
    assert list(other.tokens) == [1, 2]


def test_equal_prefixes_of_two_clients_do_not_evict_each_other(tmp_path: Path) -> None:
    store = open_store(tmp_path)

    for client in ("a", "b"):
        store.save([1, 2, 3], STATE, client)

    assert all(store.holds([1, 2, 3], client) for client in ("a", "b"))


def test_one_client_has_few_files_and_shared_ones_stay(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.save([7] * 5, STATE, SHARED)

    for number in range(100):
        store.save([number] * 5, STATE, "a")

    assert len(list(tmp_path.iterdir())) <= 6
    assert store.holds([7] * 5, SHARED)
    assert store.holds([99] * 5, "a")


def test_many_clients_do_not_evict_shared_prefixes(tmp_path: Path) -> None:
    store = open_store(tmp_path, most=5000)
    store.save([7] * 5, STATE, SHARED)

    for number in range(100):
        store.save([number] * 5, STATE, f"10.0.0.{number}")

    assert store.holds([7] * 5, SHARED)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 5000


def test_half_written_files_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    stale, fresh = tmp_path / "a.1.part", tmp_path / "b.2.part"
    for path in (stale, fresh):
        path.write_bytes(b"half")
    os.utime(stale, (0, 0))

    open_store(tmp_path)

    assert not stale.exists()
    assert fresh.exists()
