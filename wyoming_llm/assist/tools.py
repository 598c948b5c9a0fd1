"""The tools of Home Assistant's Assist in a request, and calls of them by their schemas. No I/O."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from wyoming_common.home_assistant.home import Entity, Home
from wyoming_llm.home.intent import Action, Lookup

LIVE_CONTEXT: Final = "GetLiveContext"
_LIST_ITEMS: Final = ("get_items", "todo_get_items")
_EVENTS: Final = ("get_events", "calendar_get_events")
_OWN: Final = frozenset(
    {LIVE_CONTEXT, "GetDateTime", "search_media", "play_media", *_LIST_ITEMS, *_EVENTS}
)
_INTENT: Final = re.compile(r"Hass[A-Z][A-Za-z]+")
_NOT_OWN: Final = ("intent_script",)
_SCRIPT: Final = "script"
_ALIASES: Final = re.compile(r"(?:(?P<about>.*)\. )?Aliases: \[(?P<names>.*)\]", re.DOTALL)
_INTENTS: Final[Mapping[str, str]] = {
    "cover.stop_cover": "HassStopMoving",
    "humidifier.set_humidity": "HassHumidifierSetpoint",
    "humidifier.set_mode": "HassHumidifierMode",
}
"""Intents that do what a service does"""
_MAX_DAYS: Final = 6
"""From today, of the appointments that the calendar tool tells"""


@dataclass(frozen=True, slots=True)
class CalledTool:
    """A call of a tool, before it has an id."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ScriptTool:
    """A script that is a tool of its own."""

    tool: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AssistTools:
    """The tools of one request by their names without prefixes."""

    tools: Mapping[str, Mapping[str, Any]]
    """Assist's own, as OpenAI functions"""
    scripts: tuple[ScriptTool, ...] = ()
    others: bool = False
    """Whether there are tools that only the model can judge"""

    @classmethod
    def of(cls, offered: Sequence[Mapping[str, Any]]) -> "AssistTools":
        """Sort the tools of a request."""
        own: dict[str, Mapping[str, Any]] = {}
        scripts: list[ScriptTool] = []
        others = False
        for tool in offered:
            function = tool["function"]
            prefix, _, plain = str(function["name"]).rpartition("__")
            origin = prefix.rpartition("__")[2]
            known = plain in _OWN or _INTENT.fullmatch(plain)
            if origin not in _NOT_OWN and known and plain not in own:
                own[plain] = function
            elif origin == _SCRIPT and (script := _script(function, plain)) is not None:
                scripts.append(script)
            else:
                others = True
        return cls(own, tuple(scripts), others)

    @property
    def are_of_assist(self) -> bool:
        """Whether the request is one of Assist's."""
        return LIVE_CONTEXT in self.tools or "HassTurnOn" in self.tools

    def has(self, name: str) -> bool:
        """Whether a tool is offered, by its name without prefix."""
        return name in self.tools

    def look(self, targets: Sequence[Entity] = (), home: Home | None = None) -> CalledTool | None:
        """Return the call that tells states: of everything, or of some entities."""
        arguments: dict[str, Any] = {}
        if targets:
            arguments["domain"] = sorted({entity.domain for entity in targets})
        if len(targets) == 1 and home is not None:
            arguments["name"] = targets[0].name
        return self._called(LIVE_CONTEXT, arguments, required=())

    def act(self, action: Action, home: Home) -> CalledTool | None:
        """Return the call that does an action, None where no tool can."""
        target = action.target
        if target is not None and target.domain == _SCRIPT:
            return self._started(target, action)
        intent = _INTENTS.get(action.intent, action.intent)
        arguments = {key: value for key, value in action.slots.items() if value not in (None, "")}
        required = tuple(arguments)
        if target is not None:
            arguments["name"] = target.name
            arguments["domain"] = [target.domain]
            required = (*required, "name")
            twins = _twins(target, home)
            if twins:
                if not target.area or any(twin.area == target.area for twin in twins):
                    return None
                arguments["area"] = target.area
                required = (*required, "area")
        return self._called(intent, arguments, required)

    def asks(self, lookup: Lookup, home: Home) -> list[CalledTool]:
        """Return the calls that answer a lookup, [] where no tool does."""
        calls: list[CalledTool | None] = []
        for target in lookup.targets:
            if _twins(target, home):
                return []
            if lookup.service == "todo.get_items":
                arguments = {"todo_list": target.name, "status": "needs_action"}
                calls.append(self._first(_LIST_ITEMS, arguments, ("todo_list",)))
            elif lookup.service == "calendar.get_events" and (lookup.day or 0) <= _MAX_DAYS:
                arguments = {"calendar": target.name, "range": "week" if lookup.day else "today"}
                calls.append(self._first(_EVENTS, arguments, ("calendar", "range")))
            else:
                return []
        return [call for call in calls if call is not None] if all(calls) else []

    def calendars(self) -> tuple[str, ...]:
        """Return the names of the calendars that can be asked."""
        for name in _EVENTS:
            schema = _properties(self.tools.get(name)).get("calendar")
            names = schema.get("enum") if isinstance(schema, Mapping) else None
            if isinstance(names, list):
                return tuple(name for name in names if isinstance(name, str) and name.strip())
        return ()

    def _started(self, target: Entity, action: Action) -> CalledTool | None:
        found = [script for script in self.scripts if target.name == script.names[0]]
        if len(found) != 1 or action.deed not in ("activate", "on", "start"):
            return None
        return CalledTool(found[0].tool)

    def _first(
        self, names: Sequence[str], arguments: Mapping[str, Any], required: Sequence[str]
    ) -> CalledTool | None:
        name = next((name for name in names if name in self.tools), "")
        return self._called(name, arguments, required)

    def _called(
        self, name: str, arguments: Mapping[str, Any], required: Sequence[str]
    ) -> CalledTool | None:
        """Return a call by the tool's schema, None where that has no place for what is required."""
        function = self.tools.get(name)
        if function is None:
            return None
        properties = _properties(function)
        fitted: dict[str, Any] = {}
        for key, value in arguments.items():
            schema = properties.get(key)
            fit = _fitted(value, schema) if isinstance(schema, Mapping) else None
            if fit is not None:
                fitted[key] = fit
            elif key in required:
                return None
        parameters = function.get("parameters")
        needed = parameters.get("required") if isinstance(parameters, Mapping) else None
        if isinstance(needed, list) and not set(map(str, needed)) <= fitted.keys():
            return None
        return CalledTool(str(function["name"]), fitted)


def arguments_of(text: str) -> Any:
    """Return the arguments of a call as values, None where they are no JSON."""
    try:
        return json.loads(text or "{}")
    except (ValueError, RecursionError):
        return None


def _twins(target: Entity, home: Home) -> list[Entity]:
    """Return the other entities of its domain that are called as `target` is."""
    name = target.name.casefold()
    return [
        entity
        for entity in home.entities.values()
        if entity is not target
        and entity.domain == target.domain
        and name in {other.casefold() for other in entity.names}
    ]


def _script(function: Mapping[str, Any], slug: str) -> ScriptTool | None:
    """Return a script that its name says all of, None for one that a model has to read about."""
    parameters = function.get("parameters")
    if _properties(function) or (isinstance(parameters, Mapping) and parameters.get("required")):
        return None
    names = (slug.replace("_", " ").strip(),)
    about = str(function.get("description") or "")
    if (aliases := _ALIASES.fullmatch(about)) is not None:
        about = aliases["about"] or ""
        names += tuple(re.findall(r"['\"]([^'\"]+)['\"]", aliases["names"]))
    return None if about.strip() or not names[0] else ScriptTool(str(function["name"]), names)


def _properties(function: Mapping[str, Any] | None) -> Mapping[str, Any]:
    parameters = (function or {}).get("parameters")
    properties = parameters.get("properties") if isinstance(parameters, Mapping) else None
    return properties if isinstance(properties, Mapping) else {}


def _fitted(value: Any, schema: Mapping[str, Any]) -> Any:
    """Return a value as a schema wants it, None where it does not fit."""
    for choices in (schema.get("anyOf"), schema.get("oneOf")):
        if isinstance(choices, list):
            fits = (_fitted(value, one) for one in choices if isinstance(one, Mapping))
            return next((fit for fit in fits if fit is not None), None)
    match schema.get("type"):
        case "array":
            return _fitted_array(value, schema)
        case "integer" | "number":
            return _fitted_number(value, schema)
        case "string":
            value = value[0] if isinstance(value, list) and len(value) == 1 else value
            value = None if isinstance(value, list) else str(value)
    allowed = schema.get("enum")
    return value if not isinstance(allowed, list) or value in allowed else None


def _fitted_array(value: Any, schema: Mapping[str, Any]) -> list[Any] | None:
    items = schema.get("items")
    values = value if isinstance(value, list) else [value]
    fitted = [_fitted(one, items) if isinstance(items, Mapping) else one for one in values]
    return None if any(one is None for one in fitted) else fitted


def _fitted_number(value: Any, schema: Mapping[str, Any]) -> int | float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    if schema.get("type") == "integer" and not number.is_integer():
        return None
    for bound, sign in (("minimum", 1), ("maximum", -1)):
        limit = schema.get(bound)
        if isinstance(limit, int | float) and (number - limit) * sign < 0:
            return None
    return int(number) if number.is_integer() else number
