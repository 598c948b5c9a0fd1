"""Requests as Home Assistant's llama.cpp integration sends them, and its tools' answers."""

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

HOME: list[dict[str, Any]] = [
    {"names": "Ceiling light", "domain": "light", "areas": "Kitchen, Küche", "state": "off"},
    {"names": "Bedside lamp, night light", "domain": "light", "areas": "Bedroom", "state": "on",
     "attributes": {"brightness": "51", "brightness_pct": "20"}},
    {"names": "Floor lamp", "domain": "light", "areas": "Living Room", "state": "unavailable"},
    {"names": "Front door", "domain": "lock", "areas": "Hallway", "state": "locked"},
    {"names": "Curtain", "domain": "cover", "areas": "Bedroom", "state": "closed",
     "attributes": {"device_class": "curtain", "current_position": "0"}},
    {"names": "Garage door", "domain": "cover", "state": "closed",
     "attributes": {"device_class": "garage"}},
    {"names": "Kitchen temperature", "domain": "sensor", "areas": "Kitchen, Küche",
     "state": "21.5", "attributes": {"device_class": "temperature",
                                     "unit_of_measurement": "°C"}},
    {"names": "Heating", "domain": "climate", "areas": "Living Room", "state": "heat",
     "attributes": {"temperature": 19.0, "current_temperature": 20.5}},
    {"names": "Coffee machine", "domain": "switch", "areas": "Kitchen, Küche", "state": "off"},
    {"names": "Shopping", "domain": "todo", "state": "2"},
]  # fmt: skip
_TARGET: dict[str, Any] = {
    "name": {"type": "string"}, "area": {"type": "string"}, "floor": {"type": "string"},
}  # fmt: skip
_DOMAIN = {"domain": {"type": "array", "items": {"type": "string"}}}
_INSTRUCTIONS = (
    "You are a voice assistant for Home Assistant.\n"
    "Answer questions about the world truthfully.\n"
    "Respond simply and to the point in plain text.\n"
)
_LIVE_DATA = (
    "You ARE equipped to answer questions about the current state of\nthe home by retrieving live "
    "context. This is a primary function. Do not state you lack the\nfunctionality if the question "
    "requires live data.\nFor general knowledge questions not about the home: Answer truthfully "
    "from internal knowledge.\n"
)
_CONTROL = (
    "When controlling Home Assistant always call the intent tools. Use intent__HassTurnOn to lock "
    "and intent__HassTurnOff to unlock a lock. When controlling a device, prefer passing just name "
    "and domain. When controlling an area, prefer passing just area name and domain."
)
_AREA = (
    "You are in area Kitchen (floor Ground floor) and all generic commands like 'turn on the "
    "lights' should target this area."
)


def tool(name: str, properties: Mapping[str, Any], *required: str) -> dict[str, Any]:
    parameters = {"type": "object", "properties": dict(properties), "required": list(required)}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


TOOLS = [
    tool("climate__HassClimateSetTemperature", {"temperature": {"type": "number"}, **_TARGET},
         "temperature"),
    tool("homeassistant__GetLiveContext", {
        "name": {"type": "string"}, "area": {"type": "string"},
        "domain": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}}),
    tool("intent__HassTurnOn", {**_TARGET, **_DOMAIN}),
    tool("intent__HassTurnOff", {**_TARGET, **_DOMAIN}),
    tool("intent__HassSetPosition", {**_TARGET, **_DOMAIN, "position": {
        "type": "integer", "minimum": 0, "maximum": 100}}, "position"),
    tool("intent__HassStopMoving", {**_TARGET, **_DOMAIN}),
    tool("light__HassLightSet", {**_TARGET, **_DOMAIN, "color": {"type": "string"}, "brightness": {
        "type": "integer", "minimum": 0, "maximum": 100}}),
    tool("llm__GetDateTime", {}),
    tool("todo__get_items", {"todo_list": {"type": "string", "enum": ["Shopping"]},
                             "status": {"type": "string", "enum": ["needs_action", "all"]}},
         "todo_list"),
    tool("todo__HassListAddItem", {"item": {"type": "string"}, "name": {"type": "string"}},
         "item", "name"),
]  # fmt: skip


_AMOUNT = {"type": "integer", "minimum": 0}
TIMERS = [
    tool(f"intent__{name}", {
        **dict.fromkeys(("hours", "minutes", "seconds", "start_hours", "start_minutes",
                         "start_seconds"), _AMOUNT),
        "name": {"type": "string"}, "area": {"type": "string"},
        "conversation_command": {"type": "string"}})
    for name in ("HassStartTimer", "HassCancelTimer", "HassIncreaseTimer", "HassDecreaseTimer",
                 "HassPauseTimer", "HassUnpauseTimer", "HassTimerStatus", "HassCancelAllTimers")
]  # fmt: skip
"""Of requests from a device that has timers"""
_PERCENT = {"type": "integer", "minimum": 0, "maximum": 100}
_STEP = {"anyOf": [{"type": "string", "enum": ["up", "down"]},
                   {"type": "integer", "minimum": -100, "maximum": 100}]}  # fmt: skip
_ITEM = {"item": {"type": "string"}, "name": {"type": "string"}}
MORE = [
    tool("fan__HassFanSetSpeed", {**_TARGET, **_DOMAIN, "percentage": _PERCENT}, "percentage"),
    tool("humidifier__HassHumidifierSetpoint", {
        "name": {"type": "string"}, "humidity": _PERCENT}, "name", "humidity"),
    *(tool(name, {**_TARGET, **_DOMAIN}) for name in (
        "lawn_mower__HassLawnMowerDock", "lawn_mower__HassLawnMowerStartMowing",
        "media_player__HassMediaNext", "media_player__HassMediaPause",
        "media_player__HassMediaPlayerMute", "media_player__HassMediaPlayerUnmute",
        "media_player__HassMediaPrevious", "media_player__HassMediaUnpause",
        "vacuum__HassVacuumReturnToBase", "vacuum__HassVacuumStart")),
    tool("media_player__HassSetVolume", {**_TARGET, **_DOMAIN, "volume_level": _PERCENT},
         "volume_level"),
    tool("media_player__HassSetVolumeRelative", {**_TARGET, "volume_step": _STEP}, "volume_step"),
    tool("todo__HassListCompleteItem", _ITEM, "item", "name"),
    tool("todo__HassListRemoveItem", _ITEM, "item", "name"),
    tool("vacuum__HassVacuumCleanArea", {**_TARGET, **_DOMAIN}, "area"),
]  # fmt: skip
"""Of homes with further kinds of things"""


def shown(home: Sequence[Mapping[str, Any]], *keys: str) -> str:
    listed = [{key: one[key] for key in one if key in keys} for one in home]
    return yaml.dump(listed, sort_keys=False, allow_unicode=True)


def system(home: Sequence[Mapping[str, Any]] = HOME, area: str = _AREA) -> str:
    static = shown(home, "names", "domain", "areas")
    heading = "Static Context: An overview of the areas and the devices in this smart home:"
    api = "\n".join((_LIVE_DATA, heading, static))
    return "\n".join((_INSTRUCTIONS, "\n".join((api, f"{_CONTROL}\n{area}"))))


def live(home: Sequence[Mapping[str, Any]] = HOME) -> dict[str, Any]:
    """Return what GetLiveContext answers."""
    keys = ("names", "domain", "state", "areas", "attributes")
    heading = "Live Context: An overview of the areas and the devices in this smart home:"
    return {"result": f"{heading}\n{shown(home, *keys)}"}


def done(name: str = "") -> dict[str, Any]:
    """Return what an intent answers."""
    success = [{"name": name, "type": "entity", "id": "light.x"}]
    return {
        "speech": {},
        "response_type": "action_done",
        "data": {"success": success, "failed": []},
    }


class FakeAssist:
    """The home behind the tools: `state` of each entity by its name."""

    def __init__(self, home: Sequence[Mapping[str, Any]] = HOME) -> None:
        self.home: list[dict[str, Any]] = copy.deepcopy([dict(one) for one in home])
        self.called: list[tuple[str, dict[str, Any]]] = []
        self.fails: set[str] = set()
        """Names of tools, without prefix, that raise"""
        self.ignores: set[str] = set()
        """Names of entities to which nothing happens"""

    def answer(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Do what a call asks for; returns the content of the tool's message."""
        self.called.append((name, arguments))
        plain = name.rpartition("__")[2]
        if plain in self.fails:
            error = {"error": "IntentHandleError", "error_text": "Failed to call turn_on"}
            return {"data": error, "error": True}
        if plain == "GetLiveContext":
            found = list(self._matching(arguments))
            return {"data": live(found), "error": False}
        if plain == "get_items":
            items = [{"summary": "milk"}, {"summary": "eggs"}]
            return {"data": {"items": items}, "error": False}
        for one in self._matching(arguments):
            self._change(one, plain, arguments)
        return {"data": done(str(arguments.get("name", ""))), "error": False}

    def state(self, name: str) -> str:
        return next(str(one["state"]) for one in self.home if one["names"].startswith(name))

    def _matching(self, arguments: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        for one in self.home:
            domains = arguments.get("domain", [one["domain"]])
            if one["domain"] not in domains:
                continue
            if "name" not in arguments or arguments["name"] in one["names"].split(", "):
                yield one

    def _change(self, one: dict[str, Any], intent: str, arguments: Mapping[str, Any]) -> None:
        if one["names"] in self.ignores or one["state"] == "unavailable":
            return
        on = {"cover": "opening", "lock": "locked"}.get(one["domain"], "on")
        off = {"cover": "closing", "lock": "unlocked"}.get(one["domain"], "off")
        attributes = one.setdefault("attributes", {})
        match intent:
            case "HassTurnOn":
                one["state"] = on
            case "HassTurnOff":
                one["state"] = off
            case "HassLightSet":
                one["state"] = "on"
                attributes["brightness"] = str(round(arguments.get("brightness", 100) * 2.55))
            case "HassSetPosition":
                one["state"] = "open"
                attributes["current_position"] = str(arguments["position"])
            case "HassClimateSetTemperature":
                attributes["temperature"] = arguments["temperature"]


def body(messages: Sequence[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
    """Return a request of the integration's."""
    return {
        "model": "any", "messages": list(messages), "tools": TOOLS, "max_tokens": 3000,
        "temperature": 0.7, "top_p": 1.0, "user": "01KB", **more,
    }  # fmt: skip


def tool_message(call_id: str, content: Mapping[str, Any]) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": json.dumps(content)}
