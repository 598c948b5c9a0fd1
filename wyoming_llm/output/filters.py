"""Filters between a model's reply and the person who hears it: pure, and chained.

A filter takes text in pieces and gives pieces of text that may be said by now.
"""

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from importlib.resources import files
from typing import Any, Final, Protocol

import yaml

_MARKS: Final = re.compile(r"[*_`~#>|]+")
"""Marks of markdown: the voice leaves them out, the chat of Home Assistant shows their meaning."""
_SENTENCE_END: Final = re.compile(
    r"[.!?…。！？।؟][\"'”’)\]*_`]*(?=\s|$)|[。！？।]"  # noqa: RUF001 - other scripts
)
_CLAIM_END: Final = re.compile(rf"{_SENTENCE_END.pattern}|\n")
"""An item of a list is a claim of its own"""
_FENCE: Final = "```"
_MAX_HELD_CHARACTERS: Final = 400
"""Text that waits for a sentence to end"""
_CODE: Final = re.compile(
    r"[{}]|```"  # JSON, and blocks of code
    r"|</?[|a-z_][\w:|./-]*\s*/?>?"  # <tool_call>, <|python_tag|>, </think>
    r"|\[/?[A-Z][A-Z_]{3,}\]"  # [TOOL_CALLS]
    r"|\[\s*[\[\"']"
    r"|\bHass[A-Z]\w+|\b\w+(?:\.\w+)*\(\s*(?:\w+\s*=|[\"'])",  # HassTurnOn(name="lamp")
    re.IGNORECASE,
)
_MAX_UNPRINTABLE_SHARE: Final = 0.05
_MIN_WORDS: Final = 4
"""Words of a sentence that are held back: by then most claims have shown themselves"""


class ReplyFilter(Protocol):
    """Passes a reply on in pieces. `ended` says that no more of the reply is wanted."""

    @property
    def ended(self) -> bool: ...

    def push(self, text: str) -> list[str]:
        """Return the pieces that may be said after `text` has come."""
        ...

    def finish(self) -> list[str]:
        """Return the rest, at the end of the reply."""
        ...


class FilterChain:
    """Filters one behind the other."""

    def __init__(self, filters: Sequence[ReplyFilter]) -> None:
        self._filters = filters

    @property
    def ended(self) -> bool:
        return any(one.ended for one in self._filters)

    def push(self, text: str) -> list[str]:
        return self._pass([text], self._filters)

    def finish(self) -> list[str]:
        pieces: list[str] = []
        for number, one in enumerate(self._filters):
            pieces += self._pass(one.finish(), self._filters[number + 1 :])
        return pieces

    def _pass(self, pieces: list[str], filters: Sequence[ReplyFilter]) -> list[str]:
        for one in filters:
            pieces = [piece for text in pieces for piece in one.push(text)]
        return pieces


class WholeWords:
    """Gives whole words with the white space before them; blocks of code are left out."""

    ended = False

    def __init__(self) -> None:
        self._line = ""
        self._at_start = True
        self._fenced = False
        self._begun = False

    def push(self, text: str) -> list[str]:
        self._line += text
        said = ""
        while "\n" in self._line:
            line, _, self._line = self._line.partition("\n")
            said += self._end_of_line(line)
        cut = max(0, self._line.rfind(" "))
        if cut and not self._fenced and not self._may_be_fence():
            said += self._line[:cut]
            self._line = self._line[cut:]
            self._at_start = False
        return self._said(said)

    def finish(self) -> list[str]:
        rest, self._line = self._line, ""
        return self._said(self._end_of_line(rest).rstrip())

    def _may_be_fence(self) -> bool:
        mark = self._line.lstrip()[:3]
        return self._at_start and bool(mark) and _FENCE.startswith(mark)

    def _end_of_line(self, line: str) -> str:
        fence = self._at_start and line.lstrip().startswith(_FENCE)
        self._at_start = True
        if fence:
            self._fenced = not self._fenced
        return "" if fence or self._fenced else f"{line}\n"

    def _said(self, text: str) -> list[str]:
        text = text if self._begun else text.lstrip()
        self._begun = self._begun or bool(text)
        return [text] if text else []


class LengthLimit:
    """Ends a reply at a sentence when it comes near its limit, instead of in the middle of one.

    Each push is one token of the model, also where it brings no text.
    """

    def __init__(self, max_tokens: int) -> None:
        self._near = max_tokens * 3 // 4
        self._max = 2 * max_tokens
        self._tokens = 0
        self._held = ""
        self._said = False
        self._cut_off = False
        self.ended = False

    def cut_off(self) -> None:
        """Note that the model had to stop in the middle: only whole sentences are said."""
        self._cut_off = True

    def push(self, text: str) -> list[str]:
        self._tokens += 1
        if self._tokens < self._near:
            self._said = self._said or bool(text)
            return [text] if text else []
        self._held += text
        ends = [match.end() for match in _SENTENCE_END.finditer(self._held)]
        if not ends or (ends[-1] == len(self._held) and not text.endswith(" ")):
            # A server may not know of limits.
            self.ended = self.ended or self._tokens >= self._max
            return []
        said, self._held = self._held[: ends[-1]], ""
        self.ended = True
        return [said]

    def finish(self) -> list[str]:
        if self.ended:
            return []
        text = self._held
        if self._cut_off:
            ends = [match.end() for match in _SENTENCE_END.finditer(text)]
            text = text[: ends[-1]] if ends else "" if self._near and self._said else text
        return [text] if text else []


class Unspeakable:
    """Ends a reply before the first call, tag, JSON or code in it, and before text of broken bytes.

    Needs `WholeWords` before it.
    """

    def __init__(self) -> None:
        self._said = ""
        self.ended = False

    def push(self, text: str) -> list[str]:
        if self.ended:
            return []
        found = _CODE.search(text)
        said = text[: found.start()] if found is not None else text
        self._said += said
        self.ended = found is not None or _is_broken(self._said)
        if self.ended:
            # The word that the code hangs on belongs to it.
            said = said[: said.rfind(" ") + 1] if not _is_broken(self._said) else ""
        return [said] if said.strip() or not self.ended else []

    def finish(self) -> list[str]:
        return []


def _is_broken(text: str) -> bool:
    broken = sum(char == "\ufffd" or not (char.isprintable() or char.isspace()) for char in text)
    return broken > max(1.0, _MAX_UNPRINTABLE_SHARE * len(text))


class Request(Enum):
    """Kind of the request that a reply answers: it decides which sentences are claims."""

    WISH = "something may be wanted done"
    TALK = "words are wanted, in the form of a wish"
    QUESTION = "an answer is wanted"
    STORY = "something is to be invented"


class HomeWords(Protocol):
    """Words of a home in one language."""

    def tells(self, text: str) -> bool:
        """Whether `text` names a thing of a home and something done to it."""
        ...

    def speaks(self, text: str) -> bool:
        """Whether `text` names a thing of a home, or something done to one."""
        ...

    def names_thing(self, text: str) -> bool:
        """Whether `text` names a thing of a home."""
        ...


@dataclass(frozen=True, slots=True)
class _Patterns:
    """Patterns of claims in one language, see claims.yaml."""

    first: re.Pattern[str]
    done: re.Pattern[str]
    states: re.Pattern[str]
    now: re.Pattern[str]
    deeds: re.Pattern[str]
    for_user: re.Pattern[str]
    stories: re.Pattern[str]
    regrets: re.Pattern[str]


class ClaimFilter:
    """Ends a reply before the first sentence that claims a deed: talking does nothing."""

    def __init__(self, words: HomeWords, language: str, request: Request) -> None:
        self._words = words
        self._patterns = _patterns().get(language)
        self._request = request
        self._sentence = ""
        self._held = ""
        self.ended = False

    def push(self, text: str) -> list[str]:
        if self.ended:
            return []
        said, self._held = "", self._held + text
        while (end := _CLAIM_END.search(self._held)) is not None:
            sentence, self._held = self._held[: end.end()], self._held[end.end() :]
            if self._ends(sentence):
                return [said] if said else []
            said += sentence
        if not self._is_suspicious():
            self._sentence += self._held
            said, self._held = said + self._held, ""
        return [said] if said else []

    def finish(self) -> list[str]:
        rest, self._held = self._held, ""
        return [] if self.ended or not rest or self._ends(rest) else [rest]

    def _ends(self, rest: str) -> bool:
        """Take the end of a sentence; returns whether that is a claim."""
        self.ended = self._is_claim(self._sentence + rest)
        self._sentence = ""
        return self.ended

    def _is_claim(self, text: str) -> bool:
        patterns, text = self._patterns, _MARKS.sub("", text)
        if patterns is None:
            return self._request is Request.WISH and self._words.tells(text)
        said = _plain(text)
        # "Sorry, done." claims what "Done." does; "I can't be activated" claims nothing.
        regret = patterns.regrets.match(said)
        if regret is not None and said[regret.end() :].startswith(","):
            said = said[regret.end() :].lstrip(" ,")
        first, for_user = patterns.first.search(said), patterns.for_user.search(said)
        if self._request is Request.STORY:
            return bool(first and for_user)
        if self._request is Request.QUESTION:
            return bool(first and (for_user or self._words.speaks(said)))
        done, states = patterns.done.fullmatch(said), patterns.states.search(said)
        if self._request is Request.TALK:
            about_home = for_user or self._words.speaks(said)
            return bool(done or (first and about_home) or (states and self._words.tells(said)))
        # A road may be closed, and a museum open.
        here = for_user or patterns.now.search(said) or self._words.names_thing(said)
        return bool(first or done or (states and here)) or self._words.tells(said)

    def _is_suspicious(self) -> bool:
        """Whether the sentence that has begun may become a claim."""
        sentence = _plain(self._sentence + self._held)
        if len(self._held) > _MAX_HELD_CHARACTERS:
            return False
        patterns = self._patterns
        regrets = patterns is not None and patterns.regrets.match(sentence)
        if self._request is Request.WISH and not regrets:
            return True  # "The cosy mode is" may go on as "activated now"
        if len(sentence.split()) < _MIN_WORDS or self._words.speaks(self._held):
            return True
        return patterns is not None and any(
            one.search(sentence) for one in (patterns.first, patterns.states, patterns.deeds)
        )


def kind_of_request(text: str, language: str, *, question: bool, talk: bool) -> Request:
    """Return the kind of `text`, by what its language says of it."""
    patterns = _patterns().get(language)
    if patterns is not None and patterns.stories.search(_plain(text)):
        return Request.STORY
    if question:
        return Request.QUESTION
    return Request.TALK if talk else Request.WISH


def _plain(text: str) -> str:
    text = _MARKS.sub("", text.replace("\u2019", "'"))
    words = " ".join(text.casefold().split())
    return words.strip(" .,;:!?¡¿…-\"'")


@functools.cache
def _patterns() -> Mapping[str, _Patterns]:
    source = files(__package__).joinpath("claims.yaml").read_text(encoding="utf-8")
    known: Mapping[str, Mapping[str, Any]] = yaml.safe_load(source)
    return {
        language: _Patterns(
            first=re.compile(rf"(?:{one['begins']}) ?\b(?:{one['deeds']})\b|{one['first']}"),
            done=re.compile(one["done"]),
            states=re.compile(one["states"]),
            now=re.compile(one["now"]),
            deeds=re.compile(rf"\b(?:{one['deeds']})\b"),
            for_user=re.compile(one["for_user"]),
            stories=re.compile(one["stories"]),
            regrets=re.compile(rf"^(?:{one['regrets']})\b"),
        )
        for language, one in known.items()
    }
