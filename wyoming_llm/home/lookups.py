"""Questions that services of Home Assistant answer: forecasts, calendars and to-do lists."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from wyoming_common.errors import Unavailable
from wyoming_common.home_assistant.client import HomeAssistant
from wyoming_common.home_assistant.home import Entity
from wyoming_llm.home.intent import Answer, Lookup, Refusal, Result
from wyoming_llm.home.lexicon import PUNCTUATION, tokenize
from wyoming_llm.home.operations import deed_of_words
from wyoming_llm.home.responses import Shown, say
from wyoming_llm.home.targets import GONE, HomeSnapshot, Index
from wyoming_llm.home.timers_and_lists import list_phrase
from wyoming_llm.languages import Language
from wyoming_llm.languages.intents_fallback import content_of

_IDLE: Final = (
    "skip",
    "remaining",
    "in",
    "to",
    "questions",
    "any",
    "all",
    "house",
    "pronoun",
    "outside",
)
_RAINY: Final = ("rainy", "pouring", "lightning-rainy", "snowy-rainy", "hail")
_SNOWY: Final = ("snowy", "snowy-rainy")
_MIN_PROBABILITY: Final = 50.0
"""Percent from which rain is expected"""
_MAX_EVENTS: Final = 5
_MAX_ITEMS: Final = 12
_MIN_QUESTION: Final = 3
"""Words of a phrase that is a question by itself"""
_SUN: Final = ("sunset", "sunrise", "sun")


def look_up(  # noqa: C901, PLR0911, PLR0912
    tokens: Sequence[str], index: Index, snapshot: HomeSnapshot, words: Language, now: datetime
) -> Result | None:
    """Return the lookup that answers a question, None where a word has no part in it."""
    about: set[str] = set()
    day: int | None = None
    lists: list[str] = []
    asked = False
    unknown = False
    start = 0
    while start < len(tokens):
        length, roles = next(index.lexicon.matches(tokens, start), (1, ()))
        if (named := index.name_at(tokens, start)) > length:
            length, roles = named, ()
        kinds = {role.kind for role in roles}
        asked = asked or "questions" in kinds
        if "lookups" in kinds:
            about |= {str(role.value) for role in roles if role.kind == "lookups"}
            asked = asked or length >= _MIN_QUESTION  # "what do I have to do"
        elif "days" in kinds:
            day = next(int(role.value) for role in roles if role.kind == "days")
        elif "weekdays" in kinds:
            weekday = next(int(role.value) for role in roles if role.kind == "weekdays")
            day = (weekday - now.weekday()) % 7
        elif any(role.kind == "one" and role.value == "list" for role in roles):
            about.add("list")
            lists += tokens[start : start + length]
        elif not kinds & set(_IDLE) and tokens[start] not in ",;.":
            unknown = True
            lists += tokens[start : start + length]
        start += length
    if not about and asked and day is None:
        return _items_of_named(lists, index, snapshot, words)
    if not about or (about == {"list"} and not asked):
        return None
    if "list" in about:
        return _list_items(lists, index, snapshot, words) if asked else None
    if unknown and about <= {"weather"} and (place := _named_weather(lists, index, snapshot)):
        return _described_now(place, snapshot, words)
    if (unknown or len(about - {"weather"}) > 1) and not about & set(_SUN):
        return Refusal(words.say("dont_know"))
    if about & set(_SUN):
        if not asked and deed_of_words(tokens, index.lexicon):
            return None  # "off after sunset"
        return _sun(about, snapshot, words, now)
    if "calendar" in about:
        return _events(day, snapshot, words)
    return _weather(about, day, snapshot, words)


def _list_items(
    said: Sequence[str], index: Index, snapshot: HomeSnapshot, words: Language
) -> Result | None:
    phrase = list_phrase(said, index.lexicon)
    found = index.resolve(phrase, snapshot, ("todo",))
    if not found.entities:
        return Refusal(words.say("dont_know")) if not said else None
    return _items(found.entities, words)


def _items(lists: tuple[Entity, ...], words: Language) -> Lookup:
    return Lookup("todo.get_items", lists, {"status": ["needs_action"]}, language=words.code)


def _items_of_named(
    said: Sequence[str], index: Index, snapshot: HomeSnapshot, words: Language
) -> Result | None:
    """Return the lookup of the list that is called so: "what chores are left"."""
    spoken = index.said(token for token in said if token.isalpha())
    names = [
        entity
        for entity in _of_domain("todo", snapshot)
        if any(index.said(tokenize(name)) == spoken for name in entity.names)
    ]
    return _items(tuple(names), words) if len(names) == 1 else None


def _sun(
    about: set[str], snapshot: HomeSnapshot, words: Language, now: datetime
) -> Answer | Refusal:
    """Return when the sun sets or rises, or whether it is up."""
    sun = snapshot.states.get("sun.sun")
    if sun is None or sun.value in GONE:
        return Refusal(words.say("dont_know"))
    if "sun" in about:
        return Answer(words.say("yes" if sun.value == "above_horizon" else "no"))
    key = "next_setting" if "sunset" in about else "next_rising"
    try:
        at = datetime.fromisoformat(str(sun.attributes.get(key))).astimezone(now.tzinfo)
    except ValueError:
        return Refusal(words.say("dont_know"))
    return Answer(at.strftime("%H:%M"))


def _events(day: int | None, snapshot: HomeSnapshot, words: Language) -> Result:
    calendars = _of_domain("calendar", snapshot)
    if not calendars:
        return Refusal(words.say("dont_know"))
    return Lookup("calendar.get_events", calendars, day=day, language=words.code)


def _weather(about: set[str], day: int | None, snapshot: HomeSnapshot, words: Language) -> Result:
    known = [e for e in _of_domain("weather", snapshot) if snapshot.state(e).value not in GONE]
    if not known:
        return Refusal(words.say("dont_know"))
    target = known[0]
    asked = next(iter(about - {"weather", "forecast"}), "")
    if day is None and not about & {"forecast"} and not asked:
        return Answer(_described(Shown.of(target, snapshot.state(target)), words))
    data = {"type": "daily"}
    return Lookup("weather.get_forecasts", (target,), data, day or 0, asked, words.code)


def _named_weather(said: Sequence[str], index: Index, snapshot: HomeSnapshot) -> Entity | None:
    """Return the weather of the place that words name, None where the home has none of it."""
    spoken = index.said(token for token in said if token not in PUNCTUATION)
    named = [
        entity
        for entity in _of_domain("weather", snapshot)
        if any(index.said(tokenize(name)) == spoken for name in entity.names)
    ]
    return named[0] if len(named) == 1 else None


def _described_now(entity: Entity, snapshot: HomeSnapshot, words: Language) -> Answer | Refusal:
    state = snapshot.state(entity)
    if state.value in GONE:
        return Refusal(words.say("dont_know"))
    return Answer(_described(Shown.of(entity, state), words))


def _of_domain(domain: str, snapshot: HomeSnapshot) -> tuple[Entity, ...]:
    return tuple(e for e in snapshot.home.entities.values() if e.domain == domain)


def _described(shown: Shown, words: Language) -> str:
    """Return weather in the words of Home Assistant's own answer."""
    if not shown.attributes.get("temperature_unit"):
        shown = replace(shown, attributes={**shown.attributes, "temperature_unit": "°C"})
    intents = content_of(words.code).get("responses", {}).get("intents", {})
    template = str(intents.get("HassGetWeather", {}).get("default", ""))
    text = say(template, {}, [shown])
    if text:
        return text
    return words.say("state_is", name=shown.name, state=shown.state_with_unit)


async def answer(
    lookup: Lookup, home: HomeAssistant, words: Language, now: datetime
) -> Answer | Refusal:
    """Ask the service of a lookup, and return its answer."""
    domain, _, service = lookup.service.partition(".")
    data = dict(lookup.data)
    first = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(lookup.day or 0)
    if domain == "calendar":
        start = now if not lookup.day else first
        data |= {"start_date_time": start.isoformat(),
                 "end_date_time": (first + timedelta(1)).isoformat()}  # fmt: skip
    try:
        result = await home.command(
            "call_service",
            domain=domain,
            service=service,
            service_data=data,
            target={"entity_id": [entity.id for entity in lookup.targets]},
            return_response=True,
        )
    except Unavailable:
        return Refusal(words.say("dont_know"))
    response: Mapping[str, Any] = (result or {}).get("response") or {}
    rows = [response.get(entity.id) or {} for entity in lookup.targets]
    text = told(lookup, rows, words)
    if not text and domain not in ("todo", "calendar"):
        text = _forecast(lookup, rows, first, home, words)
    return Answer(text) if text else Refusal(words.say("dont_know"))


def told(lookup: Lookup, rows: Sequence[Mapping[str, Any]], words: Language) -> str:
    """Return what lists or calendars hold, "" for a lookup of another kind.

    `rows` are the answers of the service, one for each target.
    """
    match lookup.service.partition(".")[0]:
        case "todo":
            return _items_of(lookup, rows, words)
        case "calendar":
            return _appointments([e for row in rows for e in row.get("events") or ()], words)
    return ""


def _items_of(lookup: Lookup, rows: Sequence[Mapping[str, Any]], words: Language) -> str:
    """Return the items of a list, those of several lists with the names of these."""
    told = [[str(item.get("summary")) for item in row.get("items") or ()] for row in rows]
    if len(told) == 1:
        return _all_of(told[0][:_MAX_ITEMS], words)
    parts = [
        f"{entity.name}: {_all_of(items[:_MAX_ITEMS], words)}"
        for entity, items in zip(lookup.targets, told, strict=True)
        if items
    ]
    return ". ".join(parts) or words.say("none_of")


def _all_of(items: Sequence[str], words: Language) -> str:
    """Return every item; what is on a list is asked for as a whole."""
    if not items:
        return words.say("none_of")
    if len(items) == 1:
        return items[0]
    return words.say("and", names=", ".join(items[:-1]), last=items[-1])


def _appointments(events: Sequence[Mapping[str, Any]], words: Language) -> str:
    """Return appointments in their order, with the time at which they begin."""
    shown = []
    for event in sorted(events, key=lambda one: str(one.get("start")))[:_MAX_EVENTS]:
        start = str(event.get("start"))
        time = start.partition("T")[2][:5]
        shown.append(f"{time} {event.get('summary')}".strip())
    return _all_of(shown, words)


def _forecast(
    lookup: Lookup,
    rows: Sequence[Mapping[str, Any]],
    first: datetime,
    home: HomeAssistant,
    words: Language,
) -> str:
    """Return the forecast of a day, "" for a day without one."""
    wanted = first.date().isoformat()
    days = [day for row in rows for day in row.get("forecast") or ()]
    found = next((day for day in days if str(day.get("datetime")).startswith(wanted)), None)
    if found is None:
        return ""
    (target,) = lookup.targets
    state = home.states.get(target.id)
    attributes = dict(state.attributes) if state is not None else {}
    attributes["temperature"] = found.get("temperature", attributes.get("temperature"))
    condition = str(found.get("condition") or "")
    shown = Shown(target.id, target.name, target.domain, condition, attributes)
    text = _described(shown, words)
    if lookup.about not in ("rain", "snow"):
        return text
    probability = found.get("precipitation_probability")
    likely = condition in (_RAINY if lookup.about == "rain" else _SNOWY) or (
        lookup.about == "rain"
        and isinstance(probability, int | float)
        and probability >= _MIN_PROBABILITY
    )
    return words.say("yes_names" if likely else "no_names", names=text)
