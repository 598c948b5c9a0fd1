"""Fallback phrases from the error responses of home-assistant-intents."""

import functools
from collections.abc import Mapping
from typing import Any, Final

from wyoming_llm.languages.templates import render

_FAILED: Final = "handle_error"
_PHRASES: Final[Mapping[str, str]] = {
    "unheard": "[no_intent]",
    "too_long": "[no_intent]",
    "no_answer": "[no_intent]",
    "busy": "[handle_error]",
    "failed": "[handle_error]",
    "cannot_ask": "[handle_error]",
    "will_not": "OK",
    "not_you": "[handle_error]",
    "many": "{count}?",
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
    "and": "{names}, {last}",
    "more": "{names} + {count}",
    "no_home": "[feature_not_supported]",
    "ok": "OK",
    "not_understood": "[no_intent]",
    "cannot": "[feature_not_supported]",
    "which_one": "{names}?",
    "or": "{names}, {last}",
    "nearest": "{said}? {name}?",
    "dont_know": "[no_intent]",
    "since": "{name}: {state} ({time})",
    "no_reading": "{name}: ?",
    "is_off": "{name}: off",
    "out_of_range": "{name}: {low} - {high}",
    "no_color": "{name}: [feature_not_supported]",
    "no_color_many": "{names}: [feature_not_supported]",
    "already": "{name}: {now}. {value}?",
    "not_so": "[no_intent]",
    "and_unknown": "{text}. {names}: ?",
    "did_on": "{names}: OK",
    "did_off": "{names}: OK",
    "did_open": "{names}: OK",
    "did_close": "{names}: OK",
    "did_opening": "{names}: OK",
    "did_closing": "{names}: OK",
    "did_lock": "{names}: OK",
    "did_unlock": "{names}: OK",
    "did_locking": "{names}: OK",
    "did_unlocking": "{names}: OK",
    "did_set": "{names}: {value}",
    "did_start": "{names}: OK",
    "did_dock": "{names}: OK",
    "did_pause": "{names}: OK",
    "did_resume": "{names}: OK",
    "did_next": "{names}: OK",
    "did_previous": "{names}: OK",
    "did_mute": "{names}: OK",
    "did_unmute": "{names}: OK",
    "did_louder": "{names}: OK",
    "did_quieter": "{names}: OK",
    "did_activate": "{names}: OK",
    "did_cool": "{names}: OK",
    "did_arm": "{names}: OK",
    "did_disarm": "{names}: OK",
    "did_list": "{names}: {value}",
    "did_remove": "{names}: {value}",
    "did_complete": "{names}: {value}",
    "ask_on": "{names}?",
    "ask_off": "{names}?",
    "ask_open": "{names}?",
    "ask_close": "{names}?",
    "ask_lock": "{names}?",
    "ask_unlock": "{names}?",
    "ask_set": "{names} {value}?",
    "ask_disarm": "{names}?",
    "ask_arm": "{names}?",
    "ask_do": "{names}?",
    "yes": "OK",
    "no": "[no_intent]",
    "yes_names": "{names}",
    "no_names": "{names}",
    "no_but": "{state}",
    "none_of": "0",
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
    return render(template, entity="{name}").rstrip(" .\u3002")
