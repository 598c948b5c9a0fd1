"""Model recommendations for a kind of machine, with reasons."""

import os
import shutil
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from rich.console import Group
from rich.table import Column, Table
from rich.text import Text

from wyoming_common.errors import ConfigError
from wyoming_common.models import Catalogue
from wyoming_common.models.catalogue import Kind


class _StrictModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelAdvice(_StrictModel):
    """A recommended model for one stage of a turn."""

    stage: Kind
    model: str
    why: str


class MachineAdvice(_StrictModel):
    """A kind of machine and its recommended models, the first choice first."""

    what: str
    choices: tuple[ModelAdvice, ...] = Field(min_length=1)


_FILE = Path(__file__).with_name("machines.yaml")
MACHINES = TypeAdapter(dict[str, MachineAdvice]).validate_python(yaml.safe_load(_FILE.read_bytes()))


def recommend(catalogue: Catalogue, machine: str | None) -> Group:
    """Return a table of models for `machine`, or for this machine when None.

    Raises ConfigError for an unknown machine.
    """
    found = machine or this_machine()
    if found not in MACHINES:
        raise ConfigError(f"No machine '{found:.40}'; choose from {', '.join(MACHINES)}")
    advice = MACHINES[found]
    title = advice.what if machine else f"{advice.what} (closest to this machine)"
    # A truncated name could not be copied.
    name = Column("model", no_wrap=True, overflow="fold")
    table = Table("stage", name, "size", "licence", "why", title=title)
    for choice in advice.choices:
        entry = catalogue[choice.model]
        size = f"{entry.size / 1e6:.0f} MB"
        table.add_row(choice.stage, choice.model, size, entry.licence, choice.why)
    return Group(table, Text(f"Fetch one with: parley models pull {advice.choices[0].model}"))


def this_machine() -> str:
    """Return the key of MACHINES that is closest to this machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if shutil.which("nvidia-smi"):
        return "gpu"
    if os.uname().machine in ("aarch64", "armv7l"):
        return "pi5-4gb" if memory < 6e9 else "pi5-8gb"
    return "mini-pc" if memory > 10e9 and (os.cpu_count() or 1) >= 4 else "pi5-8gb"
