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
