"""Blocking HTTP client: bodies as they arrive, and every failure as one of our own errors."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from aiohttp import web

from wyoming_common.errors import BadRequest, ConfigError, TimedOut, Unavailable, Unreachable
from wyoming_common.http.client import HttpClient
from wyoming_common.http.openai_client import OpenAiClient, json_of

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@contextmanager
def server(answer: Answer) -> Iterator[str]:
    """Serve `answer` for every request, in a thread of its own; yields the URL."""
    ready, stop = threading.Event(), asyncio.Event()
    running: list[tuple[asyncio.AbstractEventLoop, str]] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        return await answer(request)

    async def serve() -> None:
        app = web.Application(client_max_size=1 << 28)
        app.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        running.append((asyncio.get_running_loop(), url))
        ready.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait()
    [(loop, url)] = running
    try:
        yield url
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


async def pieces(request: web.Request, *content: bytes, pause: float = 0.0) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for piece in content:
        await response.write(piece)
        await asyncio.sleep(pause)
    return response


def test_a_body_arrives_whole_and_in_order() -> None:
    content = [bytes([number]) * 100_000 for number in range(30)]
    with (
        server(lambda request: pieces(request, *content)) as url,
        HttpClient() as client,
        client.request("GET", url) as response,
    ):
        body = b"".join(response.pieces())

    assert response.status == 200
    assert body == b"".join(content)


def test_a_server_that_is_silent_lets_the_caller_do_something_else() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return await pieces(request, b"one", b"two", pause=0.1)

    with server(answer) as url, HttpClient() as client, client.request("GET", url) as response:
        got = list(response.pieces(step_seconds=0.02))

    assert [piece for piece in got if piece] == [b"one", b"two"]
    assert b"" in got


def test_many_threads_use_one_client_at_one_time() -> None:
    came, all_there = 0, asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal came
        came += 1
        if came == 5:
            all_there.set()
        await all_there.wait()
        return web.Response(body=await request.read())

    with server(answer) as url, HttpClient() as client, ThreadPoolExecutor(5) as threads:

        def ask(number: int) -> str:
            with client.request("POST", url, data=str(number)) as response:
                return response.text(100)

        assert list(threads.map(ask, range(5))) == ["0", "1", "2", "3", "4"]


def test_a_body_larger_than_asked_for_is_not_read_to_its_end() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(bytes(65_536))

    with server(answer) as url, HttpClient() as client, client.request("GET", url) as response:
        assert len(response.read(1000)) == 1000


def test_a_port_without_a_server_is_unreachable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with (
            HttpClient() as client,
            pytest.raises(Unreachable, match="refused"),
            client.request("GET", url),
        ):
            pass


def test_a_server_that_never_answers_is_given_up() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    with (
        server(answer) as url,
        HttpClient(silence_seconds=0.1) as client,
        pytest.raises(TimedOut, match=r"silent for 0\.1 s"),
        client.request("GET", url),
    ):
        pass


def test_a_server_that_stops_in_the_middle_is_given_up() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return await pieces(request, b"one", pause=30)

    with (
        server(answer) as url,
        HttpClient(silence_seconds=0.1) as client,
        client.request("GET", url) as response,
        pytest.raises(TimedOut),
    ):
        list(response.pieces())


def test_a_connection_that_breaks_off_is_unavailable() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"one")
        assert request.transport is not None
        request.transport.abort()
        return response

    with (
        server(answer) as url,
        HttpClient() as client,
        client.request("GET", url) as response,
        pytest.raises(Unavailable),
    ):
        list(response.pieces())


@pytest.mark.parametrize("url", ["", "nonsense", "http://", "http://[", "ftp://a/b"])
def test_an_address_that_is_not_a_url_is_one_error(url: str) -> None:
    with HttpClient() as client, pytest.raises(Unavailable), client.request("GET", url):
        pass


def test_closing_ends_a_request_under_way() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return await pieces(request, b"one", pause=30)

    client = HttpClient()
    with server(answer) as url, client.request("GET", url) as response:
        arriving = response.pieces()
        first = next(arriving)
        closing = threading.Timer(0.05, client.close)
        closing.start()
        with pytest.raises(Unavailable):
            next(arriving)
        closing.join()

    assert first == b"one"


def test_closing_twice_is_closing_once() -> None:
    client = HttpClient()

    client.close()
    client.close()

    with pytest.raises(Unavailable, match="closed"):
        client.submit(asyncio.sleep(0))


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, BadRequest), (404, BadRequest), (422, BadRequest), (401, Unavailable),
     (429, Unavailable), (500, Unavailable), (503, Unavailable)],
)  # fmt: skip
def test_a_refusal_is_told_in_the_words_of_the_server(status: int, error: type[Exception]) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(text="no\n  such model", status=status)

    with server(answer) as url:
        client = OpenAiClient(f"{url}/v1/", "key", 1.0)
        with (
            pytest.raises(error, match=f"/v1/chat answered {status}: no such model"),
            client.post("chat", json={}),
        ):
            pass
        client.close()


def test_the_key_and_the_request_reach_the_server() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        return web.json_response({"path": request.path, "asked": asked, **request.headers})

    with server(answer) as url:
        client = OpenAiClient(f"{url}/v1", "s3cret", 1.0)
        with client.post("audio/speech", json={"input": "hello"}) as response:
            got = json_of(response)
        client.close()

    assert got["path"] == "/v1/audio/speech"
    assert got["asked"] == {"input": "hello"}
    assert got["Authorization"] == "Bearer s3cret"


@pytest.mark.parametrize("body", ["", "<html>", "[" * 100_000])
def test_an_answer_that_is_not_json_is_one_error(body: str) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(text=body)

    with server(answer) as url:
        client = OpenAiClient(url, None, 1.0)
        with pytest.raises(Unavailable, match="expected JSON"):
            client.get_json("models")
        client.close()


def test_a_base_url_without_a_scheme_is_refused() -> None:
    with pytest.raises(ConfigError, match="base_url: expected http://HOST:PORT/v1, got 'host'"):
        OpenAiClient("host", None, 1.0)
