"""Engine for GGUF models: llama.cpp in this process, with the KV cache of earlier prompts."""

import logging
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

import platformdirs

from wyoming_common.errors import ModelError, TooLarge, UnknownModel
from wyoming_common.models import ModelStore
from wyoming_common.models.defaults import default_models
from wyoming_common.process.cpu import usable_cores
from wyoming_llm.config import LlmSettings
from wyoming_llm.engine import Delta, Prompt, Sampling, Usage
from wyoming_llm.kv_cache.cache import PrefixCache
from wyoming_llm.kv_cache.disk import PrefixStore
from wyoming_llm.kv_cache.state import SHARED, Lease
from wyoming_llm.llama.cpu_weights import cpu_weights
from wyoming_llm.llama.gguf import check_gguf
from wyoming_llm.llama.grammar import GrammarCompiler
from wyoming_llm.llama.library import LlamaLibrary
from wyoming_llm.llama.probe import check_loads, usable_extras
from wyoming_llm.llama.runtime import LlamaContext, LlamaRuntime, Options, Sampler, Utf8
from wyoming_llm.llama.template import ChatTemplate
from wyoming_llm.llama.threads import WINDOW_SECONDS, CpuShare
from wyoming_llm.output.parser import ReplyText, StopText

_LOGGER = logging.getLogger(__name__)

_STEP_SECONDS: Final = 0.15
"""Duration of one prefill step: the delay until a client that hangs up is noticed"""
_STEP_TOKENS: Final = 32
_GRAIN: Final = 4
"""Tokens are read in multiples of this many, and what is left over apart. How a CPU's products of
matrices are rounded depends on whether a row has a whole tile (of 2 or 4 rows) or not, and on
nothing else: so a token's result is the same however much is read at a time."""
_GPU_GRAIN: Final = 128
"""A GPU chooses among more ways, by the number of rows: there it is always this many."""
_REPLY_TOKENS: Final = 512
"""Room for a reply from its beginning; more is made when it is needed"""
_MAX_CHARACTERS_PER_TOKEN: Final = 16
"""Prose has four or five; a longer text is refused without being tokenized"""


class LlamaEngine:
    """One GGUF model. Prefixes of earlier prompts are not read again."""

    def __init__(self, settings: LlmSettings, library: LlamaLibrary) -> None:
        self._settings = settings
        self._library = library
        self.model = _name_of(settings)
        self.prompt_limit = settings.context
        self._cores = usable_cores()
        self._share = CpuShare(self._cores)
        self._looked = 0.0

    def load(self) -> None:
        """Load the model, fetching it first if need be, and what it read before."""
        path = find_gguf(self._settings)
        if not self._settings.model:
            self.model = path.parent.name
        formats = check_gguf(path)
        folder = _cache_dir(self._settings)
        if not self._settings.gpu_layers:
            path = cpu_weights(path, formats, folder / "weights")
        check_loads(self._library, path, self._identity(path, self._settings.gpu_layers), folder)
        options = Options(
            context=self._settings.context,
            threads=self._settings.threads or self._cores,
            threads_batch=self._settings.threads_batch or self._settings.threads or self._cores,
            gpu_layers=self._settings.gpu_layers,
            extras=usable_extras(self._library, path),
        )
        self._runtime = runtime = LlamaRuntime(self._library, path, options)
        self.prompt_limit = runtime.limit
        self._threads = (options.threads, options.threads_batch)
        self._grain = _GPU_GRAIN if runtime.options.gpu_layers else _GRAIN
        self._step = max(self._grain, _STEP_TOKENS)
        self._grammars = GrammarCompiler(runtime.vocabulary())
        self._template = ChatTemplate(
            runtime.metadata("tokenizer.chat_template"),
            runtime.token_text("bos"),
            runtime.token_text("eos"),
            runtime.control_texts(),
        )
        self._cache = PrefixCache(
            runtime.open,
            PrefixStore(
                folder,
                self._identity(path, options.gpu_layers),
                self._settings.cache_disk * 10**6,
            ),
            count=self._settings.parallel + 1,
            room=self._settings.context,
            grain=self._grain,
        )
        self.recall()

    def recall(self) -> None:
        """Open a context, and load the prefixes on disk that were used last."""
        self._cache.release(self._cache.acquire([], need=_REPLY_TOKENS))
        self._cache.restore(self._runtime.limit // 2)

    def forget(self) -> None:
        """Forget all prefixes in memory; files stay."""
        self._cache.close()

    def count(self, text: str) -> int:
        """Return how many tokens `text` takes."""
        return len(self._runtime.tokenize(text, special=False))

    def reply(self, prompt: Prompt, sampling: Sampling) -> Iterator[Delta]:
        """Yield the answer token by token; while the prompt is read, empty deltas."""
        text = self._template.render(prompt)
        tokens = self._tokens(text)
        room = self._room(tokens)
        most = min(room, sampling.max_tokens or room)
        need = len(tokens) + min(most, _REPLY_TOKENS)
        lease = self._cache.acquire(
            tokens, prompt.client, need=need, conversation=prompt.conversation
        )
        cached = len(lease.tokens)
        try:
            for _ in self._read(lease, tokens):
                yield Delta()
            self._pin_prefix(prompt, tokens)
            yield from self._write(lease, prompt, sampling, most, Usage(len(tokens), cached))
        finally:
            self._cache.release(lease)

    def read(self, prompt: Prompt) -> Iterator[None]:
        """Prefill `prompt` for its conversation; without one, for every client."""
        if not prompt.messages:
            return
        tokens = self._tokens(self._template.render(prompt, answer=False))
        self._room(tokens)
        client = prompt.client if prompt.conversation else SHARED
        lease = self._cache.acquire(tokens, client, conversation=prompt.conversation)
        try:
            yield from self._read(lease, tokens)
            if client == SHARED:
                self._cache.pin(tokens, SHARED)
        finally:
            self._cache.release(lease)

    def settle(self) -> None:
        """Save pinned prefixes, and have a context ready for a new conversation."""
        self._cache.settle()

    def close(self) -> None:
        """Free the model."""
        self._cache.close()
        self._runtime.close()

    def _tokens(self, text: str) -> list[int]:
        limit = self._runtime.limit
        if len(text) > _MAX_CHARACTERS_PER_TOKEN * limit:
            # Tokenizing megabytes takes seconds, in which no other reply goes on.
            raise TooLarge(f"messages: at most {limit} tokens, got {len(text)} characters")
        return self._runtime.tokenize(text)

    def _room(self, tokens: Sequence[int]) -> int:
        room = self._runtime.limit - len(tokens)
        if room < 1:
            raise TooLarge(
                f"messages: at most {self._runtime.limit} tokens with the answer, got {len(tokens)}"
            )
        return room

    def _read(self, lease: Lease[LlamaContext], tokens: Sequence[int]) -> Iterator[None]:
        """Read the tokens that `lease` does not hold yet, from the beginning of a group on."""
        while rest := len(tokens) - len(lease.tokens):
            size = min(self._step, rest - rest % self._grain) or rest
            part = tokens[len(lease.tokens) : len(lease.tokens) + size]
            began = time.monotonic()
            self._decode(lease, part)
            lease.read = len(lease.tokens)
            self._adapt(size, time.monotonic() - began)
            yield

    def _adapt(self, count: int, seconds: float) -> None:
        """Choose the next step so that it takes about as long as a step should."""
        if count == self._step and seconds > 0 and self._grain < _STEP_TOKENS:
            wanted = _STEP_SECONDS * count / seconds
            most = self._runtime.options.batch
            self._step = int(min(most, max(_STEP_TOKENS, wanted // _STEP_TOKENS * _STEP_TOKENS)))

    def _decode(self, lease: Lease[LlamaContext], tokens: Sequence[int]) -> None:
        start = len(lease.tokens)
        self._cache.grow(lease, start + len(tokens))
        self._share_cores()
        lease.context.set_threads(*self._threads)
        try:
            lease.context.decode(tokens, start)
        except ModelError:
            self._cache.clear(lease)
            raise
        lease.tokens += tokens

    def _write(
        self,
        lease: Lease[LlamaContext],
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
                token = sampler.draw(lease.context)
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
                    self._decode(lease, [token])
        finally:
            sampler.close()
        yield from sorted_text.feed(stop.finish())
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
            self._grammars.compile(prompt),
        )

    def _opens_thought(self, prompt: Prompt) -> bool:
        return self._template.render(prompt).rstrip().endswith("<think>")

    def _share_cores(self) -> None:
        now = time.monotonic()
        if self._settings.threads or now - self._looked < WINDOW_SECONDS:
            return
        self._looked = now
        free = self._share.free()
        self._threads = (free, self._settings.threads_batch or free)

    def _pin_prefix(self, prompt: Prompt, tokens: Sequence[int]) -> None:
        """Pin what later prompts will begin with too: system prompt and functions."""
        stable = tuple(message for message in prompt.messages[:1] if message.role == "system")
        if stable and len(prompt.messages) > 1:
            prefix = self._runtime.tokenize(
                self._template.render(
                    Prompt(stable, prompt.tools, prompt.tool_choice), answer=False
                )
            )
            if prefix == list(tokens[: len(prefix)]):
                self._cache.pin(prefix, prompt.client)

    def _identity(self, path: Path, gpu_layers: int) -> str:
        """Name everything that decides whether a state fits: the model, and how it is run."""
        status, package = path.stat(), self._library.distribution
        return (
            f"{path.resolve()}:{status.st_size}:{status.st_mtime_ns}:{gpu_layers}:"
            f"{package}-{version(package)}"
        )


def find_gguf(settings: LlmSettings) -> Path:
    """Return the model file, fetching it if need be. Raises UnknownModel or ModelError."""
    name = settings.model
    dropped = [folder / name for folder in settings.data_dir if (folder / name).exists()]
    store = ModelStore(settings.data_dir)
    if name:
        place = dropped[0] if dropped else store.ensure(name)
    else:
        place = store.ensure_first(default_models()["llm"])
    if place.is_file():
        return place
    files = sorted(place.glob("*.gguf"))
    if not files:
        raise UnknownModel(f"model: expected a .gguf file in {place}")
    if len(files) > 1 and not files[0].stem.endswith(f"-of-{len(files):05d}"):
        raise ModelError(f"model: {place} holds {len(files)} .gguf files; name one of them")
    return files[0]


def _name_of(settings: LlmSettings) -> str:
    if settings.model:
        return Path(settings.model).name.removesuffix(".gguf")
    return ModelStore(settings.data_dir).choose(default_models()["llm"][0])


def _cache_dir(settings: LlmSettings) -> Path:
    return settings.cache_dir or Path(platformdirs.user_cache_dir("parley")) / "prompts"
