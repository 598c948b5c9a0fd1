"""Blocking HTTP client for engines and downloads, on aiohttp: one HTTP stack for all programs.

An event loop in a thread of its own carries the requests; any number of threads may make them.
"""

import asyncio
import os
import threading
from collections.abc import Coroutine, Generator, Iterator, Mapping
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager, suppress
from typing import Any, Final, Self, TypeVar

import aiohttp

from wyoming_common.errors import TimedOut, Unavailable, Unreachable

T = TypeVar("T")

_BLOCK_BYTES: Final = 1 << 16


class HttpResponse:
    """An answer whose body is read as it arrives."""

    def __init__(self, client: "HttpClient", response: aiohttp.ClientResponse) -> None:
        self._client = client
        self._response = response
        self.status: int = response.status
        self.reason = response.reason or ""
        self.headers: Mapping[str, str] = response.headers
        """By name, in any case."""
        self.url = str(response.url)
        """URL that the answer came from, after all redirects."""

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters; "" where the server names none."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def pieces(self, step_seconds: float | None = None) -> Iterator[bytes]:
        """Yield the body as it arrives; with `step_seconds`, b"" after each silence of that length.

        Raises Unavailable and TimedOut as the request does.
        """
        while piece := (yield from self._next(step_seconds)):
            yield piece

    def read(self, max_bytes: int) -> bytes:
        """Return the rest of the body, of which what is beyond `max_bytes` is left unread."""
        content = bytearray()
        for piece in self.pieces():
            content += piece
            if len(content) >= max_bytes:
                break
        return bytes(content[:max_bytes])

    def text(self, max_bytes: int) -> str:
        """Return the rest of the body as text; bytes that are not UTF-8 are replaced."""
        return self.read(max_bytes).decode("utf-8-sig", "replace")

    def _next(self, step_seconds: float | None) -> Generator[bytes, None, bytes]:
        coming = self._client.submit(self._response.content.read(_BLOCK_BYTES))
        with self._client.errors(self.url):
            while True:
                try:
                    return coming.result(step_seconds)
                except TimeoutError:
                    if coming.done():
                        raise
                yield b""


class HttpClient:
    """A pool of connections. Every request has a limit on each silence, not on its whole length."""

    def __init__(
        self,
        headers: Mapping[str, str] | None = None,
        silence_seconds: float = 60.0,
        connect_seconds: float = 5.0,
    ) -> None:
        self._headers = headers
        self._silence_seconds = silence_seconds
        self._connect_seconds = connect_seconds
        self._opening = threading.Lock()
        self._responses: set[aiohttp.ClientResponse] = set()
        self._opened: tuple[asyncio.AbstractEventLoop, aiohttp.ClientSession] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def request(self, method: str, url: str, **options: Any) -> Iterator[HttpResponse]:
        """Send a request and yield its answer, of any status.

        `options` are those of `aiohttp.ClientSession.request`: `json`, `data`, `headers`,
        `allow_redirects`. Raises Unreachable where no connection can be made, TimedOut when the
        server is silent too long, and Unavailable for any other failure.
        """
        loop, session = self._open()
        with self.errors(url):
            response = self.submit(session.request(method, url, **options)).result()
        self._responses.add(response)
        try:
            yield HttpResponse(self, response)
        finally:
            self._responses.discard(response)
            # An unread rest is thrown away, and its connection with it.
            with suppress(RuntimeError):  # `close` has done it already
                loop.call_soon_threadsafe(response.close)

    def close(self) -> None:
        """Close all connections, which ends every request under way with Unavailable."""
        with self._opening:
            if self._opened is None:
                return
            loop, session = self._opened
            self.submit(self._shut_down(session)).result()
            self._opened = None
        loop.call_soon_threadsafe(loop.stop)
        self._thread.join()
        loop.close()

    def submit(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Run a coroutine on the client's event loop. Raises Unavailable after `close`."""
        if self._opened is None:
            work.close()
            raise Unavailable("The HTTP client is closed")
        return asyncio.run_coroutine_threadsafe(work, self._opened[0])

    @contextmanager
    def errors(self, url: str) -> Iterator[None]:
        """Raise what a request to `url` raises for any error of aiohttp in the block."""
        try:
            yield
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as err:
            raise Unreachable(f"{url} cannot be reached: {_reason(err)}") from err
        except CancelledError as err:
            raise Unavailable(f"{url}: the HTTP client was closed") from err
        except TimeoutError as err:
            raise TimedOut(f"{url} was silent for {self._silence_seconds:g} s") from err
        except (aiohttp.ClientError, OSError, ValueError) as err:
            raise Unavailable(f"{url}: {_reason(err)}") from err

    def _open(self) -> tuple[asyncio.AbstractEventLoop, aiohttp.ClientSession]:
        with self._opening:
            if self._opened is None:
                loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=loop.run_forever, name="http", daemon=True)
                self._thread.start()
                session = asyncio.run_coroutine_threadsafe(self._open_session(), loop).result()
                self._opened = loop, session
            return self._opened

    async def _open_session(self) -> aiohttp.ClientSession:
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=self._connect_seconds, sock_read=self._silence_seconds
        )
        # Proxies are those of the environment: HTTP_PROXY, HTTPS_PROXY, NO_PROXY.
        return aiohttp.ClientSession(headers=self._headers, timeout=timeout, trust_env=True)

    async def _shut_down(self, session: aiohttp.ClientSession) -> None:
        for response in list(self._responses):
            response.close()
        await session.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


def _reason(err: Exception) -> str:
    if isinstance(err, aiohttp.ConnectionTimeoutError):
        return "no connection in time"
    if isinstance(err, aiohttp.InvalidURL):
        return "this is not a URL"
    cause = getattr(err, "os_error", err)
    # A failed look-up of a name has a negative number, and words of its own.
    if isinstance(cause, OSError) and (cause.errno or 0) > 0:
        return os.strerror(cause.errno or 0).lower()
    return str(getattr(cause, "strerror", None) or cause) or type(err).__name__
