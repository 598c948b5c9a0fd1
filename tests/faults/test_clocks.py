"""Wall clock: no wait and no count depends on it, because it may jump."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("parley", "wyoming_common", "wyoming_stt", "wyoming_llm", "wyoming_tts", "satellite")
SHOWN = {
    "parley/dashboard/wake_words.py",  # the wakes of today, and the names of recordings
    "satellite/wake/wake_recorder.py",  # the names of recordings
    "wyoming_common/telemetry/recorder.py",  # the time in a report
    "wyoming_llm/http/server.py",  # `created`, as OpenAI has it
    "wyoming_llm/kv_cache/disk.py",  # the age of a file in a cache: files know no other
}
"""Modules that read the wall clock to show it, or to choose what a cache drops."""
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
