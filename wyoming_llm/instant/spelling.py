"""LanguageWords spelled letter by letter."""

from typing import Final

from wyoming_llm.instant.reading import match
from wyoming_llm.instant.words import LanguageWords

_WORD: Final = r"[^\W\d_](?:[^\W\d_]|['-]){0,40}"


def answer(said: str, words: LanguageWords) -> str | None:
    """Return the letters of the word that `said` asks to spell, None where it does not."""
    found = match(words.table["spelling"], said, word=_WORD)
    if found is None:
        return None
    return ", ".join("ß" if letter == "ß" else letter.upper() for letter in found["word"])
