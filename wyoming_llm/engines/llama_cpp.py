"""GGUF models by llama.cpp, in this process."""

import logging
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import platformdirs

from wyoming_common.cores import usable_cores
from wyoming_common.errors import ModelError, TooLarge, UnknownModel
from wyoming_common.store import ModelStore
from wyoming_llm.config import LlmSettings
from wyoming_llm.engine import Delta, Prompt, Sampling, Usage
from wyoming_llm.engines.beginnings import Beginnings
from wyoming_llm.engines.cpu_share import WINDOW, CpuShare
from wyoming_llm.engines.gguf import check_gguf
from wyoming_llm.engines.kept import EVERYBODY
from wyoming_llm.engines.llama_context import LlamaContext, Options
from wyoming_llm.engines.llama_probe import check_loads, usable_extras
from wyoming_llm.engines.llama_runtime import LlamaRuntime, Sampler, Utf8
from wyoming_llm.engines.memory import Slot
from wyoming_llm.engines.prefix_store import PrefixStore
from wyoming_llm.engines.reply_text import ReplyText, StopText
from wyoming_llm.engines.slots import Slots
from wyoming_llm.engines.template import ChatTemplate
from wyoming_llm.engines.tool_grammar import grammar_of

_LOGGER = logging.getLogger(__name__)

DEFAULT_MODEL: Final = "smollm2-135m-instruct"
_STEP_SECONDS: Final = 0.15
"""How long one step of reading should take: what a client that hangs up costs, at most."""
_STEP_TOKENS: Final = 32
_GRAIN: Final = 4
"""Tokens are read in multiples of this many, and what is left over apart. How a CPU's products of
matrices are rounded depends on whether a row has a whole tile (of 2 or 4 rows) or not, and on
nothing else: so a token's result is the same however much is read at a time."""
_GPU_GRAIN: Final = 128
"""A GPU chooses among more ways, by the number of rows: there it is always this many."""
_WRITTEN: Final = 512
"""Tokens of an answer for which there is room from the beginning; more is made when needed"""

_CHARACTERS: Final = 16
"""Of a text for each token there is room for, at most: prose takes four or five"""


class LlamaCppEngine:
    """One GGUF model. What it has read of a prompt it does not read again."""

    def __init__(self, settings: LlmSettings) -> None:
        self._settings = settings
        self.model = Path(settings.model or DEFAULT_MODEL).name.removesuffix(".gguf")
        self.prompt_limit = settings.context
        self._cores = usable_cores()
        self._share = CpuShare(self._cores)
        self._looked = 0.0

    def load(self) -> None:
        """Load the model, fetching it first if need be, and what it read before."""
        path = find_gguf(self._settings)
        check_gguf(path)
        folder = _cache_dir(self._settings)
        check_loads(path, _identity(path, self._settings.gpu_layers), folder)
        options = Options(
            context=self._settings.context,
            threads=self._settings.threads or self._cores,
            threads_batch=self._settings.threads_batch or self._settings.threads or self._cores,
            gpu_layers=self._settings.gpu_layers,
            extras=usable_extras(path),
        )
        self._runtime = runtime = LlamaRuntime(path, options)
        self.prompt_limit = runtime.limit
        self._threads = (options.threads, options.threads_batch)
        self._grain = _GPU_GRAIN if runtime.options.gpu_layers else _GRAIN
        self._step = max(self._grain, _STEP_TOKENS)
        self._slots = Slots(
            runtime.open, self._settings.parallel + 1, self._settings.context, self._grain
        )
        self._template = ChatTemplate(
            runtime.metadata("tokenizer.chat_template"),
            runtime.token_text("bos"),
            runtime.token_text("eos"),
            runtime.control_texts(),
        )
        store = PrefixStore(
            folder, _identity(path, options.gpu_layers), self._settings.cache_disk * 10**6
        )
        self._beginnings = Beginnings(self._slots, store)
        self.recall()

    def recall(self) -> None:
        """Put what was read before back into memory, and have a beginning ready."""
        self._beginnings.restore(self._runtime.limit // 2)
        self._slots.give_back(self._slots.take([], _WRITTEN))
        self._slots.prepare()

    def forget(self) -> None:
        """Forget everything that was read; what is on disk stays."""
        self._slots.close()

    def count(self, text: str) -> int:
        """Return how many tokens `text` takes."""
        return len(self._runtime.tokenize(text, special=False))

    def reply(self, prompt: Prompt, sampling: Sampling) -> Iterator[Delta]:
        """Yield the answer token by token; while the prompt is read, empty deltas."""
        text = self._template.render(prompt)
        tokens = self._tokens(text)
        room = self._room(tokens)
        self._beginnings.recall(tokens, prompt.client)
        most = min(room, sampling.max_tokens or room)
        need = len(tokens) + min(most, _WRITTEN)
        slot = self._slots.take(tokens, need, prompt.conversation, prompt.client)
        cached = len(slot.tokens)
        try:
            for _ in self._read(slot, tokens):
                yield Delta()
            self._keep_beginning(prompt, tokens)
            yield from self._write(slot, prompt, sampling, most, Usage(len(tokens), cached))
        finally:
            self._slots.give_back(slot)

    def read(self, prompt: Prompt) -> Iterator[None]:
        """Read `prompt` into the slot of its conversation; without one, for everybody."""
        if not prompt.messages:
            return
        tokens = self._tokens(self._template.render(prompt, answer=False))
        self._room(tokens)
        client = prompt.client if prompt.conversation else EVERYBODY
        self._beginnings.recall(tokens, client)
        slot = self._slots.take(tokens, len(tokens), prompt.conversation, client)
        try:
            yield from self._read(slot, tokens)
            if client == EVERYBODY:
                self._slots.share(tokens)
                self._beginnings.plan(tokens, EVERYBODY)
        finally:
            self._slots.give_back(slot)

    def settle(self) -> None:
        """Keep beginnings of prompts, on disk too, and have one ready for who comes next."""
        self._slots.shrink()
        self._beginnings.settle()
        self._slots.prepare()

    def close(self) -> None:
        """Free the model."""
        self._slots.close()
        self._runtime.close()

    def _tokens(self, text: str) -> list[int]:
        limit = self._runtime.limit
        if len(text) > _CHARACTERS * limit:
            # Megabytes take seconds, in which nobody is answered.
            raise TooLarge(f"messages: at most {limit} tokens, got {len(text)} characters")
        return self._runtime.tokenize(text)

    def _room(self, tokens: Sequence[int]) -> int:
        room = self._runtime.limit - len(tokens)
        if room < 1:
            raise TooLarge(
                f"messages: at most {self._runtime.limit} tokens with the answer, got {len(tokens)}"
            )
        return room

    def _read(self, slot: Slot[LlamaContext], tokens: Sequence[int]) -> Iterator[None]:
        """Read what `slot` does not hold yet; that begins where a group of tokens does."""
        while rest := len(tokens) - len(slot.tokens):
            size = min(self._step, rest - rest % self._grain) or rest
            part = tokens[len(slot.tokens) : len(slot.tokens) + size]
            began = time.monotonic()
            self._decode(slot, part)
            slot.read = len(slot.tokens)
            self._adapt(size, time.monotonic() - began)
            yield

    def _adapt(self, count: int, seconds: float) -> None:
        """Choose the next step so that it takes about as long as a step should."""
        if count == self._step and seconds > 0 and self._grain < _STEP_TOKENS:
            wanted = _STEP_SECONDS * count / seconds
            most = self._runtime.options.batch
            self._step = int(min(most, max(_STEP_TOKENS, wanted // _STEP_TOKENS * _STEP_TOKENS)))

    def _decode(self, slot: Slot[LlamaContext], tokens: Sequence[int]) -> None:
        start = len(slot.tokens)
        self._slots.grow(slot, start + len(tokens))
        self._share_cores()
        slot.memory.set_threads(*self._threads)
        try:
            slot.memory.decode(tokens, start)
        except ModelError:
            self._slots.clear(slot)
            raise
        slot.tokens += tokens

    def _write(
        self,
        slot: Slot[LlamaContext],
        prompt: Prompt,
        sampling: Sampling,
        most: int,
        usage: Usage,
    ) -> Iterator[Delta]:
        tools = bool(prompt.tools) and prompt.tool_choice != "none"
        stop = StopText(sampling.stop)
        sorted_text = ReplyText(calls=tools, thinking=self._opens_thought(prompt))
        sampler = self._sampler(prompt, sampling)
        written, finish, utf8 = 0, "length", Utf8()
        try:
            while written < most:
                token = sampler.draw(slot.memory)
                written += 1
                if self._runtime.is_end(token):
                    finish = "stop"
                    break
                text = stop.feed(utf8.feed(self._runtime.piece(token)))
                yield from list(sorted_text.feed(text)) or [Delta()]
                if stop.stopped:
                    finish = "stop"
                    break
                if written < most:
                    self._decode(slot, [token])
        finally:
            sampler.close()
        yield from sorted_text.feed(stop.feed(utf8.feed(b"", final=True)) + stop.finish())
        yield from sorted_text.finish()
        finish = "tool_calls" if sorted_text.calls else finish
        yield Delta(finish=finish, usage=Usage(usage.prompt, usage.cached, written))

    def _sampler(self, prompt: Prompt, sampling: Sampling) -> Sampler:
        temperature = sampling.temperature
        return Sampler(
            self._runtime,
            self._settings.temperature if temperature is None else temperature,
            0.95 if sampling.top_p is None else sampling.top_p,
            0xFFFFFFFF if sampling.seed is None else sampling.seed & 0xFFFFFFFF,
            sampling.repeat_penalty or 1.0,
            (sampling.frequency_penalty or 0.0, sampling.presence_penalty or 0.0),
            grammar_of(prompt),
        )

    def _opens_thought(self, prompt: Prompt) -> bool:
        return self._template.render(prompt).rstrip().endswith("<think>")

    def _share_cores(self) -> None:
        now = time.monotonic()
        if self._settings.threads or now - self._looked < WINDOW:
            return
        self._looked = now
        free = self._share.free()
        self._threads = (free, self._settings.threads_batch or free)

    def _keep_beginning(self, prompt: Prompt, tokens: Sequence[int]) -> None:
        """Plan to keep what later prompts will begin with too: instructions and functions."""
        stable = tuple(message for message in prompt.messages[:1] if message.role == "system")
        if stable and len(prompt.messages) > 1:
            beginning = self._runtime.tokenize(
                self._template.render(
                    Prompt(stable, prompt.tools, prompt.tool_choice), answer=False
                )
            )
            if beginning == list(tokens[: len(beginning)]):
                self._beginnings.plan(beginning, prompt.client)


def find_gguf(settings: LlmSettings) -> Path:
    """Return the model file, fetching it if need be. Raises UnknownModel or ModelError."""
    name = settings.model or DEFAULT_MODEL
    dropped = [folder / name for folder in settings.data_dir if (folder / name).exists()]
    place = dropped[0] if dropped and name else ModelStore(settings.data_dir).ensure(name)
    if place.is_file():
        return place
    files = sorted(place.glob("*.gguf"))
    if not files:
        raise UnknownModel(f"model: expected a .gguf file in {place}")
    if len(files) > 1 and not files[0].stem.endswith(f"-of-{len(files):05d}"):
        raise ModelError(f"model: {place} holds {len(files)} .gguf files; name one of them")
    return files[0]


def _cache_dir(settings: LlmSettings) -> Path:
    return settings.cache_dir or Path(platformdirs.user_cache_dir("parley")) / "prompts"


def _identity(path: Path, gpu_layers: int) -> str:
    """Name everything that decides whether a state fits: the model, and how it is run."""
    from importlib.metadata import version

    status = path.stat()
    return (
        f"{path.resolve()}:{status.st_size}:{status.st_mtime_ns}:{gpu_layers}:"
        f"{version('llama-cpp-python')}"
    )
