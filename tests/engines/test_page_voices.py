"""A person's recorded voice, enrolled on the page with real models and then recognised."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

import parley.data
from parley.dashboard.voices import HouseholdVoices
from tests.dashboard.browser import CHROMIUM, chromium, microphone
from tests.dashboard.rig import dashboard
from wyoming_common.audio.pcm import MODEL_RATE, read_audio, to_float
from wyoming_common.config.settings import DEFAULT_DATA_DIR
from wyoming_common.models import ModelStore
from wyoming_stt.speakers.campplus import CAMPPLUS, CamPlusPlus
from wyoming_stt.speakers.enrolment import Enroller
from wyoming_stt.speakers.identification import decide
from wyoming_stt.speakers.profiles import VoiceProfiles


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
async def test_a_recorded_voice_is_enrolled_in_the_browser(
    tmp_path: Path, store: ModelStore
) -> None:
    model = CamPlusPlus(store.ensure(CAMPPLUS))
    question = to_float(read_audio(Path(parley.data.__file__).with_name("question.wav"))[0])
    recording = tmp_path / "said.wav"
    soundfile.write(recording, np.tile(question, 20), MODEL_RATE, "PCM_16")
    enroller = Enroller([tmp_path, DEFAULT_DATA_DIR], lambda: model)

    async with (
        dashboard(voices=HouseholdVoices(enroller)) as shown,
        chromium(*microphone(recording)) as page,
    ):
        await page.open(shown.uri)
        await page.until("!document.getElementById('voices').hidden")
        await page.value("document.getElementById('voice-name').value = 'Anna'")
        for number in range(1, 6):
            await page.value("document.getElementById('voice-record').click()")
            await page.until(
                "document.getElementById('voice-news').textContent === 'Listening: 4 s'"
            )
            await page.value("document.getElementById('voice-record').click()")
            await page.until(
                f"(t => t.includes('{number} of 5 recorded') || t.includes('Anna'))"
                "(document.getElementById('voice-news').textContent)"
            )
        await page.until("document.getElementById('voice-news').textContent.includes('knows')")

    [profile] = VoiceProfiles([tmp_path]).all()
    assert decide(model.embed(question), [profile]).name == "Anna"
    assert page.problems == []
