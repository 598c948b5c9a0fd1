"""Chat template: messages to the text that a model was trained on.

A template comes out of the model file: it runs in a sandbox, in a bounded number of steps.
https://huggingface.co/docs/transformers/chat_templating
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from jinja2 import Template, TemplateError, nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import loopcontrols
from jinja2.runtime import Context
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

_MAX_TEMPLATE_CHARACTERS: Final = 200_000
"""The longest template of a well-known model has 20,000."""
_MAX_PROMPT_CHARACTERS: Final = 16_000_000
"""More than any model reads."""
_MAX_STEPS: Final = 200_000
"""Turns of loops and calls for one prompt; a real template takes a few for each message. They are
some tenths of a second."""
_MAX_REPEATED: Final = 100_000
"""Characters or items that a product may make"""
_MAX_EXPONENT: Final = 64
_MAX_INDENT: Final = 8
_BROKEN: Final = (
    TemplateError, ArithmeticError, AttributeError, LookupError, RecursionError, SyntaxError,
    TypeError, ValueError,
)  # fmt: skip


class _BoundedSandbox(ImmutableSandboxedEnvironment):
    """A sandbox whose templates end: every turn of a loop and every call is counted."""

    intercepted_binops = frozenset({"*", "**"})

    def __init__(self, max_steps: int) -> None:
        super().__init__(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
        self._max_steps = max_steps
        self._steps = 0
        self.globals["counted"] = self._counted
        del self.globals["lipsum"]

    def compile_bounded(self, source: str) -> Template:
        """Return the template with its loops counted."""
        self.restart()
        tree = self.parse(source)
        for loop in list(tree.find_all(nodes.For)):
            counted = nodes.Name("counted", "load", lineno=loop.lineno)
            loop.iter = nodes.Call(counted, [loop.iter], [], None, None, lineno=loop.lineno)
        return self.from_string(tree)

    def restart(self) -> None:
        """Restart the count."""
        self._steps = 0

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        self._count()
        return super().call(context, obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" and isinstance(right, int | float) and abs(right) > _MAX_EXPONENT:
            raise SecurityError(f"a power of more than {_MAX_EXPONENT}")
        sizes = [len(it) if hasattr(it, "__len__") else it for it in (left, right)]
        if operator == "*" and sizes != [left, right] and sizes[0] * sizes[1] > _MAX_REPEATED:
            raise SecurityError(f"a repetition of more than {_MAX_REPEATED}")
        return super().call_binop(context, operator, left, right)

    def _counted(self, items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            self._count()
            yield item

    def _count(self) -> None:
        self._steps += 1
        if self._steps > self._max_steps:
            raise ModelError("model: its chat template does not come to an end")


class ChatTemplate:
    """Renders prompts, each in at most `max_steps` turns of loops and calls.

    Raises ModelError for a template that is broken.
    """

    def __init__(
        self,
        source: str,
        bos: str,
        eos: str,
        controls: Sequence[str],
        max_steps: int = _MAX_STEPS,
    ) -> None:
        if len(source) > _MAX_TEMPLATE_CHARACTERS:
            raise ModelError(
                "model: its chat template is broken: expected at most "
                f"{_MAX_TEMPLATE_CHARACTERS} characters, got {len(source)}"
            )
        self._environment = environment = _BoundedSandbox(max_steps)
        environment.filters["tojson"] = _to_json
        environment.globals["raise_exception"] = _refuse
        environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)  # noqa: DTZ005 - local time
        try:
            self._template = environment.compile_bounded(source or CHATML)
        except _BROKEN as err:
            raise ModelError(f"model: its chat template is broken: {err}") from err
        self._names = {"bos_token": bos, "eos_token": eos}
        self._controls = [control for control in controls if control not in ("<think>", "</think>")]
        self.knows_tools = "tools" in source
        self.knows_thinking = "enable_thinking" in source or "<think>" in source

    def render(self, prompt: Prompt, *, answer: bool = True) -> str:
        """Return the text of `prompt`; with `answer`, up to where the model goes on.

        Control tokens in a message are broken up, so that no message can end its turn.
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
            self._environment.restart()
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


def _joined(parts: Iterator[str]) -> str:
    text: list[str] = []
    size = 0
    for part in parts:
        text.append(part)
        size += len(part)
        if size > _MAX_PROMPT_CHARACTERS:
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
    indent = None if indent is None else min(indent, _MAX_INDENT)
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _refuse(message: str) -> None:
    raise TemplateError(message)
