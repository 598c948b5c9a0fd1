"""A voice learned at a satellite without Home Assistant: all services real, models faked."""

import io
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, redirect_stdout
from functools import partial
from pathlib import Path
from typing import Self

from satellite.audio.devices.device import FRAME_BYTES, FRAME_SECONDS, SILENCE, Frame
from satellite.audio.devices.files import FileSpeaker
from satellite.audio.pipeline import AudioPipeline
from satellite.audio.player import Player
from satellite.config import SatelliteSettings
from satellite.core.clock import RunClock
from satellite.core.turn import TurnState
from satellite.drivers.driver import Devices
from satellite.drivers.standalone import StandaloneDriver
from satellite.wake.engine import NoWake
from satellite.wyoming.directory import ServiceDirectory
from tests.llm.fakes import FakeLlm
from tests.stt.fakes import FakeEngine, LoudnessVad
from tests.stt.speakers.voices import ANNA, CARL, PitchModel, enrol, tone
from tests.support.fake_services import fake_tts
from tests.support.satellite_rig import LoudIsSpeech, SatelliteRig, VirtualClock, rig
from wyoming_common.model_thread import ModelThread
from wyoming_common.net.server import serve
from wyoming_common.telemetry.recorder import Telemetry
from wyoming_llm.config import LlmSettings
from wyoming_llm.dialogue.assistant import Assistant
from wyoming_llm.dialogue.generation_queue import GenerationQueue
from wyoming_llm.dialogue.speakers import AskedSpeakers
from wyoming_llm.engine import LlmEngine
from wyoming_llm.handler import LlmHandler
from wyoming_llm.info import llm_info
from wyoming_llm.voices.lessons import LessonDialogues, teacher
from wyoming_stt.audio.vad import VadModel
from wyoming_stt.config import SttSettings
from wyoming_stt.engine import Audio, SttEngine, Transcription, TranscriptionRequest
from wyoming_stt.handler import SttHandler
from wyoming_stt.info import stt_programs
from wyoming_stt.service import SttService
from wyoming_stt.speakers.household import Household
from wyoming_stt.speakers.profiles import VoiceProfiles

REQUEST = "Learn my voice."
ANSWERS = [f"This is answer number {number} of mine." for number in range(5)]


class Person:
    """Speaks when the satellite listens: a microphone. Has the button pressed at first."""

    def __init__(self, clock: RunClock, utterances: Sequence[bytes]) -> None:
        self._clock = clock
        self._utterances = deque(utterances)
        self._pcm = b""
        self._at = 0.0
        self.rig: SatelliteRig[StandaloneDriver]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    @property
    def ended(self) -> bool:
        """Whether everything is said, and the satellite has nothing to do."""
        return not self._utterances and not self._pcm

    async def frames(self) -> AsyncIterator[Frame]:
        self.rig.satellite.press()
        while True:
            if not self._pcm and self._utterances and self.rig.machine.state is TurnState.AWAKE:
                self._pcm = SILENCE * 30 + self._utterances.popleft()
            pcm, self._pcm = self._pcm[:FRAME_BYTES], self._pcm[FRAME_BYTES:]
            self._at += FRAME_SECONDS
            await self._clock.until(self._at)
            yield Frame(pcm + SILENCE[len(pcm) :], self._at)


class Scripted(FakeEngine):
    """Writes down one text after the other."""

    def __init__(self, texts: Sequence[str]) -> None:
        super().__init__()
        self._texts = deque(texts)
        self._written: dict[int, str] = {}

    def transcribe(self, audio: Audio, request: TranscriptionRequest) -> Transcription:
        # The same utterance may be decoded twice; each here has a length of its own.
        heard = super().transcribe(audio, request).text
        number = int(float(heard.removeprefix("loud ")) * 10 + 0.5)
        if number not in self._written:
            self._written[number] = self._texts.popleft()
        return Transcription(text=self._written[number], language=request.language)


@asynccontextmanager
async def speech_to_text(folder: Path, texts: Sequence[str]) -> AsyncIterator[str]:
    engine = Scripted(texts)
    [program] = stt_programs(["fake"], [engine.languages])
    service = SttService(
        SttSettings(endpointing="off"),
        [(program, ModelThread[SttEngine]("fake", lambda: engine))],
        ModelThread[VadModel]("vad", LoudnessVad),
        household=Household([folder], learns=False, make_model=PitchModel),
    )
    async with serve("tcp://127.0.0.1:0", service.info, partial(SttHandler, service)) as uri:
        yield uri
    await service.aclose()


@asynccontextmanager
async def conversation(speech: str) -> AsyncIterator[str]:
    engine = FakeLlm()
    model: ModelThread[LlmEngine] = ModelThread("llm", lambda: engine)
    assistant = Assistant(
        LlmSettings(zeroconf="off", http_uri="off"),
        GenerationQueue(model, 2, pause=0),
        lessons=LessonDialogues(teacher(speech)),
    )
    handler = partial(LlmHandler, assistant, speakers=AskedSpeakers(speech, 10))
    info = partial(llm_info, "fake", engine.model, controls=False)
    async with serve("tcp://127.0.0.1:0", info, handler) as uri:
        yield uri
    await model.aclose()


async def at_the_satellite(folder: Path, texts: Sequence[str], hertz: int) -> str:
    """Press the button and say the texts, each when the satellite listens.

    Returns all that is spoken in reply.
    """
    settings = SatelliteSettings.load(
        [f"--speaker=file:{folder}/speaker.wav", "--wake=computer", "--json", "--no-sounds",
         "--no-speech=1.5", "--no-barge-in"]
    )  # fmt: skip
    utterances = [tone(hertz, 1.5 + number / 5) for number in range(len(texts))]
    async with AsyncExitStack() as stack:
        speech = await stack.enter_async_context(speech_to_text(folder, texts))
        talk = await stack.enter_async_context(conversation(speech))
        voice = await stack.enter_async_context(fake_tts())
        uris = {"asr": speech, "handle": talk, "tts": voice.uri}
        directory = await stack.enter_async_context(ServiceDirectory(uris, 1.0, 1.0))
        clock = VirtualClock()
        clock.start()
        player = Player(22_050)
        await stack.enter_async_context(FileSpeaker(folder / "speaker.wav", player, clock))
        person = Person(clock, utterances)
        pipeline = AudioPipeline(LoudIsSpeech(), NoWake())
        devices = Devices(clock, person, player, pipeline, Telemetry("satellite", clock=clock.now))
        driver = StandaloneDriver(settings, devices, directory)
        person.rig = rig(settings, devices, driver, folder)
        await stack.enter_async_context(driver)
        with redirect_stdout(io.StringIO()):
            await person.rig.satellite.run()
        return "".join(event.data["text"] for event in voice.of("synthesize-chunk"))


async def test_a_voice_is_learned_at_a_satellite_without_another_wake_word(
    tmp_path: Path,
) -> None:
    said = await at_the_satellite(tmp_path, [REQUEST, "I am Anna.", *ANSWERS], ANNA)

    assert said.startswith("What is your name?")
    assert said.endswith("I know your voice now, and have kept no recording.")

    [profile] = VoiceProfiles([tmp_path]).all()
    assert profile.name == "Anna"
    assert len(profile.samples) == 5


async def test_somebody_who_walks_away_leaves_no_profile(tmp_path: Path) -> None:
    said = await at_the_satellite(tmp_path, [REQUEST, "I am Anna.", *ANSWERS[:3]], ANNA)

    assert said.endswith("I have stopped, and learned no voice.")

    assert VoiceProfiles([tmp_path]).all() == []


async def test_a_stranger_does_not_become_somebody_of_the_household(tmp_path: Path) -> None:
    path = enrol(tmp_path, "Anna", ANNA)
    before = path.read_bytes()

    texts = [REQUEST, "I am Anna.", "Yes.", *ANSWERS[:2]]
    said = await at_the_satellite(tmp_path, texts, CARL)

    assert "does not sound like Anna" in said

    assert path.read_bytes() == before
