"""The engine of the conversation with its real model, for tests. Imports no llama.cpp."""

from pathlib import Path

from wyoming_llm.config import LlmSettings
from wyoming_llm.engine import Prompt, Sampling, Usage
from wyoming_llm.engines.llama_cpp import LlamaCppEngine


def make(model: Path, folder: Path, **more: object) -> LlamaCppEngine:
    """Return the engine, loaded; it keeps prompts in `folder`."""
    engine = LlamaCppEngine(LlmSettings(model=str(model), cache_dir=folder, **more))  # type: ignore[arg-type]
    engine.load()
    return engine


def answer(engine: LlamaCppEngine, prompt: Prompt, sampling: Sampling) -> tuple[str, Usage]:
    """Return what the model says, and what it took."""
    deltas = list(engine.reply(prompt, sampling))
    return "".join(delta.text for delta in deltas), deltas[-1].usage
