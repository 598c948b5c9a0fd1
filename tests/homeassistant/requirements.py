"""Print what the integrations under test require: requirements.py HOMEASSISTANT_PACKAGE.

Home Assistant installs requirements when an integration is set up; the machine under test has no
network, so they are installed beforehand.
"""

import json
import re
import sys
from pathlib import Path

INTEGRATIONS = {"wyoming", "assist_pipeline", "assist_satellite", "llama_cpp", "zeroconf"} | {
    "esphome",
    "hassio",
    "improv_ble",
    "recorder",
    "stream",
}
"""Beside the ones that Home Assistant always sets up."""
LOOSE_PINS = frozenset({"aioesphomeapi"})
"""Packages that are released every few days, so that a mirror of PyPI may not have the version that
Home Assistant pins: the newest one up to it is taken."""


def main(package: Path) -> None:
    bootstrap = (package / "bootstrap.py").read_text(encoding="utf-8")
    block = re.search(r"^DEFAULT_INTEGRATIONS = \{(.*?)^\}", bootstrap, re.DOTALL | re.MULTILINE)
    assert block is not None, "bootstrap.py has no DEFAULT_INTEGRATIONS"
    waiting = INTEGRATIONS | set(re.findall(r'^\s+"([a-z0-9_]+)"', block[1], re.MULTILINE))
    seen: set[str] = set()
    requirements: set[str] = set()
    while waiting:
        seen.add(domain := waiting.pop())
        manifest = package / "components" / domain / "manifest.json"
        if manifest.exists():
            content = json.loads(manifest.read_text(encoding="utf-8"))
            requirements.update(map(_loosen, content.get("requirements", [])))
            waiting |= set(content.get("dependencies", [])) - seen
    sys.stdout.write("\n".join(sorted(requirements)) + "\n")


def _loosen(requirement: str) -> str:
    name, _, version = requirement.partition("==")
    return f"{name}<={version}" if name in LOOSE_PINS else requirement


if __name__ == "__main__":
    main(Path(sys.argv[1]))
