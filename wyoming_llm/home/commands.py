"""Recogniser of commands: clauses with a deed, resolved to actions on entities."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from wyoming_common.home_assistant.home import Entity
from wyoming_llm.home.intent import Action, Command, Option, Question, Refusal, Result
from wyoming_llm.home.kinds import SWITCHED, kind_of
from wyoming_llm.home.lexicon import tokenize
from wyoming_llm.home.operations import (
    DIRECTIONS,
    Unable,
    deed_of,
    deed_of_words,
    domains_of,
    level_of,
    operation,
)
from wyoming_llm.home.parser import Clause, parse
from wyoming_llm.home.responses import listed_or
from wyoming_llm.home.targets import (
    GONE,
    HomeSnapshot,
    Index,
    NounPhrase,
    NounWord,
    Resolution,
    without,
)
from wyoming_llm.languages import Language

_MAX_OPTIONS: Final = 6
_MAX_TRIED: Final = 16
_MAX_ROOM_DEGREES: Final = 35.0
"""Celsius"""
_MAX_BRIGHT: Final = 95.0
"""Percent from which a lamp cannot be made much brighter"""
_MAX_SPLITS: Final = 48
"""Places at which an utterance is tried as two clauses"""
_CONTROLLED: Final = (*SWITCHED, "cover", "lock")
_SEPARATORS: Final = ("and", "but")
_NEEDING_A_THING: Final = ("on", "off", "toggle", "light")
"""Deeds that could be done to anything"""
_EVERYTHING: Final = ("light", "switch", "fan", "input_boolean", "media_player")
"""Domains of "everything": not the heating, and nothing that guards the house"""
_ALONE: Final = ("clean", "mow", "dock", "lock", "stop", "stop_mow", "stop_clean")
"""Deeds that say themselves what they are done to"""
_BUSY: Final = ("playing", "buffering")
_PAIRS: Final = (("on", "off"), ("open", "close"), ("lock", "unlock"), ("up", "down"))
_OPPOSITES: Final = {one: other for pair in _PAIRS for one, other in (pair, pair[::-1])}
_TIMES: Final = ("hour", "minute", "second")
_ORDERING: Final = frozenset({"turn", "put", "move"})
_SWITCHING: Final = frozenset({"on", "off", "open", "close", "start", "stop", "lock", "unlock"})
_STATE_WANTED: Final = {
    "pause": _BUSY, "next": _BUSY, "previous": _BUSY, "louder": _BUSY, "quieter": _BUSY,
    "mute": _BUSY, "set": _BUSY, "up": _BUSY, "down": _BUSY, "stop": (*_BUSY, "cleaning", "mowing"),
    "resume": ("paused",), "play": ("paused",),
}  # fmt: skip
"""States of what is meant, where several could be"""


@dataclass(frozen=True, slots=True)
class Missing:
    """A noun phrase that nothing in the home is."""

    phrase: NounPhrase
    deed: str
    unable: Entity | None = None
    why: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Part:
    """Actions of one noun phrase; several that exclude each other where it is ambiguous."""

    actions: tuple[Action, ...]
    ambiguous: bool = False


_Understood = tuple[list[_Part], Clause]


class Commands:
    """Recognises the commands of one utterance."""

    def __init__(self, index: Index, snapshot: HomeSnapshot, words: Language) -> None:
        self._index = index
        self._snapshot = snapshot
        self._words = words
        self.missing: Missing | None = None
        """Of the first reading whose thing is not there"""
        self._tried = 0

    def recognise(self, tokens: Sequence[str]) -> Result | None:
        """Return the command, or a question back; None where not every word is understood."""
        unknown = [token for token in tokens if not self._index.knows(token) and len(token) > 1]
        if any(not token[0].isdigit() for token in unknown):
            self._find_missing(tokens)
            return None
        understood = self._understand(tuple(tokens), None)
        if understood is None:
            return None
        parts, _ = understood
        return self._result(parts)

    def _find_missing(self, tokens: Sequence[str]) -> None:
        """Remember what a command is about that has words which nothing here is called."""
        for clause in itertools.islice(parse(tokens, self._index, asks=False), _MAX_TRIED):
            deed = deed_of(clause)
            if clause.negated or (deed and self._parts(clause, None) is None):
                return

    def _understand(self, tokens: tuple[str, ...], before: Clause | None) -> _Understood | None:
        """Return the parts of the tokens, as one clause or as several."""
        # "Close the garage and lock the door" has two deeds, and no lock of the garage's.
        apart = [at for at in self._separators(tokens) if self._has_deeds_around(tokens, at)]
        # "Turn off the lamp and the tv, turn on the fan": the tv is not turned on.
        apart.sort(key=lambda at: not self._verb_follows(tokens, at))
        if apart and (parts := self._as_several(tokens, before, apart)) is not None:
            return parts
        return self._as_one(tokens, before) or self._as_several(
            tokens, before, self._separators(tokens)
        )

    def _has_deeds_around(self, tokens: tuple[str, ...], at: int) -> bool:
        """Whether each side of a separator says what is to be done."""
        return self._has_deed(tokens[:at]) and self._has_deed(tokens[at:])

    def _has_deed(self, tokens: Sequence[str]) -> bool:
        return bool(deed_of_words(tokens, self._index.lexicon))

    def _has_verb(self, tokens: Sequence[str]) -> bool:
        """Whether there is a deed that is no thing ("the hall light"), or begins the words."""
        return any(
            "deeds" in kinds and (at == 0 or not kinds & {"one", "many"})
            for at, token in enumerate(tokens)
            if (kinds := {role.kind for role in self._index.lexicon.roles((token,))})
        )

    def _verb_follows(self, tokens: Sequence[str], at: int) -> bool:
        return self._has_verb(tokens[at + 1 : at + 2])

    def _excepts(self, tokens: Sequence[str]) -> bool:
        """Whether a part of what is named is excluded."""
        kinds = [
            {role.kind for _, roles in self._index.lexicon.matches(tokens, at) for role in roles}
            for at in range(len(tokens))
        ]
        every = any(one & {"all", "everything"} for one in kinds)
        return any("except" in one or ("but" in one and every) for one in kinds)

    def _as_one(self, tokens: tuple[str, ...], before: Clause | None) -> _Understood | None:
        """Return the parts of the tokens as one clause."""
        readings = list(parse(tokens, self._index, asks=False))
        for number, clause in enumerate(readings):
            if clause.negated:
                return None
            if clause.asks_any and not clause.deeds & _ORDERING:
                return None  # "any light on"
            if (parts := self._parts(clause, before)) is not None:
                opposite = _OPPOSITES.get(deed_of(parts[1]), "")
                if any(
                    deed_of(other) == opposite and self._parts(other, before) is not None
                    for other in readings[number + 1 :]
                    if opposite
                ):
                    # "in" and "uit" are particles and prepositions: both cannot be meant.
                    return None
                return parts
        return None

    def _as_several(  # noqa: C901
        self, tokens: tuple[str, ...], before: Clause | None, separators: Sequence[int]
    ) -> _Understood | None:
        """Return the parts of the tokens as one clause and what follows it."""
        for at in separators:
            if self._excepts(tokens[: at + 1]) and not self._has_verb(tokens[at + 1 :]):
                continue  # "all but the tv and the lamp"
            self._tried += 1
            if self._tried > _MAX_SPLITS:
                return None
            seen = self._snapshot
            if (reason := self._reason(tokens[:at])) is not None:
                self._snapshot = replace(seen, recent=reason or seen.recent)
                asked = self._understand(tokens[at + 1 :], None)
                self._snapshot = seen
                if asked is not None:
                    return asked
            left = self._as_one(tokens[:at], before)
            if left is None:
                continue
            after = at + 1
            while after < len(tokens) and self._separates(tokens, after):
                after += 1
            # "The lamp to 50 percent and make it red": it is the lamp.
            named = tuple(a.target.id for part in left[0] for a in part.actions if a.target)
            self._snapshot = replace(seen, recent=named or seen.recent)
            right = (
                self._understand(tokens[after:], left[1]) if after < len(tokens) else ([], left[1])
            )
            self._snapshot = seen
            if right is not None:
                return [*left[0], *right[0]], right[1]
        return None

    def _reason(self, tokens: tuple[str, ...]) -> tuple[str, ...] | None:
        """Return the ids of what is complained of before it is said what to do; None for none.

        "It's too hot, turn the fireplace off" asks for nothing but that.
        """
        complaint = next((c for c in parse(tokens, self._index, asks=False) if c.complains), None)
        if complaint is None:
            return None
        every = tuple({entity.domain for entity in self._index.home.entities.values()})
        found = [
            self._index.resolve(p, self._snapshot, every) for p in complaint.phrases if p.words
        ]
        return tuple(entity.id for one in found for entity in one.entities)

    def _separators(self, tokens: Sequence[str]) -> list[int]:
        return [at for at in range(1, len(tokens)) if self._separates(tokens, at)]

    def _separates(self, tokens: Sequence[str], at: int) -> bool:
        roles = self._index.lexicon.roles(tokens[at : at + 1])
        return tokens[at] in ",;." or any(role.kind in _SEPARATORS for role in roles)

    def _parts(  # noqa: C901, PLR0911
        self, clause: Clause, before: Clause | None
    ) -> _Understood | None:
        if before is not None and not clause.deeds and clause.number is None and not clause.values:
            clause = replace(
                clause, deeds=before.deeds, number=before.number, unit=before.unit,
                values=before.values, by=before.by,
            )  # fmt: skip
        deed = deed_of(clause)
        if not deed or deed == "add":
            return None
        if clause.unit in _TIMES and clause.deeds & _SWITCHING:
            return None  # "on for ten minutes"
        if clause.complains and (clause.number is not None or clause.values):
            return None
        if any(self._is_timer(phrase) for phrase in clause.phrases):
            return None  # timers set by voice are no entities
        domains, default = domains_of(clause, deed)
        if not domains:
            return None
        phrases = self._completed(clause.phrases) or (NounPhrase(),)
        parts = []
        for phrase in phrases:
            part = self._part(phrase, clause, deed, domains, default)
            if part is None:
                return None
            parts.append(part)
        return parts, clause

    def _completed(self, phrases: Sequence[NounPhrase]) -> tuple[NounPhrase, ...]:
        """Return the phrases, a kind that is said once given to each: "hall and kitchen light"."""
        kinds = [word for phrase in phrases for word in phrase.words if word.kind]
        done = []
        for number, phrase in enumerate(phrases):
            only_places = phrase.words and all(
                word.place or self._index.places(word.tokens) for word in phrase.words
            )
            later = [w for other in phrases[number + 1 :] for w in other.words if w.kind]
            kind = (later or kinds[:1]) if only_places and len(phrases) > 1 else []
            whole = [replace(word, many=True) for word in kind[:1]]
            done.append(replace(phrase, words=(*phrase.words, *whole)) if kind else phrase)
        return tuple(done)

    def _part(  # noqa: C901
        self,
        said: NounPhrase,
        clause: Clause,
        deed: str,
        domains: Sequence[str],
        default: str,
    ) -> _Part | None:
        """Return the actions of a phrase, None where it has none."""
        phrase = self._subject(said, clause, deed, default)
        if phrase is None:
            return None
        if not phrase.words and deed == "stop":
            domains = ("media_player",)
        if phrase.everything:
            default = ""
            domains = _of_everything(deed, domains)
        loudness = clause.attributes <= {"volume"}
        if not phrase.words and not phrase.pronoun and deed in ("up", "down") and loudness:
            domains, default = ("media_player",), "media"
        if clause.every and not phrase.words and deed not in ("dim", "brighten"):
            default = ""
        if self._is_temperature(phrase, clause, deed):
            domains, default = ("climate",), "thermostat"
        found = self._found(phrase, clause, deed, domains, default)
        if not found.entities:
            if not clause.complains:
                self._miss(phrase, deed)
            return None
        actions = self._actions(found, phrase, clause, deed)
        if not actions:
            return None
        if deed == "clean":
            actions = [self._cleaned(action, phrase) for action in actions]
        return _Part(tuple(actions), found.ambiguous and len(actions) > 1)

    def _is_temperature(self, phrase: NounPhrase, clause: Clause, deed: str) -> bool:
        """Whether a bare number is the temperature of a room: "set the bedroom to 19"."""
        if deed != "set" or clause.number is None or clause.unit or clause.attributes:
            return False
        if not phrase.words or not all(self._is_room(word) for word in phrase.words):
            return False
        found = self._index.resolve(phrase, self._snapshot, ("climate",))
        limits = [self._snapshot.state(entity).attributes for entity in found.entities]
        return bool(limits) and all(
            float(one.get("min_temp") or 5) <= clause.number <= _warmest(one) for one in limits
        )

    def _subject(
        self, phrase: NounPhrase, clause: Clause, deed: str, default: str
    ) -> NounPhrase | None:
        """Return the phrase as a command means it, None where it leaves open what is meant."""
        if phrase.any_of:
            # "A light" is one of them, and not all.
            phrase = replace(phrase, every=False, any_of=False)
        if phrase.pronoun and (phrase.words or not self._snapshot.recent):
            # "Make it warmer" speaks of no thing; "turn it on" does.
            if deed not in DIRECTIONS and default not in ("thermostat", "media"):
                return None
            phrase = replace(phrase, pronoun=False)
        unsaid = not phrase.words and not phrase.pronoun and not clause.every
        if unsaid and deed == "lock":
            # "Lock up" leaves no door open.
            return replace(phrase, every=True)
        if unsaid and (deed in _NEEDING_A_THING or not (default or deed in _ALONE)):
            turned = deed in ("up", "down") and self._is_one_playing()
            return phrase if turned else None
        return phrase

    def _is_one_playing(self) -> bool:
        """Whether there is one player that plays: it is what "turn it up" means."""
        players = [e for e in self._index.home.entities.values() if e.domain == "media_player"]
        return sum(self._snapshot.state(e).value in _BUSY for e in players) == 1

    def _is_timer(self, phrase: NounPhrase) -> bool:
        """Whether a phrase is the word for a timer, and no name of one."""
        return len(phrase.words) == 1 and any(
            role.kind == "timer" for role in self._index.lexicon.roles(phrase.words[0].tokens)
        )

    def _actions(
        self, found: Resolution, phrase: NounPhrase, clause: Clause, deed: str
    ) -> list[Action]:
        """Return what is done to each entity; what cannot do it is remembered as missing."""
        actions: list[Action] = []
        for entity in self._remedied(found.entities, clause, deed):
            state = self._snapshot.state(entity)
            done = operation(self._remedy(deed, clause, entity), clause, entity, state)
            if isinstance(done, Unable) and self.missing is None and not actions:
                self.missing = Missing(phrase, deed, entity, done.phrase, done.values)
            absent = state.value in GONE and len(found.entities) > 1 and not phrase.words
            if isinstance(done, Action) and not absent:
                actions.append(done)
        return actions

    def _remedied(self, entities: Sequence[Entity], clause: Clause, deed: str) -> Sequence[Entity]:
        """Return what a complaint is remedied with: burning lamps before others."""
        if not clause.complains or deed not in ("brighten", "dim"):
            return entities
        lit = [e for e in entities if self._snapshot.state(e).value == "on"]
        if deed == "brighten":
            lit = [e for e in lit if (level_of(e, self._snapshot.state(e)) or 100) < _MAX_BRIGHT]
        return lit or (entities if deed == "brighten" else ())

    def _remedy(self, deed: str, clause: Clause, entity: Entity) -> str:
        """Return the deed that a complaint asks for: a lamp that is off goes on."""
        if not clause.complains or entity.domain != "light":
            return deed
        state = self._snapshot.state(entity)
        dimmable = level_of(entity, state) is not None
        if deed == "brighten" and (state.value != "on" or not dimmable):
            return "on"
        return "off" if deed == "dim" and not dimmable else deed

    def _found(
        self, phrase: NounPhrase, clause: Clause, deed: str, domains: Sequence[str], default: str
    ) -> Resolution:
        target = replace(phrase, every=phrase.every or bool(clause.excluded))
        if deed in ("water", "stop_watering"):
            # It is the lawn that is watered, and the sprinkler that does it.
            kept = tuple(w for w in target.words if w.kind not in ("lawn_mower", "sprinkler"))
            target = replace(target, words=kept)
        if deed == "clean":
            target = replace(target, words=tuple(w for w in target.words if not self._is_room(w)))
        found = self._index.resolve(target, self._snapshot, domains, default)
        if clause.excluded:
            excluded: list[Entity] = []
            for one in clause.excluded:
                left = self._index.resolve(one, self._snapshot, domains)
                if not left.entities:
                    self._miss(one, deed)
                    return Resolution()
                excluded += left.entities
            found = without(found, excluded)
        if found.ambiguous:
            found = self._narrowed(found, deed)
        elif len(found.entities) > 1 and not phrase.plural:
            found = self._one_player(found, deed)
        return found

    def _one_player(self, found: Resolution, deed: str) -> Resolution:
        """Return the one player of a room that "the music" means, where it is clear which."""
        if any(entity.domain != "media_player" for entity in found.entities):
            return found
        narrowed = self._narrowed(Resolution(found.entities, ambiguous=True), deed)
        if not narrowed.ambiguous:
            return narrowed
        states = {entity: self._snapshot.state(entity) for entity in found.entities}
        audio = tuple(e for e, s in states.items() if s.attributes.get("device_class") != "tv")
        return Resolution(audio) if len(audio) == 1 else narrowed

    def _narrowed(self, found: Resolution, deed: str) -> Resolution:
        """Return the one thing that is in the state in which a deed makes sense, if it is one."""
        if deed == "unmute":
            states = {e: self._snapshot.state(e).attributes for e in found.entities}
            muted = tuple(e for e, held in states.items() if held.get("is_volume_muted"))
            return Resolution(muted) if len(muted) == 1 else found
        if deed == "water":
            made_for_it = tuple(e for e in found.entities if self._is_called(e, "sprinkler"))
            return Resolution(made_for_it) if len(made_for_it) == 1 else found
        wanted = _STATE_WANTED.get(deed)
        if wanted is None:
            return found
        media = [e for e in found.entities if self._snapshot.state(e).value in wanted]
        return Resolution(tuple(media)) if len(media) == 1 else found

    def _is_called(self, entity: Entity, kind: str) -> bool:
        """Whether a word of an entity's name is one for a kind."""
        return any(
            role.kind in ("one", "many") and role.value == kind
            for name in entity.names
            for token in tokenize(name)
            for role in self._index.lexicon.roles((token,))
        )

    def _is_room(self, word: NounWord) -> bool:
        """Whether a word is the room that is to be cleaned, or just its floor."""
        return bool(word.place or self._index.places(word.tokens))

    def _cleaned(self, action: Action, phrase: NounPhrase) -> Action:
        """Return the action with the rooms that are to be cleaned, where it can do rooms."""
        rooms = [p for w in phrase.words for p in self._index.places(w.tokens)]
        names = [self._index.home.areas[r].name for r in rooms if r in self._index.home.areas]
        if not names or action.target is None:
            return action
        supported = self._snapshot.state(action.target).attributes.get("supported_features")
        if not isinstance(supported, int) or not supported & 16384:
            return action
        return replace(action, intent="HassVacuumCleanArea", slots={"area": names[0]})

    def _miss(self, phrase: NounPhrase, deed: str) -> None:
        """Remember what was not found, and whether it is there but cannot do that."""
        if self.missing is not None:
            return
        domains = {entity.domain for entity in self._index.home.entities.values()}
        every = tuple(domains - {"sensor", "binary_sensor"})
        found = self._index.resolve(phrase, self._snapshot, every) if phrase.words else Resolution()
        named = any(not self._is_room(word) for word in phrase.words)
        alone = named and len(found.entities) == 1 and not found.by_place
        exact = found.entities[0] if alone else None
        self.missing = Missing(phrase, deed, exact, "not_able" if exact else "")

    def _result(self, parts: Sequence[_Part]) -> Result | None:
        """Return the command of the parts, or the question which one of them is meant."""
        code = self._words.code
        unclear = [part for part in parts if part.ambiguous]
        if not unclear:
            actions = dict.fromkeys(
                (action.intent, action.target, tuple(action.slots.items())) for part in parts
                for action in part.actions
            )  # fmt: skip
            kept = []
            for part in parts:
                for action in part.actions:
                    key = (action.intent, action.target, tuple(action.slots.items()))
                    if key in actions:
                        kept.append(action)
                        del actions[key]
            return Command(tuple(map(self._distinguished, kept)), code)
        if len(unclear) > 1:
            return Refusal(self._words.say("not_understood"))
        fixed = [action for part in parts if not part.ambiguous for action in part.actions]
        (part,) = unclear
        options = tuple(
            Option(self._called(action.target), Command((*fixed, action), code))
            for action in part.actions
            if action.target is not None
        )
        names = [option.names[0] for option in options]
        every = Command((*fixed, *part.actions), code)
        if len(options) > _MAX_OPTIONS:
            return Question(
                self._words.say("many", count=len(options)), options, every, is_yes_or_no=True
            )
        shown = listed_or(self._words, names)
        return Question(self._words.say("which_one", names=shown), options, every)

    def _distinguished(self, action: Action) -> Action:
        """Return the action with the kind of its target, where others have its name."""
        if action.target is None:
            return action
        kind = self._kind_of(action.target)
        twins = {
            self._kind_of(other)
            for other in self._index.home.entities.values()
            if other.name == action.target.name and other.domain in _CONTROLLED
        }
        word = self._index.lexicon.noun(kind) if twins - {kind} else ""
        return replace(action, kind=word)

    def _kind_of(self, entity: Entity) -> str:
        return kind_of(entity, self._snapshot.state(entity))

    def _called(self, entity: Entity | None) -> tuple[str, ...]:
        """Return what an entity is called, with its room where another has the same name."""
        if entity is None:
            return ()
        twins = [e for e in self._index.home.entities.values() if e.name == entity.name]
        place = self._snapshot.place(entity)
        if len(twins) > 1 and place:
            return (f"{entity.name} ({place})", f"{place} {entity.name}", place, *entity.names)
        return (entity.name, *entity.names, *((place,) if place else ()))


def _warmest(attributes: Mapping[str, Any]) -> float:
    """Return the warmest temperature that a number without a unit is taken for."""
    highest = float(attributes.get("max_temp") or _MAX_ROOM_DEGREES)
    fahrenheit = float(attributes.get("temperature") or 0) > _MAX_ROOM_DEGREES
    return highest if fahrenheit else min(highest, _MAX_ROOM_DEGREES)


def _of_everything(deed: str, domains: Sequence[str]) -> Sequence[str]:
    """Return the domains of "everything" that a deed is done to."""
    if deed in ("on", "off"):
        return _EVERYTHING
    return ("media_player",) if "media_player" in domains else domains
