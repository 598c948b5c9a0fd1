"""The phonemizer, for the tests of every engine that needs one."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from wyoming_tts.phonemes.espeak import EspeakPhonemizer


@pytest.fixture(scope="module")
def espeak() -> Iterator[EspeakPhonemizer]:
    """Return espeak-ng in its own process; it starts with the first text."""
    with closing(EspeakPhonemizer()) as espeak:
        yield espeak
