"""Real Kokoro weights, where they are: PARLEY_KOKORO is a folder with a model and voices."""

import os
from pathlib import Path

import numpy as np
import pytest

from wyoming_tts.config import TtsSettings
from wyoming_tts.engine import Phrase
from wyoming_tts.engines.kokoro.engine import RATE, KokoroEngine

FOLDER = Path(os.environ.get("PARLEY_KOKORO", "kokoro"))
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="no Kokoro model")


def test_a_sentence_becomes_speech_of_its_length() -> None:
    engine = KokoroEngine(TtsSettings(zeroconf="off", engine="kokoro", model=str(FOLDER)))

    pieces = engine.synthesize(Phrase("The living room lights are on.", engine.default))
    samples = np.frombuffer(b"".join(pieces), np.int16)

    assert 1 < len(samples) / RATE < 4
    assert np.abs(samples).max() > 3_000
