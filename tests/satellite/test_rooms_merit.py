"""Merit of a satellite: the nearest has the highest, at any loudness."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satellite.rooms.bands import WordBands
from satellite.rooms.merit import MAX_AUDIO_SECONDS, TRAITS, merit, network, traits
from satellite.rooms.messages import MAX_MERIT
from tests.satellite.rooms_sound import WORD_END_SECONDS, heard, utterance
from wyoming_common.audio.pcm import MODEL_RATE, read_audio


def merit_at(folder: Path, metres: float, seed: int, gain: float = 1.0) -> int:
    """Return the merit of a satellite at the end of the wake word."""
    path = folder / "heard.wav"
    heard(utterance(), path, metres=metres, seed=seed, gain=gain)
    pcm, _ = read_audio(path)
    return merit(WordBands.of(pcm[: int(WORD_END_SECONDS * MODEL_RATE) * 2]))


@pytest.mark.parametrize("seed", range(5))
def test_the_nearer_satellite_has_the_higher_merit(tmp_path: Path, seed: int) -> None:
    merits = [merit_at(tmp_path, metres, seed) for metres in (0.6, 1.5, 4.0)]

    assert merits == sorted(merits, reverse=True)


def test_the_nearest_satellite_wins_with_a_quieter_microphone(tmp_path: Path) -> None:
    assert merit_at(tmp_path, 0.6, 1, gain=0.5) > merit_at(tmp_path, 3.0, 2, gain=1.0)


@given(st.integers(0, 2**32 - 1), st.integers(0, int(MAX_AUDIO_SECONDS * MODEL_RATE)))
def test_any_audio_has_a_merit_within_bounds(seed: int, samples: int) -> None:
    random = np.random.default_rng(seed)
    peak = random.choice((0, 1, 300, 32_767))
    pcm = random.integers(-peak, peak + 1, samples).astype("<i2").tobytes()

    assert np.isfinite(traits(WordBands.of(pcm))).all()
    assert abs(merit(WordBands.of(pcm))) <= MAX_MERIT


def test_the_network_takes_every_trait() -> None:
    known = network()

    assert len(TRAITS) == len(traits(WordBands.of(b""))) == len(known.mean) == len(known.hidden)
    assert known(np.zeros((3, len(TRAITS)))).shape == (3,)


def test_a_trait_beyond_all_bounds_counts_as_one_at_the_bound() -> None:
    known = network()
    far = known.mean + 100 * known.scale

    assert np.array_equal(known.scaled(far), known.scaled(10 * far))
