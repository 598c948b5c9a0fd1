"""Wake words of the device, fetched and loaded as Home Assistant chooses them."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import aiohttp

from satellite.audio.pipeline import AudioPipeline
from satellite.esphome.store import CustomWakeWord, DeviceStore
from satellite.esphome.wake_models import ModelFolder, OfferedModel
from satellite.esphome.wake_words import WakeWord, WakeWordChoice
from satellite.wake.engine import WakeEngine
from wyoming_common.errors import ServiceError

_LOGGER = logging.getLogger(__name__)

_FOLDER: Final = "wake_words"
_MAX_OFFERED: Final = 100
"""Custom wake words of one Home Assistant."""


class WakeWordLoader:
    """Keeps the detector of the audio pipeline as Home Assistant wants it; runs in its block.

    What is chosen is fetched and loaded beside the main loop; until then the words before count.
    """

    def __init__(
        self,
        engine: WakeEngine,
        audio: AudioPipeline,
        store: DeviceStore,
        active: Sequence[str],
        stop_words: Sequence[str],
        sensitivity: float,
    ) -> None:
        """`active`, `stop_words` and `sensitivity` are what the pipeline has loaded already."""
        chosen = active if store.wake_words is None else store.wake_words
        self.choice = WakeWordChoice(engine.own, chosen)
        stored = store.number("wake_sensitivity", 1.0)
        self.sensitivity = sensitivity if stored is None else stored
        """From 0, almost no detections, to 1, a great many."""
        self._engine = engine
        self._audio = audio
        self._store = store
        self._stop_words = tuple(stop_words)
        self._folder = ModelFolder((store.folder or Path()) / _FOLDER, engine.probe)
        self._offered: dict[str, OfferedModel] = {}
        self._failed: set[str] = set()
        """Ids of active words whose model could not be fetched."""
        self._loaded = (tuple(dict.fromkeys((*active, *stop_words))), sensitivity)
        self._wanted = asyncio.Event()
        self.choice.offer(self._kept())

    async def start(self, session: aiohttp.ClientSession) -> None:
        """Load what was chosen before the restart, and follow what is chosen from now on."""
        self._session = session
        await self._load()
        self._task = asyncio.create_task(self._run())

    async def aclose(self) -> None:
        """End the work."""
        self._task.cancel()
        await asyncio.wait([self._task])

    @property
    def adjustable(self) -> bool:
        """Whether the sensitivity can be changed."""
        return self._engine.load is not None

    @property
    def active_ids(self) -> list[str]:
        """Ids of the active wake words, without those whose model could not be fetched."""
        return [word.id for word in self.choice.active if word.id not in self._failed]

    def accepts(self, model: str) -> bool:
        """Return whether a word that was detected counts."""
        return model in self._stop_words or self.choice.word_of(model) is not None

    def offer(self, words: Mapping[str, tuple[str, OfferedModel]]) -> None:
        """Take the custom wake words of Home Assistant: phrase and model by id.

        Without any the ones before stay: only a client that knows them can take them back.
        """
        if self._engine.load is None or not words:
            return
        self._offered = {
            word_id: model
            for word_id, (_, model) in list(words.items())[:_MAX_OFFERED]
            if model.type == self._engine.model_type and word_id not in self._engine.own
        }
        custom = {
            word_id: WakeWord(word_id, words[word_id][0], self._folder.find(one.type, one.sha256))
            for word_id, one in self._offered.items()
        }
        self.choice.offer(custom)
        self._failed.clear()
        self._wanted.set()

    def choose(self, ids: Sequence[str]) -> None:
        """Make words the active ones, and keep that for the next start."""
        self.choice.choose(ids)
        self._failed.clear()
        self._store.set_wake_words([word.id for word in self.choice.active])
        _LOGGER.info("Active wake words: %s", ", ".join(self.active_ids) or "none")
        self._wanted.set()

    def set_sensitivity(self, sensitivity: float) -> None:
        """Set the sensitivity, 0 to 1, and keep it for the next start."""
        self.sensitivity = sensitivity
        self._store.set_value("wake_sensitivity", sensitivity)
        self._wanted.set()

    def _kept(self) -> dict[str, WakeWord]:
        kept = {}
        for word_id, word in self._store.custom_wake_words.items():
            path = self._folder.find(word.type, word.sha256)
            if path and word.type == self._engine.model_type:
                kept[word_id] = WakeWord(word_id, word.phrase, path)
        return kept

    async def _run(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            await self._fetch()
            await self._load()

    async def _fetch(self) -> None:
        for word in self.choice.active:
            offered = self._offered.get(word.id)
            if word.model or offered is None:
                continue
            try:
                path = await self._folder.fetch(self._session, offered)
            except ServiceError as err:
                _LOGGER.error("The wake word '%s' is not available: %s", word.id, err)
                self._failed.add(word.id)
                continue
            if self._offered.get(word.id) is offered:
                self._take(replace(word, model=path))

    def _take(self, fetched: WakeWord) -> None:
        custom = {word.id: word for word in self.choice.available if word.id in self._offered}
        self.choice.offer({**custom, fetched.id: fetched})
        kept = {
            word.id: CustomWakeWord(
                word.phrase, self._engine.model_type, self._offered[word.id].sha256
            )
            for word in self.choice.active
            if word.id in self._offered and word.model
        }
        self._store.set_custom_wake_words(kept)

    async def _load(self) -> None:
        if self._engine.load is None:
            return
        words = [*self._active_models(), *self._stop_words]
        wanted = (tuple(dict.fromkeys(words)), self.sensitivity)
        if wanted == self._loaded:
            return
        try:
            detector = await asyncio.to_thread(self._engine.load, *wanted)
        except ServiceError as err:
            _LOGGER.error("The wake words before stay: %s", err)
            return
        self._audio.set_wake(detector)
        self._loaded = wanted
        names = ", ".join(word.id for word in self.choice.active if word.model)
        _LOGGER.info("Wake words that are listened for: %s", names or "none")

    def _active_models(self) -> list[str]:
        return [word.model for word in self.choice.active if word.model]
