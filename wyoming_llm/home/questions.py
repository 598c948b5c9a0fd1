"""Recogniser of questions about states and attributes, answered from what Home Assistant knows."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from wyoming_common.home_assistant.home import Entity, State
from wyoming_llm.home.intent import Answer, Result
from wyoming_llm.home.kinds import KINDS
from wyoming_llm.home.lexicon import PUNCTUATION, Lexicon, tokenize
from wyoming_llm.home.operations import level_of
from wyoming_llm.home.parser import Clause, parse
from wyoming_llm.home.targets import GONE, HomeSnapshot, Index, NounPhrase, NounWord, Resolution
from wyoming_llm.languages import Language

_OPENINGS: Final = ("door", "window", "garage_door", "opening", "lock", "gate")
_ALARMING: Final = ("motion", "smoke", "moisture", "occupancy", "presence", "gas", "sound",
                    "vibration", "problem", "tamper", "carbon_monoxide", "safety", "cold",
                    "heat")  # fmt: skip
_ON_AND_OFF: Final = {
    "battery_charging": ("charging", "not_charging"),
    "plug": ("plugged", "unplugged"),
    "connectivity": ("connected", "disconnected"),
}
"""States of other sensors, on and off, in the terms of what they sense"""
_ALIKE: Final = {
    "on": ("on", "playing", "paused", "idle", "buffering", "heat", "cool", "heat_cool", "auto",
           "dry", "fan_only", "cleaning", "mowing", "armed_home", "armed_away", "armed_night"),
    "open": ("open", "opening", "unlocked"),
    "closed": ("closed", "closing", "locked"),
    "unlocked": ("unlocked", "open"),
    "away": ("not_home",),
    "armed": ("armed_home", "armed_away", "armed_night", "armed_vacation", "armed_custom_bypass"),
    "heating": ("heat",),
    "detected": ("detected", "on"),
    "charging": ("charging",),
    "off": ("off", "standby"),
}  # fmt: skip
_DOMAINS: Final = (
    "light", "switch", "cover", "lock", "binary_sensor", "sensor", "fan", "climate",
    "media_player", "vacuum", "lawn_mower", "valve", "input_boolean", "humidifier", "person",
    "device_tracker", "alarm_control_panel", "water_heater", "siren", "automation", "script",
    "weather", "calendar", "todo", "input_number", "number", "select", "input_select", "timer",
    "counter", "update", "camera", "sun", "group", "remote", "air_quality",
)  # fmt: skip
_WITH_BATTERY: Final = ("vacuum", "lawn_mower", "lock", "device_tracker", "person")
_LEVELS: Final = {
    "brightness": ("light",), "volume": ("media_player",), "position": ("cover", "valve"),
    "speed": ("fan",),
}  # fmt: skip
_SENSED: Final = {
    "temperature": "temperature", "humidity": "humidity", "battery": "battery", "power": "power",
    "energy": "energy", "co2": "carbon_dioxide", "pressure": "pressure",
}  # fmt: skip
_ALSO: Final = {"energy": "power", "power": "energy", "pressure": "atmospheric_pressure"}
"""Classes of sensors that answer where there is none of the first"""
_DEGREES: Final = ("°C", "°F")
_OUTSIDE: Final = NounPhrase((NounWord(("outside",), place="outside"),))
_STATE_DOMAINS: Final = {
    "open": ("cover", "valve", "binary_sensor"),
    "closed": ("cover", "valve", "binary_sensor"),
    "locked": ("lock", "binary_sensor"), "unlocked": ("lock", "binary_sensor"),
    "playing": ("media_player",), "paused": ("media_player",),
    "home": ("person", "device_tracker"), "away": ("person", "device_tracker"),
    "cleaning": ("vacuum",), "docked": ("vacuum", "lawn_mower"),
    "armed": ("alarm_control_panel",), "disarmed": ("alarm_control_panel",),
    "low": ("binary_sensor", "sensor"), "detected": ("binary_sensor",),
    "heating": ("climate", "water_heater"), "available": ("update",),
    "charging": ("binary_sensor", "vacuum", "lawn_mower"),
    "on": ("light", "switch", "fan", "input_boolean", "climate", "media_player", "humidifier",
           "siren", "water_heater", "vacuum", "automation", "binary_sensor",
           "alarm_control_panel", "script", "remote", "camera", "group", "lawn_mower"),
}  # fmt: skip
_FAMILIES: Final = (
    frozenset({"open", "closed"}), frozenset({"locked", "unlocked"}),
    frozenset({"charging", "not_charging"}), frozenset({"plugged", "unplugged"}),
    frozenset({"connected", "disconnected"}), frozenset({"low", "normal"}),
    frozenset({"detected", "clear"}), frozenset({"on", "off"}),
)  # fmt: skip
"""States of contacts that belong together"""
_MAX_TRIED: Final = 16
_DURATIONS: Final = ("second", "minute", "hour", "day")
_OPEN_QUESTIONS: Final = frozenset({"what", "which", "how"})
_PRESENT: Final = ("motion", "smoke", "leak", "gas", "occupancy")
"""Kinds of what is there or not"""
_DEVICE_STATES: Final = frozenset(
    {"on", "off", "open", "closed", "locked", "unlocked", "playing", "paused", "cleaning",
     "heating", "armed"}
)  # fmt: skip
_NEVER_ON: Final = frozenset({"open", "closed", "locked", "unlocked"})
_MAX_SHOWN: Final = 4
_MADE_SURE_OF: Final = ("open", "closed", "locked", "unlocked", "armed")
"""States that people make sure of: what cannot be known is said"""


@dataclass(frozen=True, slots=True)
class _Split:
    """Entities by whether they are in the state that is asked about."""

    are: tuple[Entity, ...]
    are_not: tuple[Entity, ...]
    unknown: tuple[Entity, ...]


class Questions:
    """Answers the questions of one utterance."""

    def __init__(
        self, index: Index, snapshot: HomeSnapshot, words: Language, now: datetime
    ) -> None:
        self._index = index
        self._lexicon: Lexicon = index.lexicon
        self._snapshot = snapshot
        self._words = words
        self._now = now
        self._strict = False
        self.asked_for_state = False
        """Whether the last answer is one about states that devices have"""
        self._about: tuple[str, ...] = ()
        """Ids of the entities of the last answer"""

    def recognise(self, tokens: Sequence[str]) -> Result | None:
        """Return the answer; None where the question asks more than is understood."""
        if any(not self._index.knows(t) and t.isalpha() and len(t) > 1 for t in tokens):
            return None
        asked = tuple(token for token in tokens if token not in PUNCTUATION)
        clauses = list(parse(asked, self._index, asks=True))
        # Of all that may be asked: first what things of the kind are, then what anything is.
        for self._strict in (True, False):
            if (answer := self._first_answer(clauses)) is not None:
                return answer
        return None

    def _first_answer(self, clauses: Sequence[Clause]) -> Answer | None:
        for read in clauses:
            clause = read
            if _asks_for_presence(read) or _asks_for_any(read):
                clause = replace(read, questions=("is",))
            elif _asks_for_reading(read):
                clause = replace(read, questions=("what",))
            if not clause.questions or _asks_more(clause):
                continue
            self._about = ()
            if (text := self._answer(clause)) is not None:
                # In "was macht ein Thermostat" the article is also the word for "on".
                self.asked_for_state = "what" not in clause.questions and bool(
                    set(clause.states) & _DEVICE_STATES
                )
                return Answer(text, self._about)
        return None

    def asks_about_absent(self, tokens: Sequence[str]) -> bool:
        """Whether a question is about the state of a thing that the home has not."""
        asked = [token for token in tokens if token not in PUNCTUATION]
        for clause in itertools.islice(parse(asked, self._index, asks=True), _MAX_TRIED):
            about_state = set(clause.states) & _DEVICE_STATES or "is_on" in clause.questions
            if about_state and clause.questions and len(clause.phrases) == 1:
                phrase = clause.phrases[0]
                if not phrase.kinds and _OPEN_QUESTIONS & set(clause.questions):
                    continue  # "the square root of": is about no thing of a home
                if (
                    phrase.words
                    and not self._index.resolve(phrase, self._snapshot, _DOMAINS).entities
                ):
                    return True
        return False

    def tells_when(self, tokens: Sequence[str]) -> bool:
        """Whether a sentence says how long something takes: "in 20 minutes"."""
        asked = [token for token in tokens if token not in PUNCTUATION]
        read = itertools.islice(parse(asked, self._index, asks=True), _MAX_TRIED)
        return any(clause.unit in _DURATIONS for clause in read)

    def holds(self, tokens: Sequence[str]) -> bool | None:
        """Return whether a condition holds, None where it is not understood or not known."""
        asked = tuple(token for token in tokens if token not in PUNCTUATION)
        if any(not self._index.knows(t) and t.isalpha() and len(t) > 1 for t in asked):
            return None
        for clause in parse(asked, self._index, asks=True):
            if clause.values or clause.excluded or clause.by or clause.deeds:
                continue
            if clause.comparisons and clause.number is not None:
                value = self._compared(clause)
                if value is not None:
                    below = clause.comparisons == ("below",)
                    return value < clause.number if below else value > clause.number
            elif clause.states and clause.number is None and not clause.comparisons:
                held = self._all_hold(clause)
                if held is not None:
                    return held
        return None

    def _compared(self, clause: Clause) -> float | None:
        """Return the one reading that a comparison is about."""
        phrase = self._phrase(clause)
        if phrase is None:
            return None
        phrase = replace(phrase, pronoun=False)
        attribute = next(iter(sorted(clause.attributes - {"target"})), "temperature")
        wanted = _SENSED.get(attribute)
        if wanted is None:
            return None
        known = [(e, t) for e, t in self._readings(phrase, wanted, target=False) if t]
        sensors = [(entity, text) for entity, text in known if entity.domain == "sensor"]
        readings = {float(text.split()[0]) for _, text in sensors or known}
        return readings.pop() if len(readings) == 1 else None

    def _all_hold(self, clause: Clause) -> bool | None:
        phrase = self._phrase(clause)
        if phrase is None or not phrase.words:
            return None
        found = self._index.resolve(phrase, self._snapshot, self._domains(clause))
        if not found.entities:
            return None
        split = self._split(found.entities, clause)
        if split.unknown or (found.ambiguous and split.are and split.are_not):
            return None
        return bool(split.are) and not split.are_not

    def _answer(self, clause: Clause) -> str | None:  # noqa: C901, PLR0911, PLR0912
        kinds = clause.questions
        if clause.comparisons:
            return None
        if "is_on" in kinds and not clause.states:
            clause = replace(clause, questions=("is",), states=("on",))
            kinds = clause.questions
        if "title" in kinds:
            return self._titles(clause)
        if "since" in kinds:
            return self._since(clause)
        if "was" in kinds:
            # The past is not known, but since when things are as they are.
            phrase = self._phrase(clause)
            alone = clause.states and phrase is not None and phrase.words and not phrase.plural
            if alone and (told := self._since(clause)) is not None:
                return told
            kinds = tuple("is" if one == "was" else one for one in kinds)
            clause = replace(clause, questions=kinds)
        if "ask_warm" in kinds:
            return self._reading(clause, "temperature")
        if "where" in kinds:
            return self._where(clause)
        if "position" in kinds and set(clause.states) <= {"open", "closed"}:
            phrase = self._phrase(clause)
            return None if phrase is None else self._level(phrase, "position")
        if clause.states and {"which", "what", "who"} & set(kinds):
            return self._which(clause)
        if "how_many" in kinds and not (clause.attributes and not clause.states):
            return self._how_many(clause)
        if clause.states and "is" in kinds:
            return self._whether(clause)
        if clause.attributes:
            # "How much energy have we used": what is used is said twice.
            said = clause.attributes - ({"power"} if "energy" in clause.attributes else set())
            (attribute, *more) = sorted(said - {"target"}) or ("temperature",)
            if more or clause.states:
                return None
            return self._reading(clause, attribute)
        if "is" in kinds and (there := self._is_there(clause)) is not None:
            return there
        if kinds and kinds[0] in ("what", "is", "which", "how", "how_many") and not clause.states:
            return self._state_of(clause)
        return None

    def _phrase(self, clause: Clause) -> NounPhrase | None:
        if len(clause.phrases) > 1:
            return None
        return clause.phrases[0] if clause.phrases else NounPhrase()

    def _entities(self, clause: Clause, domains: Sequence[str]) -> Resolution | None:
        """Return what a question is about, all that fits where it names no single thing."""
        phrase = self._phrase(clause)
        if phrase is None or not (phrase.words or phrase.every or phrase.pronoun):
            return None
        found = self._index.resolve(phrase, self._snapshot, domains)
        kept = tuple(
            entity
            for entity in found.entities
            if self._has_state(entity, clause.states) and self._index.bears(entity, phrase)
        )
        self._about = tuple(entity.id for entity in kept)
        return replace(found, entities=kept) if kept else None

    def _titles(self, clause: Clause) -> str | None:
        """Return what players play, those of the speaker's room where that has some."""
        phrase = self._phrase(clause)
        if phrase is None or clause.states or clause.attributes:
            return None
        every = replace(phrase, every=True)
        found = self._index.resolve(every, self._snapshot, ("media_player",), "media")
        titled = [e for e in found.entities if self._title(e)]
        near = [e for e in titled if e.area == self._snapshot.area]
        for group in (near, titled):
            for value in ("playing", "paused"):
                held = [e for e in group if self._snapshot.state(e).value == value]
                if held:
                    return self._words.listed([self._title(e) for e in held])
        return self._words.say("dont_know")

    def _title(self, entity: Entity) -> str:
        """Return what a player plays, with the artist; "" where that is not known."""
        attributes = self._snapshot.state(entity).attributes
        parts = (attributes.get("media_title"), attributes.get("media_artist"))
        return ", ".join(str(part) for part in parts if part)

    def _split(self, entities: Sequence[Entity], clause: Clause) -> _Split:
        are, are_not, unknown = [], [], []
        for entity in entities:
            state = self._snapshot.state(entity)
            if state.value in GONE and clause.states[0] != "unavailable":
                unknown.append(entity)
            elif all(self._is(entity, state, wanted) for wanted in clause.states) != clause.negated:
                are.append(entity)
            else:
                are_not.append(entity)
        return _Split(tuple(are), tuple(are_not), tuple(unknown))

    def _is(self, entity: Entity, state: State, wanted: str) -> bool:
        value = natural_state(entity, state)
        if entity.domain in ("sensor", "select", "input_select"):
            said = self._lexicon.roles(tokenize(value))
            if any(role.kind == "states" and role.value == wanted for role in said):
                return True
        if wanted == "low" and entity.domain == "sensor":
            return _number(state.value) is not None and float(state.value) < 20
        if entity.domain == "climate" and wanted == "heating":
            return state.attributes.get("hvac_action") == "heating" or value == "heat"
        if wanted in ("on", "off") and entity.domain in ("binary_sensor", "lock", "cover"):
            return state.value == wanted
        return value in _ALIKE.get(wanted, (wanted,))

    def _domains(self, clause: Clause) -> Sequence[str]:
        if not clause.states:
            return _DOMAINS
        state = "on" if clause.states[0] == "off" else clause.states[0]
        return _STATE_DOMAINS.get(state, _DOMAINS)

    def _all_of(self, clause: Clause) -> tuple[Entity, ...] | None:
        """Return every entity of the kind that is asked about."""
        phrase = self._phrase(clause)
        if phrase is None:
            return None
        if self._asks_for_people(clause):
            people = self._index.home.entities.values()
            return tuple(one for one in people if one.domain == "person") or None
        domains = self._domains(clause)
        if not phrase.words and not clause.every:
            domains = [d for d in domains if d not in ("binary_sensor", "automation", "script")]
        if self._is_kind_only(phrase):
            of_kind = {domain for kind in phrase.kinds for domain in KINDS[kind].domains}
            domains = [domain for domain in domains if domain in of_kind] or domains
        every = replace(phrase, every=True, everything=True)
        found = self._index.resolve(every, self._snapshot, domains)
        if found.entities:
            return tuple(e for e in found.entities if self._has_state(e, clause.states))
        # A kind that exists nowhere in the home, or not in that room, is in no state.
        return () if self._is_kind_only(phrase) else None

    def _has_state(self, entity: Entity, states: Sequence[str]) -> bool:
        """Whether an entity can be in the states that are asked about: a leak is never locked."""
        state = self._snapshot.state(entity)
        if entity.domain != "binary_sensor":
            return True
        if state.value in GONE:
            state = State("on", state.attributes)
        now = natural_state(entity, state)
        families = [family for family in _FAMILIES if set(states) & family]
        return not families or any(now in family for family in families)

    def _asks_for_people(self, clause: Clause) -> bool:
        """Whether a question is who is at home: "is anyone home"."""
        phrase = self._phrase(clause) or NounPhrase()
        named = [word for word in phrase.words if word.kind != "occupancy"]
        return not named and bool(set(clause.states) & {"home", "away"})

    def _is_kind_only(self, phrase: NounPhrase) -> bool:
        return bool(phrase.kinds) and all(
            word.kind or word.place or self._index.places(word.tokens) for word in phrase.words
        )

    def _which(self, clause: Clause) -> str | None:
        entities = self._all_of(clause)
        if entities is None:
            return self._words.say("dont_know") if "who" in clause.questions else None
        split = self._split(entities, clause)
        self._about = tuple(entity.id for entity in split.are)
        players = all(entity.domain == "media_player" for entity in split.are)
        if players and any(self._title(entity) for entity in split.are):
            return self._words.listed([self._title(e) or e.name for e in split.are])
        text = self._listed(split.are) if split.are else self._words.say("none_of")
        return self._with_unknown(text, split, clause.states)

    def _how_many(self, clause: Clause) -> str | None:
        entities = self._all_of(clause)
        if entities is None or (not clause.states and not clause.phrases):
            return None
        phrase = self._phrase(clause)
        if not clause.states and phrase is not None and not phrase.plural:
            return self._state_of(clause)
        if not clause.states:
            return str(len(entities))
        split = self._split(entities, clause)
        text = f"{len(split.are)}: {self._listed(split.are)}" if split.are else "0"
        return self._with_unknown(text, split, clause.states)

    def _whether(self, clause: Clause) -> str | None:
        phrase = self._phrase(clause)
        if phrase is None:
            return None
        people = self._asks_for_people(clause)
        many = clause.every or phrase.plural or not phrase.words or people
        if not many:
            return self._whether_one(clause)
        if not phrase.words and not clause.every and not people:
            return None
        entities = self._all_of(clause)
        if entities is None:
            return self._words.say("dont_know") if people else None
        split = self._split(entities, clause)
        say = self._words.say
        if self._asks_for_all(phrase, clause):
            if split.are_not:
                text = say("no_names", names=self._stated(split.are_not))
            else:
                text = say("yes") if split.are or not split.unknown else say("dont_know")
        elif split.are:
            text = say("yes_names", names=self._listed(split.are))
        else:
            text = say("no") if split.are_not or not split.unknown else say("dont_know")
        return self._with_unknown(text, split, clause.states)

    def _asks_for_all(self, phrase: NounPhrase, clause: Clause) -> bool:
        """Whether a question is about all of a kind, and not about any."""
        if phrase.any_of:
            return False
        return phrase.every or self._safe(clause.states[0])

    def _safe(self, state: str) -> bool:
        """Whether a state is the one that people make sure of before they leave."""
        return state in ("closed", "locked", "off", "armed")

    def _whether_one(self, clause: Clause) -> str | None:
        found = self._entities(clause, self._domains(clause))
        if found is None and not self._strict:
            found = self._entities(clause, _DOMAINS)
        if found is None:
            return None
        phrase = self._phrase(clause)
        if found.ambiguous or len(found.entities) > 1:
            assert phrase is not None
            split = self._split(found.entities, clause)
            if split.are:
                text = self._words.say("yes_names", names=self._listed(split.are))
            else:
                text = self._words.say("no")
            return self._with_unknown(text, split, clause.states)
        (entity,) = found.entities
        state = self._snapshot.state(entity)
        split = self._split(found.entities, clause)
        shown = self._lexicon.state(natural_state(entity, state))
        if split.are:
            # A lock does not know whether its door stands open.
            is_lock = entity.domain == "lock" and set(clause.states) & {"open", "closed"}
            return self._words.say("yes_names" if is_lock else "yes", names=shown)
        return self._words.say("no_but", state=shown)

    def _is_there(self, clause: Clause) -> str | None:
        """Answer "is there motion in the hall", "is anyone in the kitchen"."""
        phrase = self._phrase(clause) or NounPhrase()
        if "update" in phrase.kinds:
            every = replace(phrase, every=True, any_of=True)
            return self._whether(replace(clause, phrases=(every,), states=("available",)))
        kinds = [kind for kind in phrase.kinds if kind in _PRESENT]
        if not kinds:
            return None
        found = self._index.resolve(replace(phrase, every=True), self._snapshot, ("binary_sensor",))
        if not found.entities:
            return self._words.say("dont_know")
        split = self._split(found.entities, replace(clause, states=("detected",)))
        if split.are:
            return self._words.say("yes_names", names=self._listed(split.are))
        return self._words.say("no" if split.are_not else "dont_know")

    def _where(self, clause: Clause) -> str | None:
        found = self._entities(clause, ("person", "device_tracker", "vacuum", "lawn_mower"))
        if found is None or found.ambiguous:
            return None
        entity = found.entities[0]
        state = self._snapshot.state(entity)
        if state.value in GONE:
            return self._words.say("no_reading", name=entity.name)
        return self._words.say("state_is", name=entity.name, state=self._lexicon.state(state.value))

    def _since(self, clause: Clause) -> str | None:
        """Return since when a thing is in its state, where that is the state asked about."""
        if len(clause.states) > 1 or clause.negated:
            return None
        found = self._entities(clause, self._domains(clause))
        if found is None or found.ambiguous or len(found.entities) != 1:
            return None
        (entity,) = found.entities
        state = self._snapshot.state(entity)
        shown = self._lexicon.state(natural_state(entity, state))
        as_asked = not clause.states or self._is(entity, state, clause.states[0])
        try:
            changed = datetime.fromisoformat(state.changed).astimezone(self._now.tzinfo)
        except ValueError:
            if "was" in clause.questions:
                return self._words.say("state_is", name=entity.name, state=shown)
            if not as_asked:
                return self._words.say("no_but", state=shown)
            return self._words.say("dont_know")
        today = changed.date() == self._now.date()
        time = changed.strftime("%H:%M" if today else "%d.%m. %H:%M")
        return self._words.say("since", name=entity.name, state=shown, time=time)

    def _reading(self, clause: Clause, attribute: str) -> str | None:  # noqa: C901, PLR0911
        """Return a reading with its unit, from what has one."""
        if clause.negated:
            return None
        phrase = self._phrase(clause)
        if phrase is None:
            return None
        if attribute in _LEVELS:
            return self._level(phrase, attribute)
        if attribute not in _SENSED:
            return self._attribute(phrase, attribute)
        wanted = _SENSED[attribute]
        target = "target" in clause.attributes
        anywhere = False
        readings = list(self._readings(phrase, wanted, target=target))
        if not readings and wanted in _ALSO:
            readings = list(self._readings(phrase, _ALSO[wanted], target=target))
        if not readings and not phrase.words:
            anywhere = True  # The speaker's room has none.
            readings = list(self._readings(phrase, wanted, target=target, anywhere=True))
        known = [(entity, text) for entity, text in readings if text]
        if not readings:
            return None
        if not known:
            return self._words.say("no_reading", name=readings[0][0].name)
        if len(known) == 1 and not anywhere:
            return known[0][1]
        return ", ".join(f"{entity.name}: {text}" for entity, text in known[:_MAX_SHOWN])

    def _readings(  # noqa: C901
        self, phrase: NounPhrase, wanted: str, *, target: bool, anywhere: bool = False
    ) -> Iterator[tuple[Entity, str]]:
        """Yield what could know it, with the reading or ""; sensors before thermostats.

        Without words it is what the speaker's room has, or what is `anywhere`.
        """
        sensors = self._of_class(phrase, wanted) if not target else []
        whole_house = bool(phrase.words) and all(word.place == "house" for word in phrase.words)
        if whole_house:
            outside = self._of_class(_OUTSIDE, wanted)
            sensors = [entity for entity in sensors if entity not in outside]
        thermostats: list[Entity] = []
        if wanted in ("temperature", "humidity"):
            domains = (
                ("climate", "water_heater", "weather")
                if not target
                else ("climate", "water_heater")
            )
            found = self._index.resolve(phrase, self._snapshot, domains, "thermostat")
            thermostats = list(found.entities)
            if phrase.words and all(word.place == "outside" for word in phrase.words):
                thermostats += [e for e in self._all("weather") if e not in thermostats]
            if "outside" not in [word.place for word in phrase.words]:
                thermostats = [entity for entity in thermostats if entity.domain != "weather"]
        near = "" if anywhere else self._snapshot.area
        if near and not phrase.words:
            sensors = [e for e in sensors if e.area == near]
            thermostats = [e for e in thermostats if e.area == near]
        found_one = False
        for entity in sensors:
            text = self._with_unit(entity)
            found_one = found_one or bool(text)
            yield entity, text
        if found_one and phrase.words and not whole_house:
            return
        if wanted == "battery" and not sensors:
            yield from self._batteries(phrase)
        key = "temperature" if target else f"current_{wanted}"
        for entity in thermostats:
            attributes = self._snapshot.state(entity).attributes
            value = attributes.get(wanted if entity.domain == "weather" else key)
            unit = "%" if wanted == "humidity" else self._degrees(attributes)
            shown = _number(value)
            gone = self._snapshot.state(entity).value in GONE
            yield entity, "" if shown is None or gone else f"{shown} {unit}"

    def _batteries(self, phrase: NounPhrase) -> Iterator[tuple[Entity, str]]:
        """Yield what tells the level of its battery as an attribute."""
        if not phrase.words:
            return
        for entity in self._index.resolve(phrase, self._snapshot, _WITH_BATTERY).entities:
            level = _number(self._snapshot.state(entity).attributes.get("battery_level"))
            yield entity, "" if level is None else f"{level} %"

    def _of_class(self, phrase: NounPhrase, wanted: str) -> list[Entity]:
        every = replace(phrase, every=True)
        found = self._index.resolve(every, self._snapshot, ("sensor",))
        return [
            entity
            for entity in found.entities
            if self._senses(self._snapshot.state(entity), wanted)
        ]

    def _senses(self, state: State, wanted: str) -> bool:
        """Whether a sensor is of a class, or tells degrees without having one."""
        kind = state.attributes.get("device_class")
        unit = state.attributes.get("unit_of_measurement")
        return kind == wanted or (not kind and wanted == "temperature" and unit in _DEGREES)

    def _with_unit(self, entity: Entity) -> str:
        state = self._snapshot.state(entity)
        value = _number(state.value)
        unit = state.attributes.get("unit_of_measurement")
        return "" if value is None else f"{value} {unit}" if unit else value

    def _level(self, phrase: NounPhrase, attribute: str) -> str | None:
        default = {"brightness": "light", "volume": "media"}.get(attribute, "")
        if not phrase.words and not default:
            return None
        found = self._index.resolve(phrase, self._snapshot, _LEVELS[attribute], default)
        # "The back door" is no garage door.
        entities = [one for one in found.entities if self._index.bears(one, phrase)]
        if not entities:
            return None
        texts = []
        for entity in entities[:_MAX_SHOWN]:
            level = level_of(entity, self._snapshot.state(entity))
            shown = self._words.say("is_off", name=entity.name).rstrip(".")
            if level is None:
                shown = self._words.say("no_reading", name=entity.name).rstrip(".")
            elif level or self._snapshot.state(entity).value != "off":
                shown = f"{round(level)} %"
                shown = shown if len(entities) == 1 else f"{entity.name}: {shown}"
            texts.append(shown)
        return ", ".join(texts)

    def _attribute(self, phrase: NounPhrase, attribute: str) -> str | None:
        if attribute == "wind":
            return self._wind(phrase)
        if attribute != "color":
            return None
        found = self._index.resolve(phrase, self._snapshot, ("light",))
        return self._words.say("dont_know") if found.entities else None

    def _degrees(self, attributes: Mapping[str, Any]) -> str:
        return str(attributes.get("temperature_unit") or self._index.home.temperature_unit)

    def _all(self, domain: str) -> list[Entity]:
        return [e for e in self._index.home.entities.values() if e.domain == domain]

    def _wind(self, phrase: NounPhrase) -> str | None:
        """Return the wind's speed, as the weather tells it."""
        if any(word.place != "outside" for word in phrase.words):
            return None
        for entity in self._all("weather"):
            attributes = self._snapshot.state(entity).attributes
            speed = _number(attributes.get("wind_speed"))
            if speed is not None:
                return f"{speed} {attributes.get('wind_speed_unit') or 'km/h'}"
        return self._words.say("dont_know")

    def _state_of(self, clause: Clause) -> str | None:
        """Return the state of the one thing that is asked about."""
        phrase = self._phrase(clause)
        if phrase is None or not phrase.words or phrase.plural or clause.negated:
            return None
        if clause.attributes - {"setting"}:
            return None
        found = self._index.resolve(phrase, self._snapshot, _DOMAINS)
        if len(found.entities) != 1 or found.ambiguous:
            return None
        (entity,) = found.entities
        return self._told(entity) if _is_specific(phrase, self._index) else None

    def _told(self, entity: Entity) -> str:
        """Return the state of an entity in a sentence; of a player, what it plays."""
        state = self._snapshot.state(entity)
        measures = entity.domain in ("sensor", "input_number", "number")
        if measures and state.value == "unknown":
            return self._words.say("no_reading", name=entity.name)
        if state.value in GONE:
            shown = self._lexicon.state(state.value)
        elif measures:
            shown = self._with_unit(entity) or state.value
        else:
            shown = self._lexicon.state(natural_state(entity, state))
        playing = entity.domain == "media_player" and state.value == "playing"
        if playing and (title := self._title(entity)):
            return title
        return self._words.say("state_is", name=entity.name, state=shown)

    def _listed(self, entities: Sequence[Entity]) -> str:
        return self._words.listed(sorted(entity.name for entity in entities))

    def _stated(self, entities: Sequence[Entity]) -> str:
        """Return names with the states in which they are."""
        shown = [
            f"{e.name}: {self._lexicon.state(natural_state(e, self._snapshot.state(e)))}"
            for e in sorted(entities, key=lambda entity: entity.name)
        ]
        return self._words.listed(shown)

    def _with_unknown(self, text: str, split: _Split, states: Sequence[str]) -> str:
        """Return an answer that also says what cannot be known."""
        if not split.unknown or not set(states) & set(_MADE_SURE_OF):
            return text
        return self._words.say(
            "and_unknown", text=text.rstrip("."), names=self._listed(split.unknown)
        )


def _asks_more(clause: Clause) -> bool:
    """Whether a clause has parts that no question about states or readings has."""
    if clause.number is not None or clause.values or clause.excluded:
        return True
    if clause.by or clause.step or clause.deeds or _states_exclude_each_other(clause.states):
        return True
    # "The temperature in the house": people are at home.
    return bool(clause.attributes) and bool(set(clause.states) & {"home", "away"})


def _states_exclude_each_other(states: Sequence[str]) -> bool:
    """Whether one of the states must be another word: "in the house", the article "ein"."""
    return len(states) > 1 and (
        "home" in states or ("on" in states and bool(set(states) & _NEVER_ON))
    )


def _asks_for_presence(clause: Clause) -> bool:
    """Whether a clause without a question word asks: "anyone in the kitchen"."""
    kinds = [kind for phrase in clause.phrases for kind in phrase.kinds]
    occupied = "occupancy" in kinds or any(
        phrase.any_of and set(phrase.kinds) & set(_PRESENT) for phrase in clause.phrases
    )
    return not clause.questions and not clause.states and occupied


def _asks_for_any(clause: Clause) -> bool:
    """Whether a clause without a question word asks: "any windows open", "all doors locked"."""
    every = clause.asks_any or any(phrase.every for phrase in clause.phrases)
    return every and bool(clause.states) and not clause.questions


def _asks_for_reading(clause: Clause) -> bool:
    """Whether a clause without a question word asks: "temperature in the kitchen"."""
    named = bool(clause.attributes) and clause.attributes <= _SENSED.keys()
    return named and bool(clause.phrases) and not clause.questions and not clause.states


def natural_state(entity: Entity, state: State) -> str:  # noqa: PLR0911
    """Return a state in the terms of what it is: a contact that is "on" is open."""
    if entity.domain == "update":
        return {"on": "available", "off": "up_to_date"}.get(state.value, state.value)
    if entity.domain != "binary_sensor" or state.value not in ("on", "off"):
        return state.value
    kind = state.attributes.get("device_class")
    if kind == "lock":
        return "unlocked" if state.value == "on" else "locked"
    if kind in _OPENINGS:
        return "open" if state.value == "on" else "closed"
    if kind == "battery":
        return "low" if state.value == "on" else "normal"
    if kind in _ON_AND_OFF:
        return _ON_AND_OFF[kind][state.value == "off"]
    if kind in _ALARMING:
        return "detected" if state.value == "on" else "clear"
    return state.value


def _is_specific(phrase: NounPhrase, index: Index) -> bool:
    """Whether a phrase names a thing or a kind, and not a room alone."""
    if any(kind in KINDS for kind in phrase.kinds):
        return True
    return bool(phrase.words) and not all(index.places(word.tokens) for word in phrase.words)


def _number(value: object) -> str | None:
    """Return a number as it is said, None for anything else."""
    try:
        number = float(str(value))
    except ValueError:
        return None
    return f"{number:g}" if abs(number) < 1e6 else str(value)
