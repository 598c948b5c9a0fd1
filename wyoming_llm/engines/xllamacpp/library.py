"""ctypes bindings of the llama.cpp that the wheel of `xllamacpp` exports.

The package's own interface is llama.cpp's server in this process. It opens an HTTP port, batches
clients together (the words of a reply then depend on who else asks), and fixes its number of
threads when it starts. The extension module also exports llama.h itself, which has none of that:
https://github.com/ggml-org/llama.cpp/blob/master/include/llama.h
"""

import ctypes
from ctypes import (
    POINTER,
    c_bool,
    c_char_p,
    c_float,
    c_int,
    c_int8,
    c_int32,
    c_size_t,
    c_uint8,
    c_uint32,
    c_void_p,
)
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any, Final

from wyoming_common.errors import ModelError
from wyoming_llm.llama.library import load_politely, require, send_log_to_python

require("xllamacpp")


class _ModelParams(ctypes.Structure):
    """struct llama_model_params"""

    _fields_ = (
        ("devices", c_void_p),
        ("tensor_buft_overrides", c_void_p),
        ("n_gpu_layers", c_int32),
        ("split_mode", c_int),
        ("load_mode", c_int),
        ("lazy_mode", c_int),
        ("main_gpu", c_int32),
        ("tensor_split", c_void_p),
        ("progress_callback", c_void_p),
        ("progress_callback_user_data", c_void_p),
        ("kv_overrides", c_void_p),
        ("vocab_only", c_bool),
        ("check_tensors", c_bool),
        ("use_extra_bufts", c_bool),
        ("no_host", c_bool),
        ("no_alloc", c_bool),
        ("load_mtp", c_bool),
        ("_spare", c_uint8 * 256),
    )


class _ContextParams(ctypes.Structure):
    """struct llama_context_params"""

    _fields_ = (
        ("n_ctx", c_uint32),
        ("n_batch", c_uint32),
        ("n_ubatch", c_uint32),
        ("n_seq_max", c_uint32),
        ("n_rs_seq", c_uint32),
        ("n_outputs_max", c_uint32),
        ("n_outputs_max_per_seq", c_uint32),
        ("n_threads", c_int32),
        ("n_threads_batch", c_int32),
        ("ctx_type", c_int),
        ("rope_scaling_type", c_int),
        ("pooling_type", c_int),
        ("attention_type", c_int),
        ("flash_attn_type", c_int),
        ("rope_freq_base", c_float),
        ("rope_freq_scale", c_float),
        ("yarn_ext_factor", c_float),
        ("yarn_attn_factor", c_float),
        ("yarn_beta_fast", c_float),
        ("yarn_beta_slow", c_float),
        ("yarn_orig_ctx", c_uint32),
        ("defrag_thold", c_float),
        ("cb_eval", c_void_p),
        ("cb_eval_user_data", c_void_p),
        ("type_k", c_int),
        ("type_v", c_int),
        ("moe_cache_size", c_size_t),
        ("abort_callback", c_void_p),
        ("abort_callback_data", c_void_p),
        ("embeddings", c_bool),
        ("offload_kqv", c_bool),
        ("no_perf", c_bool),
        ("op_offload", c_bool),
        ("swa_full", c_bool),
        ("kv_unified", c_bool),
        ("samplers", c_void_p),
        ("n_samplers", c_size_t),
        ("ctx_other", c_void_p),
        ("_spare", c_uint8 * 256),
    )


class _Batch(ctypes.Structure):
    """struct llama_batch"""

    _fields_ = (
        ("n_tokens", c_int32),
        ("token", POINTER(c_int32)),
        ("embd", POINTER(c_float)),
        ("pos", POINTER(c_int32)),
        ("n_seq_id", POINTER(c_int32)),
        ("seq_id", POINTER(POINTER(c_int32))),
        ("logits", POINTER(c_int8)),
    )


class _ChainParams(ctypes.Structure):
    """struct llama_sampler_chain_params"""

    _fields_ = (("no_perf", c_bool),)


_LOG_CALLBACK: Final = ctypes.CFUNCTYPE(None, c_int, c_char_p, c_void_p)
_STATE: Final = POINTER(c_uint8)
_PROTOTYPES: Final[dict[str, tuple[Any, tuple[Any, ...]]]] = {
    "llama_backend_init": (None, ()),
    "llama_log_set": (None, (_LOG_CALLBACK, c_void_p)),
    "llama_supports_gpu_offload": (c_bool, ()),
    "llama_model_default_params": (_ModelParams, ()),
    "llama_model_load_from_file": (c_void_p, (c_char_p, _ModelParams)),
    "llama_model_free": (None, (c_void_p,)),
    "llama_model_get_vocab": (c_void_p, (c_void_p,)),
    "llama_model_has_decoder": (c_bool, (c_void_p,)),
    "llama_model_is_recurrent": (c_bool, (c_void_p,)),
    "llama_model_is_hybrid": (c_bool, (c_void_p,)),
    "llama_model_n_ctx_train": (c_int32, (c_void_p,)),
    "llama_model_meta_val_str": (c_int32, (c_void_p, c_char_p, c_char_p, c_size_t)),
    "llama_vocab_n_tokens": (c_int32, (c_void_p,)),
    "llama_vocab_get_text": (c_char_p, (c_void_p, c_int32)),
    "llama_vocab_is_control": (c_bool, (c_void_p, c_int32)),
    "llama_vocab_is_eog": (c_bool, (c_void_p, c_int32)),
    "llama_vocab_bos": (c_int32, (c_void_p,)),
    "llama_vocab_eos": (c_int32, (c_void_p,)),
    "llama_tokenize": (
        c_int32,
        (c_void_p, c_char_p, c_int32, POINTER(c_int32), c_int32, c_bool, c_bool),
    ),
    "llama_token_to_piece": (c_int32, (c_void_p, c_int32, c_char_p, c_int32, c_int32, c_bool)),
    "llama_context_default_params": (_ContextParams, ()),
    "llama_init_from_model": (c_void_p, (c_void_p, _ContextParams)),
    "llama_free": (None, (c_void_p,)),
    "llama_get_memory": (c_void_p, (c_void_p,)),
    "llama_memory_seq_rm": (c_bool, (c_void_p, c_int32, c_int32, c_int32)),
    "llama_state_seq_get_size": (c_size_t, (c_void_p, c_int32)),
    "llama_state_seq_get_data": (c_size_t, (c_void_p, _STATE, c_size_t, c_int32)),
    "llama_state_seq_set_data": (c_size_t, (c_void_p, _STATE, c_size_t, c_int32)),
    "llama_set_n_threads": (None, (c_void_p, c_int32, c_int32)),
    "llama_batch_init": (_Batch, (c_int32, c_int32, c_int32)),
    "llama_batch_free": (None, (_Batch,)),
    "llama_get_logits_ith": (POINTER(c_float), (c_void_p, c_int32)),
    "llama_decode": (c_int32, (c_void_p, _Batch)),
    "llama_sampler_chain_default_params": (_ChainParams, ()),
    "llama_sampler_chain_init": (c_void_p, (_ChainParams,)),
    "llama_sampler_chain_add": (None, (c_void_p, c_void_p)),
    "llama_sampler_free": (None, (c_void_p,)),
    "llama_sampler_sample": (c_int32, (c_void_p, c_void_p, c_int32)),
    "llama_sampler_init_greedy": (c_void_p, ()),
    "llama_sampler_init_dist": (c_void_p, (c_uint32,)),
    "llama_sampler_init_top_k": (c_void_p, (c_int32,)),
    "llama_sampler_init_top_p": (c_void_p, (c_float, c_size_t)),
    "llama_sampler_init_min_p": (c_void_p, (c_float, c_size_t)),
    "llama_sampler_init_temp": (c_void_p, (c_float,)),
    "llama_sampler_init_penalties": (c_void_p, (c_int32, c_int32, c_float, c_float, c_float)),
}
_MODEL_DEFAULTS: Final = {
    "n_gpu_layers": -1, "split_mode": 1, "load_mode": -1, "lazy_mode": 1, "main_gpu": 0,
    "tensor_split": None, "kv_overrides": None, "vocab_only": False, "check_tensors": False,
    "use_extra_bufts": True, "no_host": False, "no_alloc": False,
}  # fmt: skip
_CONTEXT_DEFAULTS: Final = {
    "n_ctx": 512, "n_batch": 2048, "n_ubatch": 512, "n_seq_max": 1, "n_threads": 4,
    "n_threads_batch": 4, "rope_scaling_type": -1, "pooling_type": -1, "attention_type": -1,
    "flash_attn_type": -1, "yarn_ext_factor": -1.0, "cb_eval": None, "type_k": 1, "type_v": 1,
    "abort_callback": None, "embeddings": False, "offload_kqv": True, "no_perf": True,
    "op_offload": True, "swa_full": True, "kv_unified": False, "n_samplers": 0,
}  # fmt: skip
"""Values of llama.cpp's defaults: a structure that another version lays out differently shows
others, and is refused instead of being filled in the wrong places."""


class XllamacppLibrary:
    """The llama.cpp of the wheel that is installed."""

    distribution = "xllamacpp"

    def functions(self) -> Any:
        """Return the C functions by their names in llama.h. Raises ModelError."""
        load_politely()
        from xllamacpp import xllamacpp as extension  # loading it reads how threads shall wait

        library = ctypes.CDLL(extension.__file__)
        functions = SimpleNamespace(llama_token=c_int32, llama_log_callback=_LOG_CALLBACK)
        try:
            for name, (result, arguments) in _PROTOTYPES.items():
                function = getattr(library, name)
                function.restype, function.argtypes = result, arguments
                setattr(functions, name, function)
        except AttributeError as err:
            raise _other_version(str(err)) from err
        check_layout("llama_model_params", functions.llama_model_default_params(), _MODEL_DEFAULTS)
        check_layout(
            "llama_context_params", functions.llama_context_default_params(), _CONTEXT_DEFAULTS
        )
        send_log_to_python(functions)
        return functions


def check_layout(name: str, found: ctypes.Structure, expected: dict[str, Any]) -> None:
    """Raise ModelError where a structure does not hold the defaults that it is known to have."""
    values = {field: getattr(found, field) for field in expected}
    if values != expected:
        raise _other_version(f"its {name} is another one")


def _other_version(problem: str) -> ModelError:
    return ModelError(
        f"engine: xllamacpp {version('xllamacpp')} cannot be used ({problem}); install the version "
        "that constraints.txt names, or choose --engine llama-cpp"
    )
