"""Which models suit which machine, and why."""

import os
import shutil
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from rich.console import Group
from rich.table import Column, Table
from rich.text import Text

from wyoming_common.errors import ConfigError
from wyoming_common.store import Catalogue
from wyoming_common.store.catalogue import Kind


class _Advice(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Choice(_Advice):
    """A model for one stage of a turn."""

    stage: Kind
    model: str
    why: str


class Machine(_Advice):
    """A kind of machine and its models, the one to begin with first."""

    what: str
    choices: tuple[Choice, ...] = Field(min_length=1)


_FILE = Path(__file__).with_name("machines.yaml")
MACHINES = TypeAdapter(dict[str, Machine]).validate_python(yaml.safe_load(_FILE.read_bytes()))


def recommend(catalogue: Catalogue, machine: str | None) -> Group:
    """Return a table for one machine, for this one when `machine` is None.

    Raises ConfigError for a machine there is no advice for.
    """
    found = machine or this_machine()
    if found not in MACHINES:
        raise ConfigError(f"No machine '{found:.40}'; choose from {', '.join(MACHINES)}")
    advice = MACHINES[found]
    title = advice.what if machine else f"{advice.what} (what this machine comes closest to)"
    # A name that is cut off cannot be copied.
    name = Column("model", no_wrap=True, overflow="fold")
    table = Table("stage", name, "size", "licence", "why", title=title)
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
