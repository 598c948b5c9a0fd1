"""docs/threat-model.md and the defences in the code name each other."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/threat-model.md").read_text(encoding="utf-8")
THREATS = re.compile(r"\bT\d+\b")
PACKAGES = ("wyoming_common", "satellite", "wyoming_stt", "wyoming_llm", "wyoming_tts")


def defences() -> dict[str, set[str]]:
    """Return the threats that each module says it defends against, by its path."""
    found = {}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            if match := re.search(r"Defends\s+against([^.]*?)of\s+docs/threat-model\.md", text):
                found[path.relative_to(ROOT).as_posix()] = set(THREATS.findall(match[1]))
    return found


def test_every_threat_of_the_page_has_a_defence_and_every_defence_a_threat() -> None:
    listed = set(re.findall(r"^\| (T\d+) \|", PAGE, re.MULTILINE))

    named = set().union(*defences().values())

    assert listed
    assert named == listed


def test_every_module_that_the_page_names_says_so_and_exists() -> None:
    rows = re.findall(r"^\| (T\d+) \|.*?\|(.*)\|$", PAGE, re.MULTILINE)
    said = defences()

    for threat, cell in rows:
        for name in re.findall(
            r"`((?:net|http|process|models|satellite)/[\w/.]*|model_thread\.py)`", cell
        ):
            paths = [path for path in said if path.endswith(name) or f"/{name}" in path]
            assert any(threat in said[path] for path in paths), f"{name} does not name {threat}"
