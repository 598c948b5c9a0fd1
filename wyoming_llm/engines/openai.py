"""Any OpenAI-compatible server: llama-server, Ollama, vLLM, SGLang, LM Studio."""

import contextlib
import logging
import queue
import threading
from collections.abc import Iterator
from typing import Any, Final

import httpx2

from wyoming_common.errors import BadRequest, ConfigError, ServiceError, TimedOut, Unavailable
from wyoming_llm.config import LlmSettings
from wyoming_llm.engine import Delta, Message, Prompt, Sampling
from wyoming_llm.engines.server_reply import (
    MOST_LINE,
    SAID,
    ServerReply,
    lines_of,
    one_event,
    one_line,
)

_LOGGER = logging.getLogger(__name__)

_STEP_SECONDS: Final = 0.05
"""How long one step waits for the server: a step must be short, or nothing else gets a turn."""
_CONNECT_SECONDS: Final = 5.0
_MOST_WAITING: Final = 64
_END: Final = object()


class OpenAiEngine:
    """Replies of another server. Several run at once; a lost server is found again."""

    def __init__(self, settings: LlmSettings) -> None:
        if not settings.base_url.startswith(("http://", "https://")):
            raise ConfigError(f"base_url: expected http://HOST:PORT/v1, got '{settings.base_url}'")
        self._settings = settings
        self._url = settings.base_url.rstrip("/")
        self.model = settings.model or "default"
        self.prompt_limit = settings.context
        headers = {"Authorization": f"Bearer {settings.api_key}"} if settings.api_key else {}
        timeout = httpx2.Timeout(settings.timeout, connect=_CONNECT_SECONDS)
        self._client = httpx2.Client(headers=headers, timeout=timeout)

    def load(self) -> None:
        """Learn the name of the server's model; a server that is away may come later."""
        if self._settings.model:
            return
        try:
            answer = self._client.get(f"{self._url}/models")
            answer.raise_for_status()
            self.model = str(answer.json()["data"][0]["id"])
        except (httpx2.HTTPError, httpx2.InvalidURL, LookupError, ValueError, TypeError) as err:
            _LOGGER.warning("%s cannot be asked for its model: %s", self._url, one_line(str(err)))

    def count(self, text: str) -> int:
        """Return about how many tokens `text` takes."""
        return len(text.encode()) // 3 + 1

    def reply(self, prompt: Prompt, sampling: Sampling) -> Iterator[Delta]:
        """Yield the server's answer as it comes, empty deltas while it is silent."""
        lines: queue.Queue[Any] = queue.Queue(_MOST_WAITING)
        left = threading.Event()
        body = _body(self.model, prompt, sampling)
        worker = threading.Thread(target=self._fetch, args=(body, lines, left), daemon=True)
        worker.start()
        reader = ServerReply(calls=bool(prompt.tools))
        try:
            while True:
                try:
                    line = lines.get(timeout=_STEP_SECONDS)
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
        self._client.close()

    def _fetch(
        self, body: dict[str, Any], lines: "queue.Queue[Any]", left: threading.Event
    ) -> None:
        """Put the events of the answer, or what went wrong, into `lines`, until `left` is set."""
        last: Any = _END
        try:
            for data in self._events(body):
                if left.is_set() or (data and not _put(lines, data, left)):
                    return
        except httpx2.TimeoutException:
            last = TimedOut(f"{self._url} was silent for {self._settings.timeout:g} s")
        except ServiceError as err:
            last = err
        except Exception as err:  # whoever waits for `lines` must hear of it
            _LOGGER.debug("%s failed", self._url, exc_info=err)
            said = one_line(str(err)) or type(err).__name__
            last = Unavailable(f"{self._url} cannot be reached: {said}")
        _put(lines, last, left)

    def _events(self, body: dict[str, Any]) -> Iterator[str]:
        """Yield what is said, and "" for lines that say nothing."""
        with self._client.stream("POST", f"{self._url}/chat/completions", json=body) as answer:
            if answer.status_code != 200:
                text = next(answer.iter_text(SAID), "")
                raise _refusal(answer.status_code, text)
            events, other = 0, ""
            for line in lines_of(answer.iter_text()):
                data = line.removeprefix("data:").strip()
                if data == "[DONE]":
                    return
                if data and line.startswith("data:"):
                    events += 1
                    yield data
                    continue
                if not events:
                    other = (other + line)[:MOST_LINE]
                yield ""
            if not events:
                # Some servers know no streams, and answer at once.
                yield one_event(other)


def _put(lines: "queue.Queue[Any]", item: Any, left: threading.Event) -> bool:
    """Wait for room in `lines`; False when nobody reads them any more."""
    while not left.is_set():
        with contextlib.suppress(queue.Full):
            lines.put(item, timeout=_STEP_SECONDS)
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


def _refusal(status: int, text: str) -> ServiceError:
    said = one_line(text)
    if status in (400, 404, 413, 422):
        return BadRequest(f"The server refused with {status}: {said}")
    return Unavailable(f"The server answered with {status}: {said}")
