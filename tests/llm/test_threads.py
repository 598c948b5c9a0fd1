import pytest

from wyoming_llm.llama.threads import CpuShare, Reading


@pytest.mark.parametrize(
    ("others", "ours", "free"),
    [(0.0, 0.0, 4), (0.0, 4.0, 4), (1.0, 3.0, 3), (2.1, 0.0, 2), (4.0, 0.0, 1), (9.0, 0.0, 1)],
)
def test_cores_that_others_use_are_left_to_them(others: float, ours: float, free: int) -> None:
    readings: list[Reading] = [(0.0, 100.0, 10.0), (1.0, 100.0 + others + ours, 10.0 + ours)]

    share = CpuShare(4, lambda: readings.pop(0))

    assert share.free() == free


def test_a_look_too_soon_changes_nothing() -> None:
    readings: list[Reading] = [(0.0, 0.0, 0.0), (0.01, 4.0, 0.0)]

    assert CpuShare(4, lambda: readings.pop(0)).free() == 4


def test_where_nothing_can_be_read_all_cores_are_taken() -> None:
    assert CpuShare(4, lambda: None).free() == 4


@pytest.mark.parametrize(("load", "free"), [(0.0, 2), (0.6, 2), (0.95, 1), (3.0, 1)])
def test_after_a_rest_the_load_average_tells_how_many_cores_are_free(
    load: float, free: int
) -> None:
    # Two programs have just been started side by side, long before this look.
    readings: list[Reading] = [(0.0, 0.0, 0.0), (12.0, 20.0, 0.0)]

    assert CpuShare(2, lambda: readings.pop(0), lambda: load).free() == free


def test_from_the_second_look_on_the_cores_that_are_used_now_count() -> None:
    readings: list[Reading] = [(0.0, 0.0, 0.0), (12.0, 0.0, 0.0), (12.5, 0.5, 0.0)]
    share = CpuShare(2, lambda: readings.pop(0), lambda: 0.0)

    assert [share.free(), share.free()] == [2, 1]
