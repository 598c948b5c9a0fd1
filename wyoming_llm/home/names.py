"""Names as a recogniser may have misheard them."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from rapidfuzz import fuzz, process

from wyoming_common.home import Entity, Home

_WORD_SCORE: Final = 75.0
"""A misheard word keeps three quarters of its letters; "bedroom" and "bathroom" do not."""
_JOINED_SCORE: Final = 92.0
_LEAST_WORD: Final = 2
"""Letters of a word that may change what is meant"""
_MOST_TRIES: Final = 3
_MOST_WORDS: Final = 24
"""Words of a command; longer texts are not one."""


def corrections(text: str, names: Sequence[str]) -> list[str]:
    """Return `text` with a part of it replaced by the name that sounds alike, the best first."""
    words = text.split()
    if len(words) > _MOST_WORDS:
        return []
    known = {word for name in names for word in plain(name).split()}
    found: dict[str, float] = {}
    by_plain = {plain(name): name for name in names}
    longest = max((len(name.split()) for name in by_plain), default=0) + 1
    for start in range(len(words)):
        for end in range(start + 1, min(len(words), start + longest) + 1):
            part = plain(" ".join(words[start:end]))
            if len(part) < 3 or part in by_plain:
                continue
            for name, _, _ in process.extract(
                part, by_plain.keys(), scorer=fuzz.ratio, limit=3, score_cutoff=70
            ):
                if (score := _alike(part, name, known)) > 0:
                    changed = " ".join([*words[:start], by_plain[name], *words[end:]])
                    found[changed] = max(score, found.get(changed, 0.0))
    return sorted(found, key=lambda changed: -found[changed])[:_MOST_TRIES]


def best_entities(text: str, home: Home, count: int) -> list[Entity]:
    """Return the entities that `text` may be about, the likeliest first; none where none is."""
    words = plain(text)
    scored = []
    for entity in home.entities.values():
        area = home.areas.get(entity.area)
        score = max(_mentioned(words, name) for name in entity.names)
        if area is not None:
            score = max(score, 0.9 * max(_mentioned(words, name) for name in area.names))
        if score >= 70:
            scored.append((-score, entity.id, entity))
    return [entity for _, _, entity in sorted(scored, key=lambda item: item[:2])[:count]]


def fully_named(text: str, home: Home) -> list[Entity]:
    """Return the entities that `text` calls by a whole name; a longer name hides those in it."""
    words = f" {plain(text)} "
    found = [
        (plain(name), entity)
        for entity in home.entities.values()
        for name in entity.names
        if f" {plain(name)} " in words and plain(name)
    ]
    whole = {
        entity.id: entity
        for name, entity in found
        if not any(name != other and f" {name} " in f" {other} " for other, _ in found)
    }
    return list(whole.values())


def surely_named(text: str, names: Iterable[str]) -> bool:
    """Whether `text` holds one of `names` that has several words: it is about this home."""
    said = f" {plain(text)} "
    return any(" " in (words := plain(name)) and words in said for name in names)


def places_named(text: str, home: Home) -> set[str]:
    """Return the ids of the areas and floors that `text` names, other than in an entity's name."""
    said = f" {plain(text)} "
    for entity in fully_named(text, home):
        for name in entity.names:
            said = said.replace(f" {plain(name)} ", "  ")
    return {
        place.id
        for places in (home.areas, home.floors)
        for place in places.values()
        for name in place.names
        if f" {plain(name)} " in said
    }


def _mentioned(text: str, name: str) -> float:
    """Return how surely `text` speaks of `name`, 0 to 100."""
    words = plain(name).split()
    if not words:
        return 0.0
    said = text.split()
    hits = [max((fuzz.ratio(word, other) for other in said), default=0.0) for word in words]
    return sum(hit if hit >= _WORD_SCORE else 0.0 for hit in hits) / len(words)


def _alike(part: str, name: str, known: Iterable[str]) -> float:
    """Return how alike both are, 0 where they are not the same words."""
    if re.findall(r"\d+", part) != re.findall(r"\d+", name):
        return 0.0
    joined = fuzz.ratio(part.replace(" ", ""), name.replace(" ", ""))
    left, right = part.split(), name.split()
    if len(left) != len(right):
        # A whole word more or less is no matter of spelling: "lamp is on" is not "lamp on".
        shift = abs(len(part.replace(" ", "")) - len(name.replace(" ", "")))
        return joined if joined >= _JOINED_SCORE and shift < _LEAST_WORD else 0.0
    scores = []
    for one, other in zip(left, right, strict=True):
        # A word that is part of another name was heard right: it is that other name.
        if one != other and one in known:
            return 0.0
        scores.append(fuzz.ratio(one, other))
    return min(scores) if min(scores) >= _WORD_SCORE else 0.0


def plain(text: str) -> str:
    """Return `text` in small letters, without anything that is not said."""
    return " ".join(re.sub(r"[^\w\s]", " ", text.casefold()).split())
