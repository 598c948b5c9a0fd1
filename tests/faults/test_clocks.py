"""A clock that jumps: nothing waits by it. What must be counted is counted by the steady one."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("wyoming_common", "wyoming_stt", "wyoming_llm", "wyoming_tts", "satellite")
SHOWN = {
    "wyoming_common/telemetry.py",  # the time in a report
    "wyoming_llm/http/door.py",  # `created`, as OpenAI has it
    "wyoming_llm/engines/prefix_store.py",  # the age of a file in a cache: files know no other
}
"""Where the wall clock is read to be shown, or by what decides no more than what a cache drops."""
WALL = {"time", "time_ns"}


def test_the_wall_clock_is_read_only_to_be_shown() -> None:
    found = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if (
                    isinstance(node, ast.Attribute)
                    and isinstance(node.value, ast.Name)
                    and (node.value.id, node.attr) in {("time", name) for name in WALL}
                ):
                    found.add(path.relative_to(ROOT).as_posix())

    assert found == SHOWN
