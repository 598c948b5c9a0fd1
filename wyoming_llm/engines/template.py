"""Chat templates: messages to the text that a model was trained on.

Templates come out of the model file, hence run in Jinja's sandbox, and not for ever.
https://huggingface.co/docs/transformers/chat_templating
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from types import FrameType
from typing import Any, Final

from jinja2 import TemplateError
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from wyoming_common.errors import BadRequest, ModelError
from wyoming_llm.engine import Message, Prompt

CHATML: Final = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""For models that bring no template."""

_TOOL_RULES: Final = """

You may call functions. These are their signatures, as JSON:
<tools>
{tools}
</tools>
To call one, answer with nothing but
<tool_call>
{{"name": "NAME", "arguments": {{...}}}}
</tool_call>"""
"""The form most open models were trained on:
https://github.com/NousResearch/Hermes-Function-Calling"""

_LONGEST: Final = 200_000
"""Characters of a template; the longest of a well-known model has 20,000."""
_LARGEST: Final = 16_000_000
"""Characters of a prompt; no model reads so many."""
_SECONDS: Final = 5.0
"""A prompt takes milliseconds."""
_WIDEST: Final = 8
_BROKEN: Final = (
    TemplateError, ArithmeticError, AttributeError, LookupError, RecursionError, SyntaxError,
    TypeError, ValueError,
)  # fmt: skip


class ChatTemplate:
    """Renders prompts, each in at most so many `seconds`.

    Raises ModelError for a template that is not one.
    """

    def __init__(
        self,
        source: str,
        bos: str,
        eos: str,
        controls: Sequence[str],
        seconds: float = _SECONDS,
    ) -> None:
        if len(source) > _LONGEST:
            raise ModelError(
                f"model: its chat template is broken: expected at most {_LONGEST} characters, "
                f"got {len(source)}"
            )
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols]
        )
        environment.filters["tojson"] = _to_json
        environment.globals["raise_exception"] = _refuse
        environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)  # noqa: DTZ005 - the house's own time
        try:
            with _limited(seconds):  # what is constant is worked out here
                self._template = environment.from_string(source or CHATML)
        except _BROKEN as err:
            raise ModelError(f"model: its chat template is broken: {err}") from err
        self._seconds = seconds
        self._names = {"bos_token": bos, "eos_token": eos}
        self._controls = [control for control in controls if control not in ("<think>", "</think>")]
        self.knows_tools = "tools" in source
        self.knows_thinking = "enable_thinking" in source or "<think>" in source

    def render(self, prompt: Prompt, *, answer: bool = True) -> str:
        """Return the text of `prompt`; with `answer`, up to where the model goes on.

        Control tokens in a message are broken up: what a person says cannot end their turn.
        Raises BadRequest for messages that the template refuses, and ModelError for a template
        that does not come to an end.
        """
        messages = [self._message(message) for message in prompt.messages]
        tools = []
        if prompt.tools and prompt.tool_choice != "none":
            tools = json.loads(self._plain(_to_json(prompt.tools)))
        if tools and not self.knows_tools:
            messages = _with_rules(messages, tools)
        try:
            with _limited(self._seconds):
                return _joined(
                    self._template.generate(
                        messages=messages,
                        tools=tools or None,
                        add_generation_prompt=answer,
                        enable_thinking=prompt.thinking,
                        **self._names,
                    )
                )
        except _BROKEN as err:
            raise BadRequest(f"messages: the model's chat template refuses them: {err}") from err

    def _message(self, message: Message) -> dict[str, Any]:
        content: dict[str, Any] = {"role": message.role, "content": self._plain(message.content)}
        if message.tool_calls and self.knows_tools:
            content["tool_calls"] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {
                        "name": self._plain(call.name),
                        "arguments": _parsed(self._plain(call.arguments)),
                    },
                }
                for call in message.tool_calls
            ]
        elif message.tool_calls:
            content["content"] += "".join(
                f'<tool_call>\n{{"name": {self._plain(json.dumps(call.name))}, '
                f'"arguments": {self._plain(call.arguments)}}}\n</tool_call>'
                for call in message.tool_calls
            )
        if message.role == "tool" and not self.knows_tools:
            content["role"] = "user"
            content["content"] = f"<tool_response>\n{content['content']}\n</tool_response>"
        elif message.role == "tool":
            content["tool_call_id"] = message.tool_call_id
        return content

    def _plain(self, text: str) -> str:
        for control in self._controls:
            if control in text:
                text = text.replace(control, control[:1] + " " + control[1:])
        return text


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raise ModelError in the block, in whatever it calls, once it takes too long.

    By Python's own tracing of this thread: loops of a template call nothing that could look.
    """
    deadline = time.monotonic() + seconds

    def look(_frame: FrameType, _event: str, _arg: Any) -> Any:
        if time.monotonic() > deadline:
            raise ModelError("model: its chat template does not come to an end")
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        yield
    finally:
        sys.settrace(before)


def _joined(parts: Iterator[str]) -> str:
    text: list[str] = []
    size = 0
    for part in parts:
        text.append(part)
        size += len(part)
        if size > _LARGEST:
            raise ModelError("model: its chat template does not come to an end")
    return "".join(text)


def _with_rules(messages: list[dict[str, Any]], tools: list[Any]) -> list[dict[str, Any]]:
    rules = _TOOL_RULES.format(tools="\n".join(_to_json(tool) for tool in tools))
    if messages and messages[0]["role"] == "system":
        first = messages[0] | {"content": messages[0]["content"] + rules}
        return [first, *messages[1:]]
    return [{"role": "system", "content": rules.strip()}, *messages]


def _parsed(arguments: str) -> Any:
    try:
        return json.loads(arguments or "{}")
    except ValueError:
        return {}


def _to_json(value: Any, indent: int | None = None, **_: Any) -> str:
    indent = None if indent is None else min(indent, _WIDEST)
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _refuse(message: str) -> None:
    raise TemplateError(message)
