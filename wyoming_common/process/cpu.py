"""Processor cores and vector instructions that this process can use."""

import os
from pathlib import Path

_VNNI = frozenset({"avx512_vnni", "avx_vnni"})
_VECTOR_FLAGS = (
    *("avx", "avx2", "fma", "f16c", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8"),
    *("asimd", "asimdhp", "asimddp", "i8mm", "sve"),
)
_CPUINFO = Path("/proc/cpuinfo")


def usable_cores() -> int:
    """Return the number of cores on which this process may run."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_flags(cpuinfo: Path = _CPUINFO) -> frozenset[str]:
    """Return the feature flags of the first processor, empty where Linux does not list them."""
    try:
        text = cpuinfo.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return frozenset()
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip() in ("flags", "Features"):
            return frozenset(value.split())
    return frozenset()


def vector_instructions(flags: frozenset[str]) -> tuple[str, ...]:
    """Return the flags that decide the speed of models, of x86-64 and of ARM 64."""
    return tuple(flag for flag in _VECTOR_FLAGS if flag in flags)


def int8_products_saturate(flags: frozenset[str]) -> bool:
    """Return whether products of unsigned and signed bytes saturate at 16 bits.

    x86-64 without VNNI adds pairs of them by VPMADDUBSW, which saturates (Intel SDM volume 2).
    ONNX Runtime then computes other results, unless `session.x64quantprecision` is 1
    (onnxruntime_session_options_config_keys.h).
    """
    return "avx2" in flags and not flags & _VNNI
