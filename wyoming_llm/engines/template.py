"""Chat templates: messages to the text that a model was trained on.

Templates come out of the model file, hence run in Jinja's sandbox.
https://huggingface.co/docs/transformers/chat_templating
"""

import json
from collections.abc import Sequence
from datetime import datetime
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


class ChatTemplate:
    """Renders prompts. Raises ModelError for a template that is not one."""

    def __init__(self, source: str, bos: str, eos: str, controls: Sequence[str]) -> None:
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols]
        )
        environment.filters["tojson"] = _to_json
        environment.globals["raise_exception"] = _refuse
        environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)  # noqa: DTZ005 - the house's own time
        try:
            self._template = environment.from_string(source or CHATML)
        except TemplateError as err:
            raise ModelError(f"model: its chat template is broken: {err}") from err
        self._names = {"bos_token": bos, "eos_token": eos}
        self._controls = [control for control in controls if control not in ("<think>", "</think>")]
        self.knows_tools = "tools" in source
        self.knows_thinking = "enable_thinking" in source or "<think>" in source

    def render(self, prompt: Prompt, *, answer: bool = True) -> str:
        """Return the text of `prompt`; with `answer`, up to where the model goes on.

        Control tokens in a message are broken up: what a person says cannot end their turn.
        """
        messages = [self._message(message) for message in prompt.messages]
        tools = [dict(tool) for tool in prompt.tools] if prompt.tool_choice != "none" else []
        if tools and not self.knows_tools:
            messages = _with_rules(messages, tools)
        try:
            return self._template.render(
                messages=messages,
                tools=tools or None,
                add_generation_prompt=answer,
                enable_thinking=prompt.thinking,
                **self._names,
            )
        except (TemplateError, TypeError, ValueError, KeyError) as err:
            raise BadRequest(f"messages: the model's chat template refuses them: {err}") from err

    def _message(self, message: Message) -> dict[str, Any]:
        content: dict[str, Any] = {"role": message.role, "content": self._plain(message.content)}
        if message.tool_calls and self.knows_tools:
            content["tool_calls"] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": _parsed(call.arguments)},
                }
                for call in message.tool_calls
            ]
        elif message.tool_calls:
            content["content"] += "".join(
                f'<tool_call>\n{{"name": {json.dumps(call.name)}, "arguments": {call.arguments}}}'
                "\n</tool_call>"
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
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _refuse(message: str) -> None:
    raise TemplateError(message)
