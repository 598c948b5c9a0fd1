"""What several tests of the model store need."""

from collections.abc import Iterator

import pytest

from tests.common.hub import Hub, run_hub
from tests.common.stores import BIG


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with run_hub() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        running.files = {"model.bin": BIG, "config.json": b"{}"}
        running.lfs = {"model.bin"}
        yield running
