"""Engine for OpenAI-compatible servers: llama-server, Ollama, vLLM, SGLang, LM Studio."""

import codecs
import contextlib
import logging
import queue
import threading
from collections.abc import Generator, Iterator
from typing import Any, Final

from wyoming_common.errors import ServiceError, Unavailable
from wyoming_common.http.openai_client import OpenAiClient
from wyoming_llm.config import LlmSettings
from wyoming_llm.engine import Delta, Message, Prompt, Sampling
from wyoming_llm.engines.openai.sse import (
    MAX_LINE_CHARACTERS,
    ServerReply,
    lines_of,
    one_event,
    one_line,
)

_LOGGER = logging.getLogger(__name__)

_MAX_STEP_SECONDS: Final = 0.05
"""One step must be short, or no other reply gets a turn"""
_MAX_WAITING_EVENTS: Final = 64
_END: Final = object()


class OpenAiEngine:
    """Replies of another server. Several run at once; a lost server is found again."""

    def __init__(self, settings: LlmSettings) -> None:
        self._settings = settings
        self._server = OpenAiClient(settings.base_url, settings.api_key, settings.timeout)
        self.model = settings.model or "default"
        self.prompt_limit = settings.context

    def load(self) -> None:
        """Ask for the name of the server's model; a server that is down may come up later."""
        if self._settings.model:
            return
        try:
            self.model = str(self._server.get_json("models")["data"][0]["id"])
        except (ServiceError, LookupError, TypeError) as err:
            said = one_line(str(err))
            _LOGGER.warning("%s cannot be asked for its model: %s", self._server.base_url, said)

    def count(self, text: str) -> int:
        """Return an estimate of the tokens that `text` takes."""
        return len(text.encode()) // 3 + 1

    def reply(self, prompt: Prompt, sampling: Sampling) -> Iterator[Delta]:
        """Yield the server's answer as it comes, empty deltas while it is silent."""
        lines: queue.Queue[Any] = queue.Queue(_MAX_WAITING_EVENTS)
        left = threading.Event()
        body = _body(self.model, prompt, sampling)
        worker = threading.Thread(target=self._fetch, args=(body, lines, left), daemon=True)
        worker.start()
        reader = ServerReply(calls=bool(prompt.tools))
        try:
            while True:
                try:
                    line = lines.get(timeout=_MAX_STEP_SECONDS)
                except queue.Empty:
                    yield Delta()
                    continue
                if line is _END:
                    break
                if isinstance(line, ServiceError):
                    raise line
                deltas = [*reader.feed(line)]
                # A step must end, also when a server says nothing at length.
                yield from deltas or [Delta()]
            yield from reader.finish()
        finally:
            left.set()

    def read(self, prompt: Prompt) -> Iterator[None]:  # noqa: ARG002 - the server keeps its own
        yield from ()

    def settle(self) -> None:
        pass

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def _fetch(
        self, body: dict[str, Any], lines: "queue.Queue[Any]", left: threading.Event
    ) -> None:
        """Put the events of the reply, or its error, into `lines`, until `left` is set."""
        last: Any = _END
        try:
            with contextlib.closing(self._events(body)) as events:
                for data in events:
                    if left.is_set() or (data and not _put(lines, data, left)):
                        return
        except ServiceError as err:
            last = err
        except Exception as err:  # the reply that waits for `lines` must end
            _LOGGER.debug("%s failed", self._server.base_url, exc_info=err)
            said = one_line(str(err)) or type(err).__name__
            last = Unavailable(f"{self._server.base_url} failed: {said}")
        _put(lines, last, left)

    def _events(self, body: dict[str, Any]) -> Generator[str, None, None]:
        """Yield the data of each event, and "" for other lines."""
        with self._server.post("chat/completions", json=body) as answer:
            events, other = 0, ""
            for line in lines_of(codecs.iterdecode(answer.pieces(), "utf-8", "replace")):
                data = line.removeprefix("data:").strip()
                if data == "[DONE]":
                    return
                if data and line.startswith("data:"):
                    events += 1
                    yield data
                    continue
                if not events:
                    other = (other + line)[:MAX_LINE_CHARACTERS]
                yield ""
            if not events:
                # Some servers know no streams, and answer at once.
                yield one_event(other)


def _put(lines: "queue.Queue[Any]", item: Any, left: threading.Event) -> bool:
    """Wait for room in `lines`; False once the reply was left."""
    while not left.is_set():
        with contextlib.suppress(queue.Full):
            lines.put(item, timeout=_MAX_STEP_SECONDS)
            return True
    return False


def _body(model: str, prompt: Prompt, sampling: Sampling) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": model,
        "messages": [_message(message) for message in prompt.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "seed": sampling.seed,
        "stop": list(sampling.stop) or None,
        "frequency_penalty": sampling.frequency_penalty,
        "presence_penalty": sampling.presence_penalty,
        "tools": list(prompt.tools) or None,
    }
    if prompt.tools:
        named = prompt.tool_choice not in ("auto", "none", "required")
        function = {"type": "function", "function": {"name": prompt.tool_choice}}
        body["tool_choice"] = function if named else prompt.tool_choice
    if prompt.schema is not None:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": prompt.schema},
        } if prompt.schema else {"type": "json_object"}  # fmt: skip
    return {name: value for name, value in body.items() if value is not None}


def _message(message: Message) -> dict[str, Any]:
    content: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        content["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.tool_calls
        ]
    if message.tool_call_id:
        content["tool_call_id"] = message.tool_call_id
    return content
