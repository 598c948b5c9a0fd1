"""Sentences and passages, the units of synthesis, split by language from text in pieces. Pure.

Not sentence-stream: that one scans all it holds again for every piece, knows abbreviations by
their capital letter only, and never cuts a sentence that does not end.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

MAX_CHARACTERS = 350
"""A longer sentence is cut, at a clause if it has one: what is spoken in one go is computed in
one go as well, and shows only then."""

_MAX_SLICE_CHARACTERS = 4096
"""Handed to the splitter at a time: it copies the text that it holds for each sentence."""
_GOES_ON = ",;،、，；—"  # noqa: RUF001
_END = re.compile(r"[.!?…؟。！？।॥]+")  # noqa: RUF001
_MARK = re.compile(rf"{_END.pattern}|\n")
_CJK_ENDERS = "。！？"  # noqa: RUF001
_CLOSERS = "\"')]}”’»」』）》】〕〉*_`"  # noqa: RUF001 - closing marks of other scripts
_OPENERS = "\"'([{“‘«「『（《【〔〈*_`#¿¡-–—•"  # noqa: RUF001
_CLAUSE = re.compile(r"[,;:،؛、，；：]|\s[-–—]+\s|—")  # noqa: RUF001
_MIN_REST_OF_SENTENCE = 12
"""Characters that must follow a first clause: less is not worth a breath."""
_MIN_WRAPPED_LINE = 40
"""Characters; a shorter line has ended, it was not wrapped because it was too long."""
_PLAIN_WORDS = re.compile(r"(?:[^\W\d_]+(?:['’-][^\W\d_]+)* )+")  # noqa: RUF001
"""Words that no number, sign or abbreviation behind them changes"""
_MIN_OPEN_WORDS = 4
_MIN_MORE_WORDS = 2
_WIDE_CLAUSE = " 、，；："  # noqa: RUF001
_LINE = re.compile(r"[^\S\n]*\n\s*")
_LIST_ITEM = re.compile(r"(?:[-*+•]|#{1,6}|\d{1,3}[.)])\s")
_NUMBER_OF_ITEM = re.compile(r"(?:^|\n)\s*\d{1,3}$")
_NUMBER = re.compile(r"(?<![\w.,:/-])\d{1,4}$|(?<=[-–/])\d{1,2}$")  # noqa: RUF001
_WORD = re.compile(r"\w+")
_LAST_WORD = re.compile(r"[^\s(\"'“‘\[]+$")  # noqa: RUF001
_AFTER_DASH = re.compile(r"^.*[-–](?=[^\W\d_]+$)")  # noqa: RUF001
"""All before the second of two joined words, as in Jan.-Mar."""
_WORD_BEFORE = re.compile(r"([^\W\d_]+)\W*\S+$")
_WORD_BEFORE_LAST = re.compile(r"(\w+)[,\s]+(\w+)$")
_INITIALS = re.compile(r"(?:^|[^\w.])(?:\w\.)*\w$")


@dataclass(frozen=True, slots=True)
class Boundaries:
    """Meanings of a full stop in one language. Words are in lower case, without the full stop."""

    abbreviations: frozenset[str] = frozenset()
    """They end a sentence only before a word that begins one."""
    titles: frozenset[str] = frozenset()
    """They are abbreviations before a name."""
    before_numbers: frozenset[str] = frozenset()
    """They are abbreviations before a number."""
    numbered: frozenset[str] = frozenset()
    """Words after which "no." is a number, as it is in capitals within a sentence"""
    suffixes: tuple[str, ...] = ()
    """Ends of words that are abbreviations: "Hauptstr."."""
    starters: frozenset[str] = frozenset()
    """Words that often begin a sentence, and nearly never follow an abbreviation"""
    ordinal_stop: bool = False
    """Whether a full stop makes a number an ordinal"""
    determiners: frozenset[str] = frozenset()
    """Words before an ordinal"""


NO_BOUNDARIES = Boundaries()


class SentenceSplitter:
    """Takes text in pieces cut anywhere, gives sentences as soon as their end is certain.

    The end is certain once the next word has begun, for a full stop may belong to a number or
    an abbreviation. `first_clause` lets the very first piece end at a clause mark after that
    many characters already; 0 waits for the sentence.
    """

    def __init__(
        self,
        first_clause: int = 0,
        boundaries: Boundaries = NO_BOUNDARIES,
        max_characters: int = MAX_CHARACTERS,
    ) -> None:
        self._first_clause = first_clause
        self._boundaries = boundaries
        self._max = max_characters
        self._text = ""
        self._column = 0  # characters of the first line that have been taken already
        self._seen = 0  # everything before this position has been looked at
        self._certain = 0  # no sentence ends before this position
        self._final = False

    @property
    def pending(self) -> str:
        """Text whose end is not certain yet."""
        return self._text.lstrip()

    def feed(self, text: str) -> list[str]:
        """Take more text and return the sentences that are complete by now."""
        self._text += text
        return [piece for piece in self._cut() if piece]

    def finish(self) -> list[str]:
        """Return what is left; the splitter is then ready for new text."""
        self._final = True
        pieces = [piece for piece in (*self._cut(), self._take(len(self._text))) if piece]
        self._final = False
        self._column = 0
        return pieces

    def _cut(self) -> Iterator[str]:
        while (end := self._boundary()) is not None:
            piece = self._take(end)
            self._first_clause = 0 if piece else self._first_clause
            yield piece

    def _take(self, end: int) -> str:
        taken, self._text, self._seen = self._text[:end], self._text[end:], 0
        line = taken.rfind("\n")
        self._column = self._column + end if line < 0 else end - line - 1
        return taken.strip()

    def _boundary(self) -> int | None:
        """Return where the first piece ends, or None when that cannot be said yet."""
        end = self._end()
        clause = self._clause(self._certain if end is None else end)
        return self._forced() if end is clause is None else clause or end

    def _end(self) -> int | None:
        for mark in _MARK.finditer(self._text, self._seen):
            at = mark.start()
            if at > self._max:
                break
            end = self._line_end(at) if mark[0] == "\n" else self._sentence_end(at, mark[0])
            if end is None:
                self._seen = self._certain = at
                return None
            if end:
                return end
            self._seen = mark.end()
        self._certain = len(self._text)
        return None

    def _sentence_end(self, at: int, mark: str) -> int | None:
        """Return the end of the sentence that `mark` closes, 0 for none, None if unknown yet."""
        text = self._text
        end = _skip(text, at + len(mark), _CLOSERS)
        if end == len(text):
            return end if self._final else None
        if mark[-1] in _CJK_ENDERS:
            return end
        if not text[end].isspace():
            return 0
        following = _skip(text, end, _OPENERS, spaces=True)
        if following == len(text):
            return end if self._final else None
        if mark == ".":
            word = _WORD.match(text, following)
            whole = word is None or word.end() < len(text) or self._final
            closes = self._closes(text[max(0, at - 40) : at], word[0] if word else "", whole=whole)
            if not closes:
                return 0 if closes is False else None
        # A pause is meant by an ellipsis, even where the sentence goes on.
        ellipsis = mark == "…" or mark.startswith("..")
        goes_on = text[following].islower() or text[following] == "&"
        return 0 if goes_on and not ellipsis else end

    def _closes(self, before: str, following: str, *, whole: bool) -> bool | None:
        """Return whether the full stop between the two ends a sentence.

        None where that depends on the end of the following word, which is not `whole` yet.
        """
        known = self._boundaries
        last = _LAST_WORD.search(before)
        word = last[0].strip("*_").lower() if last else ""
        if word not in known.abbreviations:
            word = _AFTER_DASH.sub("", word)
        starts: bool | None = following[:1].isupper() and following.lower() in known.starters
        if not starts and following[:1].isupper() and not whole:
            starts = None
        if _NUMBER.search(before):
            return self._closes_number(before, following, starts)
        if word in known.titles:
            return starts if following[:1].isupper() else True
        if following[:1].isdecimal() and (word in known.before_numbers or word == "no"):
            return word == "no" and not self._is_numbered(before)
        if word in known.abbreviations or word.endswith(known.suffixes or ("\0",)):
            return starts
        if _INITIALS.search(before[-12:]) and word[:1].isalpha():
            # "at 5 p.m. The door" is two sentences, "J. F. Kennedy" a name.
            return starts if "." in word else False
        return True

    def _closes_number(self, before: str, following: str, starts: bool | None) -> bool | None:
        known = self._boundaries
        if _NUMBER_OF_ITEM.search(before[-6:]):
            return False
        if not known.ordinal_stop:
            return True
        previous = _WORD_BEFORE.search(before)
        if previous is not None and previous[1].lower() in known.determiners:
            return False
        return True if following[:1].isdecimal() else starts

    def _is_numbered(self, before: str) -> bool:
        """Return whether "no." is a number here: behind what is counted, or "No." in a sentence."""
        previous = _WORD_BEFORE_LAST.search(before)
        if previous is None or not self._boundaries.numbered:
            return False
        return previous[2][0].isupper() or previous[1].lower() in self._boundaries.numbered

    def _line_end(self, at: int) -> int | None:
        """Return the end of the sentence that a line break ends, unless the line was wrapped."""
        gap = _LINE.match(self._text, at)
        assert gap is not None
        if gap.end() == len(self._text):
            return at if self._final else None
        if not self._text[:at].strip():
            return gap.end()
        rest = self._text[gap.end() : gap.end() + 8]
        if len(rest) < 5 and not self._final and not rest[:1].islower():
            return None  # "12" may yet become "12. Milk"
        line = self._text.rfind("\n", 0, at)
        length = self._column + at if line < 0 else at - line - 1
        ended = length < _MIN_WRAPPED_LINE or gap[0].count("\n") > 1
        if ended or _LIST_ITEM.match(rest) or not rest[:1].islower():
            return gap.end()
        return 0

    def _clause(self, end: int) -> int | None:
        """Return where the first clause ends, if it may go ahead and does so before `end`."""
        if not self._first_clause:
            return None
        text = self._text
        last = min(end - _MIN_REST_OF_SENTENCE, self._max)
        for mark in _CLAUSE.finditer(text, self._first_clause, max(last, 0)):
            following = text[mark.end() : mark.end() + 1]
            if following.isspace() or (following and mark[0][-1] in _WIDE_CLAUSE):
                return mark.end()
        return None

    def _forced(self) -> int | None:
        """Return where to cut a sentence that has grown too long, None for one that has not."""
        text = self._text
        if len(text) <= self._max:
            return None
        marks = [
            mark.end()
            for mark in _CLAUSE.finditer(text, self._max // 3, self._max)
            if not text[mark.end()].isdigit()
        ]
        space = text.rfind(" ", self._max // 3, self._max)
        return marks[-1] if marks else space + 1 if space > 0 else _whole(text, self._max)


def _skip(text: str, at: int, characters: str, *, spaces: bool = False) -> int:
    while at < len(text) and (text[at] in characters or (spaces and text[at].isspace())):
        at += 1
    return at


def _whole(text: str, end: int) -> int:
    """Return `end` or a little before, so that no letter loses its accents."""
    start = end
    while start > 1 and (unicodedata.combining(text[start]) or text[start] in "\u200d\ufe0f"):
        start -= 1
    return start if end - start < 16 else end


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence or less, and how it is spoken."""

    text: str
    """Empty for a silence alone."""
    pause: float | None = None
    """Seconds of silence before what follows; None leaves it to the service."""
    length: float = 1.0
    """Factor on the time that speech takes."""
    volume: float = 1.0
    is_open: bool = False
    """Whether it is the beginning of a sentence whose end is not known; a longer one follows."""


class Script(Protocol):
    """Takes text in pieces cut anywhere, gives passages as soon as each is certain."""

    def feed(self, text: str) -> Iterator[Passage]: ...

    def finish(self) -> Iterator[Passage]: ...


class PlainScript:
    """Plain text, spoken sentence by sentence."""

    def __init__(
        self, boundaries: Boundaries, first_clause: int = 0, *, opens: bool = False
    ) -> None:
        """`opens`: the first sentence is given open as well, each time some words longer."""
        self._splitter = SentenceSplitter(first_clause, boundaries)
        self._opens = opens and first_clause > 0
        self._opened_words = 0

    def feed(self, text: str) -> Iterator[Passage]:
        for start in range(0, len(text), _MAX_SLICE_CHARACTERS):
            for sentence in self._splitter.feed(text[start : start + _MAX_SLICE_CHARACTERS]):
                self._opens = False
                yield _passage(sentence)
        if self._opens:
            yield from self._opening()

    def finish(self) -> Iterator[Passage]:
        self._opens = False
        for sentence in self._splitter.finish():
            yield _passage(sentence)

    def _opening(self) -> Iterator[Passage]:
        """Yield the words that have come of the first sentence, if they are as they are read."""
        words = _PLAIN_WORDS.match(self._splitter.pending)
        count = words[0].count(" ") if words else 0
        if words and count >= max(_MIN_OPEN_WORDS, self._opened_words + _MIN_MORE_WORDS):
            self._opened_words = count
            yield Passage(words[0].strip(), pause=0.0, is_open=True)


def _passage(text: str) -> Passage:
    # A voice pauses by itself where it reads a comma.
    return Passage(text, pause=0.0 if text[-1] in _GOES_ON else None)
