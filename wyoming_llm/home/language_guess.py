"""A guess of the language of a text, for clients that do not tell it. No I/O.

Of the languages that have a lexicon, by its words; one that only one of them has weighs most.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from wyoming_llm.home.lexicon import codes, lexicon, tokenize
from wyoming_llm.languages import Language
from wyoming_llm.languages import language as words_of

_MAX_LANGUAGES: Final = 3
_MIN_SHARE: Final = 0.5
"""Of the best score, from which a language may be meant as well"""
_MIN_SURE_SHARE: Final = 0.3
"""Of the words, that only the language has"""
_ELSEWHERE: Final = 1.5
"""Score of a sure language, as a multiple of the next one's"""
_OPENING: Final = 1.0
"""Weight of a beginning that only questions and commands of a language have, in words"""


@dataclass(frozen=True, slots=True)
class LanguageGuess:
    """The languages that a text may be in, the likeliest first."""

    codes: tuple[str, ...]
    sure: bool = False
    """Whether it is in the first of them and in no language that is not known here"""


def guess(text: str, named: Collection[str] = (), preferred: Sequence[str] = ()) -> LanguageGuess:
    """Return the languages of `text`.

    The words of `named`, in small letters, tell nothing. Of equals the `preferred` come first, and
    before all of a guess that is not sure those of them that have no lexicon.
    """
    every = codes()
    foreign = tuple(dict.fromkeys(code for code in preferred if code and lexicon(code) is None))
    known = (lexicon(code) for code in (*preferred, "en", *every))
    order = list(dict.fromkeys(one.code for one in known if one is not None))
    spoken = [token for token in tokenize(text) if token.isalpha()]
    tokens = [token for token in spoken if token not in named] or spoken
    if not tokens:
        return LanguageGuess((*foreign, *order[:1]))
    scores = {code: sum(_weights(code, tokens, text)) for code in order}
    ranked = sorted(order, key=lambda code: -scores[code])
    best, second = (scores[code] for code in ranked[:2])
    sure = best >= _MIN_SURE_SHARE * len(tokens) and best >= _ELSEWHERE * second
    likely = [code for code in ranked if best and scores[code] >= _MIN_SHARE * best] or order[:1]
    return LanguageGuess((*(() if sure else foreign), *likely[:_MAX_LANGUAGES]), sure)


def _weights(code: str, tokens: Sequence[str], text: str) -> Iterator[float]:
    for token in tokens:
        knowing = [other for other in codes() if _knows(other, token)]
        if code in knowing:
            yield 1 / len(knowing)
    if _opens(words_of(code), text):
        yield _OPENING


def _knows(code: str, token: str) -> bool:
    known = lexicon(code)
    return known is not None and token in known.vocabulary


def _opens(words: Language, text: str) -> bool:
    """Whether `text` begins as questions and commands of a language do."""
    wishes = words.wishes
    return wishes is not None and any(
        (words.is_question(text), words.is_talk(text), words.wants_home(text))
    )
