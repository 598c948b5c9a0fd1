"""The engines for GGUF models with a real model, for tests. Imports no llama.cpp."""

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import platformdirs

from wyoming_common import registry
from wyoming_llm.config import LlmSettings
from wyoming_llm.engine import Prompt, Sampling, Usage
from wyoming_llm.engines import ENGINES
from wyoming_llm.llama.engine import LlamaEngine

LIBRARIES = {"xllamacpp": "xllamacpp", "llama-cpp": "llama_cpp"}
"""Engines for GGUF models, and the module that each of them loads"""


class LlmModel(NamedTuple):
    """A model and the engine that is to run it."""

    path: Path
    engine: str

    def settings(self, folder: Path, **more: object) -> LlmSettings:
        """Return settings that keep prompts in `folder`; converted weights are shared by all."""
        weights = Path(platformdirs.user_cache_dir("parley")) / "prompts" / "weights"
        weights.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            (folder / "weights").symlink_to(weights)
        given = {"engine": self.engine, "model": str(self.path), "cache_dir": folder} | more
        return LlmSettings(**given)  # type: ignore[arg-type]


def create(settings: LlmSettings) -> LlamaEngine:
    """Return the engine of `settings`, not loaded yet."""
    engine: LlamaEngine = registry.load(ENGINES, settings.engine)(settings)
    return engine


def make(model: LlmModel, folder: Path, **more: object) -> LlamaEngine:
    """Return the engine, loaded; it keeps prompts in `folder`."""
    engine = create(model.settings(folder, **more))
    engine.load()
    return engine


def answer(engine: LlamaEngine, prompt: Prompt, sampling: Sampling) -> tuple[str, Usage]:
    """Return what the model says, and what it took."""
    deltas = list(engine.reply(prompt, sampling))
    return "".join(delta.text for delta in deltas), deltas[-1].usage
