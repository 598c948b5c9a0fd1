"""What a model says that it did: it can do nothing by talking."""

from typing import Final

from wyoming_llm.languages.vocabulary import Vocabulary
from wyoming_llm.spoken import ENDS

_FIRST_WORDS: Final = 4
"""Words of a sentence that are held back: by then most claims have shown themselves"""
_SENTENCES: Final = 2
"""Of a reply that are watched: a claim comes first, and later ones may belong to a story"""
_MOST_HELD: Final = 400


class Watched:
    """Takes a reply in pieces and gives it, up to the first sentence that claims a deed."""

    def __init__(self, words: Vocabulary) -> None:
        self._words = words
        self._sentence = ""
        self._held = ""
        self._left = _SENTENCES
        self.claimed = False

    def feed(self, text: str) -> str:
        """Return what may be said by now."""
        if self.claimed:
            return ""
        said, self._held = "", self._held + text
        while self._left and (end := ENDS.search(self._held)) is not None:
            sentence, self._held = self._held[: end.end()], self._held[end.end() :]
            if self._ends(sentence):
                return said
            said += sentence
        if self._left and self._suspicious():
            return said
        self._sentence += self._held
        said, self._held = said + self._held, ""
        return said

    def finish(self) -> str:
        """Return the rest."""
        rest, self._held = self._held, ""
        return "" if self.claimed or self._ends(rest) else rest

    def _ends(self, rest: str) -> bool:
        """Take the end of a sentence; returns whether that is a claim."""
        self.claimed = self._left > 0 and self._words.tells(self._sentence + rest)
        self._sentence = ""
        self._left = max(0, self._left - 1)
        return self.claimed

    def _suspicious(self) -> bool:
        sentence = self._sentence + self._held
        if len(self._held) > _MOST_HELD:
            return False
        return len(sentence.split()) < _FIRST_WORDS or self._words.speaks(self._held)
