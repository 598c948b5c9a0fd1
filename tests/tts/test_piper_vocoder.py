from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_tts.engines.piper_vocoder import (
    FIRST_FRAMES,
    MOST_FRAMES,
    Floats,
    Halo,
    WindowedVocoder,
    windows,
)

HOP = 4


@given(st.integers(0, 5000))
def test_windows_cover_every_frame_once(total: int) -> None:
    frames = [frame for start, end in windows(total) for frame in range(start, end)]

    assert frames == list(range(total))


@given(st.integers(FIRST_FRAMES, 5000))
def test_windows_start_short_and_stay_bounded(total: int) -> None:
    sizes = [end - start for start, end in windows(total)]

    assert sizes[0] < 2 * FIRST_FRAMES
    assert all(FIRST_FRAMES <= size < MOST_FRAMES + FIRST_FRAMES for size in sizes)


def smooth(frames: Floats, reach: int) -> Floats:
    """A convolution that sees `reach` frames to either side, zeros beyond the ends."""
    kernel = np.linspace(1, 2, 2 * reach + 1)
    padded = np.pad(frames[0, 0], reach)
    return np.convolve(padded, kernel, "valid").reshape(1, 1, -1).astype(np.float32)


def flow(inputs: Mapping[str, Floats]) -> Floats:
    return smooth(inputs["prior"] * inputs["mask"], 5) + inputs["speaker"]


def decoder(inputs: Mapping[str, Floats]) -> Floats:
    return np.repeat(smooth(inputs["latent"], 3), HOP, axis=-1)


@pytest.mark.parametrize("frames", [1, 15, 16, 17, 33, 100, 700])
def test_windows_sound_as_the_whole(frames: int) -> None:
    rng = np.random.default_rng(frames)
    encoded: dict[str, Floats] = {
        "prior": rng.standard_normal((1, 1, frames)).astype(np.float32),
        "mask": np.ones((1, 1, frames), np.float32),
    }
    constant: dict[str, Floats] = {"speaker": np.full((1, 1, 1), 0.5, np.float32)}
    vocoder = WindowedVocoder(flow, decoder, "latent", HOP, Halo(flow=5, decoder=3))

    pieces = list(vocoder(encoded, constant))

    whole = decoder({"latent": flow({**encoded, **constant})}).reshape(-1)
    np.testing.assert_allclose(np.concatenate(pieces), whole, rtol=1e-5)
    assert len(pieces) == len(list(windows(frames)))
