"""Operations are counted as arithmetic says."""

from typing import Any

import pytest

from bench.operations import multiplications, whisper


def node(name: str, inputs: list[list[int]], output: list[int]) -> dict[str, Any]:
    """A node as ONNX Runtime's profiler tells of it."""
    return {
        "op_name": name,
        "input_type_shape": [{"float": shape} for shape in inputs],
        "output_type_shape": [{"float": output}],
    }


@pytest.mark.parametrize(
    ("event", "count"),
    [
        # 4 channels out of 3, 5 taps, 10 samples
        (node("Conv", [[1, 3, 14], [4, 3, 5]], [1, 4, 10]), 4 * 3 * 5 * 10),
        # the same in groups of one channel
        (node("Conv", [[1, 4, 14], [4, 1, 5]], [1, 4, 10]), 4 * 5 * 10),
        # every sample that comes in is spread over 8 of 2 channels
        (node("ConvTranspose", [[1, 3, 10], [3, 2, 8]], [1, 2, 80]), 3 * 10 * 2 * 8),
        (node("MatMul", [[1, 7, 6], [6, 5]], [1, 7, 5]), 7 * 6 * 5),
        (node("Add", [[1, 7, 5], [5]], [1, 7, 5]), 0),
        ({}, 0),
    ],
)
def test_products_are_counted_from_the_shapes(event: dict[str, Any], count: int) -> None:
    assert multiplications(event) == count


def test_whispers_encoder_costs_more_than_its_share_for_longer_audio() -> None:
    assert whisper(4, 384, 30) > 10 * whisper(4, 384, 3)
    # Radford et al. give no count; 4 layers of 12 * 384^2 for each of 1500 frames are 10.6e9.
    assert 10.6e9 < whisper(4, 384, 30) < 20e9
