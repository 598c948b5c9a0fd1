"""What llama.cpp remembers of one sequence of tokens."""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wyoming_common.errors import ModelError
from wyoming_llm.engines.kept import State


@dataclass(frozen=True, slots=True)
class Options:
    """How the model is loaded."""

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
    """The memory of one sequence: token n lies in cell n. Not thread-safe.

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
        """Return what the memory holds."""
        size = self._lib.llama_state_seq_get_size(self.handle, 0)
        state = bytearray(size)
        place = (ctypes.c_uint8 * size).from_buffer(state)
        written = self._lib.llama_state_seq_get_data(self.handle, place, size, 0)
        del place  # a bytearray that something points into cannot become shorter
        del state[written:]
        return state

    def restore(self, state: State) -> bool:
        """Put back what `state` returned into an empty memory; False when it does not fit."""
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
