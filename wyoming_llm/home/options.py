"""Recognisers of options and of names: a source, a program or a mode by its own word, and what is
started by saying what it is called.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from wyoming_common.home_assistant.home import Entity
from wyoming_llm.home.intent import Action, Command, Option, Question, Result
from wyoming_llm.home.lexicon import PUNCTUATION, tokenize
from wyoming_llm.home.parser import Clause, parse
from wyoming_llm.home.responses import listed_or
from wyoming_llm.home.targets import HomeSnapshot, Index, NounPhrase, NounWord
from wyoming_llm.languages import Language

_MAX_OPTION_WORDS: Final = 4
_MAX_TOKENS: Final = 16
_MAX_OPTIONS: Final = 200
"""Of one entity; a list of a thousand channels is no list of words to listen for"""
_CHOOSING: Final = frozenset({"turn", "put", "on", "start", "play", "add", "arm"})
"""Deeds of a sentence that chooses an option"""
_SERVICES: Final[Mapping[str, Sequence[tuple[str, str, str]]]] = {
    "select": (("options", "select.select_option", "option"),),
    "input_select": (("options", "input_select.select_option", "option"),),
    "media_player": (
        ("source_list", "media_player.select_source", "source"),
        ("sound_mode_list", "media_player.select_sound_mode", "sound_mode"),
    ),
    "climate": (
        ("hvac_modes", "climate.set_hvac_mode", "hvac_mode"),
        ("preset_modes", "climate.set_preset_mode", "preset_mode"),
        ("fan_modes", "climate.set_fan_mode", "fan_mode"),
        ("swing_modes", "climate.set_swing_mode", "swing_mode"),
    ),
    "fan": (("preset_modes", "fan.set_preset_mode", "preset_mode"),),
    "vacuum": (("fan_speed_list", "vacuum.set_fan_speed", "fan_speed"),),
    "humidifier": (("available_modes", "humidifier.set_mode", "mode"),),
    "water_heater": (("operation_list", "water_heater.set_operation_mode", "operation_mode"),),
    "light": (("effect_list", "light.turn_on", "effect"),),
}
"""Attributes that list options, the services that choose one, and how these call it"""
_ARMED: Final[Mapping[str, str]] = {
    "away": "alarm_control_panel.alarm_arm_away",
    "home": "alarm_control_panel.alarm_arm_home",
    "night": "alarm_control_panel.alarm_arm_night",
}
_SWITCHES: Final = ("on", "off")
"""Options that are deeds: turning a thermostat on is not choosing"""
_STARTED: Final = ("scene", "script", "button", "input_button")
_UNSAID: Final = ("skip",)


@dataclass(frozen=True, slots=True)
class _Choice:
    """One option of one entity."""

    entity: Entity
    action: Action
    of_fan: bool


def choose_option(
    tokens: Sequence[str], index: Index, snapshot: HomeSnapshot, words: Language
) -> Result | None:
    """Return the command that gives a thing one of its own options: "the TV to Netflix"."""
    said = [token for token in tokens if token not in PUNCTUATION]
    if not 1 < len(said) <= _MAX_TOKENS or not _chooses(said, index):
        return None
    known = _options(index, snapshot)
    for length in range(min(_MAX_OPTION_WORDS, len(said) - 1), 0, -1):
        for start in range(len(said) - length, -1, -1):
            spoken = tuple(said[start : start + length])
            choices = known.get(index.said(spoken), []) + _modes(spoken, index, known)
            if not choices:
                continue
            rest = [*said[:start], *said[start + length :]]
            found = list(_of_phrase(rest, choices, index, snapshot))
            if found:
                return _chosen(found, words)
    return None


def _chooses(said: Sequence[str], index: Index) -> bool:
    """Whether a word could be the verb of choosing, so that the home need not be searched."""
    return any(
        role.kind == "deeds" and role.value in _CHOOSING
        for start in range(len(said))
        for _, roles in index.lexicon.matches(said, start)
        for role in roles
    )


def _options(index: Index, snapshot: HomeSnapshot) -> dict[tuple[str, ...], list[_Choice]]:
    """Return every option in the home, by its words."""
    known: dict[tuple[str, ...], list[_Choice]] = {}
    for entity in index.home.entities.values():
        attributes = snapshot.state(entity).attributes
        for name, service, slot in _SERVICES.get(entity.domain, ()):
            values = attributes.get(name)
            if not isinstance(values, list | tuple) or len(values) > _MAX_OPTIONS:
                continue
            for value in values:
                if str(value).casefold() not in _SWITCHES:
                    key = index.said(tokenize(str(value).replace("_", " ")))
                    action = Action(service, entity, {slot: value}, "set", str(value))
                    choice = _Choice(entity, action, name in ("fan_modes", "fan_speed_list"))
                    known.setdefault(key, []).append(choice)
        if entity.domain == "alarm_control_panel":
            for value, service in _ARMED.items():
                action = Action(service, entity, {}, "arm")
                known.setdefault((value,), []).append(_Choice(entity, action, of_fan=False))
    return known


def _modes(
    spoken: Sequence[str], index: Index, known: Mapping[tuple[str, ...], list[_Choice]]
) -> list[_Choice]:
    """Return the options that Home Assistant has a word of its own for: "cool", "away"."""
    values = {
        str(role.value)
        for role in index.lexicon.roles(spoken)
        if role.kind in ("modes", "states", "settings")
    }
    return [
        choice
        for value in sorted(values)
        for choice in known.get(index.said(tokenize(value.replace("_", " "))), ())
    ]


def _of_phrase(
    rest: Sequence[str], choices: Sequence[_Choice], index: Index, snapshot: HomeSnapshot
) -> Iterator[_Choice]:
    """Yield the options of the thing that the rest of a sentence names."""
    domains = tuple(dict.fromkeys(choice.entity.domain for choice in choices))
    ids = {choice.entity.id for choice in choices}
    for clause in parse(rest, index, asks=False):
        phrase = _thing(clause)
        if phrase is None:
            continue
        plain = tuple(word for word in phrase.words if not _is_general(word))
        of_fans = tuple(word for word in plain if word.kind != "fan")
        for words, of_fan in ((phrase.words, False), (plain, False), (of_fans, True)):
            if not words:
                continue
            found = index.resolve(replace(phrase, words=words), snapshot, domains)
            named = {entity.id for entity in found.entities if entity.id in ids}
            fitting = [c for c in choices if c.entity.id in named and c.of_fan >= of_fan]
            if fitting:
                yield from fitting
                return


def _thing(clause: Clause) -> NounPhrase | None:
    """Return what a sentence chooses an option for, None where it does something else."""
    if not clause.deeds <= _CHOOSING or clause.number is not None or clause.values:
        return None
    if clause.negated or clause.excluded or clause.by or len(clause.phrases) != 1:
        return None
    (phrase,) = clause.phrases
    attributes = clause.attributes - {"setting", "speed"}
    if attributes or phrase.pronoun or not phrase.words:
        return None
    return phrase


def _is_general(word: NounWord) -> bool:
    """Whether a word only says that there are options: "mode"."""
    return word.kind == "scene"


def _chosen(found: Sequence[_Choice], words: Language) -> Result:
    actions = {choice.entity.id: choice.action for choice in reversed(found)}
    if len(actions) == 1:
        return Command(tuple(actions.values()), words.code)
    options = tuple(
        Option((action.target.name, *action.target.names), Command((action,), words.code))
        for action in actions.values()
        if action.target is not None
    )
    names = listed_or(words, [option.names[0] for option in options])
    return Question(words.say("which_one", names=names), options)


def start_named(
    tokens: Sequence[str], index: Index, snapshot: HomeSnapshot, words: Language
) -> Command | None:
    """Return the command that starts what an utterance is the name of: "good night"."""
    said = _spoken(tokens, index)
    found = [
        entity
        for entity in index.home.entities.values()
        if entity.domain in _STARTED
        and any(said and _spoken(tokenize(name), index) == said for name in entity.names)
    ]
    if len(found) > 1 and snapshot.area:
        found = [entity for entity in found if entity.area == snapshot.area]
    if len(found) != 1:
        return None
    return Command((Action("HassTurnOn", found[0], {}, "activate"),), words.code)


def _spoken(tokens: Sequence[str], index: Index) -> tuple[str, ...]:
    """Return the words that count when a name is said."""
    kept = [
        token
        for token in tokens
        if token not in PUNCTUATION
        and not any(role.kind in _UNSAID for role in index.lexicon.roles((token,)))
    ]
    return index.said(kept)
