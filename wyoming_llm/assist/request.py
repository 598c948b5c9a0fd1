"""A chat completion request of Home Assistant's Assist, read: its home, tools and turns. No I/O."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from wyoming_llm.assist.overview import find_list
from wyoming_llm.assist.tools import LIVE_CONTEXT, AssistTools, CalledTool, arguments_of
from wyoming_llm.engine import Message, Prompt, ToolCall

_TIMES: Final = ("hours", "minutes", "seconds")
_AREA: Final = re.compile(
    r"You are in area (?P<area>[^\n]{1,200}?)(?: \(floor (?P<floor>[^\n]{1,200}?)\))?"
    r" and all generic commands"
)
_INSTRUCTIONS: Final = re.compile(
    r"^(?:When controlling Home Assistant always call |You are in area [^\n]* and all generic "
    r"commands |When a user asks to turn on all devices of a specific type|This device is not able "
    r"to start timers|Follow these instructions for tools from |Use HassTurnOn to lock)[^\n]*\n?",
    re.MULTILINE,
)
"""Lines of Assist's that are about its tools"""
_LIVE_DATA: Final = re.compile(
    r"^You ARE equipped to answer questions about the current state of\n.{0,2000}?"
    r"^For general knowledge questions not about the home: [^\n]*\n?",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class ToolRound:
    """Calls of one assistant message, with the results that came back."""

    calls: tuple[ToolCall, ...]
    results: Mapping[str, Any]
    """Results by the ids of the calls"""

    def is_of(self, calls: Sequence[CalledTool]) -> bool:
        """Whether it is made of these calls; what a clock has given may be another one by now."""
        return len(self.calls) == len(calls) and all(
            made.name == call.name and _lasting(arguments_of(made.arguments)) == _lasting(
                dict(call.arguments)
            )
            for made, call in zip(self.calls, calls, strict=True)
        )  # fmt: skip

    def ordered(self) -> list[Any]:
        """Return the results in the order of the calls, None for one that did not come."""
        return [self.results.get(call.id) for call in self.calls]


@dataclass(frozen=True, slots=True)
class AssistTurn:
    """The text of a person, and all that has followed."""

    text: str
    rounds: tuple[ToolRound, ...] = ()
    reply: str = ""


@dataclass(frozen=True, slots=True)
class AssistRequest:
    """One request of Assist's."""

    prompt: Prompt
    tools: AssistTools
    turns: tuple[AssistTurn, ...]
    system: str
    area: str = ""
    """The name of the speaker's area"""
    floor: str = ""

    @classmethod
    def of(cls, prompt: Prompt) -> "AssistRequest | None":
        """Read a request, None for one that is not Assist's, or does not ask for a reply."""
        if not prompt.tools or prompt.schema is not None or not prompt.messages:
            return None
        if prompt.messages[-1].role not in ("user", "tool"):
            return None
        tools = AssistTools.of(prompt.tools)
        system = "\n".join(m.content for m in prompt.messages if m.role == "system")
        if not tools.are_of_assist or find_list(system) is None:
            return None
        turns = tuple(_turns(prompt.messages))
        if not turns:
            return None
        place = _AREA.search(system)
        area, floor = (place["area"], place["floor"] or "") if place else ("", "")
        return cls(prompt, tools, turns, system, area, floor)

    def as_talk(self) -> Prompt:
        """Return the prompt without tools, and without what is only about them."""
        messages = [
            replace(m, content=without_home(m.content)) if m.role == "system" else replace(
                m, tool_calls=()
            )
            for m in self.prompt.messages
            if m.role != "tool" and (m.content.strip() or not m.tool_calls)
        ]  # fmt: skip
        kept = tuple(m for m in messages if m.role != "system" or m.content)
        return replace(self.prompt, messages=kept, tools=(), tool_choice="auto")


def talk_prefix(prompt: Prompt) -> Prompt:
    """Return the beginning that every talk with a request's instructions has."""
    systems = (m for m in prompt.messages if m.role == "system")
    kept = [replace(m, content=text) for m in systems if (text := without_home(m.content))]
    digest = hashlib.sha256(repr(kept).encode(errors="surrogatepass")).hexdigest()[:16]
    return Prompt(tuple(kept), conversation=f"assist {digest}", thinking=prompt.thinking)


def without_home(system: str) -> str:
    """Return a system prompt without Assist's overview and its instructions for tools."""
    while (place := find_list(system)) is not None:
        system = system[: place[0]] + system[place[1] :]
    system = _INSTRUCTIONS.sub("", _LIVE_DATA.sub("", system))
    return re.sub(r"\n{3,}", "\n\n", system).strip()


def without_looks(prompt: Prompt) -> Prompt:
    """Return a prompt without the states that earlier turns have looked at."""
    last = max((n for n, m in enumerate(prompt.messages) if m.role == "user"), default=0)
    looks = {
        call.id
        for message in prompt.messages[:last]
        for call in message.tool_calls
        if call.name.rpartition("__")[2] == LIVE_CONTEXT
    }
    if not looks:
        return prompt
    kept: list[Message] = []
    for message in prompt.messages:
        if message.role == "tool" and message.tool_call_id in looks:
            continue
        calls = tuple(call for call in message.tool_calls if call.id not in looks)
        if calls or not message.tool_calls or message.content.strip():
            kept.append(replace(message, tool_calls=calls))
    return replace(prompt, messages=tuple(kept))


def _turns(messages: Sequence[Message]) -> Iterator[AssistTurn]:
    """Yield the turns in their order."""
    starts = [number for number, message in enumerate(messages) if message.role == "user"]
    for start, end in zip(starts, [*starts[1:], len(messages)], strict=True):
        rounds: list[ToolRound] = []
        reply = ""
        for message in messages[start + 1 : end]:
            if message.role == "assistant" and message.tool_calls:
                rounds.append(ToolRound(message.tool_calls, {}))
            elif message.role == "assistant":
                reply = message.content
            elif message.role == "tool" and rounds:
                result = _json(message.content)
                known = {**rounds[-1].results, message.tool_call_id: result}
                rounds[-1] = replace(rounds[-1], results=known)
        yield AssistTurn(messages[start].content, tuple(rounds), reply)


def _lasting(arguments: Any) -> Any:
    """Return arguments without the time that is left until an hour."""
    if not isinstance(arguments, dict):
        return arguments
    return {key: value for key, value in arguments.items() if key not in _TIMES}


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
