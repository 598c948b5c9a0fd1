"""Envelopes of two satellites: the nearer one is told, at any loudness, by both alike."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satellite.rooms.bands import WordBands
from satellite.rooms.envelopes import envelopes, relative_merit
from satellite.rooms.messages import MAX_ENVELOPE_BYTES, MAX_MERIT
from tests.satellite.rooms_sound import WORD_END_SECONDS, heard, utterance
from wyoming_common.audio.pcm import MODEL_RATE, read_audio


def envelope_at(
    folder: Path, metres: float, seed: int, gain: float = 1.0, late_seconds: float = 0.0
) -> bytes:
    """Return the envelopes of a satellite whose wake word ended that long ago."""
    path = folder / "heard.wav"
    heard(utterance(), path, metres=metres, seed=seed, gain=gain)
    pcm, _ = read_audio(path)
    return envelopes(WordBands.of(pcm[: int((WORD_END_SECONDS + late_seconds) * MODEL_RATE) * 2]))


@pytest.mark.parametrize("seed", range(5))
def test_the_nearer_of_two_satellites_is_told(tmp_path: Path, seed: int) -> None:
    near, far = envelope_at(tmp_path, 0.6, seed), envelope_at(tmp_path, 2.5, seed + 10)

    assert relative_merit(near, far) > 500
    assert relative_merit(far, near) == -relative_merit(near, far)


def test_neither_gain_nor_delay_matters_much(tmp_path: Path) -> None:
    near = envelope_at(tmp_path, 0.6, 1, gain=0.2, late_seconds=0.06)

    assert relative_merit(near, envelope_at(tmp_path, 2.5, 2)) > 500


def test_envelopes_fit_into_a_message() -> None:
    for samples in (0, 100, 20_000, 96_000):
        assert 0 < len(envelopes(WordBands.of(bytes(2 * samples)))) <= MAX_ENVELOPE_BYTES


@given(
    st.binary(max_size=MAX_ENVELOPE_BYTES)
    | st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).bytes(1116)),
    st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).bytes(1116)),
)
def test_any_bytes_are_compared_within_bounds(own: bytes, other: bytes) -> None:
    value = relative_merit(own, other)

    assert abs(value) <= MAX_MERIT
    assert relative_merit(other, own) == -value
    assert relative_merit(own, own) == 0
