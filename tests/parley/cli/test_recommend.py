"""Recommended models beside the defaults of the services."""

import pytest

from parley.cli.recommend import MACHINES
from wyoming_common.models.defaults import Machine, default_models

GB = 1_000_000_000
PI_5 = frozenset({"asimd", "asimddp"})


@pytest.mark.parametrize(
    ("name", "machine"),
    [
        ("pi5-4gb", Machine(4 * GB, 4, PI_5)),
        ("pi5-8gb", Machine(8 * GB, 4, PI_5)),
        ("mini-pc", Machine(16 * GB, 4, frozenset({"avx2"}))),
    ],
)
def test_the_first_recommended_language_model_is_the_default(name: str, machine: Machine) -> None:
    first = next(choice.model for choice in MACHINES[name].choices if choice.stage == "llm")

    assert first == default_models(machine)["llm"][0][0]
