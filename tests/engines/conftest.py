"""What every test with a real model shares: the models themselves."""

import os
from pathlib import Path

import pytest

from wyoming_common.settings import DEFAULT_DATA_DIR
from wyoming_common.store import ModelStore


@pytest.fixture(scope="session")
def store() -> ModelStore:
    """The models of this machine; `ensure(name)` fetches one that is missing."""
    return ModelStore([Path(os.environ.get("PARLEY_DATA_DIR", DEFAULT_DATA_DIR))])
