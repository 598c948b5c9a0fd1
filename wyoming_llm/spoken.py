"""Text for ears: what a model writes for eyes, made fit to be read aloud, as it comes."""

import re
from typing import Final

_LINK: Final = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_LINE_MARK: Final = re.compile(r"^\s*(?:#{1,6}\s+|[-*+•]\s+|>\s*|\|)")
_RULE: Final = re.compile(r"^\s*(?:[-*_=]\s*){3,}$|^[\s|:-]+$")
_EMPHASIS: Final = re.compile(r"\*+|(?<!\w)_+|_+(?!\w)|`+|~~+")
_PICTURES: Final = re.compile(
    r"\s*[\U0001f000-\U0001faff\U00002600-\U000027bf\U0001f1e6-\U0001f1ff\u2b00-\u2bff\ufe0f\u200d\u20e3]+"
)
_CELLS: Final = re.compile(r"\s*\|\s*")
ENDS: Final = re.compile(r"[.!?…。！？।؟][\"'”’)\]]*(?=\s|$)|[。！？।]")  # noqa: RUF001 - other scripts
"""Ends of sentences"""
_MOST_HELD: Final = 400
"""Characters that wait for a bracket to close."""
_CODE: Final = re.compile(r"\s*(?:[{\[]\s*[{\[\"']|</?(?:tool|function|think|\|))")
_UNSAYABLE_SHARE: Final = 0.05


def garbled(text: str) -> bool:
    """Whether `text` is nothing to read aloud: a call written as words, or bytes that are no text.

    A single broken character is none of that: a limit of tokens may cut one in two.
    """
    if _CODE.match(text):
        return True
    broken = sum(char == "\ufffd" or not (char.isprintable() or char.isspace()) for char in text)
    return broken > max(1.0, _UNSAYABLE_SHARE * len(text))


class Spoken:
    """Takes text in pieces and gives it without markdown, pictures and code blocks."""

    def __init__(self) -> None:
        self._line = ""
        self._at_start = True
        self._fenced = False
        self._open_line = False
        self._last = ""

    def feed(self, text: str) -> str:
        """Return what can be said by now, up to the last whole word."""
        self._line += text
        said = ""
        while "\n" in self._line:
            line, _, self._line = self._line.partition("\n")
            said += self._join(self._whole_line(line))
        cut = max(0, self._line.rfind(" "))
        # A space waits for its word: a picture takes the space before it along.
        opened = self._line.rfind("[", 0, cut)
        if opened >= 0 and ")" not in self._line[opened:] and cut - opened < _MOST_HELD:
            cut = opened
        if not self._fenced and cut and not self._is_mark(self._line[:cut]):
            part, self._line = self._line[:cut], self._line[cut:]
            said += self._join(self._clean(part))
            self._at_start = False
            self._open_line = True
        return said

    def finish(self) -> str:
        """Return the rest."""
        rest, self._line = self._line, ""
        return self._join(self._last_of_line(rest)).rstrip()

    def _is_mark(self, part: str) -> bool:
        """Whether `part` may be nothing but the mark at the beginning of a line."""
        marks = r"\s*(?:#{1,6}|[-*+•>|]|`{3}\S*)?\s*"
        return self._at_start and re.fullmatch(marks, part) is not None

    def _whole_line(self, line: str) -> str:
        text = self._last_of_line(line)
        self._at_start = True
        last = text[-1:] or self._last.strip()
        if not text and not self._open_line:
            return ""
        self._open_line = False
        # A line is a thing of its own: the voice should pause after it.
        return text + (" " if last in ",:;" or ENDS.search(last) else ". ")

    def _last_of_line(self, line: str) -> str:
        if self._at_start and line.lstrip().startswith("```"):
            self._fenced = not self._fenced
            return ""
        if self._fenced or (self._at_start and _RULE.match(line)):
            return ""
        return self._clean(line).rstrip()

    def _clean(self, part: str) -> str:
        if self._at_start:
            part = _LINE_MARK.sub("", part)
        part = _LINK.sub(r"\1", part)
        part = _PICTURES.sub("", part)
        part = _EMPHASIS.sub("", part)
        return _CELLS.sub(", ", part)

    def _join(self, text: str) -> str:
        text = re.sub(r"\s+", " ", text)
        if self._last in ("", " "):
            text = text.lstrip()
        if text:
            self._last = text[-1]
        return text


class Measured:
    """Ends a reply at a sentence when it comes near its limit, instead of in the middle of one."""

    def __init__(self, most_steps: int) -> None:
        self._near = most_steps * 3 // 4
        self._most = 2 * most_steps
        self._steps = 0
        self._held = ""
        self._said = False
        self.enough = False

    def feed(self, text: str) -> str:
        """Take the text of one step; return what may be said. `enough` says when to stop."""
        self._steps += 1
        if self._steps < self._near:
            self._said = self._said or bool(text)
            return text
        self._held += text
        ends = [match.end() for match in ENDS.finditer(self._held)]
        if not ends or (ends[-1] == len(self._held) and not text.endswith(" ")):
            # A server may not know of limits.
            self.enough = self.enough or self._steps >= self._most
            return ""
        said, self._held = self._held[: ends[-1]], ""
        self.enough = True
        return said

    def finish(self, rest: str, *, cut: bool) -> str:
        """Return what is left; of a reply that was cut off, only whole sentences."""
        if self.enough:
            return ""
        text = self._held + rest
        if not cut:
            return text
        ends = [match.end() for match in ENDS.finditer(text)]
        if ends:
            return text[: ends[-1]]
        return "" if self._near and self._said and self._held else text
