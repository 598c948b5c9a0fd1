"""Sentences of home-assistant-intents, chosen at random."""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hassil import Intents
from hassil.expression import (
    Alternative,
    Group,
    ListReference,
    Permutation,
    RuleReference,
    TextChunk,
)
from hassil.intents import RangeSlotList, TextSlotList
from home_assistant_intents import get_intents

_ELSEWHERE = ("HassBroadcast", "HassMediaSearchAndPlay")
"""They speak to other rooms, and search what a test has not."""


def sampled(code: str, seed: int, lists: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Yield intents and sentences of a language; `lists` are the names in the home."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    intents = Intents.from_dict(dict(get_intents(code) or {}))
    slots = intents.slot_lists | {
        name: TextSlotList.from_strings(values, allow_template=False)
        for name, values in lists.items()
    }
    pool = [
        (name, data, sentence)
        for name, intent in intents.intents.items()
        for data in intent.data
        for sentence in data.sentences
        if name not in _ELSEWHERE
    ]
    chance.shuffle(pool)
    for name, data, sentence in pool:
        rules = intents.expansion_rules | data.expansion_rules
        known = slots | data.slot_lists
        try:
            text = _one(sentence.expression, known, rules, chance)
        except KeyError:
            continue  # a list that only Home Assistant fills
        if words := " ".join(text.split()):
            yield name, words


def _one(
    part: Any, slots: Mapping[str, Any], rules: Mapping[str, Any], chance: random.Random
) -> str:
    """Return one way to say `part`. Raises KeyError for a list that is not there."""
    match part:
        case TextChunk():
            return str(part.original_text)
        case RuleReference():
            return _one(rules[part.rule_name].expression, slots, rules, chance)
        case ListReference():
            return _value(slots[part.list_name], slots, rules, chance)
        case Alternative():
            return _one(chance.choice(part.items), slots, rules, chance)
        case Permutation():
            items = chance.sample(part.items, len(part.items))
            return " ".join(_one(item, slots, rules, chance) for item in items)
        case Group():
            return "".join(_one(item, slots, rules, chance) for item in part.items)
    raise KeyError(type(part).__name__)


def _value(
    values: Any, slots: Mapping[str, Any], rules: Mapping[str, Any], chance: random.Random
) -> str:
    match values:
        case TextSlotList() if values.values:
            return _one(chance.choice(values.values).text_in, slots, rules, chance)
        case RangeSlotList():
            return str(chance.randrange(values.start, values.stop + 1, values.step))
    raise KeyError(type(values).__name__)
