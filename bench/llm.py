"""Time to first token and tokens a second, beside plain llama-cpp-python in the same run.

    python -m bench.llm [--engine xllamacpp|llama-cpp] [--model NAME_OR_PATH] [--tokens 1200]
                        [--runs 3] [--json FILE]

Each figure is the median of the runs; the two sides take turns, so that what else the machine
does weighs on both alike.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from wyoming_common import registry
from wyoming_common.models import ModelStore
from wyoming_common.models.defaults import SMALLEST_LLM
from wyoming_llm.config import LlmSettings
from wyoming_llm.engine import Message, Prompt, Sampling
from wyoming_llm.engines import ENGINES
from wyoming_llm.engines.llama_cpp.engine import LlamaCppLibrary
from wyoming_llm.llama.engine import LlamaEngine, find_gguf
from wyoming_llm.llama.probe import usable_extras

QUESTIONS = ("Is the lamp in the hall on?", "Turn off the fan.", "How warm is the bedroom?")
WRITTEN = 48
"""Tokens of an answer whose speed is measured"""


def home_prompt(count: Callable[[str], int], tokens: int) -> str:
    """Return a home as a system prompt of about `tokens` tokens."""
    text = "You are the voice assistant of a home. Answer in one short sentence.\nDevices:\n"
    kinds = ("lamp", "fan", "blind", "heater", "speaker")
    rooms = ("hall", "kitchen", "bedroom", "study", "attic", "cellar", "garage")
    number = 0
    while count(text) < tokens:
        kind, room = kinds[number % 5], rooms[number % 7]
        text += f"- {kind} {number} in the {room}: {'on' if number % 3 else 'off'}\n"
        number += 1
    return text


class Ours:
    """The engine of the service."""

    def __init__(self, model: Path, folder: Path, engine: str) -> None:
        settings = LlmSettings(model=str(model), cache_dir=folder, engine=engine)
        self._engine: LlamaEngine = registry.load(ENGINES, engine)(settings)
        self._engine.load()
        self.count = self._engine.count

    def ask(self, system: str, question: str, tokens: int = 1) -> tuple[float, float]:
        """Return seconds to the first token, and tokens a second after it."""
        messages = (Message("system", system), Message("user", question))
        began = time.perf_counter()
        first, written = 0.0, 0
        sampling = Sampling(max_tokens=tokens, temperature=0)
        for delta in self._engine.reply(Prompt(messages), sampling):
            written = delta.usage.completion or written
            if (delta.text or delta.finish) and not first:
                first = time.perf_counter() - began
        passed = time.perf_counter() - began - first
        return first, (written - 1) / passed if written > 1 else 0.0

    def close(self) -> None:
        self._engine.settle()
        self._engine.close()


class Plain:
    """llama-cpp-python's own chat completion, with its own settings."""

    def __init__(self, model: Path) -> None:
        import llama_cpp

        # Where a virtual machine announces AMX without having it, the library as shipped dies.
        if not usable_extras(LlamaCppLibrary(), model):
            _without_extras(llama_cpp)
        self._llama: Any = llama_cpp.Llama(str(model), n_ctx=8192, verbose=False)

    def ask(self, system: str, question: str, tokens: int = 1) -> tuple[float, float]:
        messages = [{"role": "system", "content": system}, {"role": "user", "content": question}]
        began = time.perf_counter()
        first, written = 0.0, 0
        for chunk in self._llama.create_chat_completion(
            messages, stream=True, max_tokens=tokens, temperature=0
        ):
            if chunk["choices"][0]["delta"].get("content"):
                first = first or time.perf_counter() - began
                written += 1
        first = first or time.perf_counter() - began
        passed = time.perf_counter() - began - first
        return first, (written - 1) / passed if written > 1 else 0.0

    def forget(self) -> None:
        self._llama.reset()
        self._llama._ctx.kv_cache_clear()  # noqa: SLF001 - there is no public way


class Elsewhere:
    """`Plain` in a process of its own: how its threads wait is decided when the library loads."""

    def __init__(self, model: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve_plain, args=(model, theirs), daemon=True)
        self._process.start()

    def ask(self, system: str, question: str, tokens: int = 1) -> tuple[float, float]:
        self._pipe.send((system, question, tokens))
        first, speed = self._pipe.recv()
        return first, speed

    def forget(self) -> None:
        self._pipe.send(None)
        self._pipe.recv()

    def close(self) -> None:
        self._process.kill()
        self._process.join()


def _serve_plain(model: Path, pipe: Any) -> None:
    plain = Plain(model)
    while True:
        request = pipe.recv()
        if request is None:
            plain.forget()
        pipe.send(plain.ask(*request) if request else None)


def _without_extras(llama_cpp: Any) -> None:
    original = llama_cpp.llama_cpp.llama_model_default_params

    def changed() -> Any:
        params = original()
        params.use_extra_bufts = False
        return params

    llama_cpp.llama_cpp.llama_model_default_params = changed


@contextlib.contextmanager
def busy_core() -> Iterator[None]:
    """Keep one core busy, as recognition or synthesis would."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        time.sleep(0.5)
        yield
    finally:
        process.kill()
        process.wait()


_RECOGNITION = """
import sys, faster_whisper
model = faster_whisper.WhisperModel(sys.argv[1], device="cpu", compute_type="int8")
while True:
    list(model.transcribe(sys.argv[2])[0])
"""
_SYNTHESIS = """
import sys, piper
voice = piper.PiperVoice.load(sys.argv[1])
while True:
    list(voice.synthesize("The lamp in the hall is on, and the kitchen is dark and quiet."))
"""


@contextlib.contextmanager
def stages_at_work() -> Iterator[None]:
    """Recognise and synthesise without a pause: more than a turn ever asks for at once."""
    store = ModelStore(LlmSettings().data_dir)
    question = Path(__file__).parents[1] / "parley" / "data" / "question.wav"
    (voice,) = store.ensure("en_US-joe-medium").glob("*.onnx")
    commands = (
        (_RECOGNITION, store.ensure("tiny.en"), question),
        (_SYNTHESIS, voice),
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", *map(str, command)], stderr=subprocess.DEVNULL)
        for command in commands
    ]
    try:
        time.sleep(4)
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


LOADS: dict[str, Callable[[], contextlib.AbstractContextManager[None]]] = {
    "idle": contextlib.nullcontext,
    "one core busy": busy_core,
    "recognition and synthesis at work": stages_at_work,
}


def measure(model: Path, engine: str, tokens: int, runs: int) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, list[float]]] = {"parley": {}, "plain": {}}

    def note(side: str, what: str, value: float) -> None:
        found[side].setdefault(what, []).append(value)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain = Elsewhere(model)
        for run in range(runs):
            ours = Ours(model, folder / str(run), engine)
            for what, load in LOADS.items():
                with load():
                    for _ in range(3):
                        note("parley", what, ours.ask("Talk.", "Tell me about rivers.", WRITTEN)[1])
                        note("plain", what, plain.ask("Talk.", "Tell me about rivers.", WRITTEN)[1])
            ours.close()
            for (side, figure), value in first_tokens(
                model, engine, plain, folder / str(run), tokens
            ):
                note(side, figure, value)
        plain.close()
    return {
        side: {what: statistics.median(values) for what, values in figures.items()}
        for side, figures in found.items()
    }


def first_tokens(
    model: Path, engine: str, plain: Elsewhere, folder: Path, tokens: int
) -> Iterator[tuple[tuple[str, str], float]]:
    """Yield whose, what, and the seconds to the first token."""
    ours = Ours(model, folder, engine)
    system = home_prompt(ours.count, tokens) + f"\nHouse {folder.name}."
    plain.forget()
    changed = system + "\nIt is 10:05 on Saturday."
    for what, prompt, question in (
        ("cold", system, QUESTIONS[0]),
        ("warm", system, QUESTIONS[1]),
        ("changed end", changed, QUESTIONS[1]),
    ):
        yield ("parley", what), ours.ask(prompt, question)[0]
        yield ("plain", what), plain.ask(prompt, question)[0]
    ours.close()
    ours = Ours(model, folder, engine)
    yield ("parley", "after a restart"), ours.ask(system, QUESTIONS[2])[0]
    ours.close()
    plain.forget()
    yield ("plain", "after a restart"), plain.ask(system, QUESTIONS[2])[0]


def table(figures: dict[str, dict[str, float]], tokens: int) -> str:
    """Return the figures in Markdown."""
    ours, plain = figures["parley"], figures["plain"]
    lines = [f"| first token, {tokens}-token prompt | Parley | plain | Parley, cold to this |"]
    lines.append("|---|---|---|---|")
    lines += [
        f"| {what} | {ours[what]:.3f} s | {plain[what]:.3f} s | {ours['cold'] / ours[what]:.0f} |"
        for what in ("cold", "warm", "changed end", "after a restart")
    ]
    lines += ["", "| tokens a second | Parley | plain |", "|---|---|---|"]
    lines += [f"| {what} | {ours[what]:.1f} | {plain[what]:.1f} |" for what in LOADS]
    share = {side: f["one core busy"] / f["idle"] for side, f in figures.items()}
    lines.append(f"| busy against idle | {share['parley']:.0%} | {share['plain']:.0%} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", default="xllamacpp", choices=("xllamacpp", "llama-cpp"))
    parser.add_argument("--model", default=SMALLEST_LLM)
    parser.add_argument("--tokens", type=int, default=1200)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=Path, help="file for the figures")
    arguments = parser.parse_args()
    found = ModelStore(LlmSettings().data_dir).find(arguments.model)
    model = find_gguf(LlmSettings(model=str(found or arguments.model)))
    figures = measure(model, arguments.engine, arguments.tokens, arguments.runs)
    what = f"{arguments.engine}, {model.name}, {os.cpu_count()} cores"
    print(f"{what}, median of {arguments.runs} runs\n")
    print(table(figures, arguments.tokens))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
