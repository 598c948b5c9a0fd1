"""What is said in a language of home-assistant-intents, in its words for errors."""

import functools
from collections.abc import Mapping
from typing import Any, Final

_FAILED: Final = "handle_error"
_PHRASES: Final[Mapping[str, str]] = {
    "unheard": "[no_intent]",
    "too_long": "[no_intent]",
    "no_answer": "[no_intent]",
    "busy": "[handle_error]",
    "failed": "[handle_error]",
    "cannot_ask": "[handle_error]",
    "will_not": "OK",
    "really": "{names}?",
    "many": "{count}?",
    "shall_turn_on": "{name}?",
    "shall_turn_off": "{name}?",
    "shall_set": "{name}: {percent} %?",
    "no_timers": "[no_timer_support]",
    "home_silent": "[handle_error]",
    "did_not_work": "[handle_error]. {problem}",
    "some_failed": "[handle_error]: {names}",
    "done": "OK",
    "late": "[handle_error]: {names}",
    "but_late": "{text}. [handle_error]: {names}",
    "unavailable": "[handle_error]: {names}",
    "unavailable_many": "[handle_error]: {names}",
    "no_name": "[no_entity]",
    "nothing_in": "{name}: [feature_not_supported]",
    "nothing": "[feature_not_supported]",
    "not_known": "[no_entity]",
    "not_able": "{name}: [feature_not_supported]",
    "state_is": "{name}: {state}",
    "one_done": "{name}: OK",
    "one_set": "{name}: OK",
    "and": "{names}, {last}",
    "more": "{names} + {count}",
    "no_home": "[feature_not_supported]",
    "ok": "OK",
    "not_understood": "[no_intent]",
    "cannot": "[feature_not_supported]",
}
"""Our phrases; [key] is an error of the package's."""


def spelling_of(code: str) -> str | None:
    """Return how the package spells a language ("pt_BR", "zh", "NO"), None where it has none."""
    from home_assistant_intents import get_languages

    plain = code.replace("_", "-").lower()
    base = plain.partition("-")[0]
    base = {"no": "nb", "nn": "nb", "iw": "he"}.get(base, base)
    known = {name.lower(): name for name in sorted(get_languages(), reverse=True)}
    for name in (plain, base):
        if name in known:
            return known[name]
    return next((name for key, name in reversed(known.items()) if key.startswith(f"{base}-")), None)


def borrowed(code: str) -> dict[str, str] | None:
    """Return every phrase in the words of the package, None for a language that it has not."""
    errors: Mapping[str, str] = content_of(code).get("responses", {}).get("errors", {})
    if not errors.get("no_intent") or not errors.get(_FAILED):
        return None
    said = {key: _said(template) for key, template in errors.items()}
    return {key: _filled(phrase, said) for key, phrase in _PHRASES.items()}


@functools.lru_cache(maxsize=1)
def content_of(code: str) -> Mapping[str, Any]:
    """Return everything the package has of a language: intents, rules, responses; {} for none."""
    from home_assistant_intents import get_intents

    name = spelling_of(code)
    content: Mapping[str, Any] = (get_intents(name) if name else None) or {}
    return content


def _filled(phrase: str, said: Mapping[str, str]) -> str:
    for key in ("no_intent", _FAILED, "no_timer_support", "no_entity", "feature_not_supported"):
        phrase = phrase.replace(f"[{key}]", said.get(key) or said["no_intent"])
    return phrase


def _said(template: str) -> str:
    """Return a template of the package's as one of ours, which know a thing by {name}."""
    from wyoming_llm.home.speech import render

    return render(template, entity="{name}").rstrip(" .\u3002")
