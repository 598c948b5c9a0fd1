"""Text that arrives in pieces, cut into what is spoken in one go. Pure: text in, text out.

Not sentence-stream: that one scans all it holds again for every piece, knows abbreviations by
their capital letter only, and never cuts a sentence that does not end.
"""

import re
import unicodedata
from collections.abc import Iterator

MOST_CHARACTERS = 350
"""A longer sentence is cut, at a clause if it has one: what is spoken in one go is computed in
one go as well, and shows only then."""

_END = re.compile(r"[.!?…؟。！？।॥]+")  # noqa: RUF001
_MARK = re.compile(rf"{_END.pattern}|\n")
_CJK_ENDERS = "。！？"  # noqa: RUF001
_CLOSERS = "\"')]}”’»」』）》】〕〉*_`"  # noqa: RUF001 - closing marks of other scripts
_OPENERS = "\"'([{“‘«「『（《【〔〈*_`#¿¡-–—•"  # noqa: RUF001
_CLAUSE = re.compile(r"[,;:،؛、，；：]|\s[-–—]+\s|—")  # noqa: RUF001
_REST_OF_SENTENCE = 12
"""Characters that must follow a first clause: less is not worth a breath."""
_WIDE_CLAUSE = " 、，；："  # noqa: RUF001
_LINE = re.compile(r"[^\S\n]*\n\s*")
_LIST_ITEM = re.compile(r"(?:[-*+•]|#{1,6}|\d{1,3}[.)])\s")
_NUMBER_OF_ITEM = re.compile(r"(?:^|\n)\s*\d{1,3}$")
_WORD = re.compile(r"\w+")
_INITIALS = re.compile(r"(?:^|[^\w.])(?:\w\.)*\w$")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ABBREVIATIONS = _words(
    # What is nearly always followed by more of the same sentence, by language.
    "mr mrs ms dr prof rev fr sr jr st mt ft gen col lt sgt capt cmdr adm gov sen rep hon pres "
    "vs approx no nos fig figs vol pp ed eds etc dept est ext inc ltd co corp bros e.g i.e cf "
    "jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thurs fri sat sun "
    "ave blvd rd apt tel min max avg incl excl resp "
    "hr fr frl bzw ca evtl ggf inkl max min nr sog str usw vgl z.b d.h u.a dipl ing "
    "m mm mme mlle me av art env p.ex "
    "sr sra srta dña ud uds avda pág núm p.ej "
    "sig sig.ra dott avv pag "
    "dhr mevr drs bijv enz blz"
)
_STARTERS = _words(
    "the a an it he she we they you i this that these those there here but and so or if when "
    "what where who why how in on at for to is are do my your his her its our their"
)


class SentenceSplitter:
    """Takes text in pieces cut anywhere, gives sentences as soon as their end is certain.

    The end is certain once the next word has begun, for a full stop may belong to a number or
    an abbreviation. `first_clause` lets the very first piece end at a clause mark after that
    many characters already; 0 waits for the sentence.
    """

    def __init__(self, first_clause: int = 0, most: int = MOST_CHARACTERS) -> None:
        self._first_clause = first_clause
        self._most = most
        self._text = ""
        self._seen = 0  # everything before this position has been looked at
        self._certain = 0  # no sentence ends before this position
        self._final = False

    def feed(self, text: str) -> list[str]:
        """Take more text and return the sentences that are complete by now."""
        self._text += text
        return [piece for piece in self._cut() if piece]

    def finish(self) -> list[str]:
        """Return what is left; the splitter is then ready for new text."""
        self._final = True
        pieces = [piece for piece in (*self._cut(), self._take(len(self._text))) if piece]
        self._final = False
        return pieces

    def _cut(self) -> Iterator[str]:
        while (end := self._boundary()) is not None:
            piece = self._take(end)
            self._first_clause = 0 if piece else self._first_clause
            yield piece

    def _take(self, end: int) -> str:
        piece, self._text, self._seen = self._text[:end].strip(), self._text[end:], 0
        return piece

    def _boundary(self) -> int | None:
        """Return where the first piece ends, or None when that cannot be said yet."""
        end = self._end()
        clause = self._clause(self._certain if end is None else end)
        return self._forced() if end is clause is None else clause or end

    def _end(self) -> int | None:
        for mark in _MARK.finditer(self._text, self._seen):
            at = mark.start()
            if at > self._most:
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
        if mark == "." and self._abbreviated(text[:at]):
            return self._after_abbreviation(end, following)
        return 0 if text[following].islower() else end

    def _abbreviated(self, before: str) -> bool:
        word = re.split(r"[\s(\"'“‘\[]", before[-24:])[-1].lower()  # noqa: RUF001
        return (
            word in _ABBREVIATIONS
            or bool(_INITIALS.search(before[-12:]) and word.strip("*_")[:1].isalpha())
            or bool(_NUMBER_OF_ITEM.search(before[-6:]))
        )

    def _after_abbreviation(self, end: int, following: int) -> int | None:
        """ "at 5 p.m. The door" is two sentences, "Dr. Smith" and "J. F. Kennedy" are none."""
        dotted = self._text[:end].rstrip(_CLOSERS)[:-1]
        if "." not in dotted.split()[-1]:
            return 0
        word = _WORD.match(self._text, following)
        if word is None:
            return 0
        if word.end() == len(self._text) and not self._final:
            return None
        return end if word[0][0].isupper() and word[0].lower() in _STARTERS else 0

    def _line_end(self, at: int) -> int | None:
        """A line break ends a sentence unless the line merely was too long."""
        gap = _LINE.match(self._text, at)
        assert gap is not None
        if gap.end() == len(self._text):
            return at if self._final else None
        if not self._text[:at].strip():
            return gap.end()
        rest = self._text[gap.end() : gap.end() + 8]
        if len(rest) < 5 and not self._final and not rest[:1].islower():
            return None  # "12" may yet become "12. Milk"
        if gap[0].count("\n") > 1 or _LIST_ITEM.match(rest) or not rest[:1].islower():
            return gap.end()
        return 0

    def _clause(self, end: int) -> int | None:
        """Return where the first clause ends, if it may go ahead and does so before `end`."""
        if not self._first_clause:
            return None
        text = self._text
        last = min(end - _REST_OF_SENTENCE, self._most)
        for mark in _CLAUSE.finditer(text, self._first_clause, max(last, 0)):
            following = text[mark.end() : mark.end() + 1]
            if following.isspace() or (following and mark[0][-1] in _WIDE_CLAUSE):
                return mark.end()
        return None

    def _forced(self) -> int | None:
        """Return where to cut a sentence that has grown too long, None for one that has not."""
        text = self._text
        if len(text) <= self._most:
            return None
        marks = [
            mark.end()
            for mark in _CLAUSE.finditer(text, self._most // 3, self._most)
            if not text[mark.end()].isdigit()
        ]
        space = text.rfind(" ", self._most // 3, self._most)
        return marks[-1] if marks else space + 1 if space > 0 else _whole(text, self._most)


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
