"""llama.cpp's C interface, as far as one model and one context need it.

https://github.com/ggml-org/llama.cpp/blob/master/include/llama.h, bound by llama-cpp-python.
"""

import codecs
import contextlib
import ctypes
import logging
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from wyoming_common.errors import BadRequest, ModelError
from wyoming_llm.engines.llama_context import LlamaContext, Options

_LOGGER = logging.getLogger(__name__)

_SPINS: Final = "3000"
"""Rounds that a thread of libgomp waits awake for the next piece of work, before it sleeps.
The library's own choice keeps cores busy that the other stages need; none at all costs a wake-up
for each of the hundreds of pieces that make a token. Read once, when the library is loaded."""


_LARGE: Final = 1 << 20
"""Bytes from which on memory goes back to the system as soon as it is freed. glibc raises that to
32 MB by itself, and then keeps what contexts and their copies leave in pieces."""
_M_MMAP_THRESHOLD: Final = -3
_WINDOW: Final = 1024
"""Tokens of an answer for which frequency and presence count"""


def import_llama() -> Any:
    """Import llama_cpp, quiet and with threads that wait politely."""
    with contextlib.suppress(AttributeError, OSError):  # another C library than glibc
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)
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


class LlamaRuntime:
    """One model. Not thread-safe. Raises ModelError for a model that fails."""

    def __init__(self, path: Path, options: Options) -> None:
        self.lib = lib = import_llama()
        lib.llama_backend_init()
        if options.gpu_layers and not lib.llama_supports_gpu_offload():
            _LOGGER.warning(
                "gpu_layers: this llama-cpp-python was built without a GPU; going on with the CPU"
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
        trained = lib.llama_model_n_ctx_train(self.model)
        self.limit = min(options.context, trained) if trained > 0 else options.context

    def open(self, size: int) -> LlamaContext:
        """Return a memory of its own for `size` tokens. Raises ModelError when there is none."""
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

    def close(self) -> None:
        """Free the model; whatever was opened is closed before."""
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
        grammar: "Grammar | None" = None,
    ) -> None:
        lib = self._lib = runtime.lib
        self._chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        if grammar is not None:
            self._add(grammar.sampler(runtime))
        if repeat_penalty != 1.0:
            words = lib.llama_vocab_n_tokens(runtime.vocab)
            self._add(lib.llama_sampler_init_penalties(words, 64, repeat_penalty, 0.0, 0.0))
        if any(penalties):
            words = lib.llama_vocab_n_tokens(runtime.vocab)
            self._add(lib.llama_sampler_init_penalties(words, _WINDOW, 1.0, *penalties))
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
        """Return the next token, by what the last `decode` of `context` computed."""
        return int(self._lib.llama_sampler_sample(self._chain, context.handle, -1))

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
        """Return the sampler that enforces it. Raises BadRequest for one that has no end."""
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
            raise BadRequest("schema: cannot be followed: llama.cpp refuses its grammar")
        return made


class Utf8:
    """Joins the bytes of tokens to text; a character may span several."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, data: bytes, *, final: bool = False) -> str:
        return self._decoder.decode(data, final)
