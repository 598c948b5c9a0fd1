"""Parser of the server-sent events of a chat completion, which trusts no server.

https://platform.openai.com/docs/api-reference/chat-streaming
"""

import json
from collections.abc import Iterator
from typing import Any, Final

from wyoming_common.errors import Unavailable
from wyoming_llm.engine import Delta, ToolCall, Usage
from wyoming_llm.output.parser import ReplyText

MAX_LINE_CHARACTERS: Final = 1_000_000
"""Length of one event of the stream"""
SAID: Final = 200
"""Characters of a server's text that an error shows"""
_MAX_CALLS: Final = 64


def one_line(text: str) -> str:
    """Return the beginning of `text` in one line."""
    return " ".join(text[: 2 * SAID].split())[:SAID]


def lines_of(pieces: Iterator[str]) -> Iterator[str]:
    """Join `pieces` to lines. Raises Unavailable for one that does not end."""
    held = ""
    for piece in pieces:
        *whole, held = (held + piece).split("\n")
        yield from (line.rstrip("\r") for line in whole)
        if len(held) > MAX_LINE_CHARACTERS:
            raise Unavailable(
                f"The server sent a line of more than {MAX_LINE_CHARACTERS} characters"
            )
    yield held


def one_event(text: str) -> str:
    """Return a reply that came whole as an event of a stream."""
    try:
        reply = json.loads(text)
        choices = [
            choice | {"delta": choice["message"], "index": number}
            for number, choice in enumerate(reply["choices"])
        ]
        return json.dumps(reply | {"choices": choices})
    except (ValueError, KeyError, TypeError, RecursionError) as err:
        raise Unavailable(f"The server sent no reply but '{one_line(text)}'") from err


class ServerReply:
    """Converts events of a chat completion to deltas, and ignores malformed ones.

    Raises Unavailable for an error that the server reports, and for calls without end.
    """

    def __init__(self, *, calls: bool) -> None:
        self._text = ReplyText(calls=calls)
        self._calls: dict[int, dict[str, str]] = {}
        self._finish = "stop"
        self._usage = Usage()

    def feed(self, data: str) -> Iterator[Delta]:
        event = _parsed(data)
        if error := event.get("error"):
            message = error.get("message") if isinstance(error, dict) else error
            raise Unavailable(f"The server failed: {one_line(str(message))}")
        if isinstance(usage := event.get("usage"), dict):
            self._usage = _usage(usage)
        for choice in map(_object, _list(event.get("choices"))):
            delta = _object(choice.get("delta"))
            if isinstance(text := delta.get("content"), str):
                yield from self._text.feed(text)
            for number, call in enumerate(map(_object, _list(delta.get("tool_calls")))):
                self._add(call, number)
            if isinstance(finish := choice.get("finish_reason"), str):
                self._finish = finish or self._finish

    def finish(self) -> Iterator[Delta]:
        yield from self._text.finish()
        calls = tuple(
            ToolCall(call["id"], call["name"], call["arguments"] or "{}")
            for _, call in sorted(self._calls.items())
            if call["name"]
        )
        if calls:
            yield Delta(tool_calls=calls)
        finish = "tool_calls" if calls else self._finish
        yield Delta(finish=finish, usage=self._usage)

    def _add(self, call: dict[str, Any], number: int) -> None:
        index = _number(call.get("index", number))
        if index not in self._calls and len(self._calls) >= _MAX_CALLS:
            raise Unavailable(f"The server called more than {_MAX_CALLS} functions")
        known = self._calls.setdefault(index, {"id": "", "name": "", "arguments": ""})
        function = _object(call.get("function"))
        known["id"] = _text(call.get("id")) or known["id"]
        known["name"] = _text(function.get("name")) or known["name"]
        known["arguments"] += _text(function.get("arguments"))
        if len(known["arguments"]) > MAX_LINE_CHARACTERS:
            raise Unavailable("The server called a function with arguments without end")


def _parsed(data: str) -> dict[str, Any]:
    try:
        return _object(json.loads(data))
    except (ValueError, RecursionError):
        return {}


def _usage(usage: dict[str, Any]) -> Usage:
    return Usage(
        _number(usage.get("prompt_tokens")),
        _number(_object(usage.get("prompt_tokens_details")).get("cached_tokens")),
        _number(usage.get("completion_tokens")),
    )


def _number(value: Any) -> int:
    return value if isinstance(value, int) and value >= 0 else 0


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    if isinstance(value, dict):  # arguments, as some servers send them
        return json.dumps(value)
    return value if isinstance(value, str) else ""
