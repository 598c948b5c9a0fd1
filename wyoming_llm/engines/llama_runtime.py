"""llama.cpp's C interface, as far as one model and one context need it.

https://github.com/ggml-org/llama.cpp/blob/master/include/llama.h, bound by llama-cpp-python.
"""

import codecs
import ctypes
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from wyoming_common.errors import ModelError

_LOGGER = logging.getLogger(__name__)

_SPINS: Final = "3000"
"""Rounds that a thread of libgomp waits awake for the next piece of work, before it sleeps.
The library's own choice keeps cores busy that the other stages need; none at all costs a wake-up
for each of the hundreds of pieces that make a token. Read once, when the library is loaded."""

_NO_ROOM: Final = 1
"""llama_decode: the context has no cells left for the batch"""


def import_llama() -> Any:
    """Import llama_cpp, quiet and with threads that wait politely."""
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)
    from llama_cpp import llama_cpp

    llama_cpp.llama_log_set(_LOG_CALLBACK(llama_cpp), ctypes.c_void_p(0))
    return llama_cpp


class _LogCallback:
    """Holds the one callback: C keeps a pointer to it for ever."""

    def __init__(self) -> None:
        self._callback: Any = None

    def __call__(self, lib: Any) -> Any:
        if self._callback is None:
            self._callback = lib.llama_log_callback(_log)
        return self._callback


def _log(level: int, text: bytes, data: Any) -> None:  # noqa: ARG001 - the C signature
    if _LOGGER.isEnabledFor(logging.DEBUG):
        _LOGGER.debug("llama.cpp: %s", text.decode("utf-8", "replace").rstrip())


_LOG_CALLBACK: Final = _LogCallback()


@dataclass(frozen=True, slots=True)
class Options:
    """How the model is loaded."""

    context: int
    """Tokens"""
    sequences: int
    threads: int
    threads_batch: int
    gpu_layers: int
    extras: bool
    """Whether weights may be laid out for special units of the CPU"""
    batch: int = 512
    """Tokens that one step reads at most"""


class LlamaRuntime:
    """One model and its context. Not thread-safe. Raises ModelError for a model that fails."""

    def __init__(self, path: Path, options: Options) -> None:
        self.lib = lib = import_llama()
        self.options = options
        lib.llama_backend_init()
        params = lib.llama_model_default_params()
        params.n_gpu_layers = options.gpu_layers if options.gpu_layers >= 0 else 0x7FFF
        params.use_extra_bufts = options.extras
        self.model = lib.llama_model_load_from_file(os.fsencode(path), params)
        if not self.model:
            raise ModelError(f"model: llama.cpp cannot load {path}; see --debug")
        if not lib.llama_model_has_decoder(self.model):
            raise ModelError(f"model: {path} is not a model that writes text")
        self.vocab = lib.llama_model_get_vocab(self.model)
        trained = lib.llama_model_n_ctx_train(self.model)
        self.limit = min(options.context, trained) if trained > 0 else options.context
        self.context = lib.llama_init_from_model(self.model, self._context_params())
        if not self.context:
            raise ModelError(
                f"model: no memory for a context of {options.context} tokens; choose a smaller "
                "--context"
            )
        self._memory = lib.llama_get_memory(self.context)
        self._rewinds = not (
            lib.llama_model_is_recurrent(self.model) or lib.llama_model_is_hybrid(self.model)
        )
        self._batch = lib.llama_batch_init(options.batch, 0, 1)
        self._threads = (options.threads, options.threads_batch)

    def _context_params(self) -> Any:
        params = self.lib.llama_context_default_params()
        params.n_ctx = self.options.context
        params.n_batch = params.n_ubatch = self.options.batch
        params.n_seq_max = self.options.sequences
        params.n_threads = self.options.threads
        params.n_threads_batch = self.options.threads_batch
        params.kv_unified = True
        # On a CPU it pays only for long steps, and makes the result depend on their length.
        params.flash_attn_type = -1 if self.options.gpu_layers else 0
        # A window that slides cannot be cut back to the beginning two prompts share.
        params.swa_full = True
        params.no_perf = True
        return params

    def metadata(self, key: str) -> str:
        """Return a value of the GGUF header, "" where it has none."""
        size = 1024
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = self.lib.llama_model_meta_val_str(self.model, key.encode(), buffer, size)
            if length < size:
                return buffer.value.decode("utf-8", "replace") if length >= 0 else ""
            size = length + 1

    def set_threads(self, threads: int, threads_batch: int) -> None:
        """Change how many threads work from the next step on."""
        if (threads, threads_batch) != self._threads:
            self.lib.llama_set_n_threads(self.context, threads, threads_batch)
            self._threads = (threads, threads_batch)

    def tokenize(self, text: str, *, special: bool = True) -> list[int]:
        """Return the tokens of `text`; with `special`, control tokens in it are read as such."""
        data = text.encode("utf-8", "replace")
        size = len(data) + 8
        buffer = (self.lib.llama_token * size)()
        count = self.lib.llama_tokenize(self.vocab, data, len(data), buffer, size, special, special)
        return list(buffer[:count])

    def piece(self, token: int) -> bytes:
        """Return the bytes of `token`, which may be a part of a character."""
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = self.lib.llama_token_to_piece(self.vocab, token, buffer, size, 0, False)
            if length >= 0:
                return buffer.raw[:length]
            size = -length

    def control_texts(self) -> list[str]:
        """Return what the control tokens look like in text."""
        lib, vocab = self.lib, self.vocab
        texts = [
            lib.llama_vocab_get_text(vocab, token).decode("utf-8", "replace")
            for token in range(lib.llama_vocab_n_tokens(vocab))
            if lib.llama_vocab_is_control(vocab, token)
        ]
        return [text for text in texts if len(text) > 2]

    def token_text(self, kind: str) -> str:
        """Return the text of the token `kind` ("bos", "eos"), "" where there is none."""
        token = getattr(self.lib, f"llama_vocab_{kind}")(self.vocab)
        if token < 0:
            return ""
        text: bytes = self.lib.llama_vocab_get_text(self.vocab, token)
        return text.decode("utf-8", "replace")

    def is_end(self, token: int) -> bool:
        """Whether `token` ends an answer."""
        return bool(self.lib.llama_vocab_is_eog(self.vocab, token))

    def decode(self, sequence: int, tokens: Sequence[int], start: int) -> bool:
        """Read `tokens` at position `start` of `sequence`; False when the context is full."""
        batch = self._batch
        last = len(tokens) - 1
        batch.n_tokens = len(tokens)
        for place, token in enumerate(tokens):
            batch.token[place] = token
            batch.pos[place] = start + place
            batch.n_seq_id[place] = 1
            batch.seq_id[place][0] = sequence
            batch.logits[place] = place == last
        status = self.lib.llama_decode(self.context, batch)
        if status == _NO_ROOM:
            return False
        if status:
            raise ModelError(f"llama.cpp could not read {len(tokens)} tokens (status {status})")
        return True

    def copy(self, source: int, target: int, size: int) -> bool:
        """Make `target` share the first `size` tokens of `source`."""
        if not self._rewinds:
            return False
        self.lib.llama_memory_seq_cp(self._memory, source, target, 0, size)
        return True

    def cut(self, sequence: int, size: int) -> bool:
        """Forget the tokens of `sequence` from position `size` on."""
        if size and not self._rewinds:
            return False
        return bool(self.lib.llama_memory_seq_rm(self._memory, sequence, size, -1))

    def state(self, sequence: int) -> bytes:
        """Return what the model holds of `sequence`."""
        size = self.lib.llama_state_seq_get_size(self.context, sequence)
        buffer = (ctypes.c_uint8 * size)()
        written = self.lib.llama_state_seq_get_data(self.context, buffer, size, sequence)
        return bytes(memoryview(buffer)[:written])

    def restore(self, sequence: int, state: bytes) -> bool:
        """Put back what `state` returned; False when it does not fit."""
        buffer = (ctypes.c_uint8 * len(state)).from_buffer_copy(state)
        return bool(self.lib.llama_state_seq_set_data(self.context, buffer, len(state), sequence))

    def close(self) -> None:
        """Free the context and the model."""
        self.lib.llama_batch_free(self._batch)
        self.lib.llama_free(self.context)
        self.lib.llama_model_free(self.model)


class Sampler:
    """Draws tokens by a chain of llama.cpp's samplers. Close it."""

    def __init__(
        self,
        runtime: LlamaRuntime,
        temperature: float,
        top_p: float = 0.95,
        seed: int = 0xFFFFFFFF,
        repeat_penalty: float = 1.0,
        grammar: "Grammar | None" = None,
    ) -> None:
        self._runtime = runtime
        lib = self._lib = runtime.lib
        self._chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        if grammar is not None:
            self._add(grammar.sampler(runtime))
        if repeat_penalty != 1.0:
            words = lib.llama_vocab_n_tokens(runtime.vocab)
            self._add(lib.llama_sampler_init_penalties(words, 64, repeat_penalty, 0.0, 0.0))
        if temperature <= 0:
            self._add(lib.llama_sampler_init_greedy())
            return
        self._add(lib.llama_sampler_init_top_k(40))
        self._add(lib.llama_sampler_init_top_p(top_p, 1))
        self._add(lib.llama_sampler_init_min_p(0.05, 1))
        self._add(lib.llama_sampler_init_temp(temperature))
        self._add(lib.llama_sampler_init_dist(seed))

    def _add(self, sampler: Any) -> None:
        self._lib.llama_sampler_chain_add(self._chain, sampler)

    def draw(self) -> int:
        """Return the next token, by what the last `decode` computed."""
        return int(self._lib.llama_sampler_sample(self._chain, self._runtime.context, -1))

    def close(self) -> None:
        """Free the chain and what is in it."""
        self._lib.llama_sampler_free(self._chain)


@dataclass(frozen=True, slots=True)
class Grammar:
    """What the answer may look like, in llama.cpp's GBNF."""

    text: str
    trigger: str = ""
    """Text from which on the grammar holds; "" is the beginning"""

    def sampler(self, runtime: LlamaRuntime) -> Any:
        """Return the sampler that enforces it. Raises ModelError for a grammar that is wrong."""
        lib = runtime.lib
        text, root = self.text.encode(), b"root"
        if self.trigger:
            patterns = (ctypes.c_char_p * 1)(self.trigger.encode())
            made = lib.llama_sampler_init_grammar_lazy_patterns(
                runtime.vocab, text, root, patterns, 1, None, 0
            )
        else:
            made = lib.llama_sampler_init_grammar(runtime.vocab, text, root)
        if not made:
            raise ModelError("llama.cpp refused the grammar of an answer; see --debug")
        return made


class Utf8:
    """Joins the bytes of tokens to text; a character may span several."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, data: bytes, *, final: bool = False) -> str:
        return self._decoder.decode(data, final)
