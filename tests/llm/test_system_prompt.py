from datetime import UTC, datetime

import pytest

from wyoming_common.errors import ConfigError
from wyoming_llm.dialogue.system_prompt import Surroundings, SystemPrompt

NOW = datetime(2026, 11, 21, 10, 5, tzinfo=UTC)


def test_instructions_know_time_place_and_area() -> None:
    instructions = SystemPrompt("{{ time }} {{ date }} {{ place }} {{ area }} {{ language }}")

    text = instructions.render(Surroundings(NOW, "Leeds", "kitchen", "en"))

    assert text == "10:05 Saturday, 21 November 2026 Leeds kitchen en"


def test_the_time_comes_after_the_prefix_that_is_prefilled() -> None:
    instructions = SystemPrompt("")
    around = Surroundings(NOW, "Leeds")

    beginning = instructions.shared_prefix(around)

    assert instructions.render(around).startswith(beginning)
    assert len(beginning) > 100
    assert "10:05" not in beginning


@pytest.mark.parametrize("template", ["{{ time", "@/no/such/file", "{{ 1/0 }}"])
def test_a_broken_prompt_is_refused_at_start(template: str) -> None:
    with pytest.raises(ConfigError):
        SystemPrompt(template)
