"""What waits for a yes, and what a yes is."""

# ruff: noqa: RUF001 - words of other scripts

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from wyoming_llm.home.understood import Understood

_SECONDS: Final = 60.0
_MOST: Final = 64


def _words(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


_YES: Final = _words(
    "yes yeah yep yup sure ok okay certainly absolutely affirmative confirm confirmed ja",
    "jawohl klar oui si sì sí sim da tak ano áno kyllä jah igen evet hai はい 是 是的 好 так да",
    "ναι כן نعم",
)
_NO: Final = _words(
    "no nope nah cancel stop never nein non nee nej nei não nu nie ne ei nem hayır いいえ 不 不是",
    "ні нет όχι לא لا",
)
_FILLERS: Final = _words(
    "please do it go ahead on i that s is right am bitte doch mach das gerne s'il vous plaît por",
    "favor thanks thank you danke",
)
_NEGATIONS: Final = frozenset({"don't", "dont", "not"})


_DENIALS: Final = _NEGATIONS | _words(
    "no never without except unless nicht kein keine keinen nie niemals außer ne pas jamais sauf",
    "non mai tranne nunca jamás excepto niet geen nooit behalve nigdy oprócz inte aldrig ikke",
    "aldri ei älä älkää не никогда кроме não exceto nu niciodată nikdy kromě μην όχι ne nem soha",
    "değil ні",
)


def denies(text: str) -> bool:
    """Whether `text` has a word that turns what is wanted into its opposite, or a part of it."""
    words = re.findall(r"[\w']+", text.casefold().replace("\u2019", "'"))
    return any(word in _DENIALS or word.startswith("n'") for word in words)


def answer_of(text: str) -> bool | None:
    """Return whether `text` is a yes or a no, None where it is neither."""
    words = re.findall(r"[\w']+", text.casefold().replace("’", "'"))
    if not words or len(words) > 6:
        return None
    if any(word in _NO or word in _NEGATIONS for word in words):
        return False
    if any(word in _YES for word in words) and all(word in _YES | _FILLERS for word in words):
        return True
    return True if " ".join(words) in ("do it", "go ahead", "please do") else None


@dataclass(frozen=True, slots=True)
class Waiting:
    understood: Sequence[Understood]
    asked: float


class Consents:
    """Actions that wait for a yes, one a conversation. Time is injected, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting: OrderedDict[str, Waiting] = OrderedDict()

    def ask(self, conversation: str, understood: Sequence[Understood]) -> None:
        """Let `understood` wait for the conversation's next turn."""
        self._waiting[conversation] = Waiting(tuple(understood), self._clock())
        while len(self._waiting) > _MOST:
            self._waiting.popitem(last=False)

    def waiting(self, conversation: str) -> bool:
        """Whether something may wait for the conversation's next turn."""
        return conversation in self._waiting

    def take(self, conversation: str) -> Sequence[Understood]:
        """Return what waits, which then waits no more."""
        waiting = self._waiting.pop(conversation, None)
        if waiting is None or self._clock() - waiting.asked > _SECONDS:
            return ()
        return waiting.understood
