"""Confirmations: what waits for an answer, and the answers in people's words."""

# ruff: noqa: RUF001 - words of other scripts

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from wyoming_llm.home.intent import Command, Option, Question
from wyoming_llm.home.lexicon import PUNCTUATION, Lexicon, tokenize
from wyoming_llm.home.operations import deed_of_words
from wyoming_llm.home.targets import stem

_MAX_WAITING_SECONDS: Final = 60.0
_MAX_WAITING: Final = 64
_MAX_ANSWER_WORDS: Final = 7


def _words(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


_YES: Final = _words(
    "yes yeah yep yup ya sure ok okay certainly absolutely affirmative confirm confirmed correct",
    "right exactly definitely fine alright indeed ja jawohl jo jup genau klar sicher natürlich",
    "gerne einverstanden passt stimmt richtig oui ouais d'accord vas-y allez-y bien volontiers",
    "exact si sì sí claro vale dale correcto adelante certo va esatto volentieri prego",
    "graag prima doe natuurlijk zeker klopt goed sim da tak ano áno kyllä jah igen evet hai",
    "はい 是 是的 好 так да ναι כן نعم",
)
_NO: Final = _words(
    "no nope nah cancel stop never nein non nee nej nei não nu nie ne ei nem hayır いいえ 不 不是",
    "ні нет όχι לא لا nö lieber abbrechen lass annule arrête laisse cancela cancelar para annulla",
    "annuleer stop laat liever wait nevermind forget",
)
_FILLERS: Final = _words(
    "please do it go ahead on i that s is now then course of all am bitte doch mach das gerne",
    "mal s'il te vous plaît por favor thanks thank you danke merci gracias grazie bedankt dank",
    "je vas y que",
    "fais le sûr hazlo fallo pure bene maar doen dat the one them yes we can will well so",
    "alles alle allemaal tutti todos tous les beide both schön super graag",
)
_WHOLE: Final = (
    "do it", "do it now", "go ahead", "please do", "of course", "bien sûr", "mach das", "mach es",
    "tu es", "vas y", "vas-y", "allez y", "fais le", "hazlo", "por supuesto", "fallo", "fai pure",
    "doe maar", "doe het", "okay then", "go for it", "why not", "mach nur", "nur zu", "va bene",
)  # fmt: skip
_NEGATIONS: Final = frozenset({"don't", "dont", "not", "nicht", "pas", "niet", "non"})
_ALL: Final = _words("all both every everything alle alles beide tous toutes deux todos todas",
                     "ambos tutti tutte entrambi allemaal allebei")  # fmt: skip
_ORDINALS: Final = {
    0: _words("first erste ersten erstes premier première primero primera primo prima eerste"),
    1: _words(
        "second zweite zweiten zweites deuxième second segundo segunda secondo seconda tweede"
    ),
    2: _words("third dritte dritten drittes troisième tercero tercera terzo terza derde"),
    -1: _words("last letzte letzten letztes dernier dernière último última ultimo ultima laatste"),
}
_DENIALS: Final = _NEGATIONS | _words(
    "no never without except unless nicht kein keine keinen nie niemals außer ne pas jamais sauf",
    "non mai tranne nunca jamás excepto niet geen nooit behalve nigdy oprócz inte aldrig ikke",
    "aldri ei älä älkää не никогда кроме não exceto nu niciodată nikdy kromě μην όχι ne nem soha",
    "değil ні don't dont",
)


class Reply(Enum):
    """An answer to a question back."""

    YES = "yes"
    NO = "no"
    OTHER = "other"


def denies(text: str) -> bool:
    """Whether `text` has a word that turns its meaning into the opposite, or excludes a part."""
    return any(word in _DENIALS or word.startswith("n'") for word in _spoken(text))


def reply_of(text: str, deeds: Sequence[str] = (), lexicon: Lexicon | None = None) -> Reply:
    """Return whether `text` is a yes or a no to a question about `deeds`.

    "Yes, unlock it" is a yes to "Unlock the front door?", and "lock it" is another command.
    """
    words = _spoken(text)
    if not words or len(words) > _MAX_ANSWER_WORDS:
        return Reply.OTHER
    said = " ".join(words)
    if any(word in _NEGATIONS for word in words) or (
        words[0] in _NO and not any(word in _YES for word in words)
    ):
        return Reply.NO
    if said in _WHOLE:
        return Reply.YES
    named = deed_of_words(tokenize(text), lexicon) if lexicon is not None else frozenset()
    rest = [word for word in words if word not in _YES | _FILLERS]
    if any(word in _YES for word in words) and (
        not rest or (bool(named) and named <= frozenset(deeds) and _only_deeds(rest, lexicon))
    ):
        return Reply.YES
    return (
        Reply.NO
        if all(word in _NO | _FILLERS for word in words) and any(word in _NO for word in words)
        else Reply.OTHER
    )


def _only_deeds(words: Sequence[str], lexicon: Lexicon | None) -> bool:
    """Whether words are deeds, articles and pronouns alone."""
    kinds = {"deeds", "skip", "pronoun", "in", "one"}
    return lexicon is not None and all(
        any(role.kind in kinds for role in lexicon.roles((word,))) for word in words
    )


def _spoken(text: str) -> list[str]:
    return re.findall(r"[\w'-]+", text.casefold().replace("\u2019", "'"))


@dataclass(frozen=True, slots=True)
class Waiting:
    """A command that waits for a yes, or a question for the choice of one of its options."""

    command: Command | None
    question: Question | None
    asked: float

    def answered(self, text: str, lexicon: Lexicon | None) -> Command | Reply | None:
        """Return the command that `text` chooses or confirms, or NO; None for another request."""
        if self.question is not None:
            if (chosen := self.chosen(text, lexicon)) is not None:
                return chosen
            reply = reply_of(text)
            if reply is Reply.YES and self.question.is_yes_or_no:
                return self.question.every
            return Reply.NO if reply is Reply.NO else None
        assert self.command is not None
        deeds = [action.deed for action in self.command.actions]
        reply = reply_of(text, deeds, lexicon)
        if reply is Reply.YES:
            return self.command
        return Reply.NO if reply is Reply.NO else None

    def chosen(self, text: str, lexicon: Lexicon | None) -> Command | None:
        """Return the command of the option that `text` names, None where it names no single one."""
        if self.question is None:
            return None
        tokens = [stem(token) for token in tokenize(text) if token not in PUNCTUATION]
        words = _spoken(text)
        if self.question.every is not None and any(word in _ALL for word in words):
            return self.question.every
        for number, ordinals in _ORDINALS.items():
            if any(word in ordinals for word in words):
                options = self.question.options
                return options[number].command if number < len(options) else None
        known = {stem(t) for o in self.question.options for name in o.names for t in tokenize(name)}
        said = [token for token in tokens if not _is_idle(token, text, lexicon)]
        # "Right" and "one" may be part of a name; in "the left one" the number names nothing.
        for names in (
            [token for token in tokens if token in known or token in said],
            said,
            [token for token in said if not _is_one(token, lexicon)],
        ):
            if not names or len(names) > _MAX_ANSWER_WORDS:
                continue
            exact = [o for o in self.question.options if _is_name(names, o, exact=True)]
            part = [o for o in self.question.options if _is_name(names, o, exact=False)]
            found = exact if len(exact) == 1 else part
            if len(found) == 1:
                return found[0].command
        return None


def _is_one(token: str, lexicon: Lexicon | None) -> bool:
    return lexicon is not None and any(
        role.kind == "number" and role.value == 1 for role in lexicon.roles((token,))
    )


def _is_idle(token: str, text: str, lexicon: Lexicon | None) -> bool:
    """Whether a word of an answer names nothing."""
    if lexicon is None:
        return False
    originals = [word for word in tokenize(text) if stem(word) == token]
    return any(
        role.kind in ("skip", "in", "pronoun")
        for word in originals
        for role in lexicon.roles((word,))
    )


def _is_name(said: Sequence[str], option: Option, *, exact: bool) -> bool:
    for name in option.names:
        words = [stem(token) for token in tokenize(name)]
        if sorted(words) == sorted(said) or (not exact and set(said) <= set(words)):
            return True
    return False


class PendingConfirmations:
    """Commands and questions that wait for an answer, one a conversation. Time is injected."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting: OrderedDict[str, Waiting] = OrderedDict()

    def ask(
        self, conversation: str, command: Command | None = None, question: Question | None = None
    ) -> None:
        """Let a command or a question wait for the conversation's next turn."""
        self._waiting[conversation] = Waiting(command, question, self._clock())
        while len(self._waiting) > _MAX_WAITING:
            self._waiting.popitem(last=False)

    def is_waiting(self, conversation: str) -> bool:
        """Whether something may wait for the conversation's next turn."""
        return conversation in self._waiting

    def take(self, conversation: str) -> Waiting | None:
        """Return what waits, and let it wait no longer."""
        waiting = self._waiting.pop(conversation, None)
        if waiting is None or self._clock() - waiting.asked > _MAX_WAITING_SECONDS:
            return None
        return waiting
