"""llama.cpp's model, contexts and samplers, by its C interface.

https://github.com/ggml-org/llama.cpp/blob/master/include/llama.h
"""

import codecs
import ctypes
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from wyoming_common.errors import ModelError
from wyoming_llm.kv_cache.state import State
from wyoming_llm.llama.grammar import Logits, ReplyGrammar, TokenVocabulary
from wyoming_llm.llama.library import LlamaLibrary

_LOGGER = logging.getLogger(__name__)

_MAX_PENALTY_TOKENS: Final = 1024
"""Last tokens of a reply that frequency and presence penalties count"""


@dataclass(frozen=True, slots=True)
class Options:
    """Parameters with which a model is loaded."""

    context: int
    """Tokens of the largest prompt with its answer"""
    threads: int
    threads_batch: int
    gpu_layers: int
    extras: bool
    """Whether weights may be laid out for special units of the CPU"""
    batch: int = 128
    """Tokens that one step reads at most. More are read no faster, and each context has room for
    what a step computes"""


class LlamaContext:
    """KV cache of one sequence: token n lies in cell n. Not thread-safe.

    llama.cpp can hold several sequences in one context; but then a sequence lies wherever cells
    were free, and sums over cells are rounded by where they lie: a close choice between two words
    would fall differently from one run to the next.
    """

    def __init__(self, lib: Any, model: Any, options: Options, size: int) -> None:
        self._lib = lib
        self.size = size
        self._rewinds = not (
            lib.llama_model_is_recurrent(model) or lib.llama_model_is_hybrid(model)
        )
        self.handle = lib.llama_init_from_model(model, _params(lib, options, size))
        if not self.handle:
            raise ModelError(
                f"model: no memory for a context of {size} tokens; choose a smaller --context"
            )
        self._memory = lib.llama_get_memory(self.handle)
        self._batch = lib.llama_batch_init(options.batch, 0, 1)
        self._threads = (options.threads, options.threads_batch)

    def set_threads(self, threads: int, threads_batch: int) -> None:
        """Change how many threads work from the next step on."""
        if (threads, threads_batch) != self._threads:
            self._lib.llama_set_n_threads(self.handle, threads, threads_batch)
            self._threads = (threads, threads_batch)

    def decode(self, tokens: Sequence[int], start: int) -> None:
        """Read `tokens`, the first of them at position `start`, which is where the memory ends."""
        batch = self._batch
        last = len(tokens) - 1
        batch.n_tokens = len(tokens)
        for place, token in enumerate(tokens):
            batch.token[place] = token
            batch.pos[place] = start + place
            batch.n_seq_id[place] = 1
            batch.seq_id[place][0] = 0
            batch.logits[place] = place == last
        if status := self._lib.llama_decode(self.handle, batch):
            raise ModelError(f"llama.cpp could not read {len(tokens)} tokens (status {status})")

    def cut(self, size: int) -> bool:
        """Forget the tokens from position `size` on."""
        if size and not self._rewinds:
            return False
        return bool(self._lib.llama_memory_seq_rm(self._memory, 0, size, -1))

    def state(self) -> State:
        """Return the content of the KV cache."""
        size = self._lib.llama_state_seq_get_size(self.handle, 0)
        state = bytearray(size)
        place = (ctypes.c_uint8 * size).from_buffer(state)
        written = self._lib.llama_state_seq_get_data(self.handle, place, size, 0)
        del place  # a bytearray that something points into cannot become shorter
        del state[written:]
        return state

    def restore(self, state: State) -> bool:
        """Load a `state` into an empty KV cache; False when it does not fit."""
        place: Any = ctypes.c_char_p(state) if isinstance(state, bytes) else None
        if place is None:
            place = (ctypes.c_uint8 * len(state)).from_buffer(state)
        place = ctypes.cast(place, ctypes.POINTER(ctypes.c_uint8))
        return bool(self._lib.llama_state_seq_set_data(self.handle, place, len(state), 0))

    def close(self) -> None:
        """Free the memory."""
        self._lib.llama_batch_free(self._batch)
        self._lib.llama_free(self.handle)


def _params(lib: Any, options: Options, size: int) -> Any:
    params = lib.llama_context_default_params()
    params.n_ctx = size
    params.n_batch = params.n_ubatch = options.batch
    params.n_seq_max = 1
    params.n_threads = options.threads
    params.n_threads_batch = options.threads_batch
    # On a CPU it pays only for long steps, and makes the result depend on their length.
    params.flash_attn_type = -1 if options.gpu_layers else 0
    # A window that slides cannot be cut back to the beginning two prompts share.
    params.swa_full = True
    params.no_perf = True
    return params


class LlamaRuntime:
    """One model. Not thread-safe. Raises ModelError for a model that fails."""

    def __init__(self, library: LlamaLibrary, path: Path, options: Options) -> None:
        self.lib = lib = library.functions()
        lib.llama_backend_init()
        if options.gpu_layers and not lib.llama_supports_gpu_offload():
            _LOGGER.warning(
                "gpu_layers: the installed %s was built without a GPU; going on with the CPU",
                library.distribution,
            )
            options = replace(options, gpu_layers=0)
        self.options = options
        params = lib.llama_model_default_params()
        params.n_gpu_layers = options.gpu_layers if options.gpu_layers >= 0 else 0x7FFF
        params.use_extra_bufts = options.extras
        self.model = lib.llama_model_load_from_file(os.fsencode(path), params)
        if not self.model:
            raise ModelError(f"model: llama.cpp cannot load {path}; see --debug")
        if not lib.llama_model_has_decoder(self.model):
            raise ModelError(f"model: {path} is not a model that writes text")
        self.vocab = lib.llama_model_get_vocab(self.model)
        self.vocabulary_size = int(lib.llama_vocab_n_tokens(self.vocab))
        trained = lib.llama_model_n_ctx_train(self.model)
        self.limit = min(options.context, trained) if trained > 0 else options.context

    def open(self, size: int) -> LlamaContext:
        """Return a context of `size` tokens. Raises ModelError when there is no memory for it."""
        return LlamaContext(self.lib, self.model, self.options, size)

    def metadata(self, key: str) -> str:
        """Return a value of the GGUF header, "" where it has none."""
        size = 1024
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = self.lib.llama_model_meta_val_str(self.model, key.encode(), buffer, size)
            if length < size:
                return buffer.value.decode("utf-8", "replace") if length >= 0 else ""
            size = length + 1

    def tokenize(self, text: str, *, special: bool = True) -> list[int]:
        """Return the tokens of `text`; with `special`, control tokens in it are read as such."""
        data = text.encode("utf-8", "replace")
        size = len(data) + 8
        buffer = (self.lib.llama_token * size)()
        count = self.lib.llama_tokenize(self.vocab, data, len(data), buffer, size, special, special)
        return list(buffer[:count])

    def vocabulary(self) -> TokenVocabulary:
        """Return all tokens, for grammars."""
        lib, tokens = self.lib, []
        for token in range(self.vocabulary_size):
            control = lib.llama_vocab_is_control(self.vocab, token)
            tokens.append(b"\xff" * control + self.piece(token, special=True))
        bos, eos = lib.llama_vocab_bos(self.vocab), lib.llama_vocab_eos(self.vocab)
        return TokenVocabulary(tokens, eos, bos if bos >= 0 else None, self._tokenize_plain)

    def _tokenize_plain(self, text: bytes) -> list[int]:
        return self.tokenize(text.decode("utf-8", "replace"), special=False)

    def piece(self, token: int, *, special: bool = False) -> bytes:
        """Return the bytes of `token`, which may be a part of a character.

        Those of a control token are empty unless it is `special`.
        """
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = self.lib.llama_token_to_piece(self.vocab, token, buffer, size, 0, special)
            if length >= 0:
                return buffer.raw[:length]
            size = -length

    def control_texts(self) -> list[str]:
        """Return the control tokens as text."""
        lib, vocab = self.lib, self.vocab
        texts = [
            lib.llama_vocab_get_text(vocab, token).decode("utf-8", "replace")
            for token in range(lib.llama_vocab_n_tokens(vocab))
            if lib.llama_vocab_is_control(vocab, token)
        ]
        return [text for text in texts if len(text) > 2]

    def token_text(self, kind: str) -> str:
        """Return the text of the token `kind` ("bos", "eos"), "" without one."""
        token = getattr(self.lib, f"llama_vocab_{kind}")(self.vocab)
        if token < 0:
            return ""
        text: bytes = self.lib.llama_vocab_get_text(self.vocab, token)
        return text.decode("utf-8", "replace")

    def is_end(self, token: int) -> bool:
        """Whether `token` ends an answer."""
        return bool(self.lib.llama_vocab_is_eog(self.vocab, token))

    def close(self) -> None:
        """Free the model, after its contexts."""
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
        penalties: tuple[float, float] = (0.0, 0.0),
        grammar: ReplyGrammar | None = None,
    ) -> None:
        lib = self._lib = runtime.lib
        self._runtime = runtime
        self._grammar = grammar
        self._chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        if repeat_penalty != 1.0:
            words = lib.llama_vocab_n_tokens(runtime.vocab)
            self._add(lib.llama_sampler_init_penalties(words, 64, repeat_penalty, 0.0, 0.0))
        if any(penalties):
            words = lib.llama_vocab_n_tokens(runtime.vocab)
            self._add(lib.llama_sampler_init_penalties(words, _MAX_PENALTY_TOKENS, 1.0, *penalties))
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

    def draw(self, context: LlamaContext) -> int:
        """Return the next token, by what the last `decode` of `context` computed.

        Raises BadRequest where the grammar cannot be followed.
        """
        if self._grammar is not None:
            self._grammar.mask(self._logits(context))
        token = int(self._lib.llama_sampler_sample(self._chain, context.handle, -1))
        if self._grammar is not None:
            self._grammar.accept(token, self._runtime.piece(token).decode("utf-8", "replace"))
        return token

    def _logits(self, context: LlamaContext) -> Logits:
        """Return the logits of the next token, in llama.cpp's own memory."""
        place = self._lib.llama_get_logits_ith(context.handle, -1)
        return np.ctypeslib.as_array(place, (self._runtime.vocabulary_size,))

    def close(self) -> None:
        """Free the chain and what is in it."""
        self._lib.llama_sampler_free(self._chain)


class Utf8:
    """Joins the bytes of tokens to text. A character that a limit cuts off is dropped."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, data: bytes) -> str:
        """Return the characters that are whole by now."""
        return self._decoder.decode(data)
