"""Recognisers of timers and of items for to-do lists."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from wyoming_llm.home.intent import Action, Command, Option, Question, Refusal, Result
from wyoming_llm.home.lexicon import PUNCTUATION, Lexicon, Role
from wyoming_llm.home.responses import listed_or
from wyoming_llm.home.targets import HomeSnapshot, Index, NounPhrase, NounWord
from wyoming_llm.languages import Language
from wyoming_llm.languages.intents_fallback import content_of

_SECONDS_OF: Final = {"hour": 3600, "minute": 60, "second": 1}
_MAX_NAME_WORDS: Final = 3
_MIN_COMPOUND_LETTERS: Final = 3
_MAX_DURATIONS: Final = 2
"""The length of a timer, and the time that it gets"""
_CHANGES: Final = {
    "increase": "HassIncreaseTimer",
    "decrease": "HassDecreaseTimer",
    "cancel": "HassCancelTimer",
}
_CHANGING: Final = ("turn", "start", "add", "remove", "up", "down")
"""Deeds of which a part may belong to the change of a timer"""
_STARTING: Final = ("turn", "start", "add")
_IDLE: Final = ("skip", "in", "to", "by", "and", "any", "called")
_STARTED_MORE: Final = (*_IDLE, "steps")
_LIST_WORDS: Final = ("skip", "in", "to", "any")
_MAX_ITEM_WORDS: Final = 12
_REMOVALS: Final = {"remove": "HassListRemoveItem", "complete": "HassListCompleteItem"}


@dataclass(slots=True)
class _TimerWords:
    """The parts of a request for a timer, as far as it is read."""

    seconds: float = 0.0
    amount: float | None = None
    named: bool = False
    """Whether the word for a timer was said"""
    unit: int = 0
    name: list[str] = field(default_factory=list)


def start_timer(tokens: Sequence[str], lexicon: Lexicon) -> Command | None:
    """Return the command that starts a timer, None where a word has no part in it."""
    tokens = _parted(tokens, lexicon)
    if not any(role.kind == "timer" for token in tokens for role in lexicon.roles((token,))):
        return None
    if _changes_a_timer(tokens, lexicon):
        return None
    words = _TimerWords()
    start = 0
    while start < len(tokens):
        length = _take(tokens, start, words, lexicon)
        if length == 0:
            return None
        start += length
    if not words.named or words.seconds < 1 or words.amount is not None:
        return None
    if len(words.name) > _MAX_NAME_WORDS:
        return None
    return _timer(round(words.seconds), " ".join(words.name), lexicon.code)


def change_timer(tokens: Sequence[str], lexicon: Lexicon) -> Command | None:
    """Return the command that makes a timer longer, shorter or ends it, None for other words.

    "5 more minutes on the pizza timer"; the time beside the word for a timer says which one.
    """
    ways, rest = _ways_of_changing(_parted(tokens, lexicon), lexicon)
    words = _change_words(rest, lexicon)
    if words is None or len(ways) > 1:
        return None
    direction = ways.pop() if ways else _added_or_taken(rest, words, lexicon)
    spans = words.spans
    which = [at for at, span in enumerate(spans) if span.end == words.named]
    if direction == "cancel" and len(spans) <= 1:
        amount = -1
    elif direction in ("increase", "decrease") and len(spans) > len(which):
        amount = 1 - which[0] if which else len(spans) - 1
    else:
        return None
    slots: dict[str, int | str] = {}
    for at, span in enumerate(spans):
        prefix = "" if at == amount else "start_"
        slots |= {f"{prefix}{size}": value for size, value in _parts(span.seconds).items()}
    if words.name:
        slots["name"] = " ".join(rest[at] for at in words.name)
    intent = _CHANGES[direction]
    return Command((Action(intent, None, slots),), lexicon.code, _response(intent, lexicon.code))


@dataclass(frozen=True, slots=True)
class _Span:
    """A duration in a request."""

    start: int
    end: int
    seconds: int


@dataclass(slots=True)
class _ChangeWords:
    """The parts of a request to change a timer."""

    spans: list[_Span] = field(default_factory=list)
    name: list[int] = field(default_factory=list)
    """Positions of the words of the timer's name"""
    named: int = -1
    """Position of the word for a timer"""


def _change_words(tokens: Sequence[str], lexicon: Lexicon) -> _ChangeWords | None:
    """Return the parts of a request to change a timer, None where a word has no part in it."""
    words = _ChangeWords()
    start = 0
    while start < len(tokens):
        end, seconds = _timed(tokens, start, lexicon)
        if seconds:
            words.spans.append(_Span(start, end, seconds))
            start = end
            continue
        size, roles = next(lexicon.matches(tokens, start), (1, ()))
        kinds = {role.kind for role in roles}
        deeds = {role.value for role in roles if role.kind == "deeds"}
        known = deeds & set(_CHANGING) or kinds & {*_IDLE, "lasting", "off_list"}
        if "timer" in kinds:
            words.named = start
        elif not roles and tokens[start] not in PUNCTUATION:
            words.name.append(start)
        elif kinds & {"not", "questions", "conditions"} or not known:
            return None
        start += size
    fits = words.named >= 0 and len(words.spans) <= _MAX_DURATIONS and _is_name(words)
    return None if not fits or _begins_one(tokens, words, lexicon) else words


def _is_name(words: _ChangeWords) -> bool:
    """Whether the unknown words stand before the word for a timer, or are one phrase behind it."""
    if not words.name:
        return True
    first, last = words.name[0], words.name[-1]
    together = last - first == len(words.name) - 1 < _MAX_NAME_WORDS
    return together and (last == words.named - 1 or first > words.named)


def _begins_one(tokens: Sequence[str], words: _ChangeWords, lexicon: Lexicon) -> bool:
    """Whether a timer is begun: "set a timer for 5 more minutes"."""
    lasting = any(
        span.start and _is(tokens[span.start - 1], ("lasting",), lexicon) for span in words.spans
    )
    return lasting and any(_is_deed(token, ("turn", "start"), lexicon) for token in tokens)


def _parted(tokens: Sequence[str], lexicon: Lexicon) -> list[str]:
    """Return the tokens with compounds of the word for a timer in parts: "Pizzatimer"."""
    parts: list[str] = []
    for token in tokens:
        ends = [
            at
            for at in range(_MIN_COMPOUND_LETTERS, len(token))
            if token[at:].isalpha() and _is(token[at:], ("timer",), lexicon)
        ]
        if ends and not lexicon.roles((token,)):
            parts += [token[: ends[0]], token[ends[0] :]]
        else:
            parts.append(token)
    return parts


def _ways_of_changing(tokens: Sequence[str], lexicon: Lexicon) -> tuple[set[str], list[str]]:
    """Return the ways of changing a timer that are said, and the words without them."""
    ways: set[str] = set()
    rest: list[str] = []
    start = 0
    while start < len(tokens):
        for length, roles in lexicon.matches(tokens, start):
            found = {str(role.value) for role in roles if role.kind == "timer_changes"}
            if found:
                ways |= found - {"either"}
                start += length
                break
        else:
            rest.append(tokens[start])
            start += 1
    return ways, rest


def _timed(tokens: Sequence[str], start: int, lexicon: Lexicon) -> tuple[int, int]:
    """Return the end of a duration at `start` and its seconds, 0 for none."""
    end = at = start
    complete = False
    while at < len(tokens):
        if tokens[at][0].isdigit():
            length, kinds = 1, {"number"}
        else:
            length, roles = next(lexicon.matches(tokens, at), (1, ()))
            kinds = {role.kind for role in roles}
        at += length
        if kinds & {"time", "half_more"}:
            end, complete = at, True
        elif not kinds & ({"and"} if complete else {"number", "fractions"}) and not (
            complete and kinds & {"number", "fractions"} and _is(tokens[end], ("and",), lexicon)
        ):
            break
    return end, duration(tokens[start:end], lexicon) if end > start else 0


def _added_or_taken(tokens: Sequence[str], words: _ChangeWords, lexicon: Lexicon) -> str:
    """Return whether a time is added to a timer or taken from it, "" for a timer of that time."""
    if not words.spans:
        return ""
    deeds = {
        role.value
        for token in tokens
        if not _is_deed(token, ("turn", "start"), lexicon)
        for role in lexicon.roles((token,))
        if role.kind == "deeds"
    }
    if deeds & {"up", "down"}:
        return "increase" if "up" in deeds else "decrease"
    between = tokens[words.spans[0].end : words.named]
    if any(_is(token, ("in", "to", "off_list"), lexicon) for token in between):
        return "increase" if "add" in deeds else "decrease" if "remove" in deeds else ""
    return ""


def _is_deed(token: str, values: Sequence[str], lexicon: Lexicon) -> bool:
    return any(r.kind == "deeds" and r.value in values for r in lexicon.roles((token,)))


def _changes_a_timer(tokens: Sequence[str], lexicon: Lexicon) -> bool:
    """Whether a duration is added to a timer or taken from it: "add 5 minutes to the timer"."""
    first = lexicon.roles((tokens[0],))
    named = next(
        (
            at
            for at, token in enumerate(tokens)
            if any(r.kind == "timer" for r in lexicon.roles((token,)))
        ),
        len(tokens),
    )
    timed = any(role.kind == "time" for token in tokens[:named] for role in lexicon.roles((token,)))
    adds = any(role.kind == "deeds" and role.value == "add" for role in first)
    unknown = not first and len(tokens) > 1 and tokens[1].isdecimal()
    return timed and (adds or unknown)


def duration(tokens: Sequence[str], lexicon: Lexicon) -> int:
    """Return the seconds of a duration, 0 where the words are not one alone."""
    words = _TimerWords()
    start = 0
    while start < len(tokens):
        length = _take(tokens, start, words, lexicon)
        if length == 0 or words.name or words.named:
            return 0
        start += length
    return round(words.seconds) if words.amount is None and words.unit else 0


def _take(tokens: Sequence[str], start: int, words: _TimerWords, lexicon: Lexicon) -> int:  # noqa: C901, PLR0911
    """Take the phrase at `start`; return how many tokens it has, 0 where it has no part."""
    number = re.fullmatch(r"\d+(?:[.,]\d+)?", tokens[start])
    if number is not None:
        if words.amount is not None:
            return 0
        words.amount = float(tokens[start].replace(",", "."))
        return 1
    for length, roles in lexicon.matches(tokens, start):
        for role in roles:
            match role.kind:
                case "time":
                    words.unit = _SECONDS_OF[str(role.value)]
                    words.seconds += words.unit * (1 if words.amount is None else words.amount)
                    words.amount = None
                    return length
                case "fractions":
                    words.amount = (words.amount or 0.0) + float(role.value)
                    return length
                case "half_more" if words.unit:
                    words.seconds += words.unit / 2
                    return length
                case "number" if length > 1 or role.value != 1:
                    words.amount = float(role.value)
                    return length
                case "timer":
                    words.named = True
                    return length
        kinds = {role.kind for role in roles}
        deeds = {role.value for role in roles if role.kind == "deeds"}
        another = Role("timer_changes", "either") in roles
        if another or kinds & set(_STARTED_MORE) or deeds & set(_STARTING):
            return length
        if deeds or kinds & {"not", "questions", "conditions"}:
            return 0
        if "number" in kinds:
            words.amount = 1.0
            return length
    words.name.append(tokens[start])
    return 1 if tokens[start].isalpha() else 0


def _timer(seconds: int, name: str, code: str) -> Command:
    slots = _parts(seconds)
    if name:
        slots["name"] = name
    action = Action("HassStartTimer", None, slots)
    return Command((action,), code, _response("HassStartTimer", code))


def _parts(seconds: int) -> dict[str, int | str]:
    slots: dict[str, int | str] = {}
    for slot, size in (("hours", 3600), ("minutes", 60), ("seconds", 1)):
        amount, seconds = divmod(seconds, size)
        if amount:
            slots[slot] = amount
    return slots


def _response(intent: str, code: str) -> str:
    responses = content_of(code).get("responses", {}).get("intents", {}).get(intent, {})
    return str(responses.get("default", ""))


def add_items(  # noqa: C901
    text: str, tokens: Sequence[str], index: Index, snapshot: HomeSnapshot, words: Language
) -> Result | None:
    """Return the command that writes items on a list, or the question which list."""
    lexicon = index.lexicon
    start, end = _between_verbs(tokens, lexicon)
    if start == 0:
        return None
    absent: Refusal | None = None
    for at in range(start + 1, end):
        if not any(role.kind in ("in", "to") for role in lexicon.roles((tokens[at],))):
            continue
        first = at + 1
        while first < end and _is(tokens[first], _LIST_WORDS, lexicon):
            first += 1
        rest = list(tokens[first:end])
        if not rest or at - start > _MAX_ITEM_WORDS:
            continue
        phrase = list_phrase(rest, lexicon)
        names_list = bool(phrase.kinds)
        found = index.resolve(phrase, snapshot, ("todo",))
        if not found.entities:
            if names_list:
                absent = Refusal(words.say("not_known", name=" ".join(rest)))
            continue
        items = _items(tokens[start:at], text, lexicon)
        if not items:
            return None
        options = tuple(
            Option(
                (entity.name, *entity.names),
                Command(
                    tuple(
                        Action("HassListAddItem", entity, {"item": item}, "list", item)
                        for item in items
                    ),
                    lexicon.code,
                ),
            )
            for entity in found.entities
        )
        if len(options) == 1:
            return options[0].command
        names = listed_or(words, [option.names[0] for option in options])
        return Question(words.say("which_one", names=names), options)
    return absent


def remove_items(  # noqa: C901
    text: str, tokens: Sequence[str], index: Index, snapshot: HomeSnapshot
) -> Command | None:
    """Return the command that takes an item off a list, or marks it as done."""
    lexicon = index.lexicon
    start = 0
    while start < len(tokens) and _is(tokens[start], ("skip",), lexicon):
        start += 1
    length, deed = _removal(tokens, start, lexicon)
    if not deed:
        return None
    said = list(tokens[start + length :])
    while said and (said[-1] in PUNCTUATION or _removal(said, len(said) - 1, lexicon)[1]):
        said.pop()
    for at in range(1, len(said)):
        if not _is(said[at], ("in", "to", "off_list"), lexicon):
            continue
        rest = said[at + 1 :]
        while rest and _is(rest[0], (*_LIST_WORDS, "off_list"), lexicon):
            rest.pop(0)
        phrase = list_phrase(rest, lexicon)
        if not phrase.words:
            continue
        found = index.resolve(phrase, snapshot, ("todo",))
        items = _items(_without_articles(said[:at], lexicon), text, lexicon)
        if len(found.entities) == 1 and items:
            return Command(
                tuple(
                    Action(_REMOVALS[deed], found.entities[0], {"item": item}, deed, item)
                    for item in items
                ),
                lexicon.code,
            )
    return None


def _removal(tokens: Sequence[str], start: int, lexicon: Lexicon) -> tuple[int, str]:
    """Return the length of a verb of removing at `start` and its deed, 0 and "" for none."""
    for length, roles in lexicon.matches(tokens, start):
        for role in roles:
            if role.kind == "deeds" and role.value in _REMOVALS:
                return length, str(role.value)
    return 0, ""


def _without_articles(tokens: Sequence[str], lexicon: Lexicon) -> Sequence[str]:
    start = 0
    while start < len(tokens) and _is(tokens[start], ("skip", "off_list"), lexicon):
        start += 1
    return tokens[start:]


def _between_verbs(tokens: Sequence[str], lexicon: Lexicon) -> tuple[int, int]:
    """Return where the words between "add" and a separate part of it begin and end; 0 for none."""
    start = 0
    while start < len(tokens) and _is(tokens[start], ("skip",), lexicon):
        start += 1
    if start >= len(tokens) or not _adds(tokens[start], lexicon):
        return 0, 0
    end = len(tokens)
    while end > start + 1 and (tokens[end - 1] in PUNCTUATION or _adds(tokens[end - 1], lexicon)):
        end -= 1
    return start + 1, end


def _adds(token: str, lexicon: Lexicon) -> bool:
    return any(role.kind == "deeds" and role.value == "add" for role in lexicon.roles((token,)))


def _is(token: str, kinds: Sequence[str], lexicon: Lexicon) -> bool:
    return any(role.kind in kinds for role in lexicon.roles((token,)))


def list_phrase(tokens: Sequence[str], lexicon: Lexicon) -> NounPhrase:
    """Return the noun phrase of a list, of which the word "list" is the kind."""
    whole = tuple(tokens)
    if any(role.kind == "one" and role.value == "list" for role in lexicon.roles(whole)):
        return NounPhrase((NounWord(whole, "list"),))
    words = [
        NounWord((token,), "list")
        if any(r.kind == "one" and r.value == "list" for r in lexicon.roles((token,)))
        else NounWord((token,))
        for token in tokens
        if not _is(token, _LIST_WORDS, lexicon)
    ]
    return NounPhrase(tuple(words))


def _items(tokens: Sequence[str], text: str, lexicon: Lexicon) -> list[str]:
    """Return the items as they were written, parted at "and" and commas."""
    items: list[list[str]] = [[]]
    for token in tokens:
        if token in PUNCTUATION or _is(token, ("and",), lexicon):
            items.append([])
        else:
            items[-1].append(token)
    return [_written(item, text) for item in items if item]


def _written(tokens: Sequence[str], text: str) -> str:
    pattern = r"[\W_]*".join(re.escape(token) for token in tokens)
    found = re.search(pattern, text, re.IGNORECASE)
    return found[0] if found is not None else " ".join(tokens)
