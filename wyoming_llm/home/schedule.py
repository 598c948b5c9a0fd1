"""Recognisers of what happens later: commands at a time of day or for a while, and reminders.

Home Assistant's timers carry them out; one that has a command gives it to the agent that set it.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from wyoming_llm.home.intent import Action, Command, Result
from wyoming_llm.home.lexicon import PUNCTUATION, Lexicon, Role
from wyoming_llm.home.timers_and_lists import duration
from wyoming_llm.languages.intents_fallback import content_of

_MAX_TIME_WORDS: Final = 8
_MAX_OPPOSITES: Final = 24
"""Phrases for the opposite of a deed that are tried"""
_HALF_DAY: Final = 12
_DAY_HOURS: Final = 24
_MINUTES: Final = 60
_IDLE: Final = ("skip",)
_OPPOSITES: Final = {"on": "off", "off": "on", "open": "close", "close": "open"}
_INTENTS: Final = {"HassTurnOn": "HassTurnOff", "HassTurnOff": "HassTurnOn"}
Understand = Callable[[Sequence[str]], Result | None]


@dataclass(frozen=True, slots=True)
class _When:
    """A time that was said, and the words without it."""

    seconds: int
    """From now"""
    rest: tuple[str, ...]
    until: bool = False
    """Whether it is the end of what begins now"""


@dataclass(slots=True)
class _Clock:
    """The parts of a time of day, as far as it is read."""

    hour: int | None = None
    minute: int = 0
    shift: int = 0
    """Minutes that "half past" and "quarter to" add"""
    half: str = ""
    day: int | None = None
    marked: bool = False
    """Whether a word says that it is a time of day"""


def delayed(
    tokens: Sequence[str], lexicon: Lexicon, understand: Understand, now: datetime
) -> Command | None:
    """Return the timer that carries out a command later, None where that is not understood."""
    for when in _times(tokens, lexicon, now):
        later = understand([token for token in when.rest if token not in PUNCTUATION])
        if not isinstance(later, Command) or later.delayed:
            continue
        if not when.until:
            return _with_command(when.seconds, " ".join(when.rest), later, lexicon.code)
        if (back := _opposite(when.rest, later, lexicon, understand)) is not None:
            text, command = back
            timer = _with_command(when.seconds, text, command, lexicon.code)
            actions = (*later.actions, *timer.actions)
            return Command(actions, lexicon.code, delayed=command.actions)
    return None


def remind(text: str, tokens: Sequence[str], lexicon: Lexicon, now: datetime) -> Command | None:
    """Return the timer that reminds of something, by whose name it is told."""
    start = 0
    while start < len(tokens) and _is(tokens[start : start + 1], _IDLE, lexicon):
        start += 1
    length = next(
        (
            length
            for length, roles in lexicon.matches(tokens, start)
            if any(role.kind == "reminders" for role in roles)
        ),
        0,
    )
    if not length:
        return None
    rest = tokens[start + length :]
    for when in _times(rest, lexicon, now, reminds=True):
        if when.until:
            continue
        name = list(when.rest)
        while name and (name[0] in PUNCTUATION or _is(name[:1], ("skip", "to", "in"), lexicon)):
            name.pop(0)
        slots = _length_of(when.seconds)
        if name:
            slots["name"] = _written(name, text)
        responses = _responses(lexicon.code)
        action = Action("HassStartTimer", None, slots)
        return Command((action,), lexicon.code, responses.get("default", ""))
    return None


def _times(
    tokens: Sequence[str], lexicon: Lexicon, now: datetime, *, reminds: bool = False
) -> Iterator[_When]:
    """Yield the times that are said, each with the words that are left.

    "Um sieben" is a time where nothing else could be seven.
    """
    for start in range(len(tokens)):
        for length, roles in lexicon.matches(tokens, start):
            for role in roles:
                if reminds or role.value != "reminder":
                    yield from _times_after(
                        tokens, start, length, role, lexicon, now, reminds=reminds
                    )


def _times_after(
    tokens: Sequence[str], start: int, length: int, role: Role, lexicon: Lexicon, now: datetime,
    *, reminds: bool,
) -> Iterator[_When]:  # fmt: skip
    """Yield the times that follow a word with `role`, the longest first."""
    first = start + length
    for end in range(min(len(tokens), first + _MAX_TIME_WORDS), first, -1):
        day, rest = _without_day((*tokens[:start], *tokens[end:]), lexicon)
        said = tokens[first:end]
        match role.kind:
            case "delays" | "lasting":
                seconds = duration(said, lexicon)
            case "at_time" | "until_time":
                needs_mark = role.value == "marked" and not reminds
                seconds = _seconds_until(said, lexicon, now, day=day, needs_mark=needs_mark)
            case _:
                return
        if seconds:
            yield _When(seconds, rest, role.kind in ("lasting", "until_time"))


def _seconds_until(
    tokens: Sequence[str], lexicon: Lexicon, now: datetime, *, day: int | None, needs_mark: bool
) -> int:
    """Return the seconds until a time of day, 0 for other words."""
    clock = _Clock(day=day)
    start = 0
    while start < len(tokens):
        length = _take(tokens, start, clock, lexicon)
        if not length:
            return 0
        start += length
    if clock.hour is None or (needs_mark and not clock.marked):
        return 0
    minutes = clock.minute + clock.shift
    at = now.replace(hour=clock.hour % _DAY_HOURS, minute=0, second=0, microsecond=0)
    at += timedelta(minutes=minutes, days=clock.day or 0)
    ambiguous = 0 < clock.hour <= _HALF_DAY and not clock.half and clock.day is None
    while at <= now:
        at += timedelta(hours=_HALF_DAY if ambiguous else _DAY_HOURS)
    return round((at - now).total_seconds())


def _without_day(tokens: tuple[str, ...], lexicon: Lexicon) -> tuple[int | None, tuple[str, ...]]:
    """Return the days from today that are said, and the words without them."""
    for start in range(len(tokens)):
        for length, roles in lexicon.matches(tokens, start):
            for role in roles:
                if role.kind == "days":
                    return int(role.value), (*tokens[:start], *tokens[start + length :])
    return None, tokens


def _take(tokens: Sequence[str], start: int, clock: _Clock, lexicon: Lexicon) -> int:  # noqa: C901, PLR0911, PLR0912
    """Take the phrase at `start` as a part of a time; return its length, 0 for another one."""
    token = tokens[start]
    if token.isdecimal():
        return int(_take_number(int(token), clock))
    for length, roles in lexicon.matches(tokens, start):
        for role in roles:
            value = str(role.value)
            if role.kind == "clock":
                clock.marked = True
                match value:
                    case "midnight":
                        clock.hour, clock.half = 0, "am"
                    case "noon":
                        clock.hour, clock.half = _HALF_DAY, "pm"
                    case "am" | "pm":
                        if clock.hour is None:
                            return 0
                        clock.half = value
                        clock.hour = clock.hour % _HALF_DAY + _HALF_DAY * (value == "pm")
                    case "oclock":
                        pass
                    case _:
                        clock.shift = int(value)
                return length
            if role.kind == "days":
                clock.day = int(role.value)
                return length
            if role.kind == "half_more" and clock.hour is not None:
                clock.minute, clock.marked = 30, True
                return length
            if role.kind == "number" and _take_number(int(role.value), clock):
                return length
        if any(role.kind in _IDLE for role in roles):
            return length
    return 0


def _take_number(number: int, clock: _Clock) -> bool:
    if clock.hour is None and number <= _DAY_HOURS:
        clock.hour = number
        return True
    if clock.hour is not None and not clock.minute and number < _MINUTES:
        clock.minute, clock.marked = number, True
        return True
    return False


def _opposite(
    tokens: Sequence[str], command: Command, lexicon: Lexicon, understand: Understand
) -> tuple[str, Command] | None:
    """Return what undoes a command, in words that are understood so."""
    wanted = {(_INTENTS.get(a.intent), a.target) for a in command.actions}
    if None in {intent for intent, _ in wanted}:
        return None
    for start in range(len(tokens)):
        for length, roles in lexicon.matches(tokens, start):
            deeds = [role.value for role in roles if role.kind == "deeds"]
            for other in filter(None, (_OPPOSITES.get(deed) for deed in deeds)):
                for phrase in _phrases_of(other, lexicon):
                    said = [*tokens[:start], *phrase, *tokens[start + length :]]
                    undone = understand([token for token in said if token not in PUNCTUATION])
                    if isinstance(undone, Command) and wanted == {
                        (action.intent, action.target) for action in undone.actions
                    }:
                        return " ".join(said), undone
    return None


def _phrases_of(deed: str, lexicon: Lexicon) -> Sequence[tuple[str, ...]]:
    found = [
        (len(phrase), len(roles), phrase)
        for phrase, roles in lexicon.phrases.items()
        if any(role.kind == "deeds" and role.value == deed for role in roles)
    ]
    # The word that means nothing else comes first.
    return [phrase for _, _, phrase in sorted(found, key=lambda one: one[:2])[:_MAX_OPPOSITES]]


def _with_command(seconds: int, text: str, later: Command, code: str) -> Command:
    slots = {"conversation_command": text, **_length_of(seconds)}
    responses = _responses(code)
    response = responses.get("command", responses.get("default", ""))
    action = Action("HassStartTimer", None, slots)
    return Command((action,), code, response, delayed=later.actions)


def _length_of(seconds: int) -> dict[str, int | str]:
    slots: dict[str, int | str] = {}
    for slot, size in (("hours", 3600), ("minutes", 60), ("seconds", 1)):
        amount, seconds = divmod(seconds, size)
        if amount:
            slots[slot] = amount
    return slots


def _responses(code: str) -> dict[str, str]:
    intents = content_of(code).get("responses", {}).get("intents", {})
    return dict(intents.get("HassStartTimer", {}))


def _is(tokens: Sequence[str], kinds: Sequence[str], lexicon: Lexicon) -> bool:
    return any(role.kind in kinds for role in lexicon.roles(tokens))


def _written(tokens: Sequence[str], text: str) -> str:
    pattern = r"[\W_]*".join(re.escape(token) for token in tokens)
    found = re.search(pattern, text, re.IGNORECASE)
    return found[0] if found is not None else " ".join(tokens)
