"""Which models suit which machine, and why."""

import os
import shutil
from dataclasses import dataclass

from rich.console import Group
from rich.table import Table
from rich.text import Text

from wyoming_common.errors import ConfigError
from wyoming_common.store import Catalogue


@dataclass(frozen=True, slots=True)
class Choice:
    stage: str
    model: str
    why: str


@dataclass(frozen=True, slots=True)
class Machine:
    what: str
    choices: tuple[Choice, ...]


MACHINES = {
    "pi5-4gb": Machine(
        "Raspberry Pi 5, 4 GB",
        (
            Choice("stt", "tiny.en", "answers in the pause after a command; English only"),
            Choice("stt", "base", "for other languages, or names that tiny.en mishears"),
            Choice("llm", "smollm2-135m-instruct", "quick small talk; home control needs no model"),
            Choice("llm", "qwen2.5-0.5b-instruct", "better answers; 0.7 GB of memory"),
            Choice("tts", "en_US-joe-medium", "Piper medium is several times real time on a Pi"),
            Choice("turn", "smart-turn-v3.2", "fewer cut-off sentences; small"),
        ),
    ),
    "pi5-8gb": Machine(
        "Raspberry Pi 5, 8 GB",
        (
            Choice("stt", "base", "more accurate than tiny.en, and 99 languages"),
            Choice("llm", "qwen3-1.7b", "follows instructions; its first word is the wait"),
            Choice("llm", "qwen3-0.6b", "half the wait, for short answers"),
            Choice("tts", "en_US-lessac-medium", "Piper medium; a high voice is too slow here"),
            Choice("turn", "smart-turn-v3.2", "fewer cut-off sentences; small"),
        ),
    ),
    "mini-pc": Machine(
        "Mini PC: four or more x86 cores with AVX2, 16 GB",
        (
            Choice("stt", "small.en", "the accuracy most people want, still under half a second"),
            Choice("stt", "small", "the same for other languages"),
            Choice("llm", "qwen3-4b", "calls tools reliably; 3 GB of memory"),
            Choice("tts", "en_US-lessac-high", "Piper high; the machine has the time for it"),
            Choice("turn", "smart-turn-v3.2", "fewer cut-off sentences; small"),
        ),
    ),
    "gpu": Machine(
        "A GPU with 8 GB or more",
        (
            Choice("stt", "large-v3-turbo", "near the best accuracy there is, in tens of ms"),
            Choice("stt", "distil-large-v3", "English only, a little quicker"),
            Choice("llm", "qwen3-8b", "the best of these; all layers fit on the card"),
            Choice("tts", "en_US-lessac-high", "Piper needs no card; Kokoro sounds better on one"),
            Choice("turn", "smart-turn-v3.2", "fewer cut-off sentences; small"),
        ),
    ),
}


def recommend(catalogue: Catalogue, machine: str | None) -> Group:
    """Return a table for one machine, for this one when `machine` is None.

    Raises ConfigError for a machine there is no advice for.
    """
    found = machine or this_machine()
    if found not in MACHINES:
        raise ConfigError(f"No machine '{found:.40}'; choose from {', '.join(MACHINES)}")
    advice = MACHINES[found]
    title = advice.what if machine else f"{advice.what} (what this machine comes closest to)"
    table = Table("stage", "model", "size", "licence", "why", title=title)
    for choice in advice.choices:
        entry = catalogue[choice.model]
        size = f"{entry.size / 1e6:.0f} MB"
        table.add_row(choice.stage, choice.model, size, entry.licence, choice.why)
    return Group(table, Text(f"Fetch one with: parley models pull {advice.choices[0].model}"))


def this_machine() -> str:
    """Return the machine of MACHINES that this one comes closest to."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if shutil.which("nvidia-smi"):
        return "gpu"
    if os.uname().machine in ("aarch64", "armv7l"):
        return "pi5-4gb" if memory < 6e9 else "pi5-8gb"
    return "mini-pc" if memory > 10e9 and (os.cpu_count() or 1) >= 4 else "pi5-8gb"
