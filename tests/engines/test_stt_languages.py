"""Several languages and models in one service, on voices of eSpeak NG."""

from collections.abc import AsyncIterator
from functools import partial

import numpy as np
import pytest
import pytest_asyncio
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.info import Describe, Info, SelectProgram

from tests.engines.espeak import speak
from tests.support.wire import receive_until
from wyoming_common.models import ModelStore
from wyoming_common.net.server import serve
from wyoming_stt.config import SttSettings
from wyoming_stt.handler import SttHandler
from wyoming_stt.service import build

pytestmark = pytest.mark.timeout(60)
pytest.importorskip("espeakng_loader")

SENTENCES = {
    "en": (
        "en-us",
        (
            "Please turn on the light in the kitchen and close the window of the bedroom, "
            "it is cold tonight."
        ),
    ),
    "de": (
        "de",
        (
            "Bitte schalte das Licht in der Küche ein und schließe das Fenster im Schlafzimmer, "
            "es ist kalt heute Abend."
        ),
    ),
    "es": (
        "es",
        (
            "Por favor, enciende la luz de la cocina y cierra la ventana del dormitorio, "
            "que hace mucho frío esta noche."
        ),
    ),
    "fr": (
        "fr",
        (
            "S'il vous plaît, allume la lumière dans la cuisine et ferme la fenêtre de la chambre, "
            "il fait froid ce soir."
        ),
    ),
}
"""Long ones: of a short one from this voice, Whisper itself guesses the language wrong."""
GREETING = ("de", "Guten Morgen, mein Name ist Anna, und ich komme aus Deutschland.")
"""`base` also translates these words with noise at -60 and -50 dB of full scale beside the voice"""


@pytest_asyncio.fixture
async def client(store: ModelStore) -> AsyncIterator[AsyncTcpClient]:
    models = (str(store.ensure("base")), str(store.ensure("tiny.en")))
    service = build(SttSettings(model=models, device="cpu", threads=2))
    await service.engine()
    async with (
        serve("tcp://127.0.0.1:0", service.info, partial(SttHandler, service)) as uri,
        AsyncTcpClient("127.0.0.1", int(uri.rpartition(":")[2])) as connected,
    ):
        yield connected
    await service.aclose()


async def ask(client: AsyncTcpClient, language: str, wanted: Transcribe) -> Transcript:
    return await hear(client, SENTENCES[language], wanted)


async def hear(client: AsyncTcpClient, spoken: tuple[str, str], wanted: Transcribe) -> Transcript:
    voice, text = spoken
    pcm = (np.clip(speak(text, voice), -1, 1) * 32767).astype("<i2").tobytes()
    await client.write_event(wanted.event())
    await client.write_event(AudioChunk(16_000, 2, 1, pcm).event())
    await client.write_event(AudioStop().event())
    return Transcript.from_event(await receive_until(client, Transcript))


@pytest.mark.parametrize("language", sorted(SENTENCES))
async def test_the_language_is_found_out(client: AsyncTcpClient, language: str) -> None:
    said = await ask(client, language, Transcribe())

    assert said.language == language
    assert said.text


async def test_german_speech_is_written_in_english_when_asked(
    client: AsyncTcpClient,
) -> None:
    said = await hear(client, GREETING, Transcribe(language="de", context={"task": "translate"}))

    assert "good morning" in said.text.lower()
    assert "my name is" in said.text.lower()
    assert "germany" in said.text.lower()


async def test_a_client_chooses_among_the_models_that_info_names(client: AsyncTcpClient) -> None:
    await client.write_event(Describe().event())
    info = Info.from_event(await receive_until(client, Info))
    base, tiny = info.asr

    await client.write_event(SelectProgram(name=tiny.name).event())
    english = await ask(client, "en", Transcribe())
    german = await ask(client, "de", Transcribe(name=base.models[0].name))

    assert len(tiny.models[0].languages) == 1 < len(base.models[0].languages)
    assert "kitchen" in english.text.lower()
    assert german.language == "de"
