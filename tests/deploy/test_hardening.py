"""Hardening of the systemd units against a service that was taken over."""

import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = sorted((Path(__file__).parents[2] / "deploy" / "systemd").glob("*.service"))


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: str(unit.stem))
def test_systemd_finds_little_exposed(unit: Path) -> None:
    # 0 to 100, in tenths of what is shown: a unit that says nothing has 96.
    command = ["systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold=25"]

    done = subprocess.run([*command, unit], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout.splitlines()[-1]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: str(unit.stem))
def test_a_service_is_not_root_and_comes_back(unit: Path) -> None:
    lines = unit.read_text(encoding="utf-8").splitlines()

    assert {"User=parley", "NoNewPrivileges=yes", "Restart=on-failure"} <= set(lines)
    assert ("WatchdogSec=60" in lines) == ("satellite" not in unit.stem)
