"""Whether the machine has power to spare for work that may be thrown away."""

import os
from pathlib import Path
from typing import Final

from wyoming_common.process.cpu import usable_cores

MAX_LOAD_PER_CORE: Final = 1.5
"""Mean number of runnable threads over the last minute, per core; beyond it work waits for work.
Each of a model's threads counts, so a turn every few seconds makes about 1."""
_POWER_SUPPLIES: Final = Path("/sys/class/power_supply")


def has_spare_power(supplies: Path = _POWER_SUPPLIES) -> bool:
    """Return whether the last minute's load leaves room, and no battery is being emptied.

    True where the system does not say.
    """
    try:
        load = os.getloadavg()[0]
    except OSError:
        load = 0.0
    return load <= MAX_LOAD_PER_CORE * usable_cores() and not _is_on_battery(supplies)


def _is_on_battery(supplies: Path) -> bool:
    """Whether a battery that powers the machine is discharging.

    `scope` is "Device" for the battery of a mouse or headset (Linux, sysfs-class-power).
    """
    for status in supplies.glob("*/status"):
        folder = status.parent
        if _read(status) != "discharging" or _read(folder / "scope") == "device":
            continue
        if _read(folder / "type") == "battery":
            return True
    return False


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip().lower()
    except (OSError, UnicodeDecodeError):
        return ""
