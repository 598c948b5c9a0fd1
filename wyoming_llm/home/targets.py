"""Target resolution: from the words of a noun phrase to the exposed entities that they mean.

An entity is meant when every word of the phrase is part of its name, its kind, its room or its
floor. A whole name wins over a part of one, the room of the speaker over others.
"""

import functools
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from rapidfuzz import fuzz
from unicode_rbnf import RbnfEngine

from wyoming_common.home_assistant.home import Area, Entity, Home, State
from wyoming_llm.home.kinds import is_of_kind
from wyoming_llm.home.lexicon import PUNCTUATION, Lexicon, codes, tokenize

GONE: Final = ("unavailable", "unknown")
_MIN_WORD_SCORE: Final = 84.0
"""From which a word is taken for another one; "desk" and "deck" are less alike"""
_MIN_STEM: Final = 4
_MIN_HEAD: Final = 3
_MIN_TAIL: Final = 3
_ELSEWHERE: Final = 0.5
"""Added to the rank of what has a room in its name, and is in another one"""
_MIN_STOREYS: Final = 2
_MAX_NAMED_NUMBER: Final = 12
_MIN_NAMING: Final = 4
"""Letters of a word that names; shorter idle words are articles"""
_SENSORS: Final = ("sensor", "binary_sensor")
_LINKS: Final = ("", "s", "n", "en", "es", "er")
"""Letters between the parts of a compound"""
_POSSESSIVE: Final = "'s"
_ENDINGS: Final = ("es", "en", "s", "n", "e")


@dataclass(frozen=True, slots=True)
class HomeSnapshot:
    """The home at a moment, as the speaker sees it."""

    home: Home
    states: Mapping[str, State]
    area: str = ""
    """Id of the speaker's area"""
    recent: tuple[str, ...] = ()
    """Ids of the entities of the command before"""

    def state(self, entity: Entity) -> State:
        """Return its state, "unavailable" where Home Assistant gave none."""
        return self.states.get(entity.id, State("unavailable"))

    def place(self, entity: Entity) -> str:
        """Return the name of its area, "" where it has none."""
        area = self.home.areas.get(entity.area)
        return area.name if area else ""


@dataclass(frozen=True, slots=True)
class NounWord:
    """A word, or a phrase of several, of a noun phrase."""

    tokens: tuple[str, ...]
    kind: str = ""
    many: bool = False
    mass: bool = False
    place: str = ""
    """here, house, floors, outside, upstairs or downstairs"""


@dataclass(frozen=True, slots=True)
class NounPhrase:
    """The subject of a command or a question."""

    words: tuple[NounWord, ...] = ()
    every: bool = False
    """Whether all that fits is meant, for a question also any of it"""
    any_of: bool = False
    both: bool = False
    pronoun: bool = False
    everything: bool = False
    """Whether things of every kind are meant"""

    @property
    def text(self) -> str:
        """The phrase as it was said."""
        return " ".join(token for word in self.words for token in word.tokens)

    @property
    def plural(self) -> bool:
        """Whether it means all that fits."""
        return self.every or self.both or any(word.many for word in self.words)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that it names."""
        return tuple(word.kind for word in self.words if word.kind)


@dataclass(frozen=True, slots=True)
class Resolution:
    """The entities that a noun phrase may mean."""

    entities: tuple[Entity, ...] = ()
    ambiguous: bool = False
    """Whether only one of `entities` is meant, and it is not known which"""
    by_place: bool = False
    """Whether it is the speaker's room that chose"""


@functools.lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """Return `word` without accents and the endings of plurals."""
    plain = unicodedata.normalize("NFKD", word.replace("ß", "ss"))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    for ending in _ENDINGS:
        if plain.endswith(ending) and len(plain) - len(ending) >= _MIN_STEM:
            return plain[: -len(ending)]
    return plain


@functools.lru_cache(maxsize=4096)
def stems(name: str) -> tuple[str, ...]:
    """Return the stems of the words of a name, without what is not said."""
    return tuple(stem(token) for token in tokenize(name) if token not in PUNCTUATION)


@dataclass(frozen=True, slots=True)
class _Card:
    """The words that can be said of one entity."""

    entity: Entity
    names: tuple[tuple[str, ...], ...]
    words: frozenset[str]
    places: frozenset[str]
    kinds: frozenset[str]
    """Kinds that are its whole name: a switch called "TV" is one"""
    sensed: frozenset[str] = frozenset()
    """Kinds that words of a sensor's name are: what it is about"""


@dataclass(eq=False)
class Index:
    """The names of one home, prepared for the words of one language."""

    home: Home
    lexicon: Lexicon
    cards: list[_Card] = field(default_factory=list)
    phrases: dict[tuple[str, ...], bool] = field(default_factory=dict)
    """Stems of every name of several words"""
    vocabulary: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for entity in self.home.entities.values():
            names = [self._stems(name) for name in entity.names]
            joined = {"".join(name) for name in names if len(name) > 1}
            area = self.home.areas.get(entity.area)
            floor = self.home.floors.get(area.floor) if area else None
            places = {s for place in (area, floor) if place for n in place.names for s in stems(n)}
            words = {s for name in names for s in name} | joined
            words |= {part for name in entity.names for part in self._parts_of(name)}
            kinds = frozenset(
                str(role.value)
                for name in entity.names
                for role in self.lexicon.roles(tokenize(name))
                if role.kind in ("one", "many")
            )
            sensed = self._kinds_within(entity.names) if entity.domain in _SENSORS else kinds
            card = _Card(entity, tuple(names), frozenset(words), frozenset(places), kinds, sensed)
            self.cards.append(card)
        places_of = [*self.home.areas.values(), *self.home.floors.values()]
        every = [name for card in self.cards for name in card.names]
        every += [self._stems(name) for place in places_of for name in place.names]
        self._named = frozenset(word for card in self.cards for name in card.names for word in name)
        self.phrases = {name: True for name in every if len(name) > 1}
        joined = {"".join(name) for name in every}
        self.vocabulary = frozenset(word for name in every for word in name) | joined
        self.vocabulary |= {word for card in self.cards for word in card.words}
        self._places: dict[tuple[str, ...], frozenset[str]] = {}
        for place in places_of:
            for name in place.names:
                key = self._stems(name)
                self._places[key] = self._places.get(key, frozenset()) | {place.id}
        self._storeys = storeys(self.home, self.lexicon)
        named = [*self.home.names()]
        self._spellings = {stem(t): t for name in named for t in tokenize(name)}

    def _kinds_within(self, names: Iterable[str]) -> frozenset[str]:
        """Return the kinds that words of names are."""
        return frozenset(
            str(role.value)
            for name in names
            for tokens in (tokenize(name),)
            for start in range(len(tokens))
            for _, roles in self.lexicon.matches(tokens, start)
            for role in roles
            if role.kind in ("one", "many")
        )

    def _core(self, tokens: Sequence[str]) -> tuple[str, ...]:
        """Return the words of a phrase of several that are not idle: "my phone" is "phone"."""
        kept = [
            token
            for token in tokens
            if not any(role.kind == "skip" for role in self.lexicon.roles((token,)))
        ]
        return self.said(kept or tokens)

    def _parts_of(self, name: str) -> Iterable[str]:
        """Yield the stems of the parts of compounds in a name: "Kühlschranktemperatur"."""
        kinds = {"one", "many", "attributes"}
        for token in tokenize(name):
            for at in range(_MIN_HEAD, len(token) - _MIN_TAIL):
                roles = self.lexicon.roles((token[at:],))
                if any(role.kind in kinds for role in roles) and not self.lexicon.roles((token,)):
                    yield from (stem(token[:at]), stem(token[at:]))

    def _stems(self, name: str) -> tuple[str, ...]:
        return tuple(self.number(word) for word in stems(name))

    def number(self, word: str) -> str:
        """Return a number word as its digits, as names have them."""
        for role in self.lexicon.roles((word,)):
            if role.kind == "number":
                return str(role.value)
        return word if word in self.lexicon.vocabulary else number_words().get(word, word)

    def name_at(self, tokens: Sequence[str], start: int) -> int:
        """Return how many tokens from `start` are a whole name of several words, 0 for none."""
        longest = min(8, len(tokens) - start)
        for length in range(longest, 1, -1):
            said = tuple(self.number(stem(token)) for token in tokens[start : start + length])
            if said in self.phrases:
                return length
        return 0

    def places(self, tokens: Iterable[str]) -> frozenset[str]:
        """Return the ids of the areas and floors that the words name in full."""
        return self._places.get(self.said(tokens), frozenset())

    def said(self, tokens: Iterable[str]) -> tuple[str, ...]:
        """Return words as the names of the index have them."""
        return tuple(self.number(stem(token)) for token in tokens)

    def knows(self, token: str) -> bool:
        """Whether a word has a meaning: in the language, or in a name of the home."""
        return token in self.lexicon.vocabulary or self.number(stem(token)) in self.vocabulary

    def is_in_name(self, tokens: Sequence[str]) -> bool:
        """Whether every word of a phrase is one of an entity's name; articles do not count."""
        long = all(len(token) >= _MIN_NAMING for token in tokens)
        return long and all(word in self._named for word in self.said(tokens))

    def correct(self, token: str) -> str:
        """Return the word of a name that a misheard word is, "" where no word is like it."""
        word = stem(token)
        if len(word) < 3 or word in self.vocabulary:
            return ""
        scored = [(fuzz.ratio(word, known), known) for known in self.vocabulary if len(known) > 2]
        scored = [(score, known) for score, known in scored if score >= _MIN_WORD_SCORE]
        if not scored:
            return ""
        best = max(scored)[1]
        return self._spellings.get(best, best)

    def parted(self, token: str) -> list[str]:
        """Return the parts of a compound of a name and a kind: "Küchenlicht", "keukenlamp"."""
        if self.knows(token):
            return [token]
        if token.endswith(_POSSESSIVE) and self.knows(token.removesuffix(_POSSESSIVE)):
            return [token.removesuffix(_POSSESSIVE)]
        for at in range(_MIN_HEAD, len(token) - _MIN_TAIL + 1):
            tail = token[at:]
            if not any(role.kind in ("one", "many") for role in self.lexicon.roles((tail,))):
                continue
            for link in _LINKS:
                head = token[:at].removesuffix(link)
                if token[:at].endswith(link) and stem(head) in self.vocabulary:
                    return [self._spellings.get(stem(head), head), tail]
        return [token]

    def in_place(self, entity: Entity, place: str) -> bool:
        """Whether an entity is in an area or on a floor, by its id."""
        area = self.home.areas.get(entity.area)
        return entity.area == place or (area is not None and area.floor == place)

    def bears(self, entity: Entity, phrase: NounPhrase) -> bool:
        """Whether an entity has the name of several words that `phrase` says in full, if one."""
        names = [" ".join(self._stems(name)) for name in entity.names]
        for word in phrase.words:
            said = self.said(word.tokens)
            named = said in self.phrases and not word.place and not self.places(word.tokens)
            if named and not any(f" {' '.join(said)} " in f" {name} " for name in names):
                return False
        return True

    def resolve(
        self, phrase: NounPhrase, snapshot: HomeSnapshot, domains: Sequence[str], default: str = ""
    ) -> Resolution:
        """Return what `phrase` means among the entities of `domains`, the preferred first.

        `default` is the kind that the rest of the sentence speaks of ("dim": light).
        """
        if phrase.pronoun and not phrase.words:
            known = (self.home.entities.get(name) for name in snapshot.recent)
            return Resolution(tuple(e for e in known if e is not None and e.domain in domains))
        allowed = [card for card in self.cards if card.entity.domain in domains]
        for alike in (False, True):
            ranked = [
                (rank, card.entity)
                for card in allowed
                if (rank := self._rank(card, phrase, snapshot, alike=alike, default=default))
                is not None
            ]
            if ranked:
                near = self._of_the_room(ranked, phrase, snapshot)
                return self._choose(near or ranked, phrase, snapshot, domains)
        return Resolution()

    def _of_the_room(
        self, ranked: Sequence[tuple[float, Entity]], phrase: NounPhrase, snapshot: HomeSnapshot
    ) -> list[tuple[float, Entity]]:
        """Return what is in the speaker's room, where a kind was said and no more: "the light".

        A light of another room may be called just that; one of no room that is, is meant itself.
        """
        if not snapshot.area or phrase.every or not phrase.words:
            return []
        if any(not word.kind or word.place for word in phrase.words):
            return []
        if any(rank == 0 and not entity.area for rank, entity in ranked):
            return []
        return [(rank, entity) for rank, entity in ranked if entity.area == snapshot.area]

    def _rank(  # noqa: C901
        self, card: _Card, phrase: NounPhrase, snapshot: HomeSnapshot, *, alike: bool, default: str
    ) -> float | None:
        """Return how well a phrase fits: 0 a whole name, 1 one with more, 2 kind or part."""
        entity, state = card.entity, snapshot.state(card.entity)
        named: set[str] = set()
        elsewhere = 0.0
        nouns = [word for word in phrase.words if not word.place]
        for word in phrase.words:
            if word.place:
                named_so = card.words.issuperset(self.said(word.tokens))
                if not named_so and not self._is_at(card, word, snapshot):
                    return None
                continue
            said = self.said(word.tokens)
            places = self.places(word.tokens)
            there = any(self.in_place(entity, place) for place in places)
            if card.words.issuperset(said):
                named.update(said)
                if places and not there:
                    elsewhere = _ELSEWHERE
            elif word.kind in card.sensed or is_of_kind(word.kind, entity, state, alike=alike):
                continue
            elif len(said) > 1 and card.words.issuperset(core := self._core(word.tokens)):
                named.update(core)
            elif there:
                named.update(card.words.intersection(said))
            elif places or not card.places.issuperset(said):
                # "The bedroom" is the room that is called so, and not the guest bedroom.
                return None
        said_all = [stemmed for word in nouns for stemmed in self.said(word.tokens)]
        if any(sorted(name) == sorted(said_all) or said_all == ["".join(name)]
               for name in card.names):  # fmt: skip
            return (1 if phrase.plural and any(word.kind for word in nouns) else 0) + elsewhere
        if any(named.issuperset(name) for name in card.names):
            return 1 + elsewhere
        if (
            default
            and not any(word.kind for word in nouns)
            and not named
            and not is_of_kind(default, entity, state, alike=True)
        ):
            return None
        return 2 + elsewhere

    def _is_at(self, card: _Card, word: NounWord, snapshot: HomeSnapshot) -> bool:
        entity = card.entity
        if word.place == "outside" and card.words & self._words_for(word.place):
            return True
        if word.place == "house":
            return True
        if word.place == "here":
            return not snapshot.area or entity.area == snapshot.area
        area = self.home.areas.get(entity.area)
        if area is None:
            return False
        floor = self.home.floors.get(area.floor)
        if area.floor and area.floor in self._storeys.get(word.place, ()):
            return True
        names = {s for place in (area, floor) if place for n in place.names for s in stems(n)}
        return bool(names & self._words_for(word.place))

    @functools.cache  # noqa: B019 - an index lives as long as its home
    def _words_for(self, place: str) -> frozenset[str]:
        return frozenset(
            stem(key[-1])
            for key, roles in self.lexicon.phrases.items()
            if any(role.kind == place for role in roles)
        )

    def _choose(  # noqa: C901, PLR0911
        self,
        ranked: Sequence[tuple[float, Entity]],
        phrase: NounPhrase,
        snapshot: HomeSnapshot,
        domains: Sequence[str],
    ) -> Resolution:
        best = min(rank for rank, _ in ranked)
        placed = any(word.place or self.places(word.tokens) for word in phrase.words)
        if phrase.plural and best == 1:
            best = 2
        parts = best >= 2
        there = [(rank, entity) for rank, entity in ranked if rank <= best and rank.is_integer()]
        found = [entity for rank, entity in there or ranked if rank <= best]
        if not phrase.everything and (not phrase.kinds or not parts):
            found = _preferred(found, domains)
        if phrase.both:
            return Resolution(tuple(found), ambiguous=len(found) != 2)
        if phrase.every:
            return Resolution(tuple(found))
        near = [entity for entity in found if snapshot.area and entity.area == snapshot.area]
        by_place = bool(near) and not placed and len(found) > len(near)
        if near and not placed:
            found = near
        if len(found) == 1:
            return Resolution(tuple(found), by_place=by_place)
        whole = any(word.mass for word in phrase.words) or all(
            word.place or self.places(word.tokens) for word in phrase.words
        )
        together = len({entity.area for entity in found}) == 1 or not snapshot.area
        together = together and len({entity.name for entity in found}) > 1
        if parts and (phrase.plural or whole) and (placed or by_place or near):
            return Resolution(tuple(found), by_place=by_place)
        if parts and phrase.plural and together:
            # "The blinds", where all are in one room, or no room is the speaker's.
            return Resolution(tuple(found), by_place=by_place)
        called = [entity for entity in found if self._is_called_so(entity, phrase)]
        if len(called) == 1 and not phrase.plural:
            # "The lamp" is the floor lamp, and not the ceiling light.
            return Resolution(tuple(called), by_place=by_place)
        return Resolution(tuple(found), ambiguous=True)

    def _is_called_so(self, entity: Entity, phrase: NounPhrase) -> bool:
        """Whether the words for a kind are in an entity's name as well."""
        said = {s for word in phrase.words if word.kind for s in self.said(word.tokens)}
        names = {s for name in entity.names for s in self._stems(name)}
        return bool(said) and said <= names


@functools.cache
def number_words() -> Mapping[str, str]:
    """Return small numbers by their words in every language of the lexicon: "Lampe eins"."""
    return {
        RbnfEngine.for_language(code).format_number(number).text: str(number)
        for code in codes()
        for number in range(1, _MAX_NAMED_NUMBER + 1)
    }


def _preferred(found: Sequence[Entity], domains: Sequence[str]) -> list[Entity]:
    """Return the entities of the first domain that has one."""
    order = {domain: number for number, domain in enumerate(domains)}
    first = min(order[entity.domain] for entity in found)
    return [entity for entity in found if order[entity.domain] == first]


def storeys(home: Home, lexicon: Lexicon) -> dict[str, frozenset[str]]:
    """Return the ids of the floors that are upstairs and downstairs.

    The lowest floor that is not below the ground is downstairs, what is above it upstairs. Home
    Assistant's levels say which is which, or else the words of the floors' names.
    """
    levels: dict[str, int] = {}
    for floor in home.floors.values():
        level = floor.level if floor.level is not None else _level_of(floor, lexicon)
        if level is not None:
            levels[floor.id] = level
    if len(levels) < _MIN_STOREYS:
        return {}
    lowest = min((level for level in levels.values() if level >= 0), default=0)
    return {
        "upstairs": frozenset(key for key, level in levels.items() if level > lowest),
        "downstairs": frozenset(key for key, level in levels.items() if level == lowest),
    }


def _level_of(floor: Area, lexicon: Lexicon) -> int | None:
    """Return the level that a floor's name tells, None where it tells none."""
    for name in floor.names:
        tokens = tokenize(name)
        for start in range(len(tokens)):
            for _, roles in lexicon.matches(tokens, start):
                for role in roles:
                    if role.kind == "storeys":
                        return int(role.value)
    return None


def known_places(home: Home) -> Iterable[Area]:
    """Return areas and floors."""
    return (*home.areas.values(), *home.floors.values())


def without(found: Resolution, excluded: Iterable[Entity]) -> Resolution:
    """Return what is left of `found`."""
    ids = {entity.id for entity in excluded}
    return replace(found, entities=tuple(e for e in found.entities if e.id not in ids))
