"""Default models for the memory and the processor of this machine."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from wyoming_common.models.catalogue import Kind
from wyoming_common.process.cpu import cpu_flags, usable_cores

SMALLEST_LLM = "smollm2-135m-instruct"
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
_MIN_BYTES_1_5B = 6_000_000_000
"""Its file, the KV cache of a full conversation, speech and voice take 3.5 GB; Home Assistant and
its database run beside them."""
_MIN_BYTES_0_5B = 2_500_000_000
_FAST_FLAGS = frozenset({"avx2", "asimddp"})
"""Vector instructions with which a prompt of 1.5 billion parameters is read fast enough."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Properties of a machine that decide which model it can run."""

    memory_bytes: int
    cores: int
    flags: frozenset[str]

    @classmethod
    def this(cls) -> Self:
        """Return this machine, within the memory limit of its container."""
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        try:
            limit = int(_CGROUP_LIMIT.read_text(encoding="ascii"))
        except (OSError, ValueError):  # no container, or "max"
            limit = memory
        return cls(min(memory, limit), usable_cores(), cpu_flags())


Tiers = tuple[tuple[str, ...], ...]
"""Names of models that can stand for each other, in tiers from the best to the smallest."""


def default_models(machine: Machine | None = None) -> Mapping[Kind, Tiers]:
    """Return the default models of each kind; `ModelStore.ensure_first` says how one is chosen.

    In a tier, an entry of the model hub stands before one that needs no hub.
    """
    return {
        "stt": (("tiny.en",),),
        "llm": _language_models(machine or Machine.this()),
        "tts": (("en_US-joe-medium",),),
        "turn": (("smart-turn-v3.2",),),
    }


def _language_models(machine: Machine) -> Tiers:
    large = ("qwen2.5-1.5b-instruct", "qwen2.5-coder-1.5b-instruct")
    medium = ("qwen2.5-0.5b-instruct", "qwen2.5-coder-0.5b-instruct")
    fast = machine.cores >= 2 and bool(machine.flags & _FAST_FLAGS)
    if fast and machine.memory_bytes >= _MIN_BYTES_1_5B:
        return (large, medium, (SMALLEST_LLM,))
    if fast and machine.memory_bytes >= _MIN_BYTES_0_5B:
        return (medium, (SMALLEST_LLM,))
    return ((SMALLEST_LLM,),)
