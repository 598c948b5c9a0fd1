"""Choice of the number of threads of a recogniser."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from wyoming_stt.decoding.thread_choice import choose_threads


class Machine:
    """Work that takes a given time for each number of threads, by a clock of its own."""

    def __init__(self, *seconds: dict[int, float]) -> None:
        """`seconds` by threads, of one run after another; the last goes on."""
        self._seconds = list(seconds)
        self._runs: dict[int, int] = {}
        self.now = 0.0
        self.prepared: list[int] = []

    def prepare(self, threads: int) -> Callable[[], object]:
        self.prepared.append(threads)
        return lambda: self.run(threads)

    def run(self, threads: int) -> None:
        count = self._runs.get(threads, 0)
        self._runs[threads] = count + 1
        self.now += self._seconds[min(count, len(self._seconds) - 1)][threads]

    def choose(self, folder: Path, identity: str = "model") -> int:
        return choose_threads([1, 2, 4], self.prepare, identity, folder, lambda: self.now)


@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [
        ({1: 0.23, 2: 0.29, 4: 0.4}, 1),
        ({1: 0.40, 2: 0.25, 4: 0.15}, 4),
        ({1: 0.40, 2: 0.205, 4: 0.20}, 2),
    ],
)
def test_the_fewest_threads_of_nearly_the_least_time_are_chosen(
    tmp_path: Path, seconds: dict[int, float], chosen: int
) -> None:
    assert Machine(seconds).choose(tmp_path) == chosen


def test_the_first_run_of_each_number_does_not_count(tmp_path: Path) -> None:
    first, later = {1: 9.0, 2: 0.1, 4: 0.1}, {1: 0.2, 2: 0.3, 4: 0.3}

    assert Machine(first, later).choose(tmp_path) == 1


def test_a_choice_is_remembered_for_its_model_and_machine(tmp_path: Path) -> None:
    Machine({1: 0.4, 2: 0.2, 4: 0.3}).choose(tmp_path)
    later = Machine({1: 0.1, 2: 0.2, 4: 0.3})

    assert later.choose(tmp_path) == 2
    assert later.prepared == []
    assert later.choose(tmp_path, "another model") == 1


def test_a_measurement_that_other_programs_disturbed_is_made_three_times(tmp_path: Path) -> None:
    quiet = {1: 0.2, 2: 0.3, 4: 0.3}
    starts = [Machine(quiet, quiet, {1: 0.9, 2: 0.3, 4: 0.3}, quiet) for _ in range(4)]

    choices = [machine.choose(tmp_path) for machine in starts]

    assert choices == [1, 1, 1, 1]
    assert [bool(machine.prepared) for machine in starts] == [True, True, True, False]


@pytest.mark.parametrize("content", ["", "many", "16", "1 2"])
def test_a_damaged_record_is_measured_anew(tmp_path: Path, content: str) -> None:
    machine = Machine({1: 0.2, 2: 0.3, 4: 0.3})
    machine.choose(tmp_path)
    [record] = files_of(tmp_path)
    record.write_text(content, encoding="utf-8")

    assert machine.choose(tmp_path) == 1
    assert record.read_text(encoding="utf-8") == "1"


def files_of(folder: Path) -> Iterator[Path]:
    return folder.glob("*.threads")


def test_a_folder_that_cannot_be_written_costs_only_the_memory(tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.touch()

    assert Machine({1: 0.2, 2: 0.3, 4: 0.3}).choose(occupied) == 1


def test_with_one_core_nothing_is_measured(tmp_path: Path) -> None:
    machine = Machine({1: 0.2})

    assert choose_threads([1], machine.prepare, "model", tmp_path) == 1
    assert machine.prepared == []
