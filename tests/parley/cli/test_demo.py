"""The demonstration takes the best language model that is here, and never waits for a large one."""

from pathlib import Path

import pytest

from parley.cli.demo import language_model
from wyoming_common.models import ModelStore

TIERS = (("large", "large-of-wheels"), ("medium",), ("small",))


@pytest.mark.parametrize(
    ("installed", "chosen"),
    [
        ([], "small"),
        (["small"], "small"),
        (["medium"], "medium"),
        (["small", "large-of-wheels"], "large-of-wheels"),
    ],
)
def test_the_best_installed_model_is_chosen_or_else_the_smallest(
    tmp_path: Path, installed: list[str], chosen: str
) -> None:
    class Store(ModelStore):
        def find(self, name: str) -> Path | None:
            return tmp_path if name in installed else None

    assert language_model(Store([tmp_path]), TIERS) == chosen
