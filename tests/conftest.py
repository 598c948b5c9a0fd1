"""Marks of all tests: `engines` for tests that run more than our own code."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import settings

# A machine that does something else meanwhile is no reason for a test to fail.
settings.register_profile("parley", deadline=None)
settings.load_profile("parley")

HERE = Path(__file__).parent
REAL = tuple(
    HERE / part
    for part in (
        "engines",
        "homeassistant",
        "dashboard/test_page.py",
        "faults",
        "fuzz",
    )
)
"""Real models, a real Home Assistant, browser or proxy, and floods: minutes, not seconds."""


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    for item in items:
        if any(part == item.path or part in item.path.parents for part in REAL):
            item.add_marker(pytest.mark.engines)
