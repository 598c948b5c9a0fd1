"""Fixtures of the model store: a fake hub."""

from collections.abc import Iterator

import pytest

from tests.common.models.fake_hub import Hub, run_hub
from tests.common.models.stores import BIG


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with run_hub() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        running.files = {"model.bin": BIG, "config.json": b"{}"}
        running.lfs = {"model.bin"}
        yield running
