"""Assembly of the conversation service."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial

from wyoming.info import Info

from wyoming_common import registry
from wyoming_common.config.settings import OFF
from wyoming_common.discovery.apps import apps_beside
from wyoming_common.home_assistant.client import HomeAssistant
from wyoming_common.model_thread import ModelThread
from wyoming_common.models import ModelStore
from wyoming_common.process.app import run_service
from wyoming_llm.assist.agent import AssistAgent
from wyoming_llm.config import LlmSettings
from wyoming_llm.dialogue.assistant import Assistant
from wyoming_llm.dialogue.generation_queue import GenerationQueue, idle_work
from wyoming_llm.dialogue.speakers import speakers_of
from wyoming_llm.engine import LlmEngine
from wyoming_llm.engines import ENGINES
from wyoming_llm.handler import LlmHandler
from wyoming_llm.home.control import HomeControl
from wyoming_llm.home.offline import NoHome
from wyoming_llm.home.people import people_of
from wyoming_llm.home.recognition import Recognition
from wyoming_llm.http.server import OpenAiServer, serve_http
from wyoming_llm.info import llm_info
from wyoming_llm.voices.lessons import LessonDialogues, teacher


async def serve_llm(settings: LlmSettings) -> None:
    """Serve until cancelled."""
    engine: LlmEngine = registry.load(ENGINES, settings.engine)(settings)

    def load() -> LlmEngine:
        engine.load()
        return engine

    model = ModelThread("llm", load, max_waiting=64)
    replies = GenerationQueue(model, settings.parallel)
    home = home_of(settings)

    def info() -> Info:
        return llm_info(settings.engine, engine.model, controls=home is not None)

    async with AsyncExitStack() as stack:
        recognition = await stack.enter_async_context(open_recognition(settings))
        assistant = await stack.enter_async_context(
            open_assistant(settings, home, replies, talks_in(engine, settings), recognition)
        )
        language = (lambda: home.home.language) if home is not None else (lambda: "")
        assist = AssistAgent(settings, recognition, language)

        async def warm_up() -> None:
            await asyncio.gather(assistant.warm_up(), assist.warm_up())

        warm = WarmModel(model, warm_up)
        server = OpenAiServer(
            replies,
            lambda: engine.model,
            lambda: warm.ready,
            settings.http_key,
            assist if settings.prefer_local_intents else None,
        )
        await stack.enter_async_context(serve_http(server, settings))
        speakers = speakers_of(settings.speech_to_text, apps_beside())
        handler = partial(LlmHandler, assistant, speakers=speakers)
        await run_service(settings, info, warm, handler)


class WarmModel:
    """A model that is ready once it has loaded and a first turn has gone through it."""

    def __init__(
        self, model: ModelThread[LlmEngine], warm_up: Callable[[], Awaitable[None]]
    ) -> None:
        self._model = model
        self._warm_up = warm_up
        self.ready = False

    @property
    def step_seconds(self) -> float:
        """Seconds that the model's thread has been in its present piece of work, 0 for none."""
        return self._model.step_seconds

    @property
    def waiting(self) -> int:
        """Requests admitted and not finished."""
        return self._model.waiting

    async def engine(self) -> LlmEngine:
        """Load and warm up. Raises what either raises."""
        engine = await self._model.engine()
        if not self.ready:
            await self._warm_up()
            self.ready = True
        return engine

    async def aclose(self) -> None:
        """Close the model."""
        await self._model.aclose()


def talks_in(engine: LlmEngine, settings: LlmSettings) -> Callable[[str], bool]:
    """Return whether the engine's model can talk in the language of a code, by the catalogue.

    Only a model of one language is kept from others: what it writes in them is no answer.
    """
    catalogue = ModelStore(settings.data_dir).catalogue

    def talks(code: str) -> bool:
        entry = catalogue.get(engine.model)
        return entry is None or len(entry.languages) != 1 or code in entry.languages

    return talks


def home_of(settings: LlmSettings) -> HomeAssistant | None:
    """Return the Home Assistant that is to be controlled, if any. Raises ConfigError."""
    if settings.control == OFF:
        return None
    return HomeAssistant.from_settings(settings.home_assistant, settings.token_file)


@asynccontextmanager
async def open_assistant(
    settings: LlmSettings,
    home: HomeAssistant | None,
    replies: GenerationQueue,
    talks: Callable[[str], bool] = lambda _: True,
    recognition: ModelThread[Recognition] | None = None,
) -> AsyncIterator[Assistant]:
    """Yield an assistant, and run its idle work until the block ends.

    `talks` says whether the model can talk in the language of a code, `recognition` may be shared.
    """
    async with AsyncExitStack() as stack:
        if recognition is None:
            recognition = await stack.enter_async_context(open_recognition(settings))
        control = await stack.enter_async_context(
            open_control(settings, home, replies, recognition)
        )
        lessons = LessonDialogues(
            teacher(settings.speech_to_text, apps_beside()), people_of(settings.risky_people)
        )
        assistant = Assistant(settings, replies, control, talks=talks, lessons=lessons)
        async with idle_work(replies):
            yield assistant


@asynccontextmanager
async def open_recognition(settings: LlmSettings) -> AsyncIterator[ModelThread[Recognition]]:
    """Yield the thread that recognises requests, until the block ends."""
    recognition = ModelThread("recognition", lambda: Recognition(settings.sentences_dir))
    try:
        yield recognition
    finally:
        await recognition.aclose()


@asynccontextmanager
async def open_control(
    settings: LlmSettings,
    home: HomeAssistant | None,
    replies: GenerationQueue,
    recognition: ModelThread[Recognition],
) -> AsyncIterator[HomeControl | NoHome]:
    """Control the home, if there is one, until the block ends."""
    if home is None:
        offline = NoHome(recognition)
        async with warming_up(offline):
            yield offline
        return
    async with home.open():
        control = HomeControl(settings, home, recognition, replies)
        async with warming_up(control):
            yield control


@asynccontextmanager
async def warming_up(control: HomeControl | NoHome) -> AsyncIterator[None]:
    """Load the words of the home's language in the background of the block."""
    task = asyncio.create_task(control.warm_up())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
