"""Parser of model output: thoughts, function calls and text, in a stream."""

import json
import re
import uuid
from collections.abc import Generator, Iterator, Sequence
from typing import Any, Final

from wyoming_llm.engine import Delta, ToolCall

_THINK: Final = ("<think>", "</think>")
_CALL: Final = ("<tool_call>", "</tool_call>")
_MAX_CALLS: Final = 16
_MAX_CALL_CHARACTERS: Final = 20_000


class StopText:
    """Ends a text at the first of several stop words, which may arrive in pieces."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = [stop for stop in stops if stop]
        self._held = ""
        self.stopped = False

    def feed(self, text: str) -> str:
        """Return the text that belongs to no stop word."""
        if self.stopped:
            return ""
        text = self._held + text
        ends = [at for stop in self._stops if (at := text.find(stop)) >= 0]
        if ends:
            self.stopped, self._held = True, ""
            return text[: min(ends)]
        keep = max((_overlap(text, stop) for stop in self._stops), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def finish(self) -> str:
        """Return the text that was held back."""
        held, self._held = self._held, ""
        return "" if self.stopped else held


class ReplyText:
    """Separates a reply that arrives in pieces: text without thoughts, and calls once whole."""

    def __init__(self, *, calls: bool, thinking: bool = False) -> None:
        self._marks = [_THINK, _CALL] if calls else [_THINK]
        self._inside: tuple[str, str] | None = _THINK if thinking else None
        self._held = ""
        self._call = ""
        self._started = False
        self.calls = 0

    def feed(self, text: str) -> Iterator[Delta]:
        """Yield the deltas that are certain by now."""
        self._held += text
        while True:
            if self._inside is None:
                if not (yield from self._outside()):
                    return
            elif not (yield from self._within(*self._inside)):
                return

    def finish(self) -> Iterator[Delta]:
        """Yield the rest; a call that was cut off is dropped, an unclosed thought as well."""
        if self._inside is None:
            yield from self._show(self._held)
        elif self._inside is _CALL:
            yield from self._calls(self._call + self._held)
        self._held = ""

    def _outside(self) -> Generator[Delta, None, bool]:
        found = [(at, mark) for mark in self._marks if (at := self._held.find(mark[0])) >= 0]
        if not found:
            keep = max(_overlap(self._held, mark[0]) for mark in self._marks)
            shown, self._held = _split(self._held, len(self._held) - keep)
            yield from self._show(shown)
            return False
        at, mark = min(found)
        yield from self._show(self._held[:at])
        self._held = self._held[at + len(mark[0]) :]
        self._inside, self._call = mark, ""
        return True

    def _within(self, opening: str, closing: str) -> Generator[Delta, None, bool]:
        at = self._held.find(closing)
        if at < 0:
            keep = _overlap(self._held, closing)
            gone, self._held = _split(self._held, len(self._held) - keep)
            if opening == _CALL[0] and len(self._call) < _MAX_CALL_CHARACTERS:
                self._call += gone
            return False
        content, self._held = self._call + self._held[:at], self._held[at + len(closing) :]
        self._inside = None
        if opening == _CALL[0]:
            yield from self._calls(content)
        return True

    def _calls(self, content: str) -> Iterator[Delta]:
        call = parse_call(content)
        if call is not None and self.calls < _MAX_CALLS:
            self.calls += 1
            yield Delta(tool_calls=(call,))

    def _show(self, text: str) -> Iterator[Delta]:
        if not self._started:
            text = text.lstrip()
        if text:
            self._started = True
            yield Delta(text=text)


def parse_call(content: str) -> ToolCall | None:
    """Return the call that `content` describes as JSON, None where it describes none."""
    try:
        value: Any = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return None
    arguments = value.get("arguments", value.get("parameters", {}))
    if not isinstance(arguments, dict):
        return None
    return ToolCall(f"call_{uuid.uuid4().hex[:12]}", value["name"], json.dumps(arguments))


def unthought(text: str) -> str:
    """Return `text` without the thoughts in it."""
    return re.sub(r"<think>.*?(</think>|\Z)", "", text, flags=re.DOTALL).lstrip()


def _overlap(text: str, word: str) -> int:
    """Return how long an end of `text` is the beginning of `word`."""
    for size in range(min(len(text), len(word) - 1), 0, -1):
        if text.endswith(word[:size]):
            return size
    return 0


def _split(text: str, at: int) -> tuple[str, str]:
    return text[:at], text[at:]
