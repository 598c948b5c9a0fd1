"""Distinction of talk, which the model answers, from what can only be about this home."""

from collections.abc import Sequence

from wyoming_llm.home.targets import stems
from wyoming_llm.languages import Language


def refusal(text: str, words: Language, names: Sequence[str], hidden: Sequence[str] = ()) -> str:
    """Return the refusal of what nothing understood and talk cannot answer, "" for talk.

    A model that is asked for the impossible says that it is done. `names` are those of the home,
    `hidden` those of what may not be controlled.
    """
    if words.wants_home(text) or _is_named(text, words, names, hidden):
        return words.say("not_understood")
    return words.say("cannot") if words.wants_impossible(text) else ""


def names_any(text: str, names: Sequence[str]) -> bool:
    """Whether `text` holds one of `names` that has several words: it is about this home."""
    said = f" {' '.join(stems(text))} "
    return any(len(words := stems(name)) > 1 and f" {' '.join(words)} " in said for name in names)


def _is_named(text: str, words: Language, names: Sequence[str], hidden: Sequence[str]) -> bool:
    """Whether `text` can only be about this home, by what it names."""
    if names_any(text, hidden):
        return True
    if words.is_talk(text) and not words.asks_state(text):
        return False
    return names_any(text, names)
