from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_tts.engines.piper.vocoder import (
    MAX_WINDOW_FRAMES,
    MIN_FIRST_FRAMES,
    MIN_WINDOW_FRAMES,
    Begun,
    Cost,
    Floats,
    Halo,
    Run,
    WindowedVocoder,
    WindowScheduler,
)

HOP = 4
FRAME_SECONDS = 256 / 22_050


class Machine:
    """A clock that computing moves on, at a fixed cost a frame, halo included."""

    def __init__(self, cost: float, halo: int = 20) -> None:
        self.now = 0.0
        self._cost = cost
        self._halo = halo

    def compute(self, frames: int) -> float:
        seconds = (frames + self._halo) * self._cost
        self.now += seconds
        return seconds


def sizes_on(machine: Machine, total: int, cost: Cost | None = None) -> tuple[list[int], float]:
    """Return the windows that a machine chooses, and the seconds its listener waited in between."""
    scheduler = WindowScheduler(FRAME_SECONDS, lambda: machine.now, cost)
    sizes: list[int] = []
    dry = played_until = 0.0
    while sum(sizes) < total:
        size = scheduler.next(total - sum(sizes))
        scheduler.computed(size, machine.compute(size))
        if sizes:
            dry += max(0.0, machine.now - played_until)
        played_until = max(played_until, machine.now) + size * FRAME_SECONDS
        sizes.append(size)
    return sizes, dry


@given(st.integers(1, 5000), st.floats(0, 1))
def test_windows_cover_every_frame_and_stay_bounded(total: int, cost: float) -> None:
    sizes, _ = sizes_on(Machine(cost * FRAME_SECONDS), total)

    assert sum(sizes) == total
    assert sizes[0] < 2 * MIN_WINDOW_FRAMES
    assert all(size < MAX_WINDOW_FRAMES * 3 // 2 for size in sizes)


@given(st.integers(1, 5000), st.floats(0, 0.3))
def test_the_listener_never_waits(total: int, cost: float) -> None:
    _, dry = sizes_on(Machine(cost * FRAME_SECONDS), total)

    assert dry == 0


@given(st.integers(1, 5000), st.floats(0.001, 0.3))
def test_the_listener_never_waits_for_a_machine_that_is_known(total: int, cost: float) -> None:
    known = Cost()
    known.note(cost * FRAME_SECONDS)
    _, dry = sizes_on(Machine(cost * FRAME_SECONDS), total, known)

    assert dry == 0


def test_a_fast_machine_takes_few_windows_and_a_slow_one_short_ones() -> None:
    fast, _ = sizes_on(Machine(0.02 * FRAME_SECONDS), 300)
    slow, _ = sizes_on(Machine(0.3 * FRAME_SECONDS), 300)

    assert len(fast) <= 4
    assert slow[1] <= 2 * MIN_WINDOW_FRAMES


def test_a_machine_that_was_slow_starts_with_a_longer_window() -> None:
    cost = Cost()
    cost.note(0.25 * FRAME_SECONDS)

    assert WindowScheduler(FRAME_SECONDS, cost=cost).next(1000) > 2 * MIN_WINDOW_FRAMES

    for _ in range(20):
        cost.note(0.02 * FRAME_SECONDS)
    assert WindowScheduler(FRAME_SECONDS, cost=cost).next(1000) == MIN_FIRST_FRAMES


def test_a_listener_with_sound_left_gets_one_long_window() -> None:
    cost = Cost()
    cost.note(0.05 * FRAME_SECONDS)

    assert WindowScheduler(FRAME_SECONDS, cost=cost, ahead=2.0).next(200) == 200
    assert WindowScheduler(FRAME_SECONDS, cost=cost, ahead=0.1).next(200) < 100


def smooth(frames: Floats, reach: int) -> Floats:
    """A convolution that sees `reach` frames to either side, zeros beyond the ends."""
    kernel = np.linspace(1, 2, 2 * reach + 1)
    padded = np.pad(frames[0, 0], reach)
    return np.convolve(padded, kernel, "valid").reshape(1, 1, -1).astype(np.float32)


def flow(inputs: Mapping[str, Floats]) -> Floats:
    return smooth(inputs["prior"] * inputs["mask"], 5) + inputs["speaker"]


def decoder(inputs: Mapping[str, Floats]) -> Floats:
    return np.repeat(smooth(inputs["latent"], 3), HOP, axis=-1)


@pytest.mark.parametrize("half_decoder", [None, decoder], ids=["one", "halves"])
@pytest.mark.parametrize("frames", [1, 15, 16, 17, 33, 100, 700])
def test_windows_sound_as_the_whole(frames: int, half_decoder: Run | None) -> None:
    rng = np.random.default_rng(frames)
    encoded: dict[str, Floats] = {
        "prior": rng.standard_normal((1, 1, frames)).astype(np.float32),
        "mask": np.ones((1, 1, frames), np.float32),
    }
    constant: dict[str, Floats] = {"speaker": np.full((1, 1, 1), 0.5, np.float32)}
    vocoder = WindowedVocoder(
        flow, decoder, "latent", HOP, 8000, Halo(flow=5, decoder=3), half_decoder
    )

    pieces = list(vocoder(encoded, constant))

    whole = decoder({"latent": flow({**encoded, **constant})}).reshape(-1)
    np.testing.assert_allclose(np.concatenate(pieces), whole, rtol=1e-5)
    assert (len(pieces) > 1) == (frames >= 2 * MIN_WINDOW_FRAMES)


@given(st.lists(st.integers(9, 80), min_size=1, max_size=4), st.integers(1, 120))
def test_a_sentence_spoken_before_its_end_sounds_as_the_whole(parts: list[int], rest: int) -> None:
    frames = sum(parts) + rest
    rng = np.random.default_rng(frames)
    encoded: dict[str, Floats] = {
        "prior": rng.standard_normal((1, 1, frames)).astype(np.float32),
        "mask": np.ones((1, 1, frames), np.float32),
    }
    constant: dict[str, Floats] = {"speaker": np.full((1, 1, 1), 0.5, np.float32)}
    vocoder = WindowedVocoder(flow, decoder, "latent", HOP, 8000, Halo(flow=5, decoder=3))

    begun, pieces, settled = Begun(), [], 0
    for part in parts:
        settled += part
        # Behind what has settled stands something else until the end is known.
        known = {name: tensor[..., : settled + 4] + 0 for name, tensor in encoded.items()}
        known["prior"][..., settled:] = 7.0
        pieces += list(vocoder(known, constant, 0.0, begun, settled))
    pieces += list(vocoder(encoded, constant, 0.0, begun))

    whole = decoder({"latent": flow({**encoded, **constant})}).reshape(-1)
    np.testing.assert_allclose(np.concatenate(pieces), whole, rtol=1e-4, atol=1e-4)
