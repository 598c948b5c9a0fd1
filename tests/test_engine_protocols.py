"""Every engine has the members of its Protocol, which the registries, being text, cannot show."""

from collections.abc import Mapping
from typing import Any

import pytest

from satellite.wake import ENGINES as WAKE_ENGINES
from satellite.wake.engine import WakeDetector
from wyoming_common.errors import MissingDependency
from wyoming_common.registry import load
from wyoming_llm.engine import LlmEngine
from wyoming_llm.engines import ENGINES as LLM_ENGINES
from wyoming_stt.engine import SttEngine
from wyoming_stt.engines import ENGINES as STT_ENGINES
from wyoming_tts.engine import TtsEngine
from wyoming_tts.engines import ENGINES as TTS_ENGINES


@pytest.mark.parametrize(
    ("registry", "name", "protocol"),
    [
        pytest.param(registry, name, protocol, id=f"{protocol.__name__}-{name}")
        for registry, protocol in (
            (STT_ENGINES, SttEngine),
            (LLM_ENGINES, LlmEngine),
            (TTS_ENGINES, TtsEngine),
            (WAKE_ENGINES, WakeDetector),
        )
        for name in registry
    ],
)
def test_an_engine_has_the_methods_of_its_protocol(
    registry: Mapping[str, str], name: str, protocol: type[Any]
) -> None:
    try:
        engine = load(registry, name)
    except MissingDependency as err:
        pytest.skip(str(err))

    methods = {name for name, value in vars(protocol).items() if callable(value)}
    wanted = {name for name in methods if not name.startswith("_")}
    assert wanted
    assert {name for name in wanted if not callable(getattr(engine, name, None))} == set()
