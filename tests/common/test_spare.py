import os
from pathlib import Path

import pytest

from wyoming_common.process import spare
from wyoming_common.process.spare import has_spare_power


def supply(folder: Path, **facts: str) -> None:
    battery = folder / "BAT0"
    battery.mkdir()
    for name, value in facts.items():
        (battery / name).write_text(f"{value}\n")


@pytest.fixture(autouse=True)
def load(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    measured = [0.5, 0.0, 0.0]
    monkeypatch.setattr(os, "getloadavg", lambda: tuple(measured))
    monkeypatch.setattr(spare, "usable_cores", lambda: 2)
    return measured


def test_an_idle_machine_has_power_to_spare(tmp_path: Path) -> None:
    assert has_spare_power(tmp_path)


def test_a_busy_machine_has_none(tmp_path: Path, load: list[float]) -> None:
    load[0] = 3.5

    assert not has_spare_power(tmp_path)


@pytest.mark.parametrize(
    ("facts", "spares"),
    [
        ({"status": "Discharging", "type": "Battery"}, False),
        ({"status": "Charging", "type": "Battery"}, True),
        ({"status": "Discharging", "type": "Battery", "scope": "Device"}, True),
    ],
)
def test_a_machine_on_its_battery_has_none(
    tmp_path: Path, facts: dict[str, str], *, spares: bool
) -> None:
    supply(tmp_path, **facts)

    assert has_spare_power(tmp_path) is spares
