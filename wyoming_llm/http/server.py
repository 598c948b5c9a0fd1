"""OpenAI-compatible HTTP server, for Home Assistant's llama.cpp integration and other clients."""

import asyncio
import hmac
import json
import logging
import time
import uuid
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import web

from wyoming_common.config.settings import OFF
from wyoming_common.errors import BadRequest, Busy, ServiceError, TooLarge, Unavailable
from wyoming_common.http.cross_origin import no_foreign_pages
from wyoming_common.http.server import listening, only_from
from wyoming_common.net.access import Access
from wyoming_common.net.fairness import current_client
from wyoming_common.net.limits import check_json_shape
from wyoming_llm.assist.agent import AskModel, AssistAgent, CallTools, Speak
from wyoming_llm.assist.request import talk_prefix
from wyoming_llm.config import LlmSettings
from wyoming_llm.dialogue.generation_queue import GenerationQueue
from wyoming_llm.engine import Delta, Prompt, ToolCall, Usage
from wyoming_llm.http.openapi import document
from wyoming_llm.http.prefix_privacy import SentPrefixes
from wyoming_llm.http.requests import ChatRequest, parse

_LOGGER = logging.getLogger(__name__)

_MAX_BODY_BYTES: Final = 4 * 1024 * 1024
_PORT: Final = 8080
_MAX_EXPECTED: Final = 64
"""Instructions that are remembered as read ahead"""
_STATUS: Final[dict[type[ServiceError], int]] = {BadRequest: 400, Busy: 503, Unavailable: 502}
_OPEN: Final = ("/health", "/v1/health")
"""Paths that need no key"""


class OpenAiServer:
    """Answers HTTP requests with the model's replies."""

    def __init__(
        self,
        replies: GenerationQueue,
        model: Callable[[], str],
        ready: Callable[[], bool],
        key: str = "",
        assist: AssistAgent | None = None,
    ) -> None:
        """Make a server; `assist` answers what it can of Assist's requests without the model."""
        self._assist = assist
        self._expected: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._replies = replies
        self._model = model
        self._ready = ready
        self._key = key
        self._since = int(time.time())
        self._sent_prefixes = SentPrefixes()

    def app(self, access: Access) -> web.Application:
        """Return the web application."""
        app = web.Application(
            middlewares=[only_from(access), no_foreign_pages(), self._guard],
            client_max_size=_MAX_BODY_BYTES,
        )
        for prefix in ("", "/v1"):
            for slash in ("", "/"):
                app.router.add_get(f"{prefix}/health{slash}", self._health)
                app.router.add_get(f"{prefix}/openapi.json{slash}", self._openapi)
                app.router.add_get(f"{prefix}/models{slash}", self._models)
                app.router.add_post(f"{prefix}/chat/completions{slash}", self._chat)
            app.router.add_get(f"{prefix}/models/{{name:.+}}", self._one_model)
        return app

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Any]
    ) -> web.StreamResponse:
        """Check the key, and answer errors in OpenAI's form."""
        try:
            given = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if (
                self._key
                and request.path.rstrip("/") not in _OPEN
                and not hmac.compare_digest(_bytes(given), _bytes(self._key))
            ):
                return _failure(401, "Incorrect API key", "invalid_api_key")
            response: web.StreamResponse = await handler(request)
            return response
        except ServiceError as err:
            _LOGGER.warning("%s: %s", err.code, err)
            return _failure(_status(err), str(err), err.code)
        except ConnectionError:
            _LOGGER.debug("The client went away")
            return web.Response(status=499)
        except web.HTTPRequestEntityTooLarge:
            return _failure(413, f"A request may hold {_MAX_BODY_BYTES} bytes", "too-large")
        except web.HTTPException as err:
            return _failure(err.status, err.reason, "invalid_request_error")

    async def _health(self, _request: web.Request) -> web.Response:
        if self._ready():
            return web.json_response({"status": "ok"})
        return web.json_response({"status": "loading model"}, status=503)

    async def _openapi(self, _request: web.Request) -> web.Response:
        return web.json_response(document())

    async def _models(self, _request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [self._shown()]})

    async def _one_model(self, request: web.Request) -> web.Response:
        if request.match_info["name"] != self._model():
            return _failure(404, "No such model", "model_not_found")
        return web.json_response(self._shown())

    def _shown(self) -> dict[str, Any]:
        return {
            "id": self._model(),
            "object": "model",
            "created": self._since,
            "owned_by": "parley",
        }

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        chat = _chat_of(await request.read())
        prompt = chat.prompt
        if self._assist is not None:
            step = await self._assist.step(prompt, parallel=chat.parallel)
            if not isinstance(step, AskModel):
                self._expect_talk(prompt)
                return await self._answer(request, chat, _deltas(step), 0.0)
            prompt = step.prompt
        own = self._sent_prefixes.share(prompt)
        async with self._replies.stream(prompt, chat.sampling) as generation:
            return await self._answer(request, chat, generation, own)

    def _expect_talk(self, prompt: Prompt) -> None:
        """Have the model read the client's own instructions once, so that talk begins sooner."""
        prefix = talk_prefix(prompt)
        key = (current_client(), prefix.conversation)
        if key not in self._expected and prefix.messages:
            self._expected[key] = None
            self._replies.prefill(prefix)
        while len(self._expected) > _MAX_EXPECTED:
            self._expected.popitem(last=False)

    async def _answer(
        self, request: web.Request, chat: ChatRequest, deltas: AsyncIterator[Delta], own: float
    ) -> web.StreamResponse:
        connected = _WhileConnected(request, deltas)
        if chat.stream:
            return await self._stream(request, chat, connected, own)
        return await self._whole(connected, own)

    async def _whole(self, deltas: AsyncIterator[Delta], own: float) -> web.Response:
        text, calls, last = "", list[ToolCall](), Delta()
        async for delta in deltas:
            text += delta.text
            calls += delta.tool_calls
            last = delta if delta.finish else last
        message: dict[str, Any] = {"role": "assistant", "content": text or None}
        if calls:
            message["tool_calls"] = [_call(call) for call in calls]
        else:
            message["content"] = text
        choice = {"index": 0, "message": message, "finish_reason": last.finish or "stop"}
        return web.json_response(
            self._envelope("chat.completion")
            | {"choices": [choice], "usage": _usage(last.usage, own)}
        )

    async def _stream(
        self, request: web.Request, chat: ChatRequest, deltas: AsyncIterator[Delta], own: float
    ) -> web.StreamResponse:
        # The first step decides whether there is an answer at all: until then errors have a status.
        first = await anext(deltas, Delta(finish="stop"))
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
        )
        await response.prepare(request)
        envelope = self._envelope("chat.completion.chunk")

        async def send(delta: dict[str, Any], finish: str | None = None) -> None:
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            await _event(response, envelope | {"choices": [choice]})

        try:
            await send({"role": "assistant", "content": ""})
            count, last, delta = 0, first, first
            while True:
                if delta.text:
                    await send({"content": delta.text})
                for call in delta.tool_calls:
                    await send({"tool_calls": [{"index": count} | _call(call)]})
                    count += 1
                last = delta if delta.finish else last
                if (following := await anext(deltas, None)) is None:
                    break
                delta = following
            await send({}, last.finish or "stop")
            if chat.usage:
                usage = _usage(last.usage, own)
                await _event(response, envelope | {"choices": [], "usage": usage})
            await response.write(b"data: [DONE]\n\n")
        except ServiceError as err:
            _LOGGER.warning("%s: %s", err.code, err)
            await _event(response, {"error": {"message": str(err), "code": err.code}})
        await response.write_eof()
        return response

    def _envelope(self, kind: str) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{uuid.uuid4().hex}",
            "object": kind,
            "created": int(time.time()),
            "model": self._model(),
        }


def http_uri(settings: LlmSettings) -> str:
    """Return the URI to serve at, "" for none."""
    if settings.http_uri:
        return "" if settings.http_uri == OFF else settings.http_uri
    target = urlsplit(settings.uri)
    if target.scheme != "tcp" or not target.port:
        return ""
    host = target.hostname or ""
    return f"http://{f'[{host}]' if ':' in host else host}:{_PORT}"


@asynccontextmanager
async def serve_http(server: OpenAiServer, settings: LlmSettings) -> AsyncIterator[str]:
    """Serve until the block ends; yields the URI, "" where nothing is served.

    A port in use is an error only where the settings name the address.
    """
    uri = http_uri(settings)
    if not uri:
        yield ""
        return
    listener = listening(server.app(Access(settings.allow)), uri, "http_uri")
    try:
        bound = await listener.__aenter__()
    except ServiceError as err:
        if settings.http_uri:
            raise
        _LOGGER.warning("%s; going on without the OpenAI-compatible server", err)
        yield ""
        return
    _LOGGER.info("OpenAI-compatible at %s/v1", bound)
    try:
        yield bound
    finally:
        await listener.__aexit__(None, None, None)


def _chat_of(body: bytes) -> ChatRequest:
    try:
        # UTF-8 as RFC 8259 says, also where the header names another encoding.
        text = body.decode("utf-8-sig")
        check_json_shape(text, "The body")
        content = json.loads(text)
    except (ValueError, RecursionError) as err:
        raise BadRequest("The body is not JSON") from err
    return parse(content)


async def _deltas(step: Speak | CallTools) -> AsyncIterator[Delta]:
    """Yield an answer that needs no model as if one had written it."""
    if isinstance(step, Speak):
        yield Delta(step.text, finish="stop")
        return
    await asyncio.sleep(step.delay)
    calls = tuple(
        ToolCall(f"call_{uuid.uuid4().hex}", name, arguments)
        for name, arguments in step.arguments()
    )
    yield Delta(tool_calls=calls, finish="tool_calls")


class _WhileConnected:
    """Deltas as long as the client is there; it may leave while the prompt is read."""

    def __init__(self, request: web.Request, deltas: AsyncIterator[Delta]) -> None:
        self._request = request
        self._deltas = deltas

    def __aiter__(self) -> AsyncIterator[Delta]:
        return self

    async def __anext__(self) -> Delta:
        delta = await anext(self._deltas)
        if self._request.transport is None or self._request.transport.is_closing():
            raise ConnectionResetError("The client went away")
        return delta


async def _event(response: web.StreamResponse, content: dict[str, Any]) -> None:
    async with asyncio.timeout(60):
        await response.write(b"data: " + json.dumps(content).encode() + b"\n\n")


def _bytes(key: str) -> bytes:
    # aiohttp passes on bytes that are no text as surrogates.
    return key.encode(errors="surrogateescape")


def _call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def _usage(usage: Usage, own: float) -> dict[str, Any]:
    """`own` is the share of the prompt whose prefix hits may be disclosed to the client."""
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
        "prompt_tokens_details": {"cached_tokens": min(usage.cached, int(usage.prompt * own))},
    }


def _status(error: ServiceError) -> int:
    if isinstance(error, TooLarge):
        return 400
    return next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 500)


def _failure(status: int, message: str, code: str) -> web.Response:
    kind = "invalid_request_error" if status < 500 else "server_error"
    return web.json_response(
        {"error": {"message": message, "type": kind, "code": code, "param": None}}, status=status
    )
