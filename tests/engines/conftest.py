"""What every test with a real model shares: the models themselves."""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from wyoming_common.settings import DEFAULT_DATA_DIR
from wyoming_common.store import ModelStore

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.engines)


@pytest.fixture(scope="session")
def store() -> ModelStore:
    """The models of this machine; `ensure(name)` fetches one that is missing."""
    return ModelStore([Path(os.environ.get("PARLEY_DATA_DIR", DEFAULT_DATA_DIR))])
