"""Sentences of people in described homes do over HTTP what they do over Wyoming, or go on."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bench import home_sets
from bench.offline_home import OfflineHome, read_home
from tests.llm.assist_request import MORE, TIMERS, TOOLS, live, shown
from tests.llm.house import RECOGNITION
from wyoming_common.home_assistant.home import Entity, Home, State
from wyoming_common.model_thread import ModelThread
from wyoming_llm.assist.agent import AskModel, AssistAgent, CallTools, Step
from wyoming_llm.config import LlmSettings
from wyoming_llm.engine import Message, Prompt, ToolCall
from wyoming_llm.home.intent import Command
from wyoming_llm.home.targets import HomeSnapshot

HOMES = Path(home_sets.OWN)
_SHOWN = {
    "temperature", "current_temperature", "temperature_unit", "brightness", "humidity",
    "unit_of_measurement", "device_class", "current_position", "percentage", "volume_level",
    "media_title", "media_artist", "media_album_name",
}  # fmt: skip
_OWN_TOOLS = ("script", "calendar")
_UNTOLD = {"turn the lounge lights red", "back"}
"""Sentences that depend on what a lamp or a player supports, which no overview tells"""
_MIN_SHARE = 0.9
"""Of the commands that Assist's tools can do"""


def listed(home: Home, states: Mapping[str, State]) -> list[dict[str, Any]]:
    """Return what Home Assistant lists of a home."""
    return [
        _entry(entity, home, states[entity.id])
        for entity in home.entities.values()
        if entity.domain not in _OWN_TOOLS
    ]


def _entry(entity: Entity, home: Home, state: State) -> dict[str, Any]:
    area = home.areas.get(entity.area)
    attributes = {
        name: str(value) if isinstance(value, int) else value
        for name, value in state.attributes.items()
        if name in _SHOWN
    }
    entry = {"names": ", ".join(entity.names), "domain": entity.domain, "state": state.value}
    return {
        **entry,
        **({"areas": ", ".join(area.names)} if area else {}),
        **({"attributes": attributes} if attributes else {}),
    }


async def answered(agent: AssistAgent, text: str, home: Home, area: str, rows: Any) -> Step:
    """Return the step that follows once states were looked at, if they had to be."""
    speaker = home.areas.get(area)
    place = f"You are in area {speaker.name} and all generic commands" if speaker else ""
    heading = "Static Context: An overview of the areas and the devices in this smart home:"
    overview = shown(rows, "names", "domain", "areas")
    messages = (Message("system", f"{heading}\n{overview}\n{place}"), Message("user", text))
    tools = (*TOOLS, *MORE, *TIMERS)
    step = await agent.step(Prompt(messages, tools))
    if isinstance(step, CallTools) and step.calls[0].name.endswith("GetLiveContext"):
        look = ToolCall("one", step.calls[0].name, "{}")
        result = json.dumps({"data": live(rows), "error": False})
        more = (Message("assistant", "", (look,)), Message("tool", result, (), "one"))
        step = await agent.step(Prompt((*messages, *more), tools))
    return step


@pytest.mark.parametrize(
    ("home", "language"),
    [("terrace", "en"), *(("five", code) for code in ("de", "fr", "es", "nl", "it"))],
)
async def test_a_sentence_does_the_same_with_assists_tools_or_is_the_models(
    home: str, language: str
) -> None:
    described = read_home(HOMES / f"offline_{home}.yaml", language)
    offline = OfflineHome(described, RECOGNITION)
    recognition = ModelThread("recognition", lambda: RECOGNITION)
    agent = AssistAgent(LlmSettings(zeroconf="off", http_uri="off"), recognition)
    rows = listed(offline.home, offline.states)
    same, other, wrong = 0, 0, []
    for area, text, _ in described["sentences"][language]:
        snapshot = HomeSnapshot(offline.home, offline.states, area)
        wanted = RECOGNITION.recognise(text, language, snapshot)
        if "|" in text or text in _UNTOLD:
            continue
        step = await answered(agent, text, offline.home, area, rows)
        if isinstance(step, CallTools):
            called = _called(step)
            if isinstance(wanted, Command) and called != _wanted(wanted):
                wrong.append((text, called, _wanted(wanted)))
        if isinstance(wanted, Command) and not _needs_more(wanted):
            same += not isinstance(step, AskModel)
            other += isinstance(step, AskModel)
        if wanted is None:
            assert not isinstance(step, CallTools), text
    await recognition.aclose()

    assert wrong == []
    assert same >= _MIN_SHARE * (same + other), (same, other)


def _called(step: CallTools) -> set[tuple[str, str]]:
    return {
        (call.name.rpartition("__")[2], _target(call.name, call.arguments))
        for call in step.calls
        if not call.name.endswith("GetLiveContext")
    }


def _target(name: str, arguments: Mapping[str, Any]) -> str:
    return "" if name.endswith(("Timer", "Timers", "Status")) else str(arguments.get("name", ""))


def _wanted(command: Command) -> set[tuple[str, str]]:
    intents = {"cover.stop_cover": "HassStopMoving",
               "humidifier.set_humidity": "HassHumidifierSetpoint"}  # fmt: skip
    return {
        (intents.get(action.intent, action.intent), action.target.name if action.target else "")
        for action in command.actions
    }


def _needs_more(command: Command) -> bool:
    """Whether a command needs a service for which Assist has no tool."""
    return any("." in intent for intent, _ in _wanted(command)) or any(
        action.target is not None and action.target.domain == "script" for action in command.actions
    )
