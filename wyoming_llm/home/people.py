"""People of the household: their belongings ("my lamp") and their permissions. No I/O."""

import re
from collections.abc import Sequence
from typing import Final

from wyoming_common.home_assistant.home import Entity, Home
from wyoming_llm.home.targets import stem

_MINE: Final = re.compile(
    r"\b(?:my|mein|meine|meinen|meinem|meiner|mon|ma|mes|mi|mis|mijn"
    r"|(?:(?:il|la|i|le)\s+)?(?:mio|mia|miei|mie))\s+",
    re.IGNORECASE,
)
"""English, German, French, Spanish, Dutch and Italian"""
_WORD: Final = re.compile(r"[\w'-]+")


class People:
    """The settings `belongings` and `risky_people`."""

    def __init__(self, belongings: Sequence[str] = (), permissions: Sequence[str] = ()) -> None:
        self._belongings: dict[tuple[str, tuple[str, ...]], str] = {}
        for line in belongings:
            owned, _, entity = line.partition("=")
            person, _, name = owned.partition("/")
            self._belongings[_key(person), _stems(name)] = entity.strip()
        self._permissions = {
            _key(what): frozenset(_key(name) for name in people.split("+"))
            for what, _, people in (line.partition("=") for line in permissions)
        }
        self._longest = max((len(name) for _, name in self._belongings), default=0)

    def spelled_out(self, text: str, speaker: str, home: Home) -> str:
        """Return `text` with each "my ..." of the speaker replaced by the name of the entity."""
        if not speaker or not self._longest:
            return text
        begin = 0
        said = ""
        while (mine := _MINE.search(text, begin)) is not None:
            said += text[begin : mine.start()]
            words = list(_WORD.finditer(text, mine.end()))[: self._longest]
            begin, meant = mine.end(), mine[0]
            for count in range(len(words), 0, -1):
                name = _stems(" ".join(word[0] for word in words[:count]))
                entity = home.entities.get(self._belongings.get((_key(speaker), name), ""))
                if entity is not None:
                    begin, meant = words[count - 1].end(), entity.name
                    break
            said += meant
        return said + text[begin:]

    def may(self, speaker: str, entity: Entity) -> bool:
        """Whether the speaker may do what is risky to an entity; without a rule anyone may.

        A rule for its id takes precedence over one for its name, and that over one for its kind.
        """
        for what in (entity.id, *entity.names, entity.domain):
            people = self._permissions.get(_key(what))
            if people is not None:
                return _key(speaker) in people
        return True


def people_of(permissions: Sequence[str]) -> frozenset[str]:
    """Return the names of all people on a list of `risky_people`."""
    lists = (line.partition("=")[2] for line in permissions)
    return frozenset(_key(name) for people in lists for name in people.split("+"))


def _key(name: str) -> str:
    return " ".join(name.casefold().split())


def _stems(name: str) -> tuple[str, ...]:
    return tuple(stem(word) for word in _key(name).split())
